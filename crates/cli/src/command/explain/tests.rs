//! What is asked of the server, and the page that is made of its answer.

use super::*;
use crate::testing::FakeServer;

const DESCRIBED: &str = r#"{"EndpointName":"tide","EndpointArn":"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/tide","EndpointConfigName":"one","CreationTime":60,"LastModifiedTime":60,"EndpointStatus":"InService","ProductionVariants":[{"VariantName":"a"}]}"#;

const EXPLAINED: &str = r#"{"ResourceId":"endpoint/tide/variant/a","Now":43200,"EndpointStatus":"InService",
"Target":{"MinCapacity":1,"MaxCapacity":4,"DynamicScalingInSuspended":false,"DynamicScalingOutSuspended":false,"ScheduledScalingSuspended":false},
"CurrentInstanceCount":2,"DesiredInstanceCount":2,"Summary":"2 instances wanted, 2 running, between 1 and 4.",
"Policies":[{"PolicyName":"p","PolicyType":"TargetTrackingScaling","Summary":"Policy p keeps invocations per minute and instance at 10.0: it scales out when that is above 10.0 for 3 periods of 60 s in a row.",
"Alarms":[{"AlarmName":"h","Side":"High","State":"ALARM","StateReason":"r","Threshold":10,"Period":60,"Datapoints":[],"Summary":"AlarmHigh fires when the Sum of InvocationsPerInstance is above 10.0."}]}],
"Cooldowns":[],"ScheduledActions":[{"Name":"night","Schedule":"rate(1 day)","Summary":"Scheduled action night sets min capacity to 1."}],
"Decisions":[{"At":43200,"Outcome":"Hold","From":2,"Wanted":4,"Summary":"12:00:00: stays at 2 instances. AlarmHigh of policy p: 3 of 3 datapoints above 10.0 (12.0, 14.0, 20.0): wants 4 instances; held by the scale-out cooldown until 12:00:45 (45 s)."},
{"At":43100,"PolicyName":"p","Outcome":"ScaleOut","From":1,"To":2,"Wanted":2,"Summary":"11:58:20: scales out from 1 to 2 instances. AlarmHigh of policy p: done."}]}"#;

fn named(raw: &str) -> Named {
    scaling::named(raw).unwrap()
}

#[tokio::test]
async fn the_page_says_what_is_why_and_what_was_decided() {
    let server = FakeServer::answering(&[(200, DESCRIBED), (200, EXPLAINED)]).await;
    let (output, data, _) = Output::in_memory(false);
    told(&Client::new(server.target()), &named("tide"), Ink::none(), &output).await.unwrap();
    let wanted = "\
endpoint/tide/variant/a  InService  1970-01-01T12:00:00Z
  2 instances wanted, 2 running, between 1 and 4.

What makes it scale
  Policy p keeps invocations per minute and instance at 10.0: it scales out when
  that is above 10.0 for 3 periods of 60 s in a row.
  ▲ AlarmHigh fires when the Sum of InvocationsPerInstance is above 10.0.

What is scheduled
  Scheduled action night sets min capacity to 1.

Last decisions
  AT        COUNT     WHY
  12:00:00  2 stays   AlarmHigh of policy p: 3 of 3 datapoints above 10.0 (12.0,
                      14.0, 20.0): wants 4 instances; held by the scale-out
                      cooldown until 12:00:45 (45 s).
  11:58:20  1 → 2     AlarmHigh of policy p: done.
";
    assert_eq!(data.text(), wanted);
    assert_eq!(
        server.operations(),
        ["DescribeEndpoint", "GET /tidegate/v1/endpoints/tide/variants/a/scaling"]
    );
}

#[tokio::test]
async fn programs_get_what_the_server_said() {
    let server = FakeServer::answering(&[(200, DESCRIBED), (200, EXPLAINED)]).await;
    let (output, data, _) = Output::in_memory(true);
    told(&Client::new(server.target()), &named("tide/a"), Ink::none(), &output).await.unwrap();
    let shown: serde_json::Value = serde_json::from_str(&data.text()).unwrap();
    assert_eq!(shown["Decisions"][0]["Wanted"], 4);
    assert_eq!(shown["Policies"][0]["Alarms"][0]["State"], "ALARM");
}

#[tokio::test]
async fn a_variant_that_is_not_there_gets_those_that_are() {
    let server = FakeServer::answering(&[(200, DESCRIBED)]).await;
    let (output, ..) = Output::in_memory(false);
    let error = told(&Client::new(server.target()), &named("tide/b"), Ink::none(), &output)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "endpoint tide has no variant b; it has: a");
    server.asked();
}

#[test]
fn one_of_several_variants_must_be_named() {
    let endpoint: EndpointName = "tide".parse().unwrap();
    let names = || vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(pick(&endpoint, Some("b"), names()).unwrap(), "b");
    assert_eq!(pick(&endpoint, None, vec!["a".to_owned()]).unwrap(), "a");
    assert_eq!(
        pick(&endpoint, None, names()).unwrap_err().to_string(),
        "endpoint tide has 2 variants (a, b); say which, as in: tidegate explain tide/a"
    );
}

#[test]
fn pages_fit_into_eighty_columns() {
    let body = EXPLAINED.replace("AlarmHigh fires", &"AlarmHigh fires ".repeat(40));
    let read: serde_json::Value = serde_json::from_str(&body).unwrap();
    let mut explained = wire::tidegate::ExplainScalingOutput {
        summary: "a word ".repeat(60),
        ..Default::default()
    };
    explained.policies = vec![wire::tidegate::ExplainedPolicy {
        summary: read["Policies"][0]["Summary"].as_str().unwrap().repeat(3),
        ..Default::default()
    }];
    let page = page::page(&explained, Ink::none());
    assert!(page.lines().all(|line| console::measure_text_width(line) <= 80), "{page}");
}
