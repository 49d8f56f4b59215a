//! CloudWatch: metrics and alarms (`reference/autoscaling-and-cloudwatch.md`, section 6).
//!
//! What an alarm's state makes of a scaling policy is the control loop's affair: it reads alarms from the store.

pub(crate) mod alarms;
mod apart;
mod datum;
mod delete_alarms;
mod describe_alarm_history;
mod describe_alarms;
mod describe_alarms_for_metric;
mod disable_alarm_actions;
mod enable_alarm_actions;
mod get_metric_data;
mod get_metric_statistics;
mod list_metrics;
mod list_tags_for_resource;
mod members;
mod put_metric_alarm;
mod put_metric_data;
mod query;
mod refusal;
mod set_alarm_state;
mod shown;
mod tag_resource;
mod tagging;
#[cfg(test)]
mod tests;
mod token;
mod untag_resource;
mod window;

pub use refusal::Refusal;

use wire::cloudwatch::Operation;
use wire::{Call, Document, Value};

use crate::{Context, Error};

pub(crate) async fn serve(cx: &Context, call: &Call) -> Result<Document, Error> {
    let unserved = Error::Unserved { service: call.service.id, operation: call.operation.name };
    let operation: Operation = call.operation.name.parse().map_err(|_| unserved)?;
    match operation {
        Operation::DeleteAlarms => nothing(delete_alarms::delete_alarms(cx, &call.input()?).await),
        Operation::DescribeAlarmHistory => {
            shown(describe_alarm_history::describe_alarm_history(cx, call.input()?).await)
        }
        Operation::DescribeAlarms => {
            shown(describe_alarms::describe_alarms(cx, call.input()?).await)
        }
        Operation::DescribeAlarmsForMetric => {
            shown(describe_alarms_for_metric::describe_alarms_for_metric(cx, call.input()?).await)
        }
        Operation::DisableAlarmActions => {
            nothing(disable_alarm_actions::disable_alarm_actions(cx, &call.input()?).await)
        }
        Operation::EnableAlarmActions => {
            nothing(enable_alarm_actions::enable_alarm_actions(cx, &call.input()?).await)
        }
        Operation::GetMetricData => {
            shown(get_metric_data::get_metric_data(cx, call.input()?).await)
        }
        Operation::GetMetricStatistics => {
            shown(get_metric_statistics::get_metric_statistics(cx, call.input()?).await)
        }
        Operation::ListMetrics => shown(list_metrics::list_metrics(cx, call.input()?).await),
        Operation::ListTagsForResource => {
            shown(list_tags_for_resource::list_tags_for_resource(cx, &call.input()?))
        }
        Operation::PutMetricAlarm => {
            nothing(put_metric_alarm::put_metric_alarm(cx, call.input()?).await)
        }
        Operation::PutMetricData => {
            nothing(put_metric_data::put_metric_data(cx, &call.input()?).await)
        }
        Operation::SetAlarmState => {
            nothing(set_alarm_state::set_alarm_state(cx, call.input()?).await)
        }
        Operation::TagResource => shown(tag_resource::tag_resource(cx, call.input()?).await),
        Operation::UntagResource => shown(untag_resource::untag_resource(cx, call.input()?).await),
    }
}

fn shown(output: Result<impl Value, Error>) -> Result<Document, Error> {
    output.map(|output| output.to_document())
}

fn nothing(output: Result<(), Error>) -> Result<Document, Error> {
    output.map(|()| Document::empty())
}
