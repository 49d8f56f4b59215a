//! Users and groups as they are made, listed, renamed and deleted.

use serde_json::{Value, json};

use super::{World, allow};

#[tokio::test]
async fn a_user_comes_back_as_it_was_made() {
    let world = World::new();
    let tags = json!([{"Key": "Team", "Value": "a b"}]);
    let input = json!({"UserName": "Alice", "Path": "/x/y/", "Tags": tags});
    let made = world.good("CreateUser", input).await;
    let user = &made["User"];
    assert_eq!(user["Arn"], "arn:aws:iam::000000000000:user/x/y/Alice");
    assert!(user["UserId"].as_str().unwrap().starts_with("AIDA"));
    assert_eq!(user["CreateDate"], json!(1_767_225_600.0));
    let got = world.good("GetUser", json!({"UserName": "alice"})).await;
    assert_eq!(&got["User"], user, "names have no case");
    assert_eq!(got["User"]["Tags"], tags);
    let list = world.good("ListUsers", json!({"PathPrefix": "/x/"})).await;
    assert_eq!(list["Users"].as_array().unwrap().len(), 1);
    assert_eq!(list["IsTruncated"], json!(false));
    assert!(list["Users"][0].get("Tags").is_none(), "lists show no tags");
    let other = world.good("ListUsers", json!({"PathPrefix": "/z/"})).await;
    assert_eq!(other["Users"], json!([]));
    let root = world.good("GetUser", json!({})).await;
    assert_eq!(root["User"]["Arn"], "arn:aws:iam::000000000000:root");
}

#[tokio::test]
async fn everything_of_a_user_follows_its_new_name() {
    let world = World::new();
    let key = world.user("old").await;
    world.good("CreateGroup", json!({"GroupName": "g"})).await;
    world.good("AddUserToGroup", json!({"GroupName": "G", "UserName": "OLD"})).await;
    let own = json!({"AWS": "arn:aws:iam::000000000000:user/old"});
    let trust = super::trust(&own);
    let role = json!({"RoleName": "r", "AssumeRolePolicyDocument": trust});
    world.good("CreateRole", role).await;
    let rename = json!({"UserName": "old", "NewUserName": "New", "NewPath": "/p/"});
    world.good("UpdateUser", rename).await;
    let missing = "404 NoSuchEntity: The user with name old cannot be found.";
    assert_eq!(world.bad("GetUser", json!({"UserName": "old"})).await, missing);
    let principal = world.principal(&key).unwrap();
    assert_eq!(principal.arn, "arn:aws:iam::000000000000:user/p/New");
    let group = world.good("GetGroup", json!({"GroupName": "g"})).await;
    assert_eq!(group["Users"][0]["UserName"], "New");
    let role = world.good("GetRole", json!({"RoleName": "r"})).await;
    let trust = super::plain(&role["Role"]["AssumeRolePolicyDocument"]);
    assert!(trust.contains("user/p/New") && !trust.contains("user/old"), "{trust}");
    world.user("third").await;
    let taken = world.bad("UpdateUser", json!({"UserName": "third", "NewUserName": "NEW"})).await;
    assert_eq!(taken, "409 EntityAlreadyExists: User with name New already exists.");
}

#[tokio::test]
async fn a_group_keeps_its_users_under_a_new_name() {
    let world = World::new();
    let key = world.user("u").await;
    world.good("CreateGroup", json!({"GroupName": "g"})).await;
    world.good("AddUserToGroup", json!({"GroupName": "g", "UserName": "u"})).await;
    let policy =
        json!({"GroupName": "g", "PolicyName": "p", "PolicyDocument": allow("iam:ListUsers", "*")});
    world.good("PutGroupPolicy", policy).await;
    assert!(world.iam(&key, "ListUsers", json!({})).await.is_ok());
    world.good("UpdateGroup", json!({"GroupName": "g", "NewGroupName": "h"})).await;
    assert!(world.iam(&key, "ListUsers", json!({})).await.is_ok());
    let groups = world.good("ListGroupsForUser", json!({"UserName": "u"})).await;
    assert_eq!(groups["Groups"][0]["GroupName"], "h");
    let busy = world.bad("DeleteGroup", json!({"GroupName": "h"})).await;
    let text = "409 DeleteConflict: Cannot delete entity, must remove users from group first.";
    assert_eq!(busy, text);
    world.good("RemoveUserFromGroup", json!({"GroupName": "h", "UserName": "u"})).await;
    assert!(world.iam(&key, "ListUsers", json!({})).await.is_err(), "it counts at once");
    world.good("DeleteGroupPolicy", json!({"GroupName": "h", "PolicyName": "p"})).await;
    world.good("DeleteGroup", json!({"GroupName": "h"})).await;
}

/// Every list is shown whole, once, however it is cut.
#[tokio::test]
async fn pages_show_every_user_once() {
    let world = World::new();
    for number in 0..7 {
        world.good("CreateUser", json!({"UserName": format!("u{number}")})).await;
    }
    for size in [1, 3, 7, 8] {
        let (mut names, mut marker) = (Vec::new(), Value::Null);
        loop {
            let mut input = json!({"MaxItems": size});
            if marker.is_string() {
                input["Marker"] = marker;
            }
            let page = world.good("ListUsers", input).await;
            let users = page["Users"].as_array().unwrap();
            names.extend(users.iter().map(|user| user["UserName"].as_str().unwrap().to_owned()));
            marker = page["Marker"].clone();
            assert_eq!(page["IsTruncated"], json!(marker.is_string()));
            if marker.is_null() {
                break;
            }
        }
        let expected: Vec<_> = (0..7).map(|number| format!("u{number}")).collect();
        assert_eq!(names, expected, "{size}");
    }
    let page = world.good("ListUsers", json!({"MaxItems": 1})).await;
    let strange = world.bad("ListRoles", json!({"Marker": page["Marker"]})).await;
    assert_eq!(strange, "400 ValidationError: Invalid Marker.");
}

#[tokio::test]
async fn the_account_is_shown_as_a_whole() {
    let world = World::new();
    world.user("u").await;
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    world.good("AttachUserPolicy", json!({"UserName": "u", "PolicyArn": arn})).await;
    let put = json!({"UserName": "u", "PolicyName": "p", "PolicyDocument": allow("s3:*", "*")});
    world.good("PutUserPolicy", put).await;
    world.good("CreateGroup", json!({"GroupName": "g"})).await;
    let all = world.good("GetAccountAuthorizationDetails", json!({})).await;
    let user = &all["UserDetailList"][0];
    assert_eq!(user["AttachedManagedPolicies"][0]["PolicyArn"], arn);
    assert_eq!(super::plain(&user["UserPolicyList"][0]["PolicyDocument"]), allow("s3:*", "*"));
    assert_eq!(all["Policies"][0]["PolicyName"], "ReadOnlyAccess");
    let groups = json!({"Filter": ["Group"]});
    let groups = world.good("GetAccountAuthorizationDetails", groups).await;
    assert_eq!(groups["GroupDetailList"][0]["GroupName"], "g");
    assert_eq!(groups["UserDetailList"], json!([]));
    let summary = world.good("GetAccountSummary", json!({})).await;
    assert_eq!(
        (&summary["SummaryMap"]["Users"], &summary["SummaryMap"]["Groups"]),
        (&json!(1), &json!(1))
    );
}
