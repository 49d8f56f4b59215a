//! Records as answers show them: only what was given, with AWS's names around it.

use domain::alarm;
use domain::arn::Scope;
use domain::metric::{Dimension, MetricId, Query, Source, Stat, Statistic};
use domain::scaling::{
    self, ActivityStatus, NotScaled, StepScaling, Target, TargetTracking, TrackedMetric,
};
use domain::time::Timestamp;
use wire::application_autoscaling::{
    AdjustmentType, Alarm, CustomizedMetricSpecification, MetricAggregationType, MetricDimension,
    MetricStatistic, MetricType, NotScaledReason, PolicyType, PredefinedMetricSpecification,
    ScalableDimension, ScalableTarget, ScalableTargetAction, ScalingActivity,
    ScalingActivityStatusCode, ScheduledAction, ServiceNamespace, StepAdjustment,
    StepScalingPolicyConfiguration, SuspendedState, TargetTrackingMetric,
    TargetTrackingMetricDataQuery, TargetTrackingMetricDimension, TargetTrackingMetricStat,
    TargetTrackingScalingPolicyConfiguration,
};

/// What every record here belongs to.
pub(super) const NAMESPACE: ServiceNamespace = ServiceNamespace::Sagemaker;
pub(super) const DIMENSION: ScalableDimension =
    ScalableDimension::SagemakerVariantDesiredInstanceCount;

pub(super) const fn timestamp(at: Timestamp) -> wire::Timestamp {
    wire::Timestamp(at.as_millis())
}

/// A count as the wire has it. What came from the wire fits.
fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(super) fn alarm(alarm: &alarm::Alarm, scope: &Scope) -> Alarm {
    Alarm { alarm_name: alarm.name.to_string(), alarm_arn: alarm.arn(scope) }
}

pub(super) fn target(target: &Target, scope: &Scope) -> ScalableTarget {
    ScalableTarget {
        service_namespace: NAMESPACE,
        resource_id: target.resource.to_string(),
        scalable_dimension: DIMENSION,
        min_capacity: count(target.min),
        max_capacity: count(target.max),
        predicted_capacity: None,
        role_arn: service_linked_role(scope),
        creation_time: timestamp(target.created_at),
        suspended_state: Some(SuspendedState {
            dynamic_scaling_in_suspended: Some(target.suspended.dynamic_in),
            dynamic_scaling_out_suspended: Some(target.suspended.dynamic_out),
            scheduled_scaling_suspended: Some(target.suspended.scheduled),
        }),
        scalable_target_arn: Some(target.arn(scope)),
    }
}

/// The role of every target, whichever was given (`reference/autoscaling-and-cloudwatch.md`, section 1.9).
fn service_linked_role(scope: &Scope) -> String {
    format!(
        "arn:aws:iam::{}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/\
         AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        scope.account
    )
}

pub(super) const fn kind(kind: scaling::PolicyType) -> PolicyType {
    match kind {
        scaling::PolicyType::StepScaling => PolicyType::StepScaling,
        scaling::PolicyType::TargetTrackingScaling => PolicyType::TargetTrackingScaling,
        scaling::PolicyType::PredictiveScaling => PolicyType::PredictiveScaling,
    }
}

pub(super) fn step(plan: &StepScaling) -> StepScalingPolicyConfiguration {
    let step = |step: &scaling::Step| StepAdjustment {
        metric_interval_lower_bound: step.lower,
        metric_interval_upper_bound: step.upper,
        scaling_adjustment: step.adjustment,
    };
    StepScalingPolicyConfiguration {
        adjustment_type: Some(match plan.adjustment {
            scaling::AdjustmentType::ChangeInCapacity => AdjustmentType::ChangeInCapacity,
            scaling::AdjustmentType::PercentChangeInCapacity => {
                AdjustmentType::PercentChangeInCapacity
            }
            scaling::AdjustmentType::ExactCapacity => AdjustmentType::ExactCapacity,
        }),
        step_adjustments: Some(plan.steps.iter().map(step).collect()),
        min_adjustment_magnitude: plan.min_magnitude.map(count),
        cooldown: plan.cooldown_secs.map(count),
        metric_aggregation_type: plan.aggregation.map(|aggregation| match aggregation {
            scaling::Aggregation::Average => MetricAggregationType::Average,
            scaling::Aggregation::Minimum => MetricAggregationType::Minimum,
            scaling::Aggregation::Maximum => MetricAggregationType::Maximum,
        }),
    }
}

pub(super) fn tracking(plan: &TargetTracking) -> TargetTrackingScalingPolicyConfiguration {
    let predefined = |kind| {
        let metric =
            PredefinedMetricSpecification { predefined_metric_type: kind, resource_label: None };
        (Some(metric), None)
    };
    let (predefined, customized) = match &plan.metric {
        TrackedMetric::InvocationsPerInstance => {
            predefined(MetricType::SageMakerVariantInvocationsPerInstance)
        }
        TrackedMetric::ConcurrentRequestsPerModelHighResolution => {
            predefined(MetricType::SageMakerVariantConcurrentRequestsPerModelHighResolution)
        }
        TrackedMetric::Customized(stat) => (None, Some(customized(stat))),
        TrackedMetric::CustomizedMath(queries) => {
            let metrics = Some(queries.iter().map(query).collect());
            let metric = CustomizedMetricSpecification {
                metrics,
                ..CustomizedMetricSpecification::default()
            };
            (None, Some(metric))
        }
    };
    TargetTrackingScalingPolicyConfiguration {
        target_value: plan.target_value,
        predefined_metric_specification: predefined,
        customized_metric_specification: customized,
        scale_out_cooldown: plan.scale_out_cooldown_secs.map(count),
        scale_in_cooldown: plan.scale_in_cooldown_secs.map(count),
        disable_scale_in: plan.disable_scale_in,
    }
}

