//! `PutScalingPolicy` and the alarms that it makes: rows name the section of `reference/autoscaling-and-cloudwatch.md`.

use super::*;
use crate::alarm::{Comparison, StateValue, Watch};
use crate::metric::{Dimension, MetricId, Query, Source, Stat, Statistic, Unit};
use crate::scaling::testing::{at, policy, resource, scope, steps, target, tracking, uuid};
use crate::scaling::{POLICIES_MAX, Refusal, STEPS_MAX};

const INVOCATIONS: &str = "SageMakerVariantInvocationsPerInstance";

fn request(kind: Option<PolicyType>) -> PolicyRequest {
    PolicyRequest {
        resource: resource(),
        name: "p".into(),
        kind,
        step: None,
        tracking: None,
        predictive: false,
    }
}

fn predefined(name: &str) -> TrackingRequest {
    TrackingRequest {
        target_value: 1500.0,
        predefined: Some(PredefinedMetric { name: name.into(), label: None }),
        customized: None,
        scale_out_cooldown_secs: None,
        scale_in_cooldown_secs: None,
        disable_scale_in: None,
    }
}

fn tracks(tracking: TrackingRequest) -> PolicyRequest {
    PolicyRequest { tracking: Some(tracking), ..request(Some(PolicyType::TargetTrackingScaling)) }
}

fn stepping(step: StepRequest) -> PolicyRequest {
    PolicyRequest { step: Some(step), ..request(Some(PolicyType::StepScaling)) }
}

fn step_request(kind: AdjustmentType, list: &[(Option<f64>, Option<f64>, i32)]) -> StepRequest {
    let steps = Some(steps(kind, list).steps);
    StepRequest { adjustment: Some(kind), steps, ..StepRequest::default() }
}

fn put_beside(
    existing: Option<&Policy>,
    others: &[&Policy],
    request: &PolicyRequest,
) -> Result<PolicyPut, Refusal> {
    let (target, scope) = (target(1, 4), scope());
    let book = PolicyBook { scope: &scope, target: Some(&target), existing, others };
    let ids = PolicyIds { created_by: uuid(5), high: uuid(6), low: uuid(7) };
    put_policy(&book, request, ids, at(100))
}

fn put(existing: Option<&Policy>, request: &PolicyRequest) -> Result<PolicyPut, Refusal> {
    put_beside(existing, &[], request)
}

fn text(existing: Option<&Policy>, request: &PolicyRequest) -> String {
    put(existing, request).err().map(|refusal| refusal.to_string()).unwrap_or_default()
}

const SINGLE: &str = "You must only provide a single scaling policy configuration, which must match the scaling policy \
                      type specified.";
const CHANGED: &str =
    "You cannot change a StepScaling policy to a non StepScaling policy, or vice versa.";

#[test]
fn types_and_configurations_are_matched_as_aws_does() {
    use PolicyType::{PredictiveScaling, StepScaling, TargetTrackingScaling};
    let step = || step_request(AdjustmentType::ChangeInCapacity, &[(Some(0.0), None, 1)]);
    let both =
        |kind| PolicyRequest { step: Some(step()), ..tracks(predefined(INVOCATIONS)) }.of(kind);
    let old_step = policy(
        "p",
        Plan::StepScaling(steps(AdjustmentType::ChangeInCapacity, &[(Some(0.0), None, 1)])),
    );
    let old_tracking = policy("p", Plan::TargetTracking(tracking(10.0)));
    for (existing, request, expected) in [
        (None, tracks(predefined(INVOCATIONS)).of(None), "Scaling policy type must be specified"),
        (None, request(Some(StepScaling)), "StepScaling policy configuration must be specified"),
        (
            None,
            request(Some(TargetTrackingScaling)),
            "TargetTrackingScaling policy configuration must be specified",
        ),
        (
            None,
            request(Some(PredictiveScaling)),
            "You must specify PredictiveScalingConfiguration.",
        ),
        (None, both(Some(StepScaling)), SINGLE),
        (None, tracks(predefined(INVOCATIONS)).of(Some(StepScaling)), SINGLE),
        (Some(&old_step), tracks(predefined(INVOCATIONS)).of(None), SINGLE),
        (Some(&old_step), tracks(predefined(INVOCATIONS)), CHANGED),
        (Some(&old_tracking), stepping(step()), CHANGED),
        (
            Some(&old_tracking),
            request(None),
            "TargetTrackingScaling policy configuration must be specified",
        ),
    ] {
        assert_eq!(text(existing, &request), expected, "{request:?}");
    }
    let predictive = PolicyRequest { predictive: true, ..request(Some(PredictiveScaling)) };
    assert_eq!(put(None, &predictive), Err(Refusal::Predictive));
    let nowhere = PolicyBook { scope: &scope(), target: None, existing: None, others: &[] };
    let ids = PolicyIds { created_by: uuid(5), high: uuid(6), low: uuid(7) };
    let refused = put_policy(&nowhere, &request(None), ids, at(0)).unwrap_err();
    assert_eq!(refused, Refusal::NotRegistered(resource()));
}

