//! What a watch asks, the picture of what it finds, and the lines that it prints elsewhere.

use console::measure_text_width;

use super::picture::spark;
use super::view::{Activity, Alarm, Cooldown, Load, Target as Bounds, Unit, Variant, View};
use super::*;
use crate::testing::FakeServer;

/// Noon of the first day.
const NOON: i64 = 43_200_000;
const MINUTE: i64 = 60_000;

fn variant(name: &str) -> Variant {
    let made = |side: &str, state: &str| Alarm {
        name: format!("TargetTracking-endpoint/tide/variant/{name}-{side}-0a1b"),
        state: state.into(),
        since: NOON - 2 * MINUTE,
    };
    Variant {
        name: name.into(),
        current: 2,
        desired: 3,
        target: Some(Bounds { min: 1, max: 4, suspended: false }),
        requests: vec![None, Some(0.0), Some(60.0), Some(120.0)],
        load: Load {
            unit: Unit::RequestsPerInstance,
            values: vec![None, Some(0.0), Some(30.0), Some(60.5)],
            wanted: Some(20.0),
        },
        alarms: vec![made("AlarmHigh", "ALARM"), made("AlarmLow", "OK")],
        cooldowns: vec![Cooldown { direction: "Out".into(), until: NOON + MINUTE }],
        activities: vec![
            Activity {
                id: "2".into(),
                at: NOON,
                status: "Failed".into(),
                description: "Attempting to scale due to alarm triggered".into(),
                reasons: vec!["AlreadyAtMaxCapacity".into()],
            },
            Activity {
                id: "1".into(),
                at: NOON - MINUTE,
                status: "InProgress".into(),
                description: "Setting desired instance count to 3.".into(),
                reasons: Vec::new(),
            },
        ],
    }
}

fn view(variants: Vec<Variant>) -> View {
    View {
        endpoint: "tide".into(),
        status: "Updating".into(),
        config: Some("one".into()),
        failure: None,
        now: NOON,
        time_scale: 60.0,
        variants,
    }
}

fn drawn(view: &View, columns: usize, rows: Option<usize>) -> Vec<String> {
    picture(view, Size { columns, rows }, Ink::none())
}

#[test]
fn a_picture_shows_instances_load_alarms_cooldowns_and_activities() {
    let wanted = "\
tide  Updating  one  1970-01-01T12:00:00Z (time runs 60 times as fast)

a
  instances     ██▒·  2 of 3 serve, between 1 and 4
  requests/min   ▁▅█  120
  per instance   ▁▅█  60.5 (target 20)
  alarms        AlarmHigh ALARM for 2m   AlarmLow OK for 2m
  cooldowns     scale-out until 12:01:00 (1m)
  activities    12:00:00  Failed       Not scaled: AlreadyAtMaxCapacity.
                11:59:00  InProgress   Setting desired instance count to 3.";
    assert_eq!(drawn(&view(vec![variant("a")]), 80, None).join("\n"), wanted);
}

#[test]
fn what_is_not_registered_has_no_bounds_and_what_has_no_data_says_so() {
    let bare = Variant {
        name: "a".into(),
        current: 1,
        desired: 1,
        requests: vec![None; 3],
        ..Variant::default()
    };
    let lines = drawn(&view(vec![bare]), 80, None);
    assert_eq!(lines[3], "  instances     █  1 serves, not registered, so that nothing scales it");
    assert_eq!(lines[4], "  requests/min       no data");
    let none = drawn(&view(Vec::new()), 80, Some(24));
    assert_eq!(none.last().map(String::as_str), Some("No variant serves yet."));
}

#[test]
fn fifty_variants_fit_any_window() {
    let variants: Vec<Variant> =
        (0..50).map(|at| variant(&format!("variant-{}", "x".repeat(at)))).collect();
    let view = view(variants);
    for (columns, rows) in [(80, 24), (40, 10), (200, 60), (20, 2), (1, 1)] {
        let lines = drawn(&view, columns, Some(rows));
        assert!(lines.len() <= rows, "{} lines in {rows}", lines.len());
        assert!(lines.iter().all(|line| measure_text_width(line) <= columns), "{columns}");
    }
    let lines = drawn(&view, 120, Some(60));
    assert_eq!(lines.len(), 52, "one line for each");
    assert!(
        lines[2].starts_with("▲ variant- ")
            && lines[2].contains("  2/3     60.5 per instance   ▁▅█  AlarmHigh"),
        "{}",
        lines[2]
    );
    let lines = drawn(&view, 80, Some(24));
    assert_eq!(lines[23], "… and 29 more lines: make the window higher, or use --once");
}

