//! Inline and managed policies, versions, boundaries and tags.

use serde_json::json;

use super::{World, allow, plain};

const ARN: &str = "arn:aws:iam::000000000000:policy/team/p";

async fn with_policy() -> World {
    let world = World::new();
    let input = json!({"PolicyName": "p", "Path": "/team/", "PolicyDocument": allow("s3:*", "*"),
                       "Description": "d", "Tags": [{"Key": "k", "Value": "v"}]});
    let made = world.good("CreatePolicy", input).await;
    assert_eq!(made["Policy"]["Arn"], ARN);
    world
}

/// The text comes back to the byte, however it is written.
#[tokio::test]
async fn documents_come_back_as_they_were_given() {
    let world = World::new();
    world.user("u").await;
    let text = "{\"Version\": \"2012-10-17\",\n \"Statement\": [{\"Sid\": \"\", \"Effect\": \"Allow\",\n\
                \"Action\": \"s3:Get*\", \"Resource\": \"arn:aws:s3:::b\u{e9}/%2F?*\"}]}";
    let put = json!({"UserName": "u", "PolicyName": "P+=,.@-_", "PolicyDocument": text});
    world.good("PutUserPolicy", put).await;
    let asked = json!({"UserName": "U", "PolicyName": "P+=,.@-_"});
    let got = world.good("GetUserPolicy", asked).await;
    assert_eq!((plain(&got["PolicyDocument"]).as_str(), &got["UserName"]), (text, &json!("u")));
    let list = world.good("ListUserPolicies", json!({"UserName": "u"})).await;
    assert_eq!(list["PolicyNames"], json!(["P+=,.@-_"]));
}

#[tokio::test]
async fn a_managed_policy_is_shown_with_its_use() {
    let world = with_policy().await;
    world.user("u").await;
    world.good("CreateGroup", json!({"GroupName": "g"})).await;
    world.good("AttachGroupPolicy", json!({"GroupName": "g", "PolicyArn": ARN})).await;
    let bound = json!({"UserName": "u", "PermissionsBoundary": ARN});
    world.good("PutUserPermissionsBoundary", bound).await;
    let policy = world.good("GetPolicy", json!({"PolicyArn": ARN})).await["Policy"].clone();
    let shown =
        ["AttachmentCount", "PermissionsBoundaryUsageCount", "DefaultVersionId", "Description"];
    let shown = shown.map(|name| policy[name].clone());
    assert_eq!(shown, [json!(1), json!(1), json!("v1"), json!("d")]);
    let entities = world.good("ListEntitiesForPolicy", json!({"PolicyArn": ARN})).await;
    assert_eq!(entities["PolicyGroups"][0]["GroupName"], "g");
    assert_eq!(entities["PolicyUsers"][0]["UserName"], "u");
    let filter = json!({"PolicyArn": ARN, "PolicyUsageFilter": "PermissionsPolicy"});
    let entities = world.good("ListEntitiesForPolicy", filter).await;
    assert_eq!(entities["PolicyUsers"], json!([]));
    let user = world.good("GetUser", json!({"UserName": "u"})).await;
    assert_eq!(user["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"], ARN);
    let local = world.good("ListPolicies", json!({"Scope": "Local"})).await;
    assert_eq!(local["Policies"].as_array().unwrap().len(), 1);
    let aws = world.good("ListPolicies", json!({"Scope": "AWS"})).await;
    assert!(aws["Policies"].as_array().unwrap().len() > 5);
    let attached = world.good("ListPolicies", json!({"OnlyAttached": true})).await;
    assert_eq!(attached["Policies"].as_array().unwrap().len(), 1);
    let busy = world.bad("DeletePolicy", json!({"PolicyArn": ARN})).await;
    assert_eq!(busy, "409 DeleteConflict: Cannot delete a policy attached to entities.");
    world.good("DeleteUserPermissionsBoundary", json!({"UserName": "u"})).await;
    world.good("DetachGroupPolicy", json!({"GroupName": "g", "PolicyArn": ARN})).await;
    world.good("DeletePolicy", json!({"PolicyArn": ARN})).await;
    let gone = world.bad("GetPolicy", json!({"PolicyArn": ARN})).await;
    assert_eq!(gone, format!("404 NoSuchEntity: Policy {ARN} was not found."));
}