impl PolicyRequest {
    fn of(self, kind: Option<PolicyType>) -> Self {
        Self { kind, ..self }
    }
}

#[test]
fn steps_are_checked_as_aws_does() {
    use AdjustmentType::{ChangeInCapacity, ExactCapacity, PercentChangeInCapacity};
    let of = |list: &[(Option<f64>, Option<f64>, i32)]| step_request(ChangeInCapacity, list);
    let open = (Some(0.0), None, 1);
    let many: Vec<_> = (0..=STEPS_MAX)
        .map(|index| (Some(f64::from(u32::try_from(index).unwrap())), None, 1))
        .collect();
    for (request, expected) in [
        (StepRequest { adjustment: None, ..of(&[open]) }, Some(Refusal::AdjustmentTypeMissing)),
        (StepRequest { steps: None, ..of(&[]) }, Some(Refusal::NoSteps)),
        (of(&[]), Some(Refusal::NoSteps)),
        (of(&many), Some(Refusal::TooManySteps)),
        (of(&[(Some(0.0), Some(10.0), 1), (Some(20.0), None, 2)]), Some(Refusal::Gap)),
        (of(&[(Some(0.0), Some(10.0), 1), (Some(5.0), None, 2)]), Some(Refusal::Overlap)),
        (of(&[(Some(5.0), None, 1), (Some(0.0), Some(10.0), 1)]), Some(Refusal::Overlap)),
        (of(&[(None, None, 1)]), Some(Refusal::StepUnbounded)),
        (of(&[(Some(1.0), Some(1.0), 1)]), Some(Refusal::StepEmpty)),
        (of(&[(Some(f64::NAN), None, 1)]), Some(Refusal::StepEmpty)),
        (of(&[(None, Some(0.0), 1), (None, Some(1.0), 1)]), Some(Refusal::TwoLowest)),
        (of(&[open, (Some(1.0), None, 1)]), Some(Refusal::TwoHighest)),
        (of(&[(Some(-1.0), Some(0.0), 1)]), Some(Refusal::NoLowest)),
        (of(&[(Some(0.0), Some(1.0), 1)]), Some(Refusal::NoHighest)),
        (
            StepRequest { min_magnitude: Some(1), ..of(&[open]) },
            Some(Refusal::MagnitudeOfOtherType),
        ),
        (
            StepRequest {
                min_magnitude: Some(0),
                ..step_request(PercentChangeInCapacity, &[open])
            },
            Some(Refusal::MagnitudeNotPositive),
        ),
        (StepRequest { cooldown_secs: Some(-1), ..of(&[open]) }, Some(Refusal::CooldownNegative)),
        (
            step_request(ExactCapacity, &[(Some(0.0), None, -1)]),
            Some(Refusal::AdjustmentNegative(ExactCapacity)),
        ),
        (of(&[open]), None),
        (of(&[(None, Some(0.0), -1)]), None),
        (of(&[open, (None, Some(-10.0), -2), (Some(-10.0), Some(0.0), -1)]), None),
    ] {
        assert_eq!(put(None, &stepping(request.clone())).err(), expected, "section 3: {request:?}");
    }
}

