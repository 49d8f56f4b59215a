//! Where a caller stands: the key, who is behind it, and every policy that applies, compiled.
//!
//! It is made of records of one image of the state, and remembers them. It holds for every later image in which these
//! very records are found again, so that a change of a key, a user, a group, a role or a policy counts with the first image
//! that has it, and nothing needs a time-out.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use auth::policy::{Caller, Document, Policies};
use auth::{Credential, Principal, SecretKey, SessionToken};
use domain::arn::Scope;
use domain::iam::{
    AccessKey, Grants, Group, ManagedPolicy, NameKey, Owner, PolicyArn, Role, Session, Subject,
    User, aws_managed,
};
use domain::tag::Tags;
use domain::time::Timestamp;
use store::{State, Table};

use super::compiled::compiled;

/// A record that was looked at, or not found.
#[derive(Debug)]
enum Root {
    Key(Arc<AccessKey>),
    Session(Arc<Session>),
    User(Arc<User>),
    Group(Arc<Group>),
    NoGroup(NameKey),
    Role(Arc<Role>),
    Policy(Arc<ManagedPolicy>),
    NoPolicy(NameKey),
}

impl Root {
    fn holds_in(&self, state: &State) -> bool {
        fn same<R>(found: Option<&Arc<R>>, known: &Arc<R>) -> bool {
            found.is_some_and(|found| Arc::ptr_eq(found, known))
        }
        match self {
            Self::Key(key) => same(state.access_keys.get(&key.id), key),
            Self::Session(session) => same(state.sessions.get(&session.access_key_id), session),
            Self::User(user) => same(state.users.get(&user.key()), user),
            Self::Group(group) => same(state.groups.get(&group.key()), group),
            Self::NoGroup(name) => !state.groups.contains_key(name),
            Self::Role(role) => same(state.roles.get(&role.key()), role),
            Self::Policy(policy) => same(state.managed_policies.get(&policy.key()), policy),
            Self::NoPolicy(name) => !state.managed_policies.contains_key(name),
        }
    }
}

/// The tables that standings are made of, as one image has them.
#[derive(Debug, Clone, Default)]
pub(super) struct Identities {
    access_keys: Table<AccessKey>,
    sessions: Table<Session>,
    users: Table<User>,
    groups: Table<Group>,
    roles: Table<Role>,
    managed_policies: Table<ManagedPolicy>,
}

impl Identities {
    pub(super) fn of(state: &State) -> Self {
        Self {
            access_keys: state.access_keys.clone(),
            sessions: state.sessions.clone(),
            users: state.users.clone(),
            groups: state.groups.clone(),
            roles: state.roles.clone(),
            managed_policies: state.managed_policies.clone(),
        }
    }

    /// Whether a state has these very tables. What holds in one such state then holds in the other.
    pub(super) fn are_of(&self, state: &State) -> bool {
        self.access_keys.ptr_eq(&state.access_keys)
            && self.sessions.ptr_eq(&state.sessions)
            && self.users.ptr_eq(&state.users)
            && self.groups.ptr_eq(&state.groups)
            && self.roles.ptr_eq(&state.roles)
            && self.managed_policies.ptr_eq(&state.managed_policies)
    }
}

/// A caller and all that bounds it.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) credential: Arc<Credential>,
    /// The role of a role's session, whose policies these are.
    role_arn: Option<String>,
    /// Policies of the user and its groups, or of the role.
    identity: Vec<Arc<Document>>,
    boundary: Option<Arc<Document>>,
    /// Those that the session was begun with.
    session: Option<Vec<Arc<Document>>>,
    /// `aws:PrincipalTag/…`.
    pub(super) tags: Tags,
    /// `aws:TokenIssueTime`: when the session began, by the wall.
    pub(super) issued_at: Option<Timestamp>,
    /// `aws:SourceIdentity`.
    pub(super) source_identity: Option<String>,
    /// When a use of the key was handed on to be noted, in the wall's milliseconds.
    used_at: AtomicI64,
    roots: Vec<Root>,
}

/// What is put together of one image.
struct Gathering<'a> {
    state: &'a State,
    scope: &'a Scope,
    roots: Vec<Root>,
    identity: Vec<Arc<Document>>,
}

impl Standing {
    /// The owner of an active key or of a session. `None` if it is neither.
    pub(crate) fn find(state: &State, scope: &Scope, access_key_id: &str) -> Option<Self> {
        let gathering = Gathering { state, scope, roots: Vec::new(), identity: Vec::new() };
        if let Some(key) = state.access_keys.get(access_key_id) {
            return key.is_active().then(|| gathering.of_key(key)).flatten();
        }
        gathering.of_session(state.sessions.get(access_key_id)?)
    }

    /// Whether nothing that it is made of has changed.
    pub(crate) fn holds_in(&self, state: &State) -> bool {
        self.roots.iter().all(|root| root.holds_in(state))
    }

    /// Whether a use at this time, by the wall, is to be handed on: once in so long, since others note it too.
    pub(super) fn hands_on(&self, at: Timestamp, once_in: Duration) -> bool {
        let last = Timestamp::from_millis(self.used_at.load(Ordering::Relaxed));
        let is_due = at.since(last) >= once_in;
        if is_due {
            self.used_at.store(at.as_millis(), Ordering::Relaxed);
        }
        is_due
    }

    /// The caller as policies name it.
    pub(crate) fn caller(&self) -> Option<Caller<'_>> {
        Caller::of(&self.credential.principal, self.role_arn.as_deref())
    }

    pub(crate) fn policies(&self) -> Policies<'_> {
        Policies {
            identity: &self.identity,
            boundary: self.boundary.as_ref(),
            session: self.session.as_deref(),
        }
    }
}

