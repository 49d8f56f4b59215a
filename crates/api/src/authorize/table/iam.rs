//! IAM: users, groups, roles and policies by their ARNs, which hold the paths that only the records know.

use domain::iam::{SERVICE_ROLE_PATH, service_linked_role};
use domain::time::Timestamp;
use wire::Document;
use wire::iam::Operation;

use super::super::need::{Need, tags, texts};
use super::super::records;
use super::Ask;

#[expect(clippy::too_many_lines, reason = "one line for each operation")]
pub(super) fn needs(ask: &Ask<'_>, operation: Operation) -> Vec<Need> {
    let any = |action| vec![Need::any("iam", action)];
    let list = |action, kind| vec![Need::on("iam", action, arn(ask, kind, "/", ""))];
    let user = |action| vec![on_user(ask, action)];
    let group = |action| vec![on_group(ask, action)];
    let role = |action| vec![on_role(ask, action)];
    let policy = |action| vec![Need::on("iam", action, ask.text("PolicyArn").to_owned())];
    let name = operation.name();
    match operation {
        Operation::AttachGroupPolicy | Operation::DetachGroupPolicy => attached(ask, group(name)),
        Operation::AttachRolePolicy | Operation::DetachRolePolicy => attached(ask, role(name)),
        Operation::AttachUserPolicy | Operation::DetachUserPolicy => attached(ask, user(name)),
        Operation::CreateUser => {
            vec![tagged(ask, bounded(ask, new(ask, name, "user", "UserName")))]
        }
        Operation::CreateGroup => vec![new(ask, name, "group", "GroupName")],
        Operation::CreatePolicy => vec![tagged(ask, new(ask, name, "policy", "PolicyName"))],
        Operation::CreateRole => {
            vec![tagged(ask, bounded(ask, new(ask, name, "role", "RoleName")))]
        }
        Operation::CreateServiceLinkedRole => vec![linked_role(ask, name)],
        Operation::CreateAccessKey
        | Operation::DeleteAccessKey
        | Operation::DeleteUser
        | Operation::DeleteUserPolicy
        | Operation::DeleteUserPermissionsBoundary
        | Operation::GetUser
        | Operation::GetUserPolicy
        | Operation::ListAccessKeys
        | Operation::ListAttachedUserPolicies
        | Operation::ListGroupsForUser
        | Operation::ListUserPolicies
        | Operation::ListUserTags
        | Operation::PutUserPolicy
        | Operation::UpdateAccessKey
        | Operation::UpdateUser => user(name),
        Operation::PutUserPermissionsBoundary => vec![bounded(ask, on_user(ask, name))],
        Operation::TagUser => vec![tagged(ask, on_user(ask, name))],
        Operation::UntagUser => vec![untagged(ask, on_user(ask, name))],
        Operation::AddUserToGroup
        | Operation::DeleteGroup
        | Operation::DeleteGroupPolicy
        | Operation::GetGroup
        | Operation::GetGroupPolicy
        | Operation::ListAttachedGroupPolicies
        | Operation::ListGroupPolicies
        | Operation::PutGroupPolicy
        | Operation::RemoveUserFromGroup
        | Operation::UpdateGroup => group(name),
        Operation::DeleteRole
        | Operation::DeleteRolePolicy
        | Operation::DeleteRolePermissionsBoundary
        | Operation::DeleteServiceLinkedRole
        | Operation::GetRole
        | Operation::GetRolePolicy
        | Operation::ListAttachedRolePolicies
        | Operation::ListRolePolicies
        | Operation::ListRoleTags
        | Operation::PutRolePolicy
        | Operation::UpdateAssumeRolePolicy
        | Operation::UpdateRole
        | Operation::UpdateRoleDescription => role(name),
        Operation::PutRolePermissionsBoundary => vec![bounded(ask, on_role(ask, name))],
        Operation::TagRole => vec![tagged(ask, on_role(ask, name))],
        Operation::UntagRole => vec![untagged(ask, on_role(ask, name))],
        Operation::CreatePolicyVersion
        | Operation::DeletePolicy
        | Operation::DeletePolicyVersion
        | Operation::GetPolicy
        | Operation::GetPolicyVersion
        | Operation::ListEntitiesForPolicy
        | Operation::ListPolicyTags
        | Operation::ListPolicyVersions
        | Operation::SetDefaultPolicyVersion => policy(name),
        Operation::TagPolicy => policy(name).into_iter().map(|need| tagged(ask, need)).collect(),
        Operation::UntagPolicy => {
            policy(name).into_iter().map(|need| untagged(ask, need)).collect()
        }
        Operation::GetAccessKeyLastUsed => vec![last_used(ask, name)],
        Operation::GetServiceLinkedRoleDeletionStatus => vec![deletion_status(ask, name)],
        Operation::ListGroups => list(name, "group"),
        Operation::ListPolicies => {
            vec![Need::any("iam", name).shown_as("policy path /".to_owned())]
        }
        Operation::ListRoles => list(name, "role"),
        Operation::ListUsers => list(name, "user"),
        Operation::GetAccountAuthorizationDetails
        | Operation::GetAccountSummary
        | Operation::SimulateCustomPolicy => any(name),
        Operation::SimulatePrincipalPolicy => {
            vec![Need::on("iam", name, ask.text("PolicySourceArn").to_owned())]
        }
    }
}