#[test]
fn an_update_of_a_step_policy_keeps_type_and_steps_and_clears_the_rest() {
    let plan = StepScaling {
        min_magnitude: Some(2),
        cooldown_secs: Some(60),
        aggregation: Some(Aggregation::Maximum),
        ..steps(AdjustmentType::PercentChangeInCapacity, &[(Some(0.0), None, 10)])
    };
    let old = policy("p", Plan::StepScaling(plan.clone()));
    let after = |request: PolicyRequest| put(Some(&old), &request).unwrap().policy;
    assert_eq!(after(request(None)).plan, Plan::StepScaling(plan.clone()));
    let cleared =
        StepScaling { min_magnitude: None, cooldown_secs: None, aggregation: None, ..plan };
    let empty = after(stepping(StepRequest::default()));
    assert_eq!(empty.plan, Plan::StepScaling(cleared));
    assert_eq!((empty.created_at, empty.created_by), (old.created_at, old.created_by));
}

#[test]
fn target_tracking_is_checked_as_aws_does() {
    let customized = Customized {
        name: Some("CPUUtilization".into()),
        namespace: Some("/aws/sagemaker/Endpoints".into()),
        statistic: Some(Statistic::Average),
        ..Customized::default()
    };
    let of = |change: &dyn Fn(&mut TrackingRequest)| {
        let mut tracking = predefined(INVOCATIONS);
        change(&mut tracking);
        tracks(tracking)
    };
    let value = |value: f64| of(&|it| it.target_value = value);
    let range = |shown: &str| {
        format!(
            "For target tracking scaling, target value must be between '8.51592E-109' and '1.174271E108', but was \
             '{shown}'."
        )
    };
    for (request, expected) in [
        (value(0.0), range("0.0")),
        (value(-1.5), range("-1.5")),
        (value(1e300), range("1.0E300")),
        (value(f64::NAN), range("NaN")),
        (of(&|it| it.scale_in_cooldown_secs = Some(-1)), "Cooldown must be nonnegative".into()),
        (
            of(&|it| it.predefined = None),
            "PredefinedMetricSpecification or CustomizedMetricSpecification must be set for target tracking scaling."
                .into(),
        ),
        (
            of(&|it| it.customized = Some(customized.clone())),
            "Only one of PredefinedMetricSpecification or CustomizedMetricSpecification can be set for target tracking \
             scaling."
                .into(),
        ),
        (
            tracks(predefined("ALBRequestCountPerTarget")),
            "Resource label should be specified for predefined metric type ALBRequestCountPerTarget".into(),
        ),
        (
            tracks(predefined("SageMakerVariantProvisionedConcurrencyUtilization")),
            "Scalable dimension sagemaker:variant:DesiredInstanceCount only supports the following predefined metric \
             types: SageMakerVariantInvocationsPerInstance, \
             SageMakerVariantConcurrentRequestsPerModelHighResolution"
                .into(),
        ),
        (value(1500.0), String::new()),
    ] {
        assert_eq!(text(None, &request), expected, "section 1.5: {request:?}");
    }
    let full: Vec<Policy> = (0..POLICIES_MAX)
        .map(|index| {
            let plan = steps(AdjustmentType::ChangeInCapacity, &[(Some(0.0), None, 1)]);
            policy(&index.to_string(), Plan::StepScaling(plan))
        })
        .collect();
    let full: Vec<&Policy> = full.iter().collect();
    let refused = put_beside(None, &full, &value(1500.0)).unwrap_err();
    assert_eq!(refused, Refusal::TooManyPolicies);
}

