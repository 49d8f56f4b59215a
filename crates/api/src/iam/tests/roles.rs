//! Roles, and those that services make.

use domain::iam::AUTOSCALING_SERVICE;
use serde_json::json;

use super::{World, plain, trust};

const LINKED: &str = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint";

#[tokio::test]
async fn a_role_comes_back_as_it_was_made() {
    let world = World::new();
    let text = trust(&json!({"Service": "sagemaker.amazonaws.com"}));
    let input = json!({"RoleName": "Run", "Path": "/p/", "AssumeRolePolicyDocument": text,
                       "Description": "d", "MaxSessionDuration": 7200});
    let made = world.good("CreateRole", input).await;
    let role = world.good("GetRole", json!({"RoleName": "run"})).await["Role"].clone();
    assert_eq!(made["Role"], role);
    assert_eq!(role["Arn"], "arn:aws:iam::000000000000:role/p/Run");
    assert_eq!((&role["MaxSessionDuration"], &role["RoleLastUsed"]), (&json!(7200), &json!({})));
    assert_eq!(plain(&role["AssumeRolePolicyDocument"]), text);
    // A duration that is not given becomes the default.
    world.good("UpdateRole", json!({"RoleName": "Run"})).await;
    let described = json!({"RoleName": "Run", "Description": "e"});
    world.good("UpdateRoleDescription", described).await;
    let other = trust(&json!({"AWS": "*"}));
    let update = json!({"RoleName": "Run", "PolicyDocument": other});
    world.good("UpdateAssumeRolePolicy", update).await;
    let role = world.good("GetRole", json!({"RoleName": "run"})).await["Role"].clone();
    assert_eq!((&role["Description"], &role["MaxSessionDuration"]), (&json!("e"), &json!(3600)));
    assert_eq!(plain(&role["AssumeRolePolicyDocument"]), other);
    world.good("DeleteRole", json!({"RoleName": "Run"})).await;
    assert_eq!(world.good("ListRoles", json!({})).await["Roles"], json!([]));
}

/// Whoever is made anew under the ARN of somebody deleted is not trusted.
#[tokio::test]
async fn trust_ends_with_whom_it_is_given_to() {
    let world = World::new();
    world.good("CreateUser", json!({"UserName": "u"})).await;
    let text = trust(&json!({"AWS": "arn:aws:iam::000000000000:user/u"}));
    let role = json!({"RoleName": "r", "AssumeRolePolicyDocument": text});
    world.good("CreateRole", role).await;
    world.good("DeleteUser", json!({"UserName": "u"})).await;
    let role = world.good("GetRole", json!({"RoleName": "r"})).await;
    let left = plain(&role["Role"]["AssumeRolePolicyDocument"]);
    assert!(left.contains("\"AWS\":\"AIDA") && !left.contains("user/u"), "{left}");
    let again = json!({"RoleName": "s", "AssumeRolePolicyDocument": text});
    let principal = world.bad("CreateRole", again).await;
    let told = "400 MalformedPolicyDocument: Invalid principal in policy: \"AWS\":\
                \"arn:aws:iam::000000000000:user/u\"";
    assert_eq!(principal, told);
}

/// `reference/autoscaling-and-cloudwatch.md`, sections 1.9 and 8.5.
#[tokio::test]
async fn a_services_role_is_the_services() {
    let world = World::new();
    let service = json!({"AWSServiceName": AUTOSCALING_SERVICE});
    let made = world.good("CreateServiceLinkedRole", service.clone()).await;
    let path = "/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/";
    assert_eq!(made["Role"]["Path"], path);
    assert_eq!(made["Role"]["RoleName"], LINKED);
    let again = world.bad("CreateServiceLinkedRole", service).await;
    let told = format!(
        "400 InvalidInput: Service role name {LINKED} has been taken in this account, please try a different suffix."
    );
    assert_eq!(again, told);
    let attached = world.good("ListAttachedRolePolicies", json!({"RoleName": LINKED})).await;
    let policy = &attached["AttachedPolicies"][0];
    assert_eq!(policy["PolicyName"], "AWSApplicationAutoscalingSageMakerEndpointPolicy");
    let told = format!(
        "400 UnmodifiableEntity: Cannot perform the operation on the protected role '{LINKED}' - this role is only \
         modifiable by AWS"
    );
    let role = json!({"RoleName": LINKED});
    let mut detach = role.clone();
    detach["PolicyArn"] = policy["PolicyArn"].clone();
    assert_eq!(world.bad("DetachRolePolicy", detach.clone()).await, told);
    assert_eq!(world.bad("DeleteRole", role.clone()).await, told);
    let customer = trust(&json!({"AWS": "000000000000"}));
    world.good("CreateRole", json!({"RoleName": "r", "AssumeRolePolicyDocument": customer})).await;
    detach["RoleName"] = json!("r");
    let strange = world.bad("AttachRolePolicy", detach).await;
    let told = "400 PolicyNotAttachable: Cannot attach a Service Role Policy to a Customer Role.";
    assert_eq!(strange, told);
    let task = world.good("DeleteServiceLinkedRole", role.clone()).await["DeletionTaskId"].clone();
    let status = json!({"DeletionTaskId": task});
    let status = world.good("GetServiceLinkedRoleDeletionStatus", status).await;
    assert_eq!(status, json!({"Status": "SUCCEEDED"}));
    assert!(world.bad("GetRole", role).await.starts_with("404 NoSuchEntity"));
}
