//! The commands against a server with answers written in advance: what they ask, and what goes where.

use super::*;
use crate::testing::FakeServer;

const CLOCK: &str = r#"{"now":"1970-01-01T00:02:00Z","now_epoch_seconds":120.0,"time_scale":60.0}"#;
const MISSING: &str =
    r#"{"__type":"ValidationException","message":"Could not find endpoint \"arn\"."}"#;

fn summary(name: &str) -> String {
    format!(
        r#"{{"EndpointName":"{name}","EndpointArn":"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{name}","CreationTime":60,"LastModifiedTime":60,"EndpointStatus":"InService"}}"#
    )
}

fn described(name: &str, status: &str) -> String {
    let variant = r#"{"VariantName":"a","CurrentInstanceCount":1,"DesiredInstanceCount":2,"CurrentWeight":1,"DesiredWeight":1}"#;
    format!(
        r#"{{"EndpointName":"{name}","EndpointArn":"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{name}","EndpointConfigName":"one","CreationTime":60,"LastModifiedTime":60,"EndpointStatus":"{status}","ProductionVariants":[{variant}]}}"#
    )
}

#[tokio::test]
async fn ls_walks_all_pages_and_leaves_out_what_goes_meanwhile() {
    let first = format!(r#"{{"Endpoints":[{}],"NextToken":"t"}}"#, summary("chat"));
    let second = format!(r#"{{"Endpoints":[{},{}]}}"#, summary("gone"), summary("tide"));
    let (chat, tide) = (described("chat", "Updating"), described("tide", "InService"));
    let answers = [
        (200, first.as_str()),
        (200, &second),
        (200, &chat),
        (400, MISSING),
        (200, &tide),
        (200, CLOCK),
    ];
    let server = FakeServer::answering(&answers).await;
    let (output, data, notes) = Output::in_memory(false);
    list::run(&Client::new(server.target()), &output).await.unwrap();
    assert_eq!(
        data.text(),
        "NAME  STATUS     VARIANTS  CONFIG  AGE\nchat  Updating   a 1/2     one     1m\ntide  InService  a 1/2     one     1m\n"
    );
    assert_eq!(notes.text(), "");
    assert_eq!(server.asked()[1].body, r#"{"MaxResults":100,"NextToken":"t"}"#);
}

#[tokio::test]
async fn ls_for_programs_is_what_describe_endpoint_says() {
    let page = format!(r#"{{"Endpoints":[{}]}}"#, summary("tide"));
    let tide = described("tide", "InService");
    let server = FakeServer::answering(&[(200, &page), (200, &tide)]).await;
    let (output, data, _) = Output::in_memory(true);
    list::run(&Client::new(server.target()), &output).await.unwrap();
    let shown: serde_json::Value = serde_json::from_str(&data.text()).unwrap();
    assert_eq!(shown["Endpoints"][0]["ProductionVariants"][0]["DesiredInstanceCount"], 2);
    assert_eq!(shown["Endpoints"][0]["CreationTime"], 60.0);
    server.asked();
}

#[tokio::test]
async fn a_name_that_is_not_there_gets_the_names_that_are() {
    let page = format!(r#"{{"Endpoints":[{}]}}"#, summary("tide"));
    let server = FakeServer::answering(&[(400, MISSING), (200, &page)]).await;
    let (output, ..) = Output::in_memory(false);
    let error = describe::run(
        &Client::new(server.target()),
        &"tied".parse().unwrap(),
        &Environment::new(),
        &output,
    )
    .await
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "DescribeEndpoint: ValidationException: Could not find endpoint \"arn\".\nhint: did you mean tide?"
    );
    server.asked();
}

#[tokio::test]
async fn a_refused_hint_does_not_hide_the_error() {
    let denied = r#"{"__type":"AccessDeniedException","message":"no"}"#;
    let server = FakeServer::answering(&[(400, MISSING), (400, denied)]).await;
    let (output, ..) = Output::in_memory(false);
    let error = describe::run(
        &Client::new(server.target()),
        &"tied".parse().unwrap(),
        &Environment::new(),
        &output,
    )
    .await
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "DescribeEndpoint: ValidationException: Could not find endpoint \"arn\"."
    );
}

#[tokio::test]
async fn delete_says_where_before_it_acts_and_waits_to_the_end() {
    let deleting = described("tide", "Deleting");
    let server = FakeServer::answering(&[(200, ""), (200, &deleting), (400, MISSING)]).await;
    let (output, data, notes) = Output::in_memory(false);
    let arguments = delete::Arguments { name: "tide".parse().unwrap(), wait: true, plan: false };
    delete::run(&Client::new(server.target()), &arguments, &Environment::new(), &output)
        .await
        .unwrap();
    let url = server.target().server.url;
    let wanted = format!(
        "deleting endpoint tide at {url}, account 123456789012, region eu-west-1\ntide is gone\n"
    );
    assert_eq!(notes.text(), wanted);
    assert_eq!(data.text(), "");
    assert_eq!(server.operations(), ["DeleteEndpoint", "DescribeEndpoint", "DescribeEndpoint"]);
}

#[tokio::test]
async fn a_deletion_that_fails_is_an_error() {
    let failed = described("tide", "Failed");
    let server = FakeServer::answering(&[(200, ""), (200, &failed)]).await;
    let (output, ..) = Output::in_memory(false);
    let arguments = delete::Arguments { name: "tide".parse().unwrap(), wait: true, plan: false };
    let error =
        delete::run(&Client::new(server.target()), &arguments, &Environment::new(), &output)
            .await
            .unwrap_err();
    assert_eq!(error.to_string(), "tide was not deleted: it is Failed (no reason given)");
}
