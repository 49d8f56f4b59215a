//! CloudWatch: alarms have ARNs, metrics have none.

use domain::arn::Scope;
use wire::cloudwatch::Operation;

use super::super::need::{Need, tags, texts};
use super::Ask;

const SERVICE: &str = "cloudwatch";

/// The members of `PutMetricAlarm` that name what an alarm triggers.
const ACTIONS: [&str; 3] = ["AlarmActions", "OKActions", "InsufficientDataActions"];

pub(super) fn needs(ask: &Ask<'_>, operation: Operation) -> Vec<Need> {
    let any = |action| vec![Need::any(SERVICE, action)];
    let named = |action| vec![Need::on(SERVICE, action, alarm(ask.scope, ask.text("AlarmName")))];
    let tagged = |action| Need::on(SERVICE, action, ask.text("ResourceARN").to_owned());
    match operation {
        Operation::DeleteAlarms => each(ask, "DeleteAlarms"),
        Operation::DescribeAlarmHistory => match ask.text("AlarmName") {
            "" => vec![Need::on(SERVICE, "DescribeAlarmHistory", alarm(ask.scope, "*"))],
            _ => named("DescribeAlarmHistory"),
        },
        Operation::DescribeAlarms => each(ask, "DescribeAlarms"),
        Operation::DescribeAlarmsForMetric => any("DescribeAlarmsForMetric"),
        Operation::DisableAlarmActions => each(ask, "DisableAlarmActions"),
        Operation::EnableAlarmActions => each(ask, "EnableAlarmActions"),
        Operation::GetMetricData => any("GetMetricData"),
        Operation::GetMetricStatistics => any("GetMetricStatistics"),
        Operation::ListMetrics => any("ListMetrics"),
        Operation::ListTagsForResource => vec![tagged("ListTagsForResource")],
        Operation::PutMetricAlarm => put_metric_alarm(ask),
        Operation::PutMetricData => vec![
            Need::any(SERVICE, "PutMetricData")
                .with_member("cloudwatch:namespace", ask.input.get("Namespace")),
        ],
        Operation::SetAlarmState => named("SetAlarmState"),
        Operation::TagResource => vec![tagged("TagResource").with_tags(&tags(ask.input, "Tags"))],
        Operation::UntagResource => {
            vec![tagged("UntagResource").with_tag_keys(texts(ask.input, "TagKeys"))]
        }
    }
}

fn put_metric_alarm(ask: &Ask<'_>) -> Vec<Need> {
    let arn = alarm(ask.scope, ask.text("AlarmName"));
    let tags = tags(ask.input, "Tags");
    let actions = ACTIONS.iter().flat_map(|member| texts(ask.input, member));
    let put = Need::on(SERVICE, "PutMetricAlarm", arn.clone())
        .with("cloudwatch:alarmactions", actions)
        .with_tags(&tags);
    let tagging =
        (!tags.is_empty()).then(|| Need::on(SERVICE, "TagResource", arn).with_tags(&tags));
    [Some(put), tagging].into_iter().flatten().collect()
}

/// Each alarm that is named; where none is, whichever there are.
fn each(ask: &Ask<'_>, action: &'static str) -> Vec<Need> {
    let mut names = texts(ask.input, "AlarmNames");
    if names.is_empty() {
        names.push("*".to_owned());
    }
    names.iter().map(|name| Need::on(SERVICE, action, alarm(ask.scope, name))).collect()
}

fn alarm(scope: &Scope, name: &str) -> String {
    let Scope { region, account } = scope;
    format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}")
}
