//! The demonstration's variant as a scalable target: how far it may scale, at what load, and how far its alarms are.

use std::time::Duration;

use wire::application_autoscaling::{
    DeregisterScalableTargetRequest, DeregisterScalableTargetResponse, MetricType, PolicyType,
    PredefinedMetricSpecification, PutScalingPolicyRequest, PutScalingPolicyResponse,
    RegisterScalableTargetRequest, RegisterScalableTargetResponse, ServiceNamespace,
    TargetTrackingScalingPolicyConfiguration,
};
use wire::tidegate::{AlarmSide, AlarmState, ExplainScalingOutput, ExplainedAlarm};

use crate::Error;
use crate::client::Client;
use crate::command::clock::ServerClock;
use crate::command::scaling::{VARIANT_COUNT, autoscaling, resource_id};

use super::belongings::VARIANT;

/// As many as a machine of two cores runs beside an update, which doubles them.
pub(super) const MAX_CAPACITY: i32 = 3;
pub(super) const MIN_CAPACITY: i32 = 1;

/// The load that was measured, over the load that one instance is to have: between two and three, so that the count goes
/// to three, and a load that is a seventh more or less still does.
const INSTANCES_WORTH: f64 = 2.5;

/// Less is no target; AWS asks for a positive number.
const TARGET_MIN: f64 = 0.1;

/// Seconds of server time, both ways: short, for nobody should have to wait for a cooldown here.
const COOLDOWN_SECS: i32 = 60;

/// Server time that scaling out and in takes by the book: three minutes above the target and fifteen below, and some to
/// notice and to start instances.
const BY_THE_BOOK: Duration = Duration::from_mins(25);

/// Wall time that somebody who looks on may be made to wait for that.
const PATIENCE: Duration = Duration::from_mins(3);

/// How the server's time passes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace(f64);

impl Pace {
    pub(super) async fn of(client: &Client) -> Result<Self, Error> {
        let clock = ServerClock::read(client.target().server.clone()).await?;
        Ok(Self(clock.time_scale.max(f64::MIN_POSITIVE)))
    }

    /// Requests per minute of the server's, of which so many came in a span of the wall's.
    pub(super) fn per_minute(self, requests: u64, span: Duration) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred requests")]
        let requests = requests as f64;
        requests * 60.0 / (span.as_secs_f64() * self.0).max(f64::MIN_POSITIVE)
    }

    /// Why nobody should wait here until the endpoint scales; none where it is soon done.
    pub(super) fn too_slow(self) -> Option<String> {
        let secs = BY_THE_BOOK.as_secs_f64() / self.0;
        (secs > PATIENCE.as_secs_f64()).then(|| {
            format!(
                "Scaling out takes three minutes above the target and scaling in fifteen below it, by the book, and this \
                 server's time runs at scale {}:\nthat is not shown here. A server of the demo's own (without \
                 --endpoint-url and --data-dir), or one with --time-scale 60, shows it in seconds.",
                self.0
            )
        })
    }

    /// How long to wait for a change that takes so much of the server's time.
    pub(super) fn deadline(self, span: Duration) -> Duration {
        Duration::from_secs_f64((span.as_secs_f64() / self.0).min(PATIENCE.as_secs_f64())) + SLACK
    }
}

/// Wall time beyond that, for a machine that is busy starting model servers.
const SLACK: Duration = Duration::from_mins(1);

/// The target value for a load in requests per minute.
pub(super) fn target_value(per_minute: f64) -> f64 {
    (per_minute / INSTANCES_WORTH).max(TARGET_MIN)
}

pub(super) async fn register(client: &Client, endpoint: &str) -> Result<(), Error> {
    let input = RegisterScalableTargetRequest {
        service_namespace: ServiceNamespace::Sagemaker,
        resource_id: resource_id(endpoint, VARIANT),
        scalable_dimension: VARIANT_COUNT,
        min_capacity: Some(MIN_CAPACITY),
        max_capacity: Some(MAX_CAPACITY),
        role_arn: None,
        suspended_state: None,
        tags: None,
    };
    let _: RegisterScalableTargetResponse =
        autoscaling(client, "RegisterScalableTarget", &input).await?;
    Ok(())
}