#[test]
fn the_alarm_pair_is_aws_to_the_letter() {
    let put = put(None, &tracks(predefined(INVOCATIONS))).unwrap();
    let [high, low] = put.create.as_slice() else { panic!("{put:?}") };
    assert_eq!(put.policy.alarms, [high.name.clone(), low.name.clone()]);
    let action = format!(
        "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:{}:resource/sagemaker/endpoint/my-ep/variant/AllTraffic\
         :policyName/p:createdBy/{}",
        uuid(1),
        uuid(5)
    );
    let metric = MetricId::of_variant(
        "AWS/SageMaker",
        "InvocationsPerInstance",
        &resource().endpoint,
        &resource().variant,
    );
    let stat = Stat { metric, statistic: Statistic::Sum, unit: None, period: Some(60) };
    for (alarm, side, id, comparison, threshold, periods) in [
        (high, "AlarmHigh", uuid(6), Comparison::GreaterThanThreshold, 1500.0, 3),
        (low, "AlarmLow", uuid(7), Comparison::LessThanThreshold, 1350.0, 15),
    ] {
        let name = format!("TargetTracking-endpoint/my-ep/variant/AllTraffic-{side}-{id}");
        assert_eq!(alarm.name.as_str(), name);
        let config = &alarm.config;
        assert_eq!(config.alarm_actions.as_slice(), std::slice::from_ref(&action));
        assert_eq!(
            config.description,
            Some(format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}."))
        );
        assert_eq!((config.comparison, config.evaluation_periods), (comparison, periods));
        assert!((config.threshold - threshold).abs() < f64::EPSILON, "{}", config.threshold);
        assert_eq!(config.watch, Watch::Metric(stat.clone()));
        assert_eq!((config.datapoints_to_alarm, config.treat_missing), (None, None));
        assert_eq!(alarm.state.value, StateValue::InsufficientData);
        assert_eq!(alarm.state.reason, "Unchecked: Initial alarm creation");
    }
    let fast = tracks(predefined("SageMakerVariantConcurrentRequestsPerModelHighResolution"));
    let fast = self::put(None, &fast).unwrap();
    let periods: Vec<u32> = fast.create.iter().map(|it| it.config.evaluation_periods).collect();
    assert_eq!(periods, [3, 90], "section 2.2, high resolution");
    for alarm in &fast.create {
        let Watch::Metric(stat) = &alarm.config.watch else { panic!("{alarm:?}") };
        assert_eq!((stat.period, stat.statistic), (Some(10), Statistic::Maximum));
    }
}

#[test]
fn an_update_replaces_the_alarms_and_keeps_what_is_not_given() {
    let mut plan = tracking(10.0);
    plan.scale_in_cooldown_secs = Some(60);
    let old = policy("p", Plan::TargetTracking(plan));
    let given = TrackingRequest { predefined: None, ..predefined(INVOCATIONS) };
    let request = tracks(TrackingRequest { disable_scale_in: Some(true), ..given });
    let put = put(Some(&old), &request.of(None)).unwrap();
    assert_eq!(put.delete, old.alarms);
    assert_eq!(put.create.len(), 1, "section 1.6: without scale-in there is no low alarm");
    assert_eq!((put.policy.created_by, put.policy.created_at), (old.created_by, old.created_at));
    let Plan::TargetTracking(plan) = put.policy.plan else { panic!("not tracking") };
    assert_eq!(plan.metric, TrackedMetric::InvocationsPerInstance);
    assert_eq!(plan.scale_in_cooldown_secs, None);
}

fn customized(name: &str, unit: Option<Unit>, dimensions: &[&str]) -> Customized {
    let dimension = |name: &&str| Dimension {
        name: (*name).into(),
        value: resource().endpoint.as_str().into(),
    };
    Customized {
        name: Some(name.into()),
        namespace: Some("AWS/SageMaker".into()),
        dimensions: dimensions.iter().map(dimension).collect(),
        statistic: Some(Statistic::Sum),
        unit,
        metrics: None,
    }
}

fn query(id: &str, source: Source, shown: bool) -> Query {
    Query { id: id.into(), source, label: Some(id.to_uppercase()), return_data: Some(shown) }
}

