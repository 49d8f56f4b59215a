//! Who there is, found in the state by name, ARN or membership.

use std::sync::Arc;

use domain::arn::Scope;
use domain::iam::{
    Group, ManagedPolicy, NameKey, PolicyArn, Role, Session, Subject, User, aws_managed,
};

use crate::state::State;

impl State {
    /// A managed policy, the account's or AWS's, by its whole ARN.
    pub fn managed_policy(&self, scope: &Scope, arn: &str) -> Option<&Arc<ManagedPolicy>> {
        let PolicyArn { aws, path, name } = PolicyArn::parse(scope, arn).ok()?;
        if aws {
            return aws_managed(path, name);
        }
        let found = self.managed_policies.get(&NameKey::new(name))?;
        (found.path == path && found.name == name).then_some(found)
    }

    /// The users in a group.
    pub fn users_in(&self, group: &NameKey) -> impl Iterator<Item = &Arc<User>> {
        self.users.values().filter(move |user| user.groups.contains(group))
    }

    /// The groups of a user, by name.
    pub fn groups_of(&self, user: &User) -> impl Iterator<Item = &Arc<Group>> {
        user.groups.iter().filter_map(|name| self.groups.get(name))
    }

    /// The role of an ARN. Its path and the case of its name count.
    pub fn role_of(&self, scope: &Scope, arn: &str) -> Option<&Arc<Role>> {
        let name = arn.rsplit('/').next()?;
        self.roles.get(&NameKey::new(name)).filter(|role| role.arn(scope) == arn)
    }

    /// The user of an ARN. Its path and the case of its name count.
    pub fn user_of(&self, scope: &Scope, arn: &str) -> Option<&Arc<User>> {
        let name = arn.rsplit('/').next()?;
        self.users.get(&NameKey::new(name)).filter(|user| user.arn(scope) == arn)
    }

    /// The group of an ARN. Its path and the case of its name count.
    pub fn group_of(&self, scope: &Scope, arn: &str) -> Option<&Arc<Group>> {
        let name = arn.rsplit('/').next()?;
        self.groups.get(&NameKey::new(name)).filter(|group| group.arn(scope) == arn)
    }

    /// Whether the one whose session it is, is still there and is the same.
    pub fn has_subject_of(&self, session: &Session) -> bool {
        match &session.subject {
            Subject::Root => true,
            Subject::User { name, id } => self.users.get(name).is_some_and(|user| user.id == *id),
            Subject::Role { name, id } => self.roles.get(name).is_some_and(|role| role.id == *id),
        }
    }
}
