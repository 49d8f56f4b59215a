//! Which permissions the caller has, as far as IAM says so: `SimulatePrincipalPolicy` on oneself.
//!
//! It does not know the policies of a session. What cannot be looked up is unknown, and no error.

use std::collections::{BTreeMap, BTreeSet};

use domain::safe_update::{Given, Permission};
use domain::scaling::DIMENSION;
use wire::iam::{
    self, ContextEntry, ContextKeyTypeEnum, GetRoleRequest, GetRoleResponse,
    PolicyEvaluationDecisionType, SimulatePolicyResponse, SimulatePrincipalPolicyRequest,
};
use wire::sts::{self, GetCallerIdentityRequest, GetCallerIdentityResponse};

use crate::client::Client;
use crate::command::scaling::ask;

/// What is known, by action and resource.
pub(super) type Known = BTreeMap<(String, String), Given>;

/// Who asks, as IAM can be asked about them.
#[derive(Debug, PartialEq, Eq)]
enum Caller {
    /// May do everything.
    Root,
    User(String),
    /// A session of this role; its path is not known.
    Role {
        name: String,
        arn: String,
    },
    Other,
}

pub(super) async fn given(client: &Client, permissions: &[Permission]) -> Known {
    let pairs = permissions.iter().map(|one| (one.action.clone(), one.resource.clone()));
    let source = match caller(client).await {
        Caller::Root => return pairs.map(|pair| (pair, Given::Allowed)).collect(),
        Caller::User(arn) => arn,
        Caller::Role { name, arn } => role(client, name).await.unwrap_or(arn),
        Caller::Other => return Known::new(),
    };
    let mut actions = BTreeMap::<String, BTreeSet<String>>::new();
    for (action, resource) in pairs {
        actions.entry(resource).or_default().insert(action);
    }
    let mut known = Known::new();
    // As many calls as the endpoint has targets, and one.
    for (resource, actions) in actions {
        for (action, given) in simulated(client, &source, &resource, actions).await {
            known.insert((action, resource.clone()), given);
        }
    }
    known
}

async fn caller(client: &Client) -> Caller {
    let asked = ask(client, &sts::SERVICE, "GetCallerIdentity", &GetCallerIdentityRequest {}).await;
    match asked {
        Ok(GetCallerIdentityResponse { arn: Some(arn), .. }) => caller_of(&arn),
        _ => Caller::Other,
    }
}

/// `reference/autoscaling-and-cloudwatch.md`, section 8.3: the forms of a caller's ARN.
fn caller_of(arn: &str) -> Caller {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, service, _, account, resource] = parts.as_slice() else {
        return Caller::Other;
    };
    match (*service, resource.split_once('/')) {
        ("iam", None) if *resource == "root" => Caller::Root,
        ("iam", Some(("user", _))) => Caller::User(arn.to_owned()),
        ("sts", Some(("assumed-role", session))) => {
            let name = session.split('/').next().unwrap_or_default();
            let arn = format!("arn:{partition}:iam::{account}:role/{name}");
            Caller::Role { name: name.to_owned(), arn }
        }
        _ => Caller::Other,
    }
}

/// The role's ARN with its path, if one may see it.
async fn role(client: &Client, name: String) -> Option<String> {
    let input = GetRoleRequest { role_name: name };
    let found: GetRoleResponse = ask(client, &iam::SERVICE, "GetRole", &input).await.ok()?;
    Some(found.role.arn)
}

async fn simulated(
    client: &Client,
    source: &str,
    resource: &str,
    actions: BTreeSet<String>,
) -> Vec<(String, Given)> {
    let entry = |name: &str, value: &str| ContextEntry {
        context_key_name: Some(format!("application-autoscaling:{name}")),
        context_key_values: Some(vec![value.to_owned()]),
        context_key_type: Some(ContextKeyTypeEnum::String),
    };
    let input = SimulatePrincipalPolicyRequest {
        policy_source_arn: source.to_owned(),
        action_names: actions.into_iter().collect(),
        resource_arns: Some(vec![resource.to_owned()]),
        context_entries: Some(vec![
            entry("service-namespace", "sagemaker"),
            entry("scalable-dimension", DIMENSION),
        ]),
        ..SimulatePrincipalPolicyRequest::default()
    };
    let asked = ask(client, &iam::SERVICE, "SimulatePrincipalPolicy", &input).await;
    let Ok(SimulatePolicyResponse { evaluation_results: Some(results), .. }) = asked else {
        return Vec::new();
    };
    let given = |decision| match decision {
        PolicyEvaluationDecisionType::Allowed => Given::Allowed,
        PolicyEvaluationDecisionType::ExplicitDeny | PolicyEvaluationDecisionType::ImplicitDeny => {
            Given::Missing
        }
    };
    results.into_iter().map(|one| (one.eval_action_name, given(one.eval_decision))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `reference/autoscaling-and-cloudwatch.md`, section 8.3.
    #[test]
    fn callers_are_told_apart_by_their_arns() {
        let role = |name: &str, arn: &str| Caller::Role { name: name.into(), arn: arn.into() };
        let table = [
            ("arn:aws:iam::1:root", Caller::Root),
            ("arn:aws:iam::1:user/team/ann", Caller::User("arn:aws:iam::1:user/team/ann".into())),
            ("arn:aws:sts::1:assumed-role/ops/me", role("ops", "arn:aws:iam::1:role/ops")),
            ("arn:aws-cn:sts::1:assumed-role/ops/a", role("ops", "arn:aws-cn:iam::1:role/ops")),
            ("arn:aws:sts::1:federated-user/x", Caller::Other),
            ("arn:aws:iam::1:rooted", Caller::Other),
            ("", Caller::Other),
        ];
        for (arn, wanted) in table {
            assert_eq!(caller_of(arn), wanted, "{arn}");
        }
    }
}