/// A policy that keeps the requests per minute and instance at a value.
pub(super) async fn track(client: &Client, endpoint: &str, target_value: f64) -> Result<(), Error> {
    let metric = PredefinedMetricSpecification {
        predefined_metric_type: MetricType::SageMakerVariantInvocationsPerInstance,
        resource_label: None,
    };
    let input = PutScalingPolicyRequest {
        policy_name: "keep-the-load".to_owned(),
        service_namespace: ServiceNamespace::Sagemaker,
        resource_id: resource_id(endpoint, VARIANT),
        scalable_dimension: VARIANT_COUNT,
        policy_type: Some(PolicyType::TargetTrackingScaling),
        step_scaling_policy_configuration: None,
        target_tracking_scaling_policy_configuration: Some(
            TargetTrackingScalingPolicyConfiguration {
                target_value,
                predefined_metric_specification: Some(metric),
                customized_metric_specification: None,
                scale_out_cooldown: Some(COOLDOWN_SECS),
                scale_in_cooldown: Some(COOLDOWN_SECS),
                disable_scale_in: None,
            },
        ),
        predictive_scaling_policy_configuration: None,
    };
    let _: PutScalingPolicyResponse = autoscaling(client, "PutScalingPolicy", &input).await?;
    Ok(())
}

/// Takes the target back, with its policy and alarms. That it is gone already is as good.
pub(super) async fn deregister(client: &Client, endpoint: &str) -> Result<(), Error> {
    let input = DeregisterScalableTargetRequest {
        service_namespace: ServiceNamespace::Sagemaker,
        resource_id: resource_id(endpoint, VARIANT),
        scalable_dimension: VARIANT_COUNT,
    };
    let done: Result<DeregisterScalableTargetResponse, Error> =
        autoscaling(client, "DeregisterScalableTarget", &input).await;
    match done {
        Err(error)
            if error.refusal().is_some_and(|refusal| refusal.code == "ObjectNotFoundException") =>
        {
            Ok(())
        }
        done => done.map(drop),
    }
}

/// Which way the demonstration waits for the endpoint to scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Out,
    In,
}

impl Way {
    /// Server time that it takes by the book, with as much again to spare.
    pub(super) const fn span(self) -> Duration {
        match self {
            Self::Out => Duration::from_mins(2 * 5),
            Self::In => Duration::from_mins(2 * 20),
        }
    }

    /// Whether the count has gone that way, from a count, and is reached.
    pub(super) fn is_done(self, from: i32, explained: &ExplainScalingOutput) -> bool {
        let moved = match self {
            Self::Out => explained.desired_instance_count > from,
            Self::In => explained.desired_instance_count <= MIN_CAPACITY,
        };
        let reached = explained.current_instance_count == explained.desired_instance_count;
        moved && reached && explained.endpoint_status == "InService"
    }

    /// `1/3 · 200/min each · AlarmHigh OK, 2 of 3 above 79`: short, for it shares a line of 80 columns.
    pub(super) fn awaited(self, explained: &ExplainScalingOutput) -> String {
        let counts =
            format!("{}/{}", explained.current_instance_count, explained.desired_instance_count);
        if explained.endpoint_status != "InService" {
            return format!("{counts} · {}", explained.endpoint_status);
        }
        let side = match self {
            Self::Out => AlarmSide::High,
            Self::In => AlarmSide::Low,
        };
        let mut alarms = explained.policies.iter().flat_map(|policy| &policy.alarms);
        let Some(alarm) = alarms.find(|alarm| alarm.side == side) else { return counts };
        let state = match alarm.state {
            AlarmState::InsufficientData => "without data",
            AlarmState::Ok => "OK",
            AlarmState::Alarm => "ALARM",
        };
        let latest = alarm.datapoints.first().and_then(|point| point.value);
        let load =
            latest.map_or_else(|| "no load yet".to_owned(), |value| format!("{value:.0}/min each"));
        let (name, above) = match self {
            Self::Out => ("AlarmHigh", "above"),
            Self::In => ("AlarmLow", "below"),
        };
        format!(
            "{counts} · {load} · {name} {}, {} of {} {above} {:.0}",
            state,
            self.so_far(alarm),
            alarm.datapoints.len(),
            alarm.threshold
        )
    }