#[test]
fn bars_of_many_instances_stay_short() {
    let many = Variant {
        current: 5000,
        desired: 10_000,
        target: Some(Bounds { min: 0, max: 10_000, suspended: true }),
        ..variant("a")
    };
    let bar = format!("{}{}", "█".repeat(12), "▒".repeat(12));
    let wanted = format!(
        "  instances     {bar}  5000 of 10000 serve, between 0 and 10000, partly suspended"
    );
    assert_eq!(drawn(&view(vec![many]), 120, None)[3], wanted);
}

#[test]
fn sparks_have_a_character_for_each_value() {
    assert_eq!(spark(&[Some(0.0), None, Some(f64::NAN), Some(8.0), Some(1e308)], None), "▁ ▁▂█");
    assert_eq!(spark(&[Some(1.0), Some(2.0)], Some(4.0)), "▃▅");
    assert_eq!(spark(&[Some(0.0); 3], None), "▁▁▁");
    assert_eq!(spark(&[Some(-1.0), Some(f64::INFINITY)], None), "▁▁");
}

#[test]
fn lines_tell_what_has_changed_and_nothing_twice() {
    let mut lines = Lines::default();
    let mut seen = view(vec![variant("a")]);
    assert_eq!(
        lines.next(&seen),
        [
            "12:00:00  a  Updating  2/3 instances  120 requests/min  60.5 per instance (target 20)  AlarmHigh ALARM  AlarmLow OK",
            "12:00:00  a  11:59:00 InProgress: Setting desired instance count to 3.",
            "12:00:00  a  12:00:00 Failed: Not scaled: AlreadyAtMaxCapacity.",
        ]
    );
    seen.now += 1000;
    assert_eq!(lines.next(&seen), Vec::<String>::new());
    seen.variants[0].current = 3;
    seen.variants[0].activities[1].status = "Successful".into();
    assert_eq!(
        lines.next(&seen),
        [
            "12:00:01  a  Updating  3/3 instances  120 requests/min  60.5 per instance (target 20)  AlarmHigh ALARM  AlarmLow OK",
            "12:00:01  a  11:59:00 Successful: Setting desired instance count to 3.",
        ]
    );
}

const DESCRIBED: &str = r#"{"EndpointName":"tide","EndpointArn":"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/tide","EndpointConfigName":"one","CreationTime":60,"LastModifiedTime":60,"EndpointStatus":"InService","ProductionVariants":[{"VariantName":"a","CurrentInstanceCount":1,"DesiredInstanceCount":1}]}"#;
const MISSING: &str =
    r#"{"__type":"ValidationException","message":"Could not find endpoint \"arn\"."}"#;
const CLOCK: &str = r#"{"now_epoch_seconds":43230.0,"time_scale":60.0}"#;
const TARGETS: &str = r#"{"ScalableTargets":[{"ServiceNamespace":"sagemaker","ResourceId":"endpoint/tide/variant/a","ScalableDimension":"sagemaker:variant:DesiredInstanceCount","MinCapacity":1,"MaxCapacity":4,"RoleARN":"r","CreationTime":60}]}"#;
const POLICIES: &str = r#"{"ScalingPolicies":[{"PolicyARN":"p","PolicyName":"p","ServiceNamespace":"sagemaker","ResourceId":"endpoint/tide/variant/a","ScalableDimension":"sagemaker:variant:DesiredInstanceCount","PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":{"TargetValue":20,"PredefinedMetricSpecification":{"PredefinedMetricType":"SageMakerVariantInvocationsPerInstance"}},"Alarms":[{"AlarmName":"h","AlarmARN":"x"},{"AlarmName":"gone","AlarmARN":"y"}],"CreationTime":60}]}"#;
const ACTIVITIES: &str = r#"{"ScalingActivities":[{"ActivityId":"1","ServiceNamespace":"sagemaker","ResourceId":"endpoint/tide/variant/a","ScalableDimension":"sagemaker:variant:DesiredInstanceCount","Description":"Setting desired instance count to 3.","Cause":"c","StartTime":43200,"StatusCode":"Successful"}],"NextToken":"more"}"#;
const EXPLAINED: &str = r#"{"ResourceId":"endpoint/tide/variant/a","Now":43230,"EndpointStatus":"InService","CurrentInstanceCount":1,"DesiredInstanceCount":1,"Summary":"s","Policies":[],"Cooldowns":[{"Direction":"In","Until":43260,"Summary":"s"}],"ScheduledActions":[],"Decisions":[]}"#;
const ALARMS: &str =
    r#"{"MetricAlarms":[{"AlarmName":"h","StateValue":"OK","StateTransitionedTimestamp":43200}]}"#;
const METRICS: &str = r#"{"MetricDataResults":[{"Id":"r0","Timestamps":[43080,43140],"Values":[6,12]},{"Id":"l0","Timestamps":[43140],"Values":[12]}]}"#;

