//! What is refused, and AWS's words for it (`reference/autoscaling-and-cloudwatch.md`, section 8.5).

use serde_json::{Value, json};

use super::{World, allow, trust};

async fn told(world: &World, rows: &[(&str, Value, &str)]) {
    for (operation, input, text) in rows {
        let found = world.bad(operation, input.clone()).await;
        assert!(found.starts_with(text), "{operation} {input}\n{found}\n{text}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let world = World::new();
    world.user("u").await;
    let elsewhere = "arn:aws:iam::111111111111:policy/p";
    let missing = "arn:aws:iam::000000000000:policy/p";
    told(
        &world,
        &[
            ("GetUser", json!({"UserName": "x"}), "404 NoSuchEntity: The user with name x cannot be found."),
            ("GetGroup", json!({"GroupName": "x"}), "404 NoSuchEntity: The group with name x cannot be found."),
            ("GetRole", json!({"RoleName": "x"}), "404 NoSuchEntity: The role with name x cannot be found."),
            (
                "GetUserPolicy",
                json!({"UserName": "u", "PolicyName": "p"}),
                "404 NoSuchEntity: The user policy with name p cannot be found.",
            ),
            (
                "AttachUserPolicy",
                json!({"UserName": "u", "PolicyArn": missing}),
                "404 NoSuchEntity: Policy arn:aws:iam::000000000000:policy/p does not exist or is not attachable.",
            ),
            (
                "AttachUserPolicy",
                json!({"UserName": "u", "PolicyArn": elsewhere}),
                "404 NoSuchEntity: Policy arn:aws:iam::111111111111:policy/p does not exist or is not attachable.",
            ),
            (
                "AttachUserPolicy",
                json!({"UserName": "u", "PolicyArn": "arn:aws:s3:::bucket-of-mine"}),
                "400 InvalidInput: ARN arn:aws:s3:::bucket-of-mine is not valid.",
            ),
            (
                "PutUserPermissionsBoundary",
                json!({"UserName": "u", "PermissionsBoundary": missing}),
                "404 NoSuchEntity: Policy arn:aws:iam::000000000000:policy/p does not exist or is not attachable.",
            ),
            (
                "GetServiceLinkedRoleDeletionStatus",
                json!({"DeletionTaskId": "task/x"}),
                "404 NoSuchEntity: Deletion Task Id: task/x cannot be found.",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn names_are_taken_without_regard_to_case() {
    let world = World::new();
    world.good("CreateUser", json!({"UserName": "Name"})).await;
    world.good("CreateGroup", json!({"GroupName": "Name"})).await;
    let policy = json!({"PolicyName": "Name", "PolicyDocument": allow("s3:*", "*")});
    world.good("CreatePolicy", policy.clone()).await;
    let document = trust(&json!({"AWS": "000000000000"}));
    let role = |name: &str| json!({"RoleName": name, "AssumeRolePolicyDocument": document});
    world.good("CreateRole", role("Name")).await;
    told(
        &world,
        &[
            (
                "CreateUser",
                json!({"UserName": "NAME", "Path": "/p/"}),
                "409 EntityAlreadyExists: User with name Name already exists.",
            ),
            (
                "CreateGroup",
                json!({"GroupName": "NAME"}),
                "409 EntityAlreadyExists: Group with name Name already exists.",
            ),
            ("CreateRole", role("NAME"), "409 EntityAlreadyExists: Role with name Name already exists."),
            (
                "CreatePolicy",
                policy,
                "409 EntityAlreadyExists: A policy called Name already exists. Duplicate names are not allowed.",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn malformed_input_is_refused_before_it_is_looked_at() {
    let world = World::new();
    world.user("u").await;
    let put = |text: &str| json!({"UserName": "u", "PolicyName": "p", "PolicyDocument": text});
    let old = allow("s3:*", "*").replace("2012-10-17", "2008-10-17");
    let long = allow("s3:*", &format!("arn:aws:s3:::{}", "x".repeat(2_048)));
    let too_long = allow("s3:*", &format!("arn:aws:s3:::{}", "x".repeat(6_144)));
    let name = "1 validation error detected: Value";
    told(
        &world,
        &[
            ("PutUserPolicy", put("{"), "400 MalformedPolicyDocument: Syntax errors in policy."),
            ("PutUserPolicy", put(&long), "409 LimitExceeded: Maximum policy size of 2048 bytes exceeded for user u"),
            (
                "CreatePolicy",
                json!({"PolicyName": "p", "PolicyDocument": old}),
                "400 MalformedPolicyDocument: Policy document must be version 2012-10-17 or greater.",
            ),
            (
                "CreatePolicy",
                json!({"PolicyName": "p", "PolicyDocument": too_long}),
                "409 LimitExceeded: Cannot exceed quota for PolicySize: 6144",
            ),
            ("CreateUser", json!({"UserName": "a b"}), &format!("400 ValidationError: {name} 'a b' at 'userName'")),
            ("CreateUser", json!({"UserName": "ä"}), &format!("400 ValidationError: {name} 'ä' at 'userName'")),
            ("CreateUser", json!({"UserName": "x".repeat(65)}), &format!("400 ValidationError: {name}")),
            ("CreateUser", json!({"UserName": "b", "Path": "p"}), &format!("400 ValidationError: {name} 'p' at 'path'")),
            ("ListUsers", json!({"MaxItems": 0}), &format!("400 ValidationError: {name} '0' at 'maxItems'")),
            (
                "TagUser",
                json!({"UserName": "u", "Tags": [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]}),
                "400 InvalidInput: Duplicate tag keys found.",
            ),
        ],
    )
    .await;
}