/// `path` begins and ends with a slash.
fn arn(ask: &Ask<'_>, kind: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{}:{kind}{path}{name}", ask.scope.account)
}

/// What is made, with the path that it is given.
fn new(ask: &Ask<'_>, action: &'static str, kind: &str, member: &str) -> Need {
    let path = match ask.text("Path") {
        "" => "/",
        path => path,
    };
    Need::on("iam", action, arn(ask, kind, path, ask.text(member)))
}

/// The user who is named, or the one who asks.
fn on_user(ask: &Ask<'_>, action: &'static str) -> Need {
    let name = match ask.text("UserName") {
        "" => ask.user.unwrap_or_default(),
        name => name,
    };
    Need::on("iam", action, user_arn(ask, name))
}

fn user_arn(ask: &Ask<'_>, name: &str) -> String {
    arn(ask, "user", records::user_path(ask.state, name), name)
}

fn on_group(ask: &Ask<'_>, action: &'static str) -> Need {
    let name = ask.text("GroupName");
    Need::on("iam", action, arn(ask, "group", records::group_path(ask.state, name), name))
}

fn on_role(ask: &Ask<'_>, action: &'static str) -> Need {
    let name = ask.text("RoleName");
    Need::on("iam", action, arn(ask, "role", records::role_path(ask.state, name), name))
}

fn linked_role(ask: &Ask<'_>, action: &'static str) -> Need {
    let service = ask.text("AWSServiceName");
    // Which role it would be is known of the one service that has one here.
    let made = service_linked_role(service, None, None, 0, Timestamp::from_millis(0));
    let arn = made.map_or_else(
        |_| arn(ask, "role", &format!("{SERVICE_ROLE_PATH}{service}/"), "*"),
        |role| role.arn(ask.scope),
    );
    Need::on("iam", action, arn).with("iam:awsservicename", [service.to_owned()])
}

/// The user whose key it is.
fn last_used(ask: &Ask<'_>, action: &'static str) -> Need {
    let owner = records::owner_of(ask.state, ask.text("AccessKeyId"));
    Need::on("iam", action, user_arn(ask, owner.unwrap_or("*")))
}

/// `task/aws-service-role/SERVICE/NAME/ID`
fn deletion_status(ask: &Ask<'_>, action: &'static str) -> Need {
    let task = ask.text("DeletionTaskId");
    let role = task.strip_prefix("task").and_then(|rest| Some(rest.rsplit_once('/')?.0));
    Need::on("iam", action, arn(ask, "role", role.unwrap_or("/*"), ""))
}

fn attached(ask: &Ask<'_>, needs: Vec<Need>) -> Vec<Need> {
    let with = |need: Need| need.with_member("iam:policyarn", ask.input.get("PolicyArn"));
    needs.into_iter().map(with).collect()
}

fn bounded(ask: &Ask<'_>, need: Need) -> Need {
    let boundary: Option<&Document> = ask.input.get("PermissionsBoundary");
    need.with_member("iam:permissionsboundary", boundary)
}

fn tagged(ask: &Ask<'_>, need: Need) -> Need {
    need.with_tags(&tags(ask.input, "Tags"))
}

fn untagged(ask: &Ask<'_>, need: Need) -> Need {
    need.with_tag_keys(texts(ask.input, "TagKeys"))
}
