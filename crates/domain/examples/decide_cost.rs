//! Measures what one scaling decision costs in the common case: an idle target at its minimum, whose low alarm calls every
//! minute. `cargo run --release -p domain --example decide_cost`

use std::hint::black_box;
use std::io::Write as _;

use domain::alarm::{AlarmName, StateValue};
use domain::endpoint::Stage;
use domain::scaling::{
    Facts, Memory, Plan, Policy, Resource, Side, Suspended, Target, TargetKey, TargetTracking,
    TrackedMetric, Trigger, Watched, decide,
};
use domain::time::Timestamp;
use domain::uuid::Uuid;

/// As many targets as one sweep of the control loop is built for.
const TARGETS: u32 = 100_000;
const SWEEPS: u32 = 20;

fn main() -> std::io::Result<()> {
    let name = "endpoint/measured/variant/AllTraffic";
    let Ok(resource) = name.parse() else { return Ok(()) };
    let id = Uuid::from_entropy(1);
    let created_at = Timestamp::default();
    let low = AlarmName::from(format!("TargetTracking-{name}-AlarmLow-{id}").as_str());
    let key = TargetKey::from(&resource);
    let target = Target {
        resource,
        id,
        min: 1,
        max: 4,
        suspended: Suspended::default(),
        created_at,
        memory: Memory::default(),
    };
    let plan = Plan::TargetTracking(TargetTracking {
        target_value: 10.0,
        metric: TrackedMetric::InvocationsPerInstance,
        scale_out_cooldown_secs: None,
        scale_in_cooldown_secs: None,
        disable_scale_in: None,
    });
    let policy = Policy {
        target: key,
        name: "SageMakerEndpointInvocationScalingPolicy".into(),
        plan,
        created_at,
        created_by: id,
        alarms: vec![AlarmName::from("high"), low.clone()],
    };
    let policies = [Watched { policy: &policy, low: Some(StateValue::Alarm), low_mean: Some(0.0) }];
    let triggers = [Trigger {
        policy: &policy.name,
        alarm: &low,
        side: Side::Low,
        recent: &[0.0; 15],
        threshold: 9.0,
    }];
    let facts = Facts {
        target: &target,
        policies: &policies,
        resource: Some(Resource { stage: Stage::InService, desired: 1, current: 1 }),
        triggers: &triggers,
        now: created_at,
    };
    let began = instant();
    for _ in 0..TARGETS * SWEEPS {
        black_box(decide(black_box(&facts)));
    }
    let nanos = began.elapsed().as_nanos() / u128::from(TARGETS * SWEEPS);
    writeln!(
        std::io::stdout(),
        "{nanos} ns per decision, {} ms per {TARGETS} targets",
        nanos * u128::from(TARGETS) / 1_000_000
    )
}

#[expect(clippy::disallowed_methods, reason = "what is measured is the wall's time")]
fn instant() -> std::time::Instant {
    std::time::Instant::now()
}
