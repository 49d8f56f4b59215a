//! A config is deleted only where nobody uses it.

use super::*;
use crate::testing::FakeServer;

const CLOCK: &str = r#"{"now":"1970-01-01T00:02:00Z","now_epoch_seconds":120.0,"time_scale":60.0}"#;
const NO_CLOCK: &str = "<html>";

fn summaries(names: &[&str]) -> String {
    let one = |name: &&str| {
        format!(
            r#"{{"EndpointName":"{name}","EndpointArn":"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{name}","CreationTime":60,"LastModifiedTime":60,"EndpointStatus":"InService"}}"#
        )
    };
    format!(r#"{{"Endpoints":[{}]}}"#, names.iter().map(one).collect::<Vec<_>>().join(","))
}

fn described(name: &str, config: &str, pending: Option<&str>) -> String {
    let pending = pending.map(|config| {
        format!(r#","PendingDeploymentSummary":{{"EndpointConfigName":"{config}"}}"#)
    });
    format!(
        r#"{{"EndpointName":"{name}","EndpointArn":"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{name}","EndpointConfigName":"{config}","CreationTime":60,"LastModifiedTime":60,"EndpointStatus":"InService"{}}}"#,
        pending.unwrap_or_default()
    )
}

async fn deleted(in_use_too: bool, answers: &[(u16, &str)]) -> (String, String, Vec<String>) {
    let server = FakeServer::answering(answers).await;
    let (output, _, notes) = Output::in_memory(false);
    let arguments = delete::Arguments { name: "one".parse().unwrap(), in_use_too };
    let client = Client::new(server.target());
    let code = delete::run(&client, &arguments, &Environment::new(), &output).await.unwrap();
    let url = server.target().server.url.to_string();
    (format!("{code:?}"), notes.text().replace(&url, "URL"), server.operations())
}

fn exit(code: u8) -> String {
    format!("{:?}", ExitCode::from(code))
}

const GONE: &str = "deleting endpoint config one at URL, account 123456789012, region eu-west-1\nendpoint config one is gone\n";

#[tokio::test]
async fn one_that_nobody_uses_goes() {
    let (list, other) = (summaries(&["chat"]), described("chat", "two", None));
    let answers = [(200, list.as_str()), (200, &other), (200, "")];
    let (code, notes, asked) = deleted(false, &answers).await;
    assert_eq!((code, notes.as_str()), (exit(0), GONE));
    assert_eq!(asked, ["ListEndpoints", "DescribeEndpoint", "DeleteEndpointConfig"]);
}

/// The mistake that a silent rollback leads to: the config that serves looks like one that is left over.
#[tokio::test]
async fn one_that_serves_stays_and_the_rollback_is_told() {
    let list = summaries(&["chat", "tide"]);
    let (chat, tide) = (described("chat", "two", None), described("tide", "one", None));
    let rolled_back = r#"{"EndpointName":"tide","EndpointConfigInUse":"one","RequestedEndpointConfigName":"two","RequestedAt":60,"Outcome":"RolledBack","Reason":"It did not start."}"#;
    let answers = [
        (200, list.as_str()),
        (200, &chat),
        (200, &tide),
        (200, CLOCK),
        (200, rolled_back),
        (200, CLOCK),
    ];
    let (code, notes, asked) = deleted(false, &answers).await;
    let wanted = "\
endpoint tide (InService) serves with one
  its last update: to two, asked for at 1970-01-01T00:01:00Z (1m ago): rolled back, so that one is in use: It did not start.
nothing was deleted; delete or update the endpoint first, or say --in-use-too
";
    assert_eq!((code, notes.as_str()), (exit(10), wanted));
    assert!(!asked.contains(&"DeleteEndpointConfig".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn one_that_an_endpoint_is_on_its_way_to_stays() {
    let (list, tide) = (summaries(&["tide"]), described("tide", "zero", Some("one")));
    let answers = [(200, list.as_str()), (200, &tide), (404, NO_CLOCK), (404, NO_CLOCK)];
    let (code, notes, _) = deleted(false, &answers).await;
    assert_eq!(code, exit(10));
    assert!(
        notes.starts_with("endpoint tide (InService) is on its way to one\nnothing"),
        "{notes}"
    );
}

#[tokio::test]
async fn who_says_so_may_delete_it_all_the_same() {
    let (code, notes, asked) = deleted(true, &[(200, "")]).await;
    assert_eq!((code, notes.as_str()), (exit(0), GONE));
    assert_eq!(asked, ["DeleteEndpointConfig"]);
}
