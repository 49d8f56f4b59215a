//! Looks at an endpoint through AWS's own operations, so that most of it works on any server that has them; only what
//! cools down is Tidegate's to tell.

use std::collections::BTreeMap;

use wire::Timestamp;
use wire::application_autoscaling::{
    DescribeScalableTargetsRequest, DescribeScalableTargetsResponse,
    DescribeScalingActivitiesRequest, DescribeScalingActivitiesResponse,
    DescribeScalingPoliciesRequest, DescribeScalingPoliciesResponse, MetricType, ScalableTarget,
    ScalingActivity, ScalingPolicy, ServiceNamespace,
};
use wire::cloudwatch::{
    self, DescribeAlarmsInput, DescribeAlarmsOutput, Dimension, GetMetricDataInput,
    GetMetricDataOutput, Metric, MetricAlarm, MetricDataQuery, MetricStat, ScanBy,
};
use wire::sagemaker::{DescribeEndpointOutput, ProductionVariantSummary};

use crate::client::Client;
use crate::command::clock::ServerClock;
use crate::command::endpoint::{describe, running};
use crate::command::scaling::{VARIANT_COUNT, ask, autoscaling, explain, resource_id};
use crate::{Error, wall};

use super::view::{Activity, Alarm, Cooldown, Load, Target, Unit, Variant, View};

/// Minutes of load that are shown: twice what a low alarm looks at.
pub(super) const MINUTES: usize = 30;

const MINUTE_MILLIS: i64 = 60_000;

/// Activities that are shown of a variant, however many there are.
const ACTIVITIES: i32 = 5;

/// Queries in one call: two for a variant, half of what AWS takes.
const QUERIES_MAX: usize = 250;

/// Alarms in one call, as AWS limits it.
const ALARMS_MAX: usize = 100;

/// Targets in one call, as AWS limits it.
const TARGETS_MAX: usize = 50;

/// Pages that are read of one thing. A variant has at most fifty policies, ten on a page; a few hundred series of thirty
/// points are one.
const PAGES_MAX: usize = 10;

/// What a watch remembers between looks.
#[derive(Debug)]
pub(super) struct Looker<'a> {
    client: &'a Client,
    /// Whether the server tells its time, and so is a Tidegate server; not known before the first look.
    is_tidegate: Option<bool>,
}

impl<'a> Looker<'a> {
    pub(super) const fn new(client: &'a Client) -> Self {
        Self { client, is_tidegate: None }
    }

    /// One look. Fails with SageMaker's own words if the endpoint is not there.
    pub(super) async fn look(&mut self, endpoint: &str) -> Result<View, Error> {
        let described = describe(self.client, endpoint).await?;
        let (now, time_scale) = self.now().await?;
        let mut variants: Vec<Variant> = running(&described).map(plain).collect();
        let name = described.endpoint_name.clone();
        self.targets(&name, &mut variants).await?;
        for variant in variants.iter_mut().filter(|variant| variant.target.is_some()) {
            self.scaling(&name, variant).await?;
        }
        self.alarms(&mut variants).await?;
        self.load(&name, &mut variants, now).await?;
        Ok(view(described, now, time_scale, variants))
    }

    /// The server's time, in which metrics are asked for. A server that has none of its own goes by the wall.
    async fn now(&mut self) -> Result<(i64, f64), Error> {
        if self.is_tidegate == Some(false) {
            return Ok((wall::now_millis(), 1.0));
        }
        match ServerClock::read(self.client.target().server.clone()).await {
            Ok(clock) => {
                self.is_tidegate = Some(true);
                Ok((clock.now_millis(), clock.time_scale))
            }
            // It answered, but not with a time.
            Err(Error::Answer { .. }) if self.is_tidegate.is_none() => {
                self.is_tidegate = Some(false);
                Ok((wall::now_millis(), 1.0))
            }
            Err(error) => Err(error),
        }
    }

    async fn targets(&self, endpoint: &str, variants: &mut [Variant]) -> Result<(), Error> {
        for part in variants.chunks_mut(TARGETS_MAX) {
            let ids = part.iter().map(|variant| resource_id(endpoint, &variant.name)).collect();
            let input = DescribeScalableTargetsRequest {
                service_namespace: ServiceNamespace::Sagemaker,
                resource_ids: Some(ids),
                scalable_dimension: Some(VARIANT_COUNT),
                max_results: None,
                next_token: None,
            };
            let found: DescribeScalableTargetsResponse =
                autoscaling(self.client, "DescribeScalableTargets", &input).await?;
            for target in found.scalable_targets.iter().flatten() {
                let variant = part
                    .iter_mut()
                    .find(|variant| resource_id(endpoint, &variant.name) == target.resource_id);
                if let Some(variant) = variant {
                    variant.target = Some(bounds(target));
                }
            }
        }
        Ok(())
    }