impl Gathering<'_> {
    fn of_key(mut self, key: &Arc<AccessKey>) -> Option<Standing> {
        self.roots.push(Root::Key(Arc::clone(key)));
        let credential = |principal| Credential {
            access_key_id: key.id.clone(),
            secret: SecretKey::new(key.secret.as_str()),
            session: None,
            principal,
        };
        match &key.owner {
            Owner::Root => {
                let principal = root(self.scope);
                Some(self.standing(credential(principal), None, Tags::default()))
            }
            Owner::User(name) => {
                let user = self.state.users.get(name)?;
                Some(self.of_user(user, credential))
            }
        }
    }

    fn of_session(mut self, session: &Arc<Session>) -> Option<Standing> {
        self.roots.push(Root::Session(Arc::clone(session)));
        let credential = |principal| Credential {
            access_key_id: session.access_key_id.clone(),
            secret: SecretKey::new(session.secret.as_str()),
            session: Some(auth::Session {
                token: SessionToken::new(session.token.as_str()),
                expires: session.expires_at.as_millis().div_euclid(1000),
            }),
            principal,
        };
        let policies = session.has_policies().then(|| self.of_policies(session));
        let mut standing = match &session.subject {
            Subject::Root => {
                let principal = root(self.scope);
                self.standing(credential(principal), None, Tags::default())
            }
            Subject::User { name, id } => {
                let user = self.state.users.get(name).filter(|user| user.id == *id)?;
                self.of_user(user, credential)
            }
            Subject::Role { name, id } => {
                let role = self.state.roles.get(name).filter(|role| role.id == *id)?;
                self.of_role(role, session, credential)
            }
        };
        standing.session = policies;
        standing.issued_at = Some(session.issued_at);
        standing.source_identity.clone_from(&session.source_identity);
        Some(standing)
    }

    fn of_user(
        mut self,
        user: &Arc<User>,
        credential: impl FnOnce(Principal) -> Credential,
    ) -> Standing {
        self.roots.push(Root::User(Arc::clone(user)));
        self.grant(&user.grants);
        for name in &user.groups {
            match self.state.groups.get(name) {
                Some(group) => {
                    self.roots.push(Root::Group(Arc::clone(group)));
                    self.grant(&group.grants);
                }
                None => self.roots.push(Root::NoGroup(name.clone())),
            }
        }
        let principal = Principal {
            account: self.scope.account.clone(),
            arn: user.arn(self.scope),
            user_id: user.id.clone(),
        };
        let boundary = user.boundary.as_deref().map(|arn| self.bounding(arn));
        Standing { boundary, ..self.standing(credential(principal), None, user.tags.clone()) }
    }

    fn of_role(
        mut self,
        role: &Arc<Role>,
        session: &Session,
        credential: impl FnOnce(Principal) -> Credential,
    ) -> Standing {
        self.roots.push(Root::Role(Arc::clone(role)));
        self.grant(&role.grants);
        let principal = Principal {
            account: self.scope.account.clone(),
            arn: role.session_arn(self.scope, &session.name),
            user_id: format!("{}:{}", role.id, session.name),
        };
        let boundary = role.boundary.as_deref().map(|arn| self.bounding(arn));
        // Tags of the session win over those of the role.
        let mut tags = role.tags.clone();
        tags.0.extend(session.tags.0.clone());
        let role_arn = Some(role.arn(self.scope));
        Standing { boundary, ..self.standing(credential(principal), role_arn, tags) }
    }

    fn standing(self, credential: Credential, role_arn: Option<String>, tags: Tags) -> Standing {
        Standing {
            credential: Arc::new(credential),
            role_arn,
            identity: self.identity,
            boundary: None,
            session: None,
            tags,
            issued_at: None,
            source_identity: None,
            used_at: AtomicI64::new(0),
            roots: self.roots,
        }
    }

    fn grant(&mut self, grants: &Grants) {
        self.identity.extend(grants.inline.values().map(|text| compiled(text)));
        for arn in &grants.attached {
            let managed = self.managed(arn);
            self.identity.extend(managed);
        }
    }

    /// The policies that a session was begun with.
    fn of_policies(&mut self, session: &Session) -> Vec<Arc<Document>> {
        let given = session.policy.as_deref().map(compiled);
        let named: Vec<_> =
            session.policy_arns.iter().filter_map(|arn| self.managed(arn)).collect();
        given.into_iter().chain(named).collect()
    }

    /// The policy that bounds. One that is gone bounds all the same: nothing is within it.
    fn bounding(&mut self, arn: &str) -> Arc<Document> {
        self.managed(arn).unwrap_or_else(|| compiled(""))
    }

    /// The version that counts of a managed policy.
    fn managed(&mut self, arn: &str) -> Option<Arc<Document>> {
        let PolicyArn { aws, path, name } = PolicyArn::parse(self.scope, arn).ok()?;
        if aws {
            return aws_managed(path, name).map(|policy| compiled(policy.document()));
        }
        let key = NameKey::new(name);
        let Some(policy) = self.state.managed_policies.get(&key) else {
            self.roots.push(Root::NoPolicy(key));
            return None;
        };
        self.roots.push(Root::Policy(Arc::clone(policy)));
        Some(compiled(policy.document()))
    }
}

/// The account's root user.
pub(crate) fn root(scope: &Scope) -> Principal {
    Principal { account: scope.account.clone(), arn: scope.root(), user_id: scope.account.clone() }
}
