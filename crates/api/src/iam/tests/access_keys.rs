//! Access keys: whose they are, when they count, and their last use.

use std::time::Duration;

use serde_json::json;

use super::{World, allow};

#[tokio::test]
async fn a_user_has_two_keys_and_sees_a_secret_once() {
    let world = World::new();
    let first = world.user("u").await;
    let second = world.good("CreateAccessKey", json!({"UserName": "u"})).await;
    assert_eq!(second["AccessKey"]["SecretAccessKey"].as_str().unwrap().len(), 40);
    let third = world.bad("CreateAccessKey", json!({"UserName": "u"})).await;
    assert_eq!(third, "409 LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2");
    let list = world.good("ListAccessKeys", json!({"UserName": "u"})).await;
    assert_eq!(list["AccessKeyMetadata"].as_array().unwrap().len(), 2);
    assert!(!list.to_string().contains("Secret"), "{list}");
    world.user("v").await;
    let strange = json!({"UserName": "v", "AccessKeyId": first});
    let strange = world.bad("DeleteAccessKey", strange).await;
    let text = format!("404 NoSuchEntity: The Access Key with id {first} cannot be found");
    assert_eq!(strange, text);
    let busy = world.bad("DeleteUser", json!({"UserName": "u"})).await;
    let text = "409 DeleteConflict: Cannot delete entity, must delete access keys first.";
    assert_eq!(busy, text);
}

#[tokio::test]
async fn a_key_counts_while_it_is_active() {
    let world = World::new();
    let key = world.user("u").await;
    assert!(world.principal(&key).is_some());
    let status = |status: &str| json!({"UserName": "u", "AccessKeyId": key, "Status": status});
    world.good("UpdateAccessKey", status("Inactive")).await;
    assert!(world.principal(&key).is_none());
    world.good("UpdateAccessKey", status("Active")).await;
    assert!(world.principal(&key).is_some());
    world.good("DeleteAccessKey", json!({"UserName": "u", "AccessKeyId": key})).await;
    assert!(world.principal(&key).is_none());
}

/// Users who may, manage their own keys without naming themselves.
#[tokio::test]
async fn who_is_not_named_is_the_caller() {
    let world = World::new();
    let key = world.user("u").await;
    let own = "arn:aws:iam::000000000000:user/${aws:username}";
    let policy = json!({"UserName": "u", "PolicyName": "p", "PolicyDocument": allow("iam:*", own)});
    world.good("PutUserPolicy", policy).await;
    let made = world.iam(&key, "CreateAccessKey", json!({})).await.unwrap();
    assert_eq!(made["AccessKey"]["UserName"], "u");
    let list = world.iam(&key, "ListAccessKeys", json!({})).await.unwrap();
    assert_eq!(list["AccessKeyMetadata"].as_array().unwrap().len(), 2);
    let got = world.iam(&key, "GetUser", json!({})).await.unwrap();
    assert_eq!(got["User"]["UserName"], "u");
    world.user("v").await;
    let other = world.iam(&key, "CreateAccessKey", json!({"UserName": "v"})).await;
    let text = "403 AccessDenied: User: arn:aws:iam::000000000000:user/u is not authorized to perform: \
                iam:CreateAccessKey on resource: arn:aws:iam::000000000000:user/v because no identity-based policy \
                allows the iam:CreateAccessKey action";
    assert_eq!(other.err().as_deref(), Some(text));
}

#[tokio::test]
async fn the_last_use_is_known_to_the_minute() {
    let world = World::new();
    let key = world.user("u").await;
    let asked = json!({"AccessKeyId": key});
    let never = world.good("GetAccessKeyLastUsed", asked.clone()).await;
    assert_eq!(never["UserName"], "u");
    assert_eq!(never["AccessKeyLastUsed"], json!({"ServiceName": "N/A", "Region": "N/A"}));
    let put = json!({"UserName": "u", "PolicyName": "p", "PolicyDocument": allow("iam:*", "*")});
    world.good("PutUserPolicy", put).await;
    let used = async || {
        world.iam(&key, "ListUsers", json!({})).await.unwrap();
        let answer = world.good("GetAccessKeyLastUsed", asked.clone()).await;
        answer["AccessKeyLastUsed"].clone()
    };
    let first = used().await;
    assert_eq!((&first["ServiceName"], &first["Region"]), (&json!("iam"), &json!("us-east-1")));
    world.pass(Duration::from_secs(59));
    assert_eq!(used().await, first);
    world.pass(Duration::from_secs(1));
    assert_ne!(used().await, first);
}
