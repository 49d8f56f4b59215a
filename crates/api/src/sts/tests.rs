//! Sessions through the wire: who gets one, what it may do, and when it is over.

use std::time::Duration;

use auth::Principal;
use serde_json::{Value, json};

use crate::iam::tests::{World, allow, trust};

const ROLE: &str = "arn:aws:iam::000000000000:role/p/r";

/// A user `u` with a key, and a role `r` that trusts whom it is said.
async fn world(principal: Value) -> (World, String) {
    let world = World::new();
    let key = world.user("u").await;
    let role =
        json!({"RoleName": "r", "Path": "/p/", "AssumeRolePolicyDocument": trust(&principal)});
    world.good("CreateRole", role).await;
    (world, key)
}

fn user() -> Value {
    json!({"AWS": "arn:aws:iam::000000000000:user/u"})
}

async fn sts(world: &World, key: &str, operation: &str, input: Value) -> Result<Value, String> {
    world.call((&wire::sts::SERVICE, key), operation, input).await
}

async fn assume(world: &World, key: &str, more: Value) -> Result<Value, String> {
    let mut input = json!({"RoleArn": ROLE, "RoleSessionName": "se"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    sts(world, key, "AssumeRole", input).await
}

fn key_of(answer: &Value) -> String {
    answer["Credentials"]["AccessKeyId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_is_the_roles_and_ends() {
    let (world, key) = world(user()).await;
    let put =
        json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": allow("iam:ListUsers", "*")});
    world.good("PutRolePolicy", put).await;
    let answer = assume(&world, &key, json!({"DurationSeconds": 900})).await.unwrap();
    let session = key_of(&answer);
    assert!(session.starts_with("ASIA") && session.len() == 20, "{session}");
    assert_eq!(answer["Credentials"]["Expiration"], json!(1_767_225_600.0 + 900.0));
    let arn = "arn:aws:sts::000000000000:assumed-role/r/se";
    assert_eq!(answer["AssumedRoleUser"]["Arn"], arn);
    let who = sts(&world, &session, "GetCallerIdentity", json!({})).await.unwrap();
    assert_eq!(who["Arn"], arn);
    assert!(who["UserId"].as_str().unwrap().ends_with(":se"));
    assert!(world.iam(&session, "ListUsers", json!({})).await.is_ok());
    assert!(world.iam(&session, "ListRoles", json!({})).await.is_err());
    let role = world.good("GetRole", json!({"RoleName": "r"})).await;
    assert_eq!(role["Role"]["RoleLastUsed"]["Region"], "us-east-1");
    // The next session clears the one that is over away.
    world.pass(Duration::from_mins(15));
    assume(&world, &key, json!({})).await.unwrap();
    assert!(!world.store.state().sessions.contains_key(&session));
}

#[tokio::test]
async fn a_session_goes_with_its_role() {
    let (world, key) = world(user()).await;
    let session = key_of(&assume(&world, &key, json!({})).await.unwrap());
    assert!(world.principal(&session).is_some());
    world.good("DeleteRole", json!({"RoleName": "r"})).await;
    assert_eq!(world.principal(&session), None::<Principal>);
    let again = json!({"RoleName": "r", "Path": "/p/", "AssumeRolePolicyDocument": trust(&user())});
    world.good("CreateRole", again).await;
    assert_eq!(world.principal(&session), None::<Principal>, "the new role has another id");
}

/// Reference, section 8.2: a trust policy that names the account leaves it to the account's policies.
#[tokio::test]
async fn who_may_assume_a_role() {
    let refused = "403 AccessDenied: User: arn:aws:iam::000000000000:user/u is not authorized to perform: \
                   sts:AssumeRole on resource: arn:aws:iam::000000000000:role/p/r";
    let by_trust =
        format!("{refused} because no role trust policy allows the sts:AssumeRole action");
    let by_identity =
        format!("{refused} because no identity-based policy allows the sts:AssumeRole action");
    let by_deny = format!("{refused} with an explicit deny in an identity-based policy");
    let allowed = allow("sts:AssumeRole", ROLE);
    let denied = allowed.replace("Allow", "Deny");
    for (principal, policy, expected) in [
        (user(), None, Ok(())),
        (user(), Some(&denied), Err(&by_deny)),
        (json!({"AWS": "000000000000"}), None, Err(&by_identity)),
        (json!({"AWS": "000000000000"}), Some(&allowed), Ok(())),
        (json!({"Service": "sagemaker.amazonaws.com"}), Some(&allowed), Err(&by_trust)),
        (json!({"AWS": "111111111111"}), Some(&allowed), Err(&by_trust)),
    ] {
        let (world, key) = world(principal.clone()).await;
        if let Some(policy) = policy {
            let put = json!({"UserName": "u", "PolicyName": "p", "PolicyDocument": policy});
            world.good("PutUserPolicy", put).await;
        }
        let found = assume(&world, &key, json!({})).await.map(drop);
        assert_eq!(found, expected.map_err(Clone::clone), "{principal} {policy:?}");
    }
    let (world, key) = world(user()).await;
    let input = json!({"RoleArn": "arn:aws:iam::000000000000:role/none", "RoleSessionName": "se"});
    let missing = sts(&world, &key, "AssumeRole", input).await.unwrap_err();
    assert!(missing.ends_with("because no role trust policy allows the sts:AssumeRole action"));
    let root = assume(&world, "AKIAROOT", json!({})).await.unwrap_err();
    assert_eq!(root, "403 AccessDenied: Roles may not be assumed by root accounts.");
}

#[tokio::test]
async fn session_policies_limit_a_session() {
    let (world, key) = world(user()).await;
    let all = "arn:aws:iam::aws:policy/AdministratorAccess";
    world.good("AttachRolePolicy", json!({"RoleName": "r", "PolicyArn": all})).await;
    let limited = json!({"Policy": allow("iam:ListUsers", "*")});
    let answer = assume(&world, &key, limited).await.unwrap();
    assert_eq!(answer["PackedPolicySize"], json!(1));
    let session = key_of(&answer);
    assert!(world.iam(&session, "ListUsers", json!({})).await.is_ok());
    let refused = world.iam(&session, "ListRoles", json!({})).await.unwrap_err();
    assert!(
        refused.contains("because no session policy allows the iam:ListRoles action"),
        "{refused}"
    );
    let read = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    let by_arn = assume(&world, &key, json!({"PolicyArns": [{"arn": read}]})).await.unwrap();
    let session = key_of(&by_arn);
    assert!(world.iam(&session, "ListRoles", json!({})).await.is_ok());
    assert!(world.iam(&session, "DeleteRole", json!({"RoleName": "r"})).await.is_err());
    for (bad, told) in [
        (
            json!({"Policy": " ".repeat(2_049)}),
            "400 ValidationError: 1 validation error detected: Value at 'policy'",
        ),
        (
            json!({"PolicyArns": vec![json!({"arn": read}); 11]}),
            "400 ValidationError: 1 validation error detected: Value at",
        ),
        (json!({"Policy": "{"}), "400 MalformedPolicyDocument: "),
        (json!({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/None"}]}), "404 NoSuchEntity: "),
        (
            json!({"DurationSeconds": 3601}),
            "400 ValidationError: The requested DurationSeconds exceeds the Max",
        ),
        (json!({"DurationSeconds": 899}), "400 ValidationError: 1 validation error detected: "),
        (json!({"RoleSessionName": "a b"}), "400 ValidationError: 1 validation error detected: "),
        (
            json!({"SerialNumber": "arn:aws:iam::0:mfa/u", "TokenCode": "123456"}),
            "403 AccessDenied: ",
        ),
    ] {
        let found = assume(&world, &key, bad.clone()).await.unwrap_err();
        assert!(found.starts_with(told), "{bad}\n{found}");
    }
}

/// Tags that are transitive are the next session's too, and a chain lasts an hour at most.
#[tokio::test]
async fn a_chain_of_roles_hands_tags_on() {
    let (world, key) = world(user()).await;
    let next = "arn:aws:iam::000000000000:role/next";
    let trusts = trust(&json!({"AWS": ROLE}));
    let role =
        json!({"RoleName": "next", "AssumeRolePolicyDocument": trusts, "MaxSessionDuration": 7200});
    world.good("CreateRole", role).await;
    let tagged = json!({"Tags": [{"Key": "team", "Value": "a"}, {"Key": "own", "Value": "b"}],
                        "TransitiveTagKeys": ["team"]});
    let first = key_of(&assume(&world, &key, tagged).await.unwrap());
    let long = json!({"RoleArn": next, "RoleSessionName": "tt", "DurationSeconds": 3601});
    let long = sts(&world, &first, "AssumeRole", long).await.unwrap_err();
    assert!(
        long.contains("exceeds the 1 hour session limit for roles assumed by role chaining"),
        "{long}"
    );
    let input = json!({"RoleArn": next, "RoleSessionName": "tt"});
    let second = key_of(&sts(&world, &first, "AssumeRole", input).await.unwrap());
    let state = world.store.state();
    let tags: Vec<_> = state.sessions.get(&second).unwrap().tags.0.keys().cloned().collect();
    assert_eq!(tags, ["team"]);
    let again =
        json!({"RoleArn": next, "RoleSessionName": "tt", "Tags": [{"Key": "Team", "Value": "z"}]});
    let again = sts(&world, &first, "AssumeRole", again).await.unwrap_err();
    assert!(again.starts_with("400 ValidationError: "), "{again}");
}

#[tokio::test]
async fn a_user_may_ask_for_a_session_of_its_own() {
    let (world, key) = world(user()).await;
    let put = json!({"UserName": "u", "PolicyName": "p", "PolicyDocument": allow("iam:*", "*")});
    world.good("PutUserPolicy", put).await;
    let answer = sts(&world, &key, "GetSessionToken", json!({})).await.unwrap();
    assert_eq!(answer["Credentials"]["Expiration"], json!(1_767_225_600.0 + 43_200.0));
    let session = key_of(&answer);
    let who = sts(&world, &session, "GetCallerIdentity", json!({})).await.unwrap();
    assert_eq!(who["Arn"], "arn:aws:iam::000000000000:user/u");
    let again = sts(&world, &session, "GetSessionToken", json!({})).await.unwrap_err();
    assert_eq!(again, "403 AccessDenied: Cannot call GetSessionToken with session credentials");
    let iam = world.iam(&session, "ListUsers", json!({})).await.unwrap_err();
    assert!(iam.starts_with("403 InvalidClientTokenId"), "{iam}");
    assert!(assume(&world, &session, json!({})).await.is_ok());
    let root = sts(&world, "AKIAROOT", "GetSessionToken", json!({"DurationSeconds": 7200})).await;
    assert_eq!(root.unwrap()["Credentials"]["Expiration"], json!(1_767_225_600.0 + 3_600.0));
}
