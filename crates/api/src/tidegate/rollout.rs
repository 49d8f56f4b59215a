//! How far an update has come, as Tidegate's own API shows it.

use std::sync::Arc;

use domain::endpoint::{Deployment, Endpoint};
use domain::rollout::{Policy, Shift, Side, Sides, Stage};
use wire::tidegate::{Rollout, RolloutSide, RolloutStage, RolloutStrategy, RolloutVariant};

use super::shown::{count, timestamp};

pub(super) fn shown(endpoint: &Endpoint, rollout: &domain::rollout::Rollout) -> Rollout {
    let totals = endpoint.totals();
    let sides: Vec<Sides> = totals.iter().map(|(_, sides)| *sides).collect();
    let variants = totals.iter().map(|(variant, one)| {
        let (wanted, active) = (rollout.wanted(&sides, *one), rollout.active(&sides, *one));
        let has = |deployment: &Option<Arc<Deployment>>| {
            deployment.as_ref().is_some_and(|deployment| deployment.fleet(variant).is_some())
        };
        let side = |side: Side, wanted, active| RolloutSide {
            total: count(side.total),
            wanted: count(wanted),
            active: count(active),
        };
        RolloutVariant {
            variant_name: variant.to_string(),
            old: has(&endpoint.live).then(|| side(one.old, wanted.0, active.0)),
            new: has(&endpoint.pending).then(|| side(one.new, wanted.1, active.1)),
        }
    });
    let (stage, step, until, reason) = match &rollout.stage {
        Stage::Provisioning { step } => (RolloutStage::Provisioning, Some(*step), None, None),
        Stage::Baking { step, until } => (RolloutStage::Baking, Some(*step), Some(*until), None),
        Stage::Terminating { step } => (RolloutStage::Terminating, Some(*step), None, None),
        Stage::RollingBack { reason, .. } => {
            (RolloutStage::RollingBack, None, None, Some(reason.clone()))
        }
    };
    Rollout {
        strategy: match rollout.guardrails.policy {
            Policy::BlueGreen { shift: Shift::AllAtOnce, .. } => RolloutStrategy::AllAtOnce,
            Policy::BlueGreen { shift: Shift::Canary(_), .. } => RolloutStrategy::Canary,
            Policy::BlueGreen { shift: Shift::Linear(_), .. } => RolloutStrategy::Linear,
            Policy::Rolling { .. } => RolloutStrategy::Rolling,
        },
        stage,
        step: step.map(count),
        steps: count(rollout.steps(&sides)),
        since: timestamp(rollout.since),
        until: until.map(timestamp),
        deadline: rollout.deadline().map(timestamp),
        alarms: rollout.guardrails.alarms.clone(),
        reason,
        variants: variants.collect(),
    }
}