    /// Policies, activities and cooldowns of one variant.
    async fn scaling(&self, endpoint: &str, variant: &mut Variant) -> Result<(), Error> {
        let resource_id = resource_id(endpoint, &variant.name);
        let mut input = DescribeScalingPoliciesRequest {
            service_namespace: ServiceNamespace::Sagemaker,
            resource_id: Some(resource_id.clone()),
            scalable_dimension: Some(VARIANT_COUNT),
            policy_names: None,
            max_results: None,
            next_token: None,
        };
        for _ in 0..PAGES_MAX {
            let page: DescribeScalingPoliciesResponse =
                autoscaling(self.client, "DescribeScalingPolicies", &input).await?;
            page.scaling_policies.iter().flatten().for_each(|policy| follow(variant, policy));
            match page.next_token {
                Some(token) => input.next_token = Some(token),
                None => break,
            }
        }
        let input = DescribeScalingActivitiesRequest {
            service_namespace: ServiceNamespace::Sagemaker,
            resource_id: Some(resource_id),
            scalable_dimension: Some(VARIANT_COUNT),
            max_results: Some(ACTIVITIES),
            include_not_scaled_activities: Some(true),
            next_token: None,
        };
        let activities: DescribeScalingActivitiesResponse =
            autoscaling(self.client, "DescribeScalingActivities", &input).await?;
        variant.activities =
            activities.scaling_activities.into_iter().flatten().map(activity).collect();
        if self.is_tidegate == Some(true) {
            let explained = explain(self.client, endpoint, &variant.name).await?;
            let cooldowns = explained.cooldowns.into_iter().map(|cooldown| Cooldown {
                direction: cooldown.direction.to_string(),
                until: cooldown.until.0,
            });
            variant.cooldowns = cooldowns.collect();
        }
        Ok(())
    }

    /// The states of the alarms whose names are there already.
    async fn alarms(&self, variants: &mut [Variant]) -> Result<(), Error> {
        let names = variants.iter().flat_map(|variant| &variant.alarms);
        let names: Vec<String> = names.map(|alarm| alarm.name.clone()).collect();
        let mut found: BTreeMap<String, MetricAlarm> = BTreeMap::new();
        for part in names.chunks(ALARMS_MAX) {
            let input = DescribeAlarmsInput {
                alarm_names: Some(part.to_vec()),
                max_records: i32::try_from(ALARMS_MAX).ok(),
                ..DescribeAlarmsInput::default()
            };
            let page: DescribeAlarmsOutput =
                ask(self.client, &cloudwatch::SERVICE, "DescribeAlarms", &input).await?;
            let alarms = page.metric_alarms.into_iter().flatten();
            found.extend(alarms.filter_map(|alarm| Some((alarm.alarm_name.clone()?, alarm))));
        }
        for alarm in variants.iter_mut().flat_map(|variant| &mut variant.alarms) {
            // One that has just been deleted stays without a state.
            if let Some(known) = found.get(&alarm.name) {
                alarm.state = known.state_value.map(|state| state.to_string()).unwrap_or_default();
                let since = known.state_transitioned_timestamp.or(known.state_updated_timestamp);
                alarm.since = since.unwrap_or_default().0;
            }
        }
        Ok(())
    }

    /// The last minutes that are complete.
    async fn load(&self, endpoint: &str, variants: &mut [Variant], now: i64) -> Result<(), Error> {
        let end = now - now.rem_euclid(MINUTE_MILLIS);
        let start = end - MINUTE_MILLIS * i64::try_from(MINUTES).unwrap_or(i64::MAX);
        let mut queries = Vec::new();
        for (index, variant) in variants.iter().enumerate() {
            let (name, statistic) = match variant.load.unit {
                Unit::RequestsPerInstance => ("InvocationsPerInstance", "Sum"),
                Unit::ConcurrentRequests => ("ConcurrentRequestsPerModel", "Maximum"),
            };
            queries.push(query(format!("r{index}"), endpoint, &variant.name, "Invocations", "Sum"));
            queries.push(query(format!("l{index}"), endpoint, &variant.name, name, statistic));
        }
        let mut series = BTreeMap::new();
        for part in queries.chunks(QUERIES_MAX) {
            self.series(part, (start, end), &mut series).await?;
        }
        for (index, variant) in variants.iter_mut().enumerate() {
            let mut take = |id: String| series.remove(&id).unwrap_or_else(|| vec![None; MINUTES]);
            variant.requests = take(format!("r{index}"));
            variant.load.values = take(format!("l{index}"));
        }
        Ok(())
    }

