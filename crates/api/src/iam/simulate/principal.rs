//! The policies of a user, group or role.

use domain::arn::Scope;
use domain::iam::{Grants, Holder, Refusal as Records};
use store::State;
use wire::iam::{AttachmentType, PolicyIdentifier, PolicySourceType};

use super::super::Refusal;
use super::parse;
use super::source::Source;

/// Whose policies are asked.
#[derive(Debug)]
pub(super) struct Principal {
    pub(super) policies: Vec<Source>,
    pub(super) boundary: Option<Source>,
    pub(super) arn: String,
    pub(super) id: String,
}

/// What is collected of one principal.
struct Collection<'a> {
    state: &'a State,
    scope: &'a Scope,
    excluded: &'a [PolicyIdentifier],
    policies: Vec<Source>,
}

pub(super) fn find(
    state: &State,
    scope: &Scope,
    arn: &str,
    excluded: &[PolicyIdentifier],
) -> Result<Principal, Refusal> {
    let mut collection = Collection { state, scope, excluded, policies: Vec::new() };
    let (id, boundary) = if let Some(user) = state.user_of(scope, arn) {
        collection.add(Holder::User, &user.name, &user.grants)?;
        for group in state.groups_of(user) {
            collection.add(Holder::Group, &group.name, &group.grants)?;
        }
        (user.id.clone(), user.boundary.as_ref())
    } else if let Some(role) = state.role_of(scope, arn) {
        collection.add(Holder::Role, &role.name, &role.grants)?;
        (role.id.clone(), role.boundary.as_ref())
    } else if let Some(group) = state.group_of(scope, arn) {
        collection.add(Holder::Group, &group.name, &group.grants)?;
        (group.id.clone(), None)
    } else {
        return Err(missing(scope, arn).into());
    };
    let boundary = match boundary {
        Some(arn) => collection.managed(arn)?,
        None => None,
    };
    Ok(Principal { policies: collection.policies, boundary, arn: arn.to_owned(), id })
}

/// Somebody who does not exist, or no one's ARN.
fn missing(scope: &Scope, arn: &str) -> Records {
    let prefix = format!("arn:aws:iam::{}:", scope.account);
    let resource = arn.strip_prefix(&prefix).and_then(|resource| resource.split_once('/'));
    let holder = match resource.map(|(kind, _)| kind) {
        Some("user") => Holder::User,
        Some("group") => Holder::Group,
        Some("role") => Holder::Role,
        _ => return Records::BadArn(arn.to_owned()),
    };
    let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
    Records::NoHolder { holder, name }
}

impl Collection<'_> {
    fn add(&mut self, holder: Holder, name: &str, grants: &Grants) -> Result<(), Refusal> {
        let kind = match holder {
            Holder::User => PolicySourceType::User,
            Holder::Group => PolicySourceType::Group,
            Holder::Role => PolicySourceType::Role,
        };
        for (policy, text) in &grants.inline {
            if !self.excludes_inline(holder, name, policy) {
                // As AWS names them: user_alice_policy.
                let id = format!("{}_{name}_{policy}", holder.noun());
                self.policies.push(Source { id, kind, document: parse(text)? });
            }
        }
        for arn in &grants.attached {
            let excluded = |one: &PolicyIdentifier| one.policy_arn.as_ref() == Some(arn);
            if !self.excluded.iter().any(excluded) {
                let managed = self.managed(arn)?;
                self.policies.extend(managed);
            }
        }
        Ok(())
    }

    fn managed(&self, arn: &str) -> Result<Option<Source>, Refusal> {
        let Some(policy) = self.state.managed_policy(self.scope, arn) else { return Ok(None) };
        let kind =
            if policy.aws { PolicySourceType::AwsManaged } else { PolicySourceType::UserManaged };
        let document = parse(policy.document())?;
        Ok(Some(Source { id: policy.name.clone(), kind, document }))
    }

    fn excludes_inline(&self, holder: Holder, name: &str, policy: &str) -> bool {
        self.excluded.iter().filter_map(|one| one.inline_policy_identifier.as_ref()).any(|one| {
            let kind = match one.attachment_type {
                AttachmentType::User => Holder::User,
                AttachmentType::Group => Holder::Group,
                AttachmentType::Role => Holder::Role,
            };
            (kind, &*one.attachment_name, &*one.policy_name) == (holder, name, policy)
        })
    }
}