    /// Periods in a row, up to now, on the side that the alarm waits for.
    fn so_far(self, alarm: &ExplainedAlarm) -> usize {
        let beyond = |value: f64| match self {
            Self::Out => value > alarm.threshold,
            Self::In => value < alarm.threshold,
        };
        alarm.datapoints.iter().take_while(|point| point.value.is_some_and(beyond)).count()
    }
}

#[cfg(test)]
mod tests {
    use wire::tidegate::{AlarmDatapoint, ExplainedPolicy};

    use super::*;

    #[test]
    fn the_load_that_was_measured_asks_for_three_instances_and_keeps_them() {
        assert!(target_value(0.0) > 0.0);
        for rate in [1.0, 7.0, 60.0, 200.0, 1e5] {
            let wanted = |load: f64| (load / target_value(rate)).ceil();
            for load in [0.85 * rate, rate, 1.15 * rate] {
                assert!((wanted(load) - 3.0).abs() < f64::EPSILON, "{load} of {rate}");
            }
        }
    }

    #[test]
    fn rates_are_in_the_servers_minutes_and_only_fast_servers_are_waited_for() {
        let second = Duration::from_secs(1);
        assert!((Pace(60.0).per_minute(200, second) - 200.0).abs() < 1e-9);
        assert!((Pace(1.0).per_minute(200, second) - 12_000.0).abs() < 1e-6);
        assert!(Pace(1.0).too_slow().is_some_and(|why| why.contains("--time-scale 60")));
        assert_eq!(Pace(60.0).too_slow(), None);
    }

    #[test]
    fn what_is_awaited_is_told_in_one_line() {
        let point = |value| AlarmDatapoint { value, ..AlarmDatapoint::default() };
        let alarm = |side, values: &[Option<f64>]| ExplainedAlarm {
            alarm_name: "a".into(),
            side,
            state: AlarmState::Ok,
            state_reason: String::new(),
            threshold: 80.0,
            period: 60,
            datapoints: values.iter().copied().map(point).collect(),
            summary: String::new(),
        };
        let alarms = vec![
            alarm(AlarmSide::High, &[Some(90.0), Some(81.0), Some(10.0)]),
            alarm(AlarmSide::Low, &[Some(10.0), None, Some(10.0)]),
        ];
        let mut explained = ExplainScalingOutput {
            endpoint_status: "InService".into(),
            current_instance_count: 1,
            desired_instance_count: 1,
            policies: vec![ExplainedPolicy { alarms, ..ExplainedPolicy::default() }],
            ..ExplainScalingOutput::default()
        };
        assert_eq!(
            Way::Out.awaited(&explained),
            "1/1 · 90/min each · AlarmHigh OK, 2 of 3 above 80"
        );
        assert_eq!(Way::In.awaited(&explained), "1/1 · 10/min each · AlarmLow OK, 1 of 3 below 80");
        assert!(!Way::Out.is_done(1, &explained) && Way::In.is_done(3, &explained));
        explained.desired_instance_count = 3;
        assert!(!Way::Out.is_done(1, &explained), "not reached yet");
        explained.current_instance_count = 3;
        assert!(Way::Out.is_done(1, &explained));
        explained.endpoint_status = "Updating".into();
        assert!(!Way::Out.is_done(1, &explained));
    }
}
