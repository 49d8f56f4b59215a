//! Items as native histories have them, and their bounds.

use proptest::prelude::*;
use serde_json::json;

use super::super::evaluate::tests::config;
use super::super::{StateValue, TreatMissing};
use super::*;
use crate::metric::{Statistic, Unit};

const AT: Timestamp = Timestamp::from_millis(1_789_614_216_050);

fn scope() -> Scope {
    Scope { region: "us-east-1".to_owned(), account: "111122223333".to_owned() }
}

fn state(value: StateValue, reason: &str, data: Option<&str>) -> State {
    State {
        value,
        reason: reason.to_owned(),
        reason_data: data.map(str::to_owned),
        updated_at: AT,
        transitioned_at: AT,
    }
}

fn parsed(item: &HistoryItem) -> Value {
    assert!(item.data.chars().count() <= DATA_CHARS_MAX, "{}", item.data.len());
    assert!((1..=SUMMARY_CHARS_MAX).contains(&item.summary.chars().count()));
    serde_json::from_str(&item.data).unwrap()
}

#[test]
fn a_configuration_is_recorded_whole_in_amazons_order() {
    let mut config = config(1, None, None);
    config.threshold = 1.0;
    config.description = Some("too \"slow\"".to_owned());
    config.alarm_actions = vec!["arn:aws:sns:us-east-1:111122223333:topic".to_owned()];
    let Watch::Metric(stat) = &mut config.watch else { panic!("a metric") };
    let dimension = |name: &str, value: &str| Dimension { name: name.into(), value: value.into() };
    let dimensions = vec![dimension("Operation", "PutItem"), dimension("TableName", "t")];
    stat.metric = MetricId::new("AWS/DynamoDB", "WriteThrottleEvents", dimensions);
    (stat.statistic, stat.unit) = (Statistic::Sum, Some(Unit::Count));
    let alarm = Alarm::create("slow".into(), config, AT);
    let item = created(&alarm, &scope(), AT, 7);
    // Section 6.3; the members as a native history of 2022 shows them.
    assert_eq!(
        item.data,
        "{\"version\":\"1.0\",\"type\":\"Create\",\"createdAlarm\":{\"alarmName\":\"slow\",\
         \"alarmDescription\":\"too \\\"slow\\\"\",\
         \"alarmArn\":\"arn:aws:cloudwatch:us-east-1:111122223333:alarm:slow\",\
         \"alarmConfigurationUpdatedTimestamp\":\"2026-09-17T03:03:36.050+0000\",\"namespace\":\"AWS/DynamoDB\",\
         \"metricName\":\"WriteThrottleEvents\",\"statistic\":\"Sum\",\"period\":60,\
         \"dimensions\":[{\"value\":\"PutItem\",\"name\":\"Operation\"},{\"value\":\"t\",\"name\":\"TableName\"}],\
         \"unit\":\"Count\",\"threshold\":1.0,\"comparisonOperator\":\"GreaterThanThreshold\",\"evaluationPeriods\":1,\
         \"stateValue\":\"INSUFFICIENT_DATA\",\"stateUpdatedTimestamp\":\"2026-09-17T03:03:36.050+0000\",\
         \"actionsEnabled\":true,\"alarmActions\":[\"arn:aws:sns:us-east-1:111122223333:topic\"],\
         \"insufficientDataActions\":[],\"okactions\":[]}}"
    );
    assert_eq!((item.summary.as_str(), item.sequence, item.at), ("Alarm \"slow\" created", 7, AT));
    assert_eq!(updated(&alarm, &scope(), AT, 8).summary, "Alarm \"slow\" updated");
    let gone = deleted(&alarm, &scope(), AT, 9);
    assert_eq!(gone.summary, "Alarm \"slow\" deleted");
    assert_eq!(parsed(&gone)["deletedAlarm"]["alarmName"], "slow");
    assert_eq!(gone.kind, HistoryKind::ConfigurationUpdate);
}

#[test]
fn metric_math_is_recorded_as_queries() {
    let mut config = config(1, Some(1), Some(TreatMissing::Breaching));
    let Watch::Metric(stat) = &config.watch else { panic!("a metric") };
    let source = Source::Metric(Stat { period: Some(10), ..stat.clone() });
    let expression = Source::Expression { text: "m1+1".to_owned(), period: Some(10) };
    let query = |id: &str, source, returns| {
        let label = None;
        Query { id: id.to_owned(), source, label, return_data: Some(returns) }
    };
    config.watch = Watch::Math(vec![query("m1", source, false), query("e1", expression, true)]);
    let alarm = Alarm::create("sum".into(), config, AT);
    let created = &parsed(&created(&alarm, &scope(), AT, 0))["createdAlarm"];
    assert_eq!(
        created["metrics"],
        json!([
            {"id": "m1", "returnData": false, "metricStat": {
                "metric": {"dimensions": [], "metricName": "Queue", "namespace": "Shop"},
                "period": 10, "stat": "Average"}},
            {"expression": "m1+1", "id": "e1", "returnData": true, "period": 10}
        ])
    );
    assert_eq!(
        (&created["datapointsToAlarm"], &created["treatMissingData"]),
        (&json!(1), &json!("breaching"))
    );
}