    async fn series(
        &self,
        queries: &[MetricDataQuery],
        (start, end): (i64, i64),
        series: &mut BTreeMap<String, Vec<Option<f64>>>,
    ) -> Result<(), Error> {
        let mut input = GetMetricDataInput {
            metric_data_queries: queries.to_vec(),
            start_time: Timestamp(start),
            end_time: Timestamp(end),
            scan_by: Some(ScanBy::TimestampAscending),
            ..GetMetricDataInput::default()
        };
        for _ in 0..PAGES_MAX {
            let page: GetMetricDataOutput =
                ask(self.client, &cloudwatch::SERVICE, "GetMetricData", &input).await?;
            for result in page.metric_data_results.into_iter().flatten() {
                let slots = series
                    .entry(result.id.unwrap_or_default())
                    .or_insert_with(|| vec![None; MINUTES]);
                let times = result.timestamps.into_iter().flatten();
                for (at, value) in times.zip(result.values.into_iter().flatten()) {
                    let minute = usize::try_from((at.0 - start).div_euclid(MINUTE_MILLIS)).ok();
                    if let Some(slot) = minute.and_then(|minute| slots.get_mut(minute)) {
                        *slot = Some(value);
                    }
                }
            }
            match page.next_token {
                Some(token) => input.next_token = Some(token),
                None => break,
            }
        }
        Ok(())
    }
}

fn view(
    described: DescribeEndpointOutput,
    now: i64,
    time_scale: f64,
    variants: Vec<Variant>,
) -> View {
    View {
        endpoint: described.endpoint_name,
        status: described.endpoint_status.to_string(),
        config: described.endpoint_config_name,
        failure: described.failure_reason,
        now,
        time_scale,
        variants,
    }
}

fn plain(variant: &ProductionVariantSummary) -> Variant {
    let current = variant.current_instance_count.unwrap_or(0);
    Variant {
        name: variant.variant_name.clone(),
        current,
        desired: variant.desired_instance_count.unwrap_or(current),
        ..Variant::default()
    }
}

fn bounds(target: &ScalableTarget) -> Target {
    let state = target.suspended_state.as_ref();
    let suspended = state.is_some_and(|state| {
        [
            state.dynamic_scaling_in_suspended,
            state.dynamic_scaling_out_suspended,
            state.scheduled_scaling_suspended,
        ]
        .contains(&Some(true))
    });
    Target { min: target.min_capacity, max: target.max_capacity, suspended }
}

/// Takes from a policy which alarms it has, and what it tracks.
fn follow(variant: &mut Variant, policy: &ScalingPolicy) {
    let alarms = policy.alarms.iter().flatten();
    variant
        .alarms
        .extend(alarms.map(|alarm| Alarm { name: alarm.alarm_name.clone(), ..Alarm::default() }));
    let Some(tracking) = &policy.target_tracking_scaling_policy_configuration else { return };
    let predefined = tracking.predefined_metric_specification.as_ref();
    let unit = match predefined.map(|metric| metric.predefined_metric_type) {
        Some(MetricType::SageMakerVariantInvocationsPerInstance) => Unit::RequestsPerInstance,
        Some(MetricType::SageMakerVariantConcurrentRequestsPerModelHighResolution) => {
            Unit::ConcurrentRequests
        }
        // A metric of the user's own may be anything; its alarms tell of it.
        _ => return,
    };
    variant.load = Load { unit, wanted: Some(tracking.target_value), values: Vec::new() };
}

fn activity(activity: ScalingActivity) -> Activity {
    let reasons = activity.not_scaled_reasons.into_iter().flatten().map(|reason| reason.code);
    Activity {
        id: activity.activity_id,
        at: activity.start_time.0,
        status: activity.status_code.to_string(),
        description: activity.description,
        reasons: reasons.collect(),
    }
}

fn query(id: String, endpoint: &str, variant: &str, name: &str, stat: &str) -> MetricDataQuery {
    let dimension =
        |name: &str, value: &str| Dimension { name: name.to_owned(), value: value.to_owned() };
    let metric = Metric {
        namespace: Some(domain::metric::INVOCATIONS.to_owned()),
        metric_name: Some(name.to_owned()),
        dimensions: Some(vec![
            dimension("EndpointName", endpoint),
            dimension("VariantName", variant),
        ]),
    };
    let stat = MetricStat { metric, period: 60, stat: stat.to_owned(), unit: None };
    MetricDataQuery { id, metric_stat: Some(stat), ..MetricDataQuery::default() }
}