const LOOK: [(u16, &str); 8] = [
    (200, DESCRIBED),
    (200, CLOCK),
    (200, TARGETS),
    (200, POLICIES),
    (200, ACTIVITIES),
    (200, EXPLAINED),
    (200, ALARMS),
    (200, METRICS),
];

#[tokio::test]
async fn a_look_asks_awss_operations_in_server_time() {
    let server = FakeServer::answering(&LOOK).await;
    let client = Client::new(server.target());
    let view = Looker::new(&client).look("tide").await.unwrap();
    let found = &view.variants[0];
    assert_eq!(found.target, Some(Bounds { min: 1, max: 4, suspended: false }));
    let mut requests = vec![None; look::MINUTES];
    (requests[28], requests[29]) = (Some(6.0), Some(12.0));
    assert_eq!(found.requests, requests);
    assert_eq!((found.load.now(), found.load.wanted), (Some(12.0), Some(20.0)));
    assert_eq!(found.alarms.iter().map(|alarm| &*alarm.state).collect::<Vec<_>>(), ["OK", ""]);
    assert_eq!(found.cooldowns, [Cooldown { direction: "In".into(), until: 43_260_000 }]);
    let asked = server.asked();
    let names: Vec<&str> = asked.iter().map(|asked| &*asked.what).collect();
    assert_eq!(
        names,
        [
            "DescribeEndpoint",
            "GET /tidegate/clock",
            "DescribeScalableTargets",
            "DescribeScalingPolicies",
            "DescribeScalingActivities",
            "GET /tidegate/v1/endpoints/tide/variants/a/scaling",
            "DescribeAlarms",
            "GetMetricData"
        ]
    );
    assert!(
        asked[4].body.contains(r#""MaxResults":5"#),
        "however many there are: {}",
        asked[4].body
    );
    let body: serde_json::Value = serde_json::from_str(&asked[7].body).unwrap();
    // Whole minutes of the server's, the last that is complete.
    assert_eq!(
        (body["StartTime"].as_f64(), body["EndTime"].as_f64()),
        (Some(41_400.0), Some(43_200.0))
    );
}

#[tokio::test]
async fn a_server_without_a_time_of_its_own_goes_by_the_wall_and_explains_nothing() {
    let gone = (404, "");
    let answers: Vec<_> = LOOK.iter().copied().filter(|(_, body)| *body != EXPLAINED).collect();
    let answers: Vec<_> =
        answers.into_iter().map(|one| if one.1 == CLOCK { gone } else { one }).collect();
    let server = FakeServer::answering(&answers).await;
    let client = Client::new(server.target());
    let before = crate::wall::now_millis();
    let view = Looker::new(&client).look("tide").await.unwrap();
    assert!(view.now >= before && view.variants[0].cooldowns.is_empty());
    server.asked();
}

#[tokio::test]
async fn an_endpoint_that_goes_ends_the_watch_and_a_server_that_goes_fails_it() {
    let arguments = Arguments { endpoint: "tide".parse().unwrap(), once: false };
    let mut answers = LOOK.to_vec();
    answers.push((400, MISSING));
    let server = FakeServer::answering(&answers).await;
    let (output, data, notes) = Output::in_memory(false);
    let client = Client::new(server.target());
    let code = watched(&client, &arguments, Ink::none(), &output).await.unwrap();
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    assert_eq!(notes.text(), "tide is gone\n");
    assert_eq!(
        data.text(),
        "12:00:30  a  InService  1/1 instances  12 requests/min  12 per instance (target 20)  h OK  gone deleted\n\
         12:00:30  a  12:00:00 Successful: Setting desired instance count to 3.\n"
    );
    let client = Client::new(server.stop().await);
    let error = watched(&client, &arguments, Ink::none(), &output).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. } | Error::NoServer { .. }), "{error}");
}

#[tokio::test]
async fn once_prints_the_picture_and_ends() {
    let arguments = Arguments { endpoint: "tide".parse().unwrap(), once: true };
    let server = FakeServer::answering(&LOOK).await;
    let (output, data, _) = Output::in_memory(false);
    watched(&Client::new(server.target()), &arguments, Ink::none(), &output).await.unwrap();
    assert!(
        data.text().contains("  alarms        h OK for 30s   gone deleted\n"),
        "{}",
        data.text()
    );
    let server = FakeServer::answering(&LOOK).await;
    let (output, data, _) = Output::in_memory(true);
    watched(&Client::new(server.target()), &arguments, Ink::none(), &output).await.unwrap();
    let shown: serde_json::Value = serde_json::from_str(&data.text()).unwrap();
    assert_eq!(shown["Variants"][0]["TargetValue"], 20.0);
}
