//! `SimulatePrincipalPolicy` and `SimulateCustomPolicy`.

use serde_json::{Value, json};

use super::{World, allow};

const ENDPOINT: &str = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e";

fn decisions(answer: &Value) -> Vec<String> {
    let results = answer["EvaluationResults"].as_array().unwrap().iter();
    results.map(|one| one["EvalDecision"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_principals_own_policies_are_asked() {
    let world = World::new();
    world.user("u").await;
    world.good("CreateGroup", json!({"GroupName": "g"})).await;
    world.good("AddUserToGroup", json!({"GroupName": "g", "UserName": "u"})).await;
    let put =
        json!({"GroupName": "g", "PolicyName": "p", "PolicyDocument": allow("sagemaker:*", "*")});
    world.good("PutGroupPolicy", put).await;
    let deny = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Deny", "Action": "sagemaker:DeleteEndpoint", "Resource": "*"}});
    let put = json!({"UserName": "u", "PolicyName": "d", "PolicyDocument": deny.to_string()});
    world.good("PutUserPolicy", put).await;
    let question = json!({"PolicySourceArn": "arn:aws:iam::000000000000:user/u", "ResourceArns": [ENDPOINT],
        "ActionNames": ["sagemaker:InvokeEndpoint", "sagemaker:DeleteEndpoint", "s3:GetObject"]});
    let answer = world.good("SimulatePrincipalPolicy", question.clone()).await;
    assert_eq!(decisions(&answer), ["allowed", "explicitDeny", "implicitDeny"]);
    let matched = answer["EvaluationResults"][0]["MatchedStatements"].as_array().unwrap();
    assert_eq!(matched.len(), 1);
    let source = (&matched[0]["SourcePolicyId"], &matched[0]["SourcePolicyType"]);
    assert_eq!(source, (&json!("group_g_p"), &json!("group")));
    assert_eq!(matched[0]["StartPosition"]["Line"], 1);
    let mut paged = question.clone();
    paged["MaxItems"] = json!(2);
    let first = world.good("SimulatePrincipalPolicy", paged.clone()).await;
    assert_eq!((decisions(&first).len(), &first["IsTruncated"]), (2, &json!(true)));
    paged["Marker"] = first["Marker"].clone();
    let rest = world.good("SimulatePrincipalPolicy", paged).await;
    assert_eq!(
        (decisions(&rest), &rest["IsTruncated"]),
        (vec!["implicitDeny".to_owned()], &json!(false))
    );
    let mut nobody = question;
    nobody["PolicySourceArn"] = json!("arn:aws:iam::000000000000:user/nobody");
    let nobody = world.bad("SimulatePrincipalPolicy", nobody).await;
    assert_eq!(nobody, "404 NoSuchEntity: The user with name nobody cannot be found.");
}

#[tokio::test]
async fn a_boundary_and_a_context_take_part() {
    let world = World::new();
    let conditional = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sagemaker:*",
        "Resource": "*", "Condition": {"StringEquals": {"aws:RequestTag/team": "a"}}}});
    let question = |context: Value, boundary: Value| {
        let mut question = json!({"PolicyInputList": [conditional.to_string()],
            "ActionNames": ["sagemaker:CreateEndpoint"]});
        if context.is_array() {
            question["ContextEntries"] = context;
        }
        if boundary.is_array() {
            question["PermissionsBoundaryPolicyInputList"] = boundary;
        }
        question
    };
    let answer = world.good("SimulateCustomPolicy", question(Value::Null, Value::Null)).await;
    assert_eq!(decisions(&answer), ["implicitDeny"]);
    let missing = &answer["EvaluationResults"][0]["MissingContextValues"];
    assert_eq!(missing, &json!(["aws:RequestTag/team"]));
    let entries = json!([{"ContextKeyName": "AWS:requesttag/team", "ContextKeyValues": ["a"],
                          "ContextKeyType": "string"}]);
    let answer = world.good("SimulateCustomPolicy", question(entries.clone(), Value::Null)).await;
    assert_eq!(decisions(&answer), ["allowed"]);
    assert_eq!(answer["EvaluationResults"][0]["MissingContextValues"], json!([]));
    let boundary = json!([allow("s3:*", "*")]);
    let answer = world.good("SimulateCustomPolicy", question(entries, boundary)).await;
    assert_eq!(decisions(&answer), ["implicitDeny"]);
    let detail = &answer["EvaluationResults"][0]["PermissionsBoundaryDecisionDetail"];
    assert_eq!(detail["AllowedByPermissionsBoundary"], json!(false));
    let malformed = json!({"PolicyInputList": ["{"], "ActionNames": ["s3:GetObject"]});
    let malformed = world.bad("SimulateCustomPolicy", malformed).await;
    assert_eq!(malformed, "400 InvalidInput: Invalid Input: Syntax errors in policy.");
}
