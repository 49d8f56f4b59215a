//! Plans and runs as Tidegate's own API shows them: one form for the API's answers, for dry runs and for `--json`.

use domain::members::Members;
use domain::safe_update::{
    self as planned, DeletionVerdict, Facts, Given, Goal, Outcome, Phase, Plan, Request, Run,
    Verdict, Why,
};
use domain::time::Timestamp;
use wire::tidegate::{
    BoundChange, BoundVariant, CapacityChange, DeletedTarget, DeletedVariant, DeletionPlan,
    NeededPermission, PermissionState, PlannedCall, SafeUpdate, SafeUpdateGoal, SafeUpdatePhase,
    SafeUpdatePlan, SafeUpdateStatus, SafeUpdateStep, SafeUpdateSummary, UpdateVerdict,
};

/// What is known of a run beside the run itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing<'a> {
    /// Whether somebody carries it on. One that has ended is shown as ended either way.
    pub running: bool,
    /// What was done last, in plain words.
    pub doing: Option<&'a str>,
    /// ARNs of the principals who began it, and with whose rights it goes on.
    pub started_by: Option<&'a str>,
    pub carried_out_as: Option<&'a str>,
}

/// A plan, with the facts and the choices that it was made of.
pub fn plan(facts: &Facts, request: &Request, plan: &Plan) -> SafeUpdatePlan {
    let (verdict, message) = match &plan.verdict {
        Verdict::Accepted => (UpdateVerdict::Accepted, None),
        Verdict::Refused(words) => (UpdateVerdict::Refused, Some(words.clone())),
        Verdict::LosesScaling(what) => (UpdateVerdict::LosesScaling, Some(what.clone())),
    };
    SafeUpdatePlan {
        endpoint_name: facts.endpoint.to_string(),
        from_endpoint_config_name: facts.in_use.name.to_string(),
        to_endpoint_config_name: facts.wanted.name.to_string(),
        keep_instance_counts: request.keep_counts,
        keep_weights: request.keep_weights,
        headroom_percent: count(request.headroom_percent),
        deployment_config: request.deployment_config.as_ref().and_then(typed),
        retain_deployment_config: Some(true).filter(|_| request.retain_deployment_config),
        verdict,
        message,
        bound_variants: plan.bound.iter().map(bound).collect(),
        steps: plan.steps.iter().map(step).collect(),
        capacity: plan.capacity.iter().map(capacity).collect(),
        notes: plan.notes.clone(),
    }
}

/// Kept members in the shape of a service; none if they do not have it, which those that came by that shape do.
pub fn typed<S: wire::Shape>(members: &Members) -> Option<S> {
    let members = serde_json::Value::Object(members.0.clone());
    let document = wire::Document::from_json(S::schema(), &members).ok()?;
    S::from_document(&document).ok()
}

fn bound(bound: &planned::Bound) -> BoundVariant {
    let (change, from, to) = match &bound.why {
        Why::TypeChanges { from, to } => (BoundChange::InstanceType, from.clone(), to.clone()),
        Why::Removed => (BoundChange::Removed, None, None),
    };
    BoundVariant {
        variant_name: bound.variant.to_string(),
        change,
        from_instance_type: from,
        to_instance_type: to,
    }
}

fn step(step: &planned::Step) -> SafeUpdateStep {
    let call = |call: &planned::Planned| PlannedCall {
        service: call.service.clone(),
        operation: call.operation.clone(),
        on: call.on.clone(),
    };
    SafeUpdateStep {
        number: i32::from(step.number),
        title: step.title.clone(),
        needed: step.needed,
        why: step.why.clone(),
        calls: step.calls.iter().map(call).collect(),
    }
}

fn capacity(capacity: &planned::Capacity) -> CapacityChange {
    CapacityChange {
        variant_name: capacity.variant.to_string(),
        before: count(capacity.before),
        during: count(capacity.during),
        after: count(capacity.after),
    }
}

/// What a deletion would take with it.
pub fn deletion(plan: &planned::DeletionPlan) -> DeletionPlan {
    use wire::tidegate::DeletionVerdict as Shown;
    let (verdict, message) = match &plan.verdict {
        DeletionVerdict::Accepted => (Shown::Accepted, None),
        DeletionVerdict::Refused(words) => (Shown::Refused, Some(words.clone())),
        DeletionVerdict::Unknown(what) => (Shown::Unknown, Some(what.clone())),
    };
    let variant = |one: &planned::Ending| DeletedVariant {
        variant_name: one.variant.to_string(),
        instance_count: one.count.map(count),
    };
    DeletionPlan {
        endpoint_name: plan.endpoint.to_string(),
        verdict,
        message,
        variants: plan.instances.iter().map(variant).collect(),
        targets: plan.targets.iter().map(target).collect(),
        permissions: plan.permissions.iter().map(permission).collect(),
        notes: plan.notes.clone(),
    }
}

fn target(target: &planned::Deregistered) -> DeletedTarget {
    DeletedTarget {
        variant_name: target.variant.to_string(),
        scalable_dimension: target.dimension.clone(),
        policies: target.policies.clone(),
        alarms: target.policy_alarms.clone(),
        scheduled_actions: target.scheduled_actions.clone(),
        alarms_left: target.alarms_left.clone(),
    }
}