#[test]
fn a_state_update_holds_both_states() {
    let data = "{\"version\":\"1.0\",\"recentDatapoints\":[],\"evaluatedDatapoints\":[{}]}";
    let before = state(StateValue::InsufficientData, "Unchecked: Initial alarm creation", None);
    let after = state(StateValue::Alarm, "Threshold Crossed", Some(data));
    let item = state_update(&"a".into(), &before, &after, AT, 1);
    assert_eq!(item.summary, "Alarm updated from INSUFFICIENT_DATA to ALARM");
    assert_eq!(item.kind, HistoryKind::StateUpdate);
    assert_eq!(
        item.data,
        format!(
            "{{\"version\":\"1.0\",\"oldState\":{{\"stateValue\":\"INSUFFICIENT_DATA\",\
             \"stateReason\":\"Unchecked: Initial alarm creation\"}},\"newState\":{{\"stateValue\":\"ALARM\",\
             \"stateReason\":\"Threshold Crossed\",\"stateReasonData\":{data}}}}}"
        )
    );
}

#[test]
fn what_is_too_long_is_left_out_in_order() {
    let long = |points: &str| {
        format!(
            "{{\"version\":\"1.0\",\"recentDatapoints\":[{points}1.0],\"evaluatedDatapoints\":[{points}1.0]}}"
        )
    };
    let [half, most] = [220, 480].map(|points| long(&"1.0,".repeat(points)));
    let update = |old: &str, new: &str| {
        let before = state(StateValue::Ok, "old", Some(old));
        let after = state(StateValue::Alarm, "new", Some(new));
        parsed(&state_update(&"a".into(), &before, &after, AT, 1))
    };
    let both = update(&half, &half);
    assert!(
        both["oldState"]["stateReasonData"].is_object()
            && both["newState"]["stateReasonData"].is_object()
    );
    let new = update(&most, &most);
    assert!(new["oldState"]["stateReasonData"].is_null());
    assert!(new["newState"]["stateReasonData"]["evaluatedDatapoints"].is_array());
    let over = long(&"1.0,".repeat(520));
    let short = update(&over, &over);
    assert!(short["newState"]["stateReasonData"]["evaluatedDatapoints"].is_null());
    assert!(short["newState"]["stateReasonData"]["recentDatapoints"].is_array());
}

#[test]
fn an_action_says_how_it_went() {
    let arn = "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:1:resource/sagemaker/endpoint/e/variant/v";
    let ran = action(&"a".into(), arn, None, &state(StateValue::Alarm, "", None), AT, 2);
    // Section 6.3.
    assert_eq!(ran.summary, format!("Successfully executed action {arn}"));
    assert_eq!(
        ran.data,
        format!(
            "{{\"actionState\":\"Succeeded\",\"stateUpdateTimestamp\":1789614216050,\
             \"notificationResource\":\"{arn}\",\"publishedMessage\":null,\"error\":null,\
             \"muteWindowEndTimestamp\":null}}"
        )
    );
    let failed = action(
        &"a".into(),
        arn,
        Some("no \"such\" policy"),
        &state(StateValue::Alarm, "", None),
        AT,
        3,
    );
    assert_eq!(failed.summary, format!("Failed to execute action {arn}"));
    let data = parsed(&failed);
    assert_eq!(
        (&data["actionState"], &data["error"]),
        (&json!("Failed"), &json!("no \"such\" policy"))
    );
}

proptest! {
    #[test]
    fn items_are_json_within_bounds_for_any_texts(
        texts in proptest::collection::vec("\\PC{0,1023}|[\\x00-\\x1f]{0,1023}", 6), actions in 0..6_usize,
    ) {
        let mut config = config(1, None, None);
        let cut_name = texts[0].chars().filter(|one| !one.is_control()).take(254).collect::<String>();
        config.description = Some(texts[1].clone());
        for list in [&mut config.ok_actions, &mut config.alarm_actions, &mut config.insufficient_data_actions] {
            *list = vec![texts[2].clone(); actions];
        }
        let alarm = Alarm::create(format!("n{cut_name}").as_str().into(), config, AT);
        parsed(&updated(&alarm, &scope(), AT, 0));
        let before = state(StateValue::Ok, &texts[3], Some("{}"));
        let after = state(StateValue::Alarm, &texts[4], Some("[]"));
        parsed(&state_update(&alarm.name, &before, &after, AT, 0));
        parsed(&action(&alarm.name, &texts[5], Some(&texts[3]), &after, AT, 0));
    }
}
