//! How far an update has come, in a line.

use wire::tidegate::{Rollout, RolloutStage, RolloutStrategy};

use crate::output::{age, visible};

/// `canary, step 1 of 2: baking, 45s left; traffic: web 2 old, 1 new`.
pub(super) fn told(rollout: &Rollout, now_millis: i64) -> String {
    let strategy = match rollout.strategy {
        RolloutStrategy::AllAtOnce => "all at once",
        RolloutStrategy::Canary => "canary",
        RolloutStrategy::Linear => "linear",
        RolloutStrategy::Rolling => "rolling",
    };
    let step = match rollout.step {
        Some(step) if rollout.steps > 1 => format!(", step {step} of {}", rollout.steps),
        _ => String::new(),
    };
    let stage = match (rollout.stage, rollout.until) {
        (RolloutStage::Provisioning, _) => "starting new instances".to_owned(),
        (RolloutStage::Baking, Some(until)) => {
            format!("baking, {} left", age(now_millis, until.0))
        }
        (RolloutStage::Baking, None) => "baking".to_owned(),
        (RolloutStage::Terminating, _) => "ending old instances".to_owned(),
        (RolloutStage::RollingBack, _) => {
            let why = rollout.reason.as_deref().map(|why| format!(" ({})", visible(why)));
            format!("rolling back{}", why.unwrap_or_default())
        }
    };
    let traffic = rollout.variants.iter().map(|variant| {
        let side = |side: &Option<wire::tidegate::RolloutSide>, name: &str| {
            side.as_ref().map(|side| format!("{} {name}", side.active))
        };
        let sides = [side(&variant.old, "old"), side(&variant.new, "new")];
        let sides: Vec<String> = sides.into_iter().flatten().collect();
        format!("{} {}", variant.variant_name, sides.join(" + "))
    });
    format!(
        "{strategy}{step}: {stage}; instances in traffic: {}",
        traffic.collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use wire::Timestamp;
    use wire::tidegate::{RolloutSide, RolloutVariant};

    use super::*;

    #[test]
    fn each_stage_fits_a_line() {
        let side = |active| Some(RolloutSide { total: 3, wanted: 3, active });
        let baking = Rollout {
            strategy: RolloutStrategy::Canary,
            stage: RolloutStage::Baking,
            step: Some(1),
            steps: 2,
            since: Timestamp(0),
            until: Some(Timestamp(90_000)),
            deadline: None,
            alarms: Vec::new(),
            reason: None,
            variants: vec![RolloutVariant {
                variant_name: "web".into(),
                old: side(2),
                new: side(1),
            }],
        };
        assert_eq!(
            told(&baking, 30_000),
            "canary, step 1 of 2: baking, 1m left; instances in traffic: web 2 old + 1 new"
        );
        let back = Rollout {
            strategy: RolloutStrategy::AllAtOnce,
            stage: RolloutStage::RollingBack,
            step: None,
            steps: 1,
            until: None,
            reason: Some("An alarm\nwent off.".into()),
            variants: vec![RolloutVariant { variant_name: "web".into(), old: side(3), new: None }],
            ..baking
        };
        assert_eq!(
            told(&back, 0),
            "all at once: rolling back (An alarm went off.); instances in traffic: web 3 old"
        );
    }
}