fn permission(permission: &planned::Permission) -> NeededPermission {
    NeededPermission {
        action: permission.action.clone(),
        resource: permission.resource.clone(),
        on: permission.on.clone(),
        state: match permission.given {
            Given::Allowed => PermissionState::Allowed,
            Given::Missing => PermissionState::Missing,
            Given::Unknown => PermissionState::Unknown,
        },
    }
}

/// A run.
pub fn run(run: &Run, standing: Standing<'_>) -> SafeUpdate {
    let short = summary(run, standing.running);
    SafeUpdate {
        endpoint_name: short.endpoint_name,
        status: short.status,
        goal: short.goal,
        phase: short.phase,
        from_endpoint_config_name: short.from_endpoint_config_name,
        to_endpoint_config_name: short.to_endpoint_config_name,
        problem: short.problem,
        started_at: short.started_at,
        changed_at: short.changed_at,
        doing: standing.doing.map(str::to_owned),
        started_by: standing.started_by.map(str::to_owned),
        carried_out_as: standing.carried_out_as.map(str::to_owned),
        plan: plan(&run.facts, &run.request, &run.plan),
    }
}

/// A run in short; `running` as in [`Standing`].
pub fn summary(run: &Run, running: bool) -> SafeUpdateSummary {
    SafeUpdateSummary {
        endpoint_name: run.facts.endpoint.to_string(),
        status: match run.phase {
            Phase::Ended(Outcome::Applied) => SafeUpdateStatus::Applied,
            Phase::Ended(Outcome::Undone) => SafeUpdateStatus::Undone,
            _ if running => SafeUpdateStatus::Running,
            _ => SafeUpdateStatus::Paused,
        },
        goal: match run.goal {
            Goal::Apply => SafeUpdateGoal::Apply,
            Goal::Undo => SafeUpdateGoal::Undo,
        },
        phase: match run.phase {
            Phase::Deregistering => SafeUpdatePhase::Deregistering,
            Phase::Raising => SafeUpdatePhase::Raising,
            Phase::Updating => SafeUpdatePhase::Updating,
            Phase::Registering => SafeUpdatePhase::Registering,
            Phase::Settling => SafeUpdatePhase::Settling,
            Phase::Ended(_) => SafeUpdatePhase::Ended,
        },
        from_endpoint_config_name: run.facts.in_use.name.to_string(),
        to_endpoint_config_name: run.facts.wanted.name.to_string(),
        problem: run.problem.clone(),
        started_at: timestamp(run.started_at),
        changed_at: timestamp(run.changed_at),
    }
}

const fn timestamp(at: Timestamp) -> wire::Timestamp {
    wire::Timestamp(at.as_millis())
}

/// A count as the wire has it. What came from the wire fits.
fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use domain::safe_update::{Bound, Config, Saved};

    use super::*;

    fn begun() -> Run {
        let config = |name: &str| Config { name: name.parse().unwrap(), variants: Vec::new() };
        let facts = Facts {
            endpoint: "e".parse().unwrap(),
            arn: "arn".into(),
            status: "InService".into(),
            in_use: config("c"),
            wanted: config("d"),
            running: Vec::new(),
            scaled: Vec::new(),
        };
        let (saved, now) = (Saved::default(), Timestamp::from_millis(1));
        Run::begin(facts, saved, Request::default(), now).unwrap()
    }

    #[test]
    fn one_that_has_ended_is_shown_so_whoever_is_at_it() {
        for (phase, running, expected) in [
            (Phase::Raising, true, SafeUpdateStatus::Running),
            (Phase::Raising, false, SafeUpdateStatus::Paused),
            (Phase::Ended(Outcome::Applied), true, SafeUpdateStatus::Applied),
            (Phase::Ended(Outcome::Undone), false, SafeUpdateStatus::Undone),
        ] {
            let run = Run { phase, ..begun() };
            assert_eq!(summary(&run, running).status, expected);
        }
    }

    #[test]
    fn a_run_in_full_says_what_it_says_in_short() {
        let shown =
            run(&begun(), Standing { running: true, doing: Some("it"), ..Standing::default() });
        let short = summary(&begun(), true);
        assert_eq!((&shown.endpoint_name, shown.phase), (&short.endpoint_name, short.phase));
        assert_eq!(
            (shown.from_endpoint_config_name, shown.to_endpoint_config_name),
            ("c".into(), "d".into())
        );
        assert_eq!((shown.doing.as_deref(), shown.started_by), (Some("it"), None));
    }

    #[test]
    fn what_binds_a_variant_is_told_with_both_types() {
        let bound_by = |why| bound(&Bound { variant: "v".parse().unwrap(), why });
        let removed = bound_by(Why::Removed);
        assert_eq!((removed.change, removed.to_instance_type), (BoundChange::Removed, None));
        let typed = bound_by(Why::TypeChanges { from: Some("a".into()), to: None });
        assert_eq!(
            (typed.change, typed.from_instance_type.as_deref(), typed.to_instance_type),
            (BoundChange::InstanceType, Some("a"), None)
        );
    }
}
