//! The names of groups and streams, and the ARNs that contain them.

use domain::arn::Scope;
use domain::name::EndpointName;

use super::Refusal;

/// What the names of all groups begin with (`reference/sagemaker-hosting.md`, section 6).
const PREFIX: &str = "/aws/sagemaker/Endpoints/";

pub(super) fn name(endpoint: &EndpointName) -> String {
    format!("{PREFIX}{endpoint}")
}

pub(super) fn arn(scope: &Scope, endpoint: &EndpointName) -> String {
    format!("arn:aws:logs:{}:{}:log-group:{PREFIX}{endpoint}", scope.region, scope.account)
}

/// The endpoint of a group that is named one way or the other.
pub(super) fn asked(
    scope: &Scope,
    name: Option<&str>,
    identifier: Option<&str>,
) -> Result<EndpointName, Refusal> {
    match (name, identifier) {
        (Some(name), None) => of_name(name).ok_or(Refusal::NoGroup),
        (None, Some(identifier)) => of_identifier(scope, identifier).ok_or(Refusal::NoGroup),
        (None, None) => {
            Err(Refusal::Parameters("You must specify either logGroupName or logGroupIdentifier."))
        }
        (Some(_), Some(_)) => Err(Refusal::Parameters(
            "You must specify either logGroupName or logGroupIdentifier, but not both.",
        )),
    }
}

fn of_name(name: &str) -> Option<EndpointName> {
    name.strip_prefix(PREFIX)?.parse().ok()
}

/// The endpoint of a group's name or ARN. Other accounts and regions have none.
pub(super) fn of_identifier(scope: &Scope, identifier: &str) -> Option<EndpointName> {
    if !identifier.starts_with("arn:") {
        return of_name(identifier);
    }
    let own = format!(":logs:{}:{}:log-group:", scope.region, scope.account);
    let (_, name) = identifier.split_once(&own)?;
    of_name(name.strip_suffix(":*").unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_by_name_and_by_arn() {
        let scope = Scope { region: "us-east-1".into(), account: "000000000000".into() };
        let chat: EndpointName = "Chat-1".parse().unwrap();
        let arn = arn(&scope, &chat);
        for identifier in [name(&chat), arn.clone(), format!("{arn}:*")] {
            assert_eq!(of_identifier(&scope, &identifier), Some(chat.clone()), "{identifier}");
        }
        let foreign = arn.replace("000000000000", "111111111111");
        for identifier in ["", "Chat-1", "/aws/sagemaker/Endpoints/", "/aws/lambda/f", &foreign] {
            assert_eq!(of_identifier(&scope, identifier), None, "{identifier}");
        }
    }
}