fn customized(stat: &Stat) -> CustomizedMetricSpecification {
    let dimension = |Dimension { name, value }: &Dimension| MetricDimension {
        name: name.to_string(),
        value: value.to_string(),
    };
    CustomizedMetricSpecification {
        metric_name: Some(stat.metric.name.to_string()),
        namespace: Some(stat.metric.namespace.to_string()),
        // Shown also where there are none (section 1.6).
        dimensions: Some(stat.metric.dimensions().iter().map(dimension).collect()),
        statistic: match stat.statistic {
            Statistic::Average => Some(MetricStatistic::Average),
            Statistic::Minimum => Some(MetricStatistic::Minimum),
            Statistic::Maximum => Some(MetricStatistic::Maximum),
            Statistic::SampleCount => Some(MetricStatistic::SampleCount),
            Statistic::Sum => Some(MetricStatistic::Sum),
            // No request can have given it.
            Statistic::Percentile(_) => None,
        },
        unit: stat.unit.map(|unit| unit.to_string()),
        metrics: None,
    }
}

fn query(query: &Query) -> TargetTrackingMetricDataQuery {
    let (expression, metric_stat) = match &query.source {
        Source::Expression { text, .. } => (Some(text.clone()), None),
        Source::Metric(stat) => {
            let stat = TargetTrackingMetricStat {
                metric: metric(&stat.metric),
                stat: stat.statistic.to_string(),
                unit: stat.unit.map(|unit| unit.to_string()),
            };
            (None, Some(stat))
        }
    };
    TargetTrackingMetricDataQuery {
        expression,
        id: query.id.clone(),
        label: query.label.clone(),
        metric_stat,
        return_data: query.return_data,
    }
}

fn metric(metric: &MetricId) -> TargetTrackingMetric {
    let dimension = |Dimension { name, value }: &Dimension| TargetTrackingMetricDimension {
        name: name.to_string(),
        value: value.to_string(),
    };
    TargetTrackingMetric {
        dimensions: Some(metric.dimensions().iter().map(dimension).collect()),
        metric_name: Some(metric.name.to_string()),
        namespace: Some(metric.namespace.to_string()),
    }
}

pub(super) fn scheduled_action(
    target: &Target,
    action: &scaling::ScheduledAction,
    scope: &Scope,
) -> ScheduledAction {
    ScheduledAction {
        scheduled_action_name: action.name.clone(),
        scheduled_action_arn: target.scheduled_action_arn(scope, &action.name),
        service_namespace: NAMESPACE,
        schedule: action.schedule.clone(),
        timezone: action.timezone.clone(),
        resource_id: target.resource.to_string(),
        scalable_dimension: Some(DIMENSION),
        start_time: action.start.map(timestamp),
        end_time: action.end.map(timestamp),
        scalable_target_action: Some(ScalableTargetAction {
            min_capacity: action.min.map(count),
            max_capacity: action.max.map(count),
        }),
        creation_time: timestamp(action.created_at),
    }
}

pub(super) fn activity(activity: &scaling::Activity) -> ScalingActivity {
    ScalingActivity {
        activity_id: activity.id.to_string(),
        service_namespace: NAMESPACE,
        resource_id: activity.resource.to_string(),
        scalable_dimension: DIMENSION,
        description: activity.description.clone(),
        cause: activity.cause.clone(),
        start_time: timestamp(activity.started_at),
        end_time: activity.ended_at.map(timestamp),
        status_code: match activity.status {
            ActivityStatus::Pending => ScalingActivityStatusCode::Pending,
            ActivityStatus::InProgress => ScalingActivityStatusCode::InProgress,
            ActivityStatus::Successful => ScalingActivityStatusCode::Successful,
            ActivityStatus::Overridden => ScalingActivityStatusCode::Overridden,
            ActivityStatus::Unfulfilled => ScalingActivityStatusCode::Unfulfilled,
            ActivityStatus::Failed => ScalingActivityStatusCode::Failed,
        },
        status_message: activity.status_message.clone(),
        details: activity.details.clone(),
        not_scaled_reasons: activity.not_scaled.map(|why| vec![reason(why)]),
    }
}

fn reason(why: NotScaled) -> NotScaledReason {
    let code = why.code().to_owned();
    let bare = NotScaledReason { code, ..NotScaledReason::default() };
    match why {
        NotScaled::AlreadyAtMaxCapacity { max } => {
            NotScaledReason { max_capacity: Some(count(max)), ..bare }
        }
        NotScaled::AlreadyAtMinCapacity { min } => {
            NotScaledReason { min_capacity: Some(count(min)), ..bare }
        }
        NotScaled::AlreadyAtDesiredCapacity { current } => {
            NotScaledReason { current_capacity: current.map(count), ..bare }
        }
        NotScaled::TargetServicePutResourceAsUnscalable
        | NotScaled::AutoScalingAnticipatedFlapping => bare,
    }
}
