//! Reads what `PutScalingPolicy` asks for. What a policy may be is `domain`'s to say; here only names of statistics and
//! units are looked up, which AWS's model leaves open and CloudWatch does not.

use std::sync::Arc;

use domain::alarm;
use domain::metric::{Dimension, MetricId, Query, Source, Stat, Statistic, Unit};
use domain::scaling::{
    self, Customized, PolicyRequest, PredefinedMetric, Refusal, ResourceId, Step, StepRequest,
    TrackingRequest,
};
use wire::application_autoscaling::{
    AdjustmentType, CustomizedMetricSpecification, MetricAggregationType, MetricStatistic,
    PolicyType, PutScalingPolicyRequest, StepScalingPolicyConfiguration,
    TargetTrackingMetricDataQuery, TargetTrackingMetricStat,
    TargetTrackingScalingPolicyConfiguration,
};

pub(super) fn read(
    input: PutScalingPolicyRequest,
    resource: ResourceId,
) -> Result<PolicyRequest, Refusal> {
    let tracking = input.target_tracking_scaling_policy_configuration.map(tracking).transpose()?;
    Ok(PolicyRequest {
        resource,
        name: input.policy_name,
        kind: input.policy_type.map(kind).transpose()?,
        step: input.step_scaling_policy_configuration.map(step),
        tracking,
        predictive: input.predictive_scaling_policy_configuration.is_some(),
    })
}

fn kind(kind: PolicyType) -> Result<scaling::PolicyType, Refusal> {
    match kind {
        PolicyType::StepScaling => Ok(scaling::PolicyType::StepScaling),
        PolicyType::TargetTrackingScaling => Ok(scaling::PolicyType::TargetTrackingScaling),
        PolicyType::PredictiveScaling => Ok(scaling::PolicyType::PredictiveScaling),
        // AWS's server knows the word, and has no configuration that could go with it.
        PolicyType::RightSizing => Err(Refusal::ConfigurationMismatch),
    }
}

fn step(given: StepScalingPolicyConfiguration) -> StepRequest {
    let steps = given.step_adjustments.map(|steps| {
        let step = |step: wire::application_autoscaling::StepAdjustment| Step {
            lower: step.metric_interval_lower_bound,
            upper: step.metric_interval_upper_bound,
            adjustment: step.scaling_adjustment,
        };
        steps.into_iter().map(step).collect()
    });
    StepRequest {
        adjustment: given.adjustment_type.map(|kind| match kind {
            AdjustmentType::ChangeInCapacity => scaling::AdjustmentType::ChangeInCapacity,
            AdjustmentType::PercentChangeInCapacity => {
                scaling::AdjustmentType::PercentChangeInCapacity
            }
            AdjustmentType::ExactCapacity => scaling::AdjustmentType::ExactCapacity,
        }),
        steps,
        min_magnitude: given.min_adjustment_magnitude,
        cooldown_secs: given.cooldown,
        aggregation: given.metric_aggregation_type.map(|kind| match kind {
            MetricAggregationType::Average => scaling::Aggregation::Average,
            MetricAggregationType::Minimum => scaling::Aggregation::Minimum,
            MetricAggregationType::Maximum => scaling::Aggregation::Maximum,
        }),
    }
}

fn tracking(given: TargetTrackingScalingPolicyConfiguration) -> Result<TrackingRequest, Refusal> {
    Ok(TrackingRequest {
        target_value: given.target_value,
        predefined: given.predefined_metric_specification.map(|metric| PredefinedMetric {
            name: metric.predefined_metric_type.as_str().to_owned(),
            label: metric.resource_label,
        }),
        customized: given.customized_metric_specification.map(customized).transpose()?,
        scale_out_cooldown_secs: given.scale_out_cooldown,
        scale_in_cooldown_secs: given.scale_in_cooldown,
        disable_scale_in: given.disable_scale_in,
    })
}

fn customized(given: CustomizedMetricSpecification) -> Result<Customized, Refusal> {
    let dimensions = given.dimensions.into_iter().flatten();
    let metrics = given.metrics.map(|queries| queries.into_iter().map(query).collect());
    Ok(Customized {
        name: given.metric_name,
        namespace: given.namespace,
        dimensions: dimensions.map(|one| dimension(&one.name, &one.value)).collect(),
        statistic: given.statistic.map(|statistic| match statistic {
            MetricStatistic::Average => Statistic::Average,
            MetricStatistic::Minimum => Statistic::Minimum,
            MetricStatistic::Maximum => Statistic::Maximum,
            MetricStatistic::SampleCount => Statistic::SampleCount,
            MetricStatistic::Sum => Statistic::Sum,
        }),
        unit: given.unit.as_deref().map(unit).transpose()?,
        metrics: metrics.transpose()?,
    })
}

fn query(given: TargetTrackingMetricDataQuery) -> Result<Query, Refusal> {
    let source = match (given.expression, given.metric_stat) {
        (Some(text), None) => Source::Expression { text, period: None },
        (None, Some(stat)) => Source::Metric(metric_stat(stat)?),
        (Some(_), Some(_)) => {
            return Err(Refusal::Alarm(alarm::Refusal::ExpressionAndStat.to_string()));
        }
        (None, None) => return Err(Refusal::CustomizedMetric),
    };
    Ok(Query { id: given.id, source, label: given.label, return_data: given.return_data })
}

fn metric_stat(given: TargetTrackingMetricStat) -> Result<Stat, Refusal> {
    let metric = given.metric;
    let (Some(namespace), Some(name)) = (&metric.namespace, &metric.metric_name) else {
        return Err(Refusal::CustomizedMetric);
    };
    let dimensions = metric.dimensions.iter().flatten();
    let dimensions = dimensions.map(|one| dimension(&one.name, &one.value)).collect();
    let statistic = given
        .stat
        .parse()
        .map_err(|_| Refusal::Alarm(alarm::Refusal::Stat(given.stat.clone()).to_string()))?;
    let unit = given.unit.as_deref().map(unit).transpose()?;
    Ok(Stat { metric: MetricId::new(namespace, name, dimensions), statistic, unit, period: None })
}

fn unit(raw: &str) -> Result<Unit, Refusal> {
    let unknown =
        |_| Refusal::Alarm(format!("The value {raw} for parameter Unit is not supported."));
    raw.parse().map_err(unknown)
}

fn dimension(name: &str, value: &str) -> Dimension {
    Dimension { name: Arc::from(name), value: Arc::from(value) }
}