#[tokio::test]
async fn the_default_version_is_the_one_that_counts() {
    let world = with_policy().await;
    let key = world.user("u").await;
    world.good("AttachUserPolicy", json!({"UserName": "u", "PolicyArn": ARN})).await;
    assert!(world.iam(&key, "ListUsers", json!({})).await.is_err());
    let text = allow("iam:ListUsers", "*");
    let version = json!({"PolicyArn": ARN, "PolicyDocument": text, "SetAsDefault": true});
    let made = world.good("CreatePolicyVersion", version).await;
    assert_eq!(made["PolicyVersion"]["VersionId"], "v2");
    assert!(world.iam(&key, "ListUsers", json!({})).await.is_ok());
    let got = json!({"PolicyArn": ARN, "VersionId": "v2"});
    let got = world.good("GetPolicyVersion", got).await;
    assert_eq!(plain(&got["PolicyVersion"]["Document"]), text);
    let list = world.good("ListPolicyVersions", json!({"PolicyArn": ARN})).await;
    let ids: Vec<_> =
        list["Versions"].as_array().unwrap().iter().map(|one| &one["VersionId"]).collect();
    assert_eq!(ids, ["v2", "v1"]);
    let default =
        world.bad("DeletePolicyVersion", json!({"PolicyArn": ARN, "VersionId": "v2"})).await;
    assert_eq!(default, "409 DeleteConflict: Cannot delete the default version of a policy.");
    let back = json!({"PolicyArn": ARN, "VersionId": "v1"});
    world.good("SetDefaultPolicyVersion", back).await;
    assert!(world.iam(&key, "ListUsers", json!({})).await.is_err());
    world.good("DeletePolicyVersion", json!({"PolicyArn": ARN, "VersionId": "v2"})).await;
}

#[tokio::test]
async fn attached_policies_are_listed_by_name() {
    let world = with_policy().await;
    world.user("u").await;
    let aws = "arn:aws:iam::aws:policy/AdministratorAccess";
    for arn in [ARN, aws, aws] {
        world.good("AttachUserPolicy", json!({"UserName": "u", "PolicyArn": arn})).await;
    }
    let list = world.good("ListAttachedUserPolicies", json!({"UserName": "u"})).await;
    assert_eq!(
        list["AttachedPolicies"],
        json!([{"PolicyName": "AdministratorAccess", "PolicyArn": aws}, {"PolicyName": "p", "PolicyArn": ARN}])
    );
    let path = json!({"UserName": "u", "PathPrefix": "/team/"});
    let list = world.good("ListAttachedUserPolicies", path).await;
    assert_eq!(list["AttachedPolicies"].as_array().unwrap().len(), 1);
    world.good("DetachUserPolicy", json!({"UserName": "u", "PolicyArn": aws})).await;
    let twice = world.bad("DetachUserPolicy", json!({"UserName": "u", "PolicyArn": aws})).await;
    assert_eq!(twice, format!("404 NoSuchEntity: Policy {aws} was not found."));
}

#[tokio::test]
async fn tags_are_set_listed_and_taken_away() {
    let world = with_policy().await;
    world.user("u").await;
    let trust = super::trust(&json!({"AWS": "000000000000"}));
    world.good("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": trust})).await;
    for (kind, id) in [
        ("User", json!({"UserName": "u"})),
        ("Role", json!({"RoleName": "r"})),
        ("Policy", json!({"PolicyArn": ARN})),
    ] {
        let with = |key: &str, value: serde_json::Value| {
            let mut input = id.clone();
            input[key] = value;
            input
        };
        let tags = json!([{"Key": "k", "Value": ""}, {"Key": "Team", "Value": "x"}]);
        world.good(&format!("Tag{kind}"), with("Tags", tags.clone())).await;
        let list = world.good(&format!("List{kind}Tags"), id.clone()).await;
        let mut shown = list["Tags"].as_array().unwrap().clone();
        shown.sort_by_key(|tag| tag["Key"].as_str().unwrap().to_lowercase());
        assert_eq!(json!(shown), tags, "{kind}");
        world.good(&format!("Untag{kind}"), with("TagKeys", json!(["TEAM", "none"]))).await;
        let list = world.good(&format!("List{kind}Tags"), id.clone()).await;
        assert_eq!(list["Tags"], json!([{"Key": "k", "Value": ""}]), "{kind}");
    }
}