fn math(first: &str, second: &str, expression: &str) -> Customized {
    let metric = |name: &str| {
        let metric = MetricId::new("n", name, Vec::new());
        Source::Metric(Stat { metric, statistic: Statistic::Sum, unit: None, period: None })
    };
    let text = expression.to_owned();
    let metrics = vec![
        query(first, metric("one"), false),
        query(second, metric("two"), false),
        query("result", Source::Expression { text, period: None }, true),
    ];
    Customized { metrics: Some(metrics), ..Customized::default() }
}

#[test]
fn one_policy_follows_one_metric_whatever_its_unit_and_ids() {
    let of = |metric: Customized| {
        let given = TrackingRequest { predefined: None, ..predefined(INVOCATIONS) };
        tracks(TrackingRequest { customized: Some(metric), ..given })
    };
    let variant = || {
        let mut same = customized("InvocationsPerInstance", None, &["EndpointName"]);
        let value = resource().variant.as_str().into();
        same.dimensions.insert(0, Dimension { name: "VariantName".into(), value });
        same
    };
    let rows = [
        (customized("x", None, &["A", "B"]), customized("x", Some(Unit::Count), &["B", "A"]), true),
        (customized("x", None, &["A", "B"]), customized("x", None, &["A"]), false),
        (customized("x", None, &[]), customized("y", None, &[]), false),
        (math("a", "b", "a / b"), math("m1", "m2", "m1/m2"), true),
        (math("a", "b", "a / b"), math("a", "b", "b / a"), false),
    ];
    for (one, other, same) in rows {
        let first = put(None, &of(one.clone())).unwrap().policy;
        let second = put_beside(None, &[&first], &of(other.clone())).err();
        assert_eq!(
            second,
            same.then_some(Refusal::MetricTracked),
            "section 2.1: {one:?} {other:?}"
        );
        // A policy is no other to itself.
        assert!(put_beside(Some(&first), &[], &of(other)).is_ok());
    }
    let first = put(None, &tracks(predefined(INVOCATIONS))).unwrap().policy;
    assert_eq!(put_beside(None, &[&first], &of(variant())), Err(Refusal::MetricTracked));
}

#[test]
fn metric_math_gets_its_period_in_the_alarms() {
    let given = TrackingRequest { predefined: None, ..predefined(INVOCATIONS) };
    let of = |metric| tracks(TrackingRequest { customized: Some(metric), ..given.clone() });
    let put_math = put(None, &of(math("a", "b", "a / b"))).unwrap();
    for alarm in &put_math.create {
        let Watch::Math(queries) = &alarm.config.watch else { panic!("{alarm:?}") };
        for query in queries {
            let period = match &query.source {
                Source::Metric(stat) => stat.period,
                Source::Expression { period, .. } => *period,
            };
            assert_eq!(period, Some(60), "section 2.1");
        }
    }
    let mixed = Customized { name: Some("x".into()), ..math("a", "b", "a") };
    assert_eq!(put(None, &of(mixed)), Err(Refusal::CustomizedMetric));
    let mut hidden = math("a", "b", "a");
    hidden.metrics.as_mut().unwrap()[2].return_data = Some(false);
    assert_eq!(put(None, &of(hidden)), Err(Refusal::ReturnData));
    assert!(matches!(put(None, &of(math("a", "a", "a / b"))), Err(Refusal::Alarm(_))));
}

#[test]
fn names_on_the_wire_read_back() {
    for name in ["StepScaling", "TargetTrackingScaling", "PredictiveScaling"] {
        assert_eq!(PolicyType::named(name).map(PolicyType::as_str), Some(name));
    }
    for name in ["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"] {
        assert_eq!(AdjustmentType::named(name).map(AdjustmentType::as_str), Some(name));
    }
    for name in ["Average", "Minimum", "Maximum"] {
        assert_eq!(Aggregation::named(name).map(Aggregation::as_str), Some(name));
    }
    assert_eq!(PolicyType::named("SimpleScaling"), None);
}
