//! The plan of a deletion: what is asked, and what it says of permissions.

use super::*;
use crate::testing::FakeServer;

const CLOCK: &str = r#"{"now":"1970-01-01T00:02:00Z","now_epoch_seconds":120.0,"time_scale":60.0}"#;
const NO_CLOCK: &str = "<html>";
const DESCRIBED: &str = r#"{"EndpointName":"tide","EndpointArn":"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/tide",
    "EndpointConfigName":"one","CreationTime":60,"LastModifiedTime":60,"EndpointStatus":"InService","ProductionVariants":
    [{"VariantName":"a","CurrentInstanceCount":2,"DesiredInstanceCount":2,"CurrentWeight":1,"DesiredWeight":1}]}"#;
const CONFIG: &str = r#"{"EndpointConfigName":"one","EndpointConfigArn":"arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/one",
    "CreationTime":60,"ProductionVariants":[{"VariantName":"a","ModelName":"m","InstanceType":"ml.m5.large",
    "InitialInstanceCount":1,"InitialVariantWeight":1}]}"#;
const NO_TARGETS: &str = r#"{"ScalableTargets":[]}"#;
const LAST_UPDATE: &str = r#"{"EndpointName":"tide","EndpointConfigInUse":"one"}"#;

async fn planned(answers: &[(u16, &str)]) -> (Result<String, String>, String, Vec<String>) {
    let server = FakeServer::answering(answers).await;
    let (output, data, _) = Output::in_memory(false);
    let arguments = Arguments { name: "tide".parse().unwrap(), wait: false, plan: true };
    let code = run(&Client::new(server.target()), &arguments, &Environment::new(), &output).await;
    let code = code.map(|code| format!("{code:?}")).map_err(|error| error.to_string());
    (code, data.text(), server.operations())
}

fn exit(code: u8) -> String {
    format!("{:?}", ExitCode::from(code))
}

#[tokio::test]
async fn what_tidegate_would_accept_needs_no_look_at_policies() {
    let answers = [
        (200, CLOCK),
        (200, DESCRIBED),
        (200, CONFIG),
        (200, CLOCK),
        (200, NO_TARGETS),
        (200, LAST_UPDATE),
        (200, r#"{"TidegatePlan":{}}"#),
    ];
    let (code, page, asked) = planned(&answers).await;
    assert_eq!(code, Ok(exit(0)));
    let wanted = "\
tide  InService  one
  DeleteEndpoint would be accepted.

Instances that end
  a: 2 instances

Permissions it takes
           ACTION                    ON
  allowed  sagemaker:DeleteEndpoint  endpoint/tide
";
    assert!(page.starts_with(wanted), "{page}");
    assert_eq!(asked.last().map(String::as_str), Some("DeleteEndpoint (dry run)"));
}

#[tokio::test]
async fn elsewhere_iam_is_asked_about_oneself() {
    let identity = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
        <Arn>arn:aws:iam::123456789012:user/ann</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let simulated = |decision: &str| {
        format!(
            "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><SimulatePrincipalPolicyResult>\
             <EvaluationResults><member><EvalActionName>sagemaker:DeleteEndpoint</EvalActionName>\
             <EvalDecision>{decision}</EvalDecision></member></EvaluationResults></SimulatePrincipalPolicyResult>\
             </SimulatePrincipalPolicyResponse>"
        )
    };
    let denied =
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
            .to_owned();
    let table = [
        (200, simulated("allowed"), 0, "allowed"),
        (200, simulated("implicitDeny"), 10, "MISSING"),
        (200, simulated("explicitDeny"), 10, "MISSING"),
        (403, denied, 0, "unknown"),
    ];
    for (status, answer, code, shown) in table {
        let answers = [
            (404, NO_CLOCK),
            (200, DESCRIBED),
            (200, CONFIG),
            (200, NO_TARGETS),
            (200, identity),
            (status, &answer),
        ];
        let (came, page, _) = planned(&answers).await;
        assert_eq!(came, Ok(exit(code)), "{answer}");
        let line = format!("  {shown}  sagemaker:DeleteEndpoint  endpoint/tide\n");
        assert!(page.contains(&line), "{page}");
    }
}
