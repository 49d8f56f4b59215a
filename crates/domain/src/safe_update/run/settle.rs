//! After step 7: counts and weights settle where they are to stay.
//!
//! A variant whose scaling was never touched is its autoscaler's matter. The others return to what they had, or to what
//! their policies want by the latest datapoints if that is more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::saved::{SCALE_IN, SavedTarget};
use super::{Goal, Next, Order, Outcome, Phase, Reading, Run, Seen};
use crate::name::VariantName;
use crate::safe_update::facts::Variant;
use crate::scaling::{CAPACITY_FLOOR, DIMENSION};
use crate::time::Timestamp;

/// As many datapoints as a target tracking policy looks at before it scales out
/// (`reference/autoscaling-and-cloudwatch.md`, section 2.2).
const DATAPOINTS: usize = 3;

/// How far above a whole number a product may lie and still be that number: noise of a few roundings.
const ROUNDING_NOISE: f64 = 1e-9;

/// Where one variant is to settle. What is absent stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    pub count: Option<u32>,
    pub weight: Option<f64>,
}

impl Run {
    pub(super) fn settle(&self, seen: &Seen) -> Next {
        let Some(settled) = &self.settled else {
            let settled = self
                .aim()
                .variants
                .iter()
                .map(|variant| (variant.name.clone(), self.settled(variant, seen)));
            let settled = Some(settled.collect());
            return Self { settled, changed_at: seen.now, ..self.clone() }.keep();
        };
        let mut changes = BTreeMap::new();
        for (variant, settled) in settled {
            let Some(running) = seen.endpoint.running(variant) else { continue };
            let count = settled.count.filter(|count| {
                running.desired.is_some_and(|desired| self.is_off(variant, desired, *count))
            });
            let weight = settled.weight.filter(|weight| differ(*weight, running.weight));
            if count.is_some() || weight.is_some() {
                changes.insert(variant.clone(), (count, weight));
            }
        }
        if !changes.is_empty() {
            return Next::Do(Order::SetCapacity(changes));
        }
        if self.request.headroom_percent > 0 {
            let held = self
                .held(seen)
                .find(|(saved, now)| now.suspends(SCALE_IN) != saved.suspends(SCALE_IN));
            if let Some((saved, now)) = held {
                return Next::Do(Order::Register(now.suspension(saved.suspends(SCALE_IN))));
            }
        }
        let outcome = match self.goal {
            Goal::Apply => Outcome::Applied,
            Goal::Undo => Outcome::Undone,
        };
        self.in_phase(Phase::Ended(outcome), seen.now).keep()
    }

    fn settled(&self, variant: &Variant, seen: &Seen) -> Settled {
        let before = self.facts.running(&variant.name);
        let weight = before.filter(|_| self.goal == Goal::Undo).map(|before| before.weight);
        let count = self.settled_count(variant, seen).map(|count| {
            let target = seen.scaling.target(&variant.name, DIMENSION);
            target.map_or(count, |target| within(target, count))
        });
        Settled { count, weight }
    }

    fn settled_count(&self, variant: &Variant, seen: &Seen) -> Option<u32> {
        let kept = self.kept.get(&variant.name).copied().filter(|_| self.counted)?;
        let stays =
            self.saved.target(&variant.name, DIMENSION).is_some() && !self.is_bound(&variant.name);
        let Self { request, goal, .. } = self;
        if *goal == Goal::Apply && !request.keep_counts {
            return variant.initial_count;
        }
        if stays && request.headroom_percent == 0 && request.keep_counts {
            return None;
        }
        Some(kept.max(wanted(&variant.name, seen)))
    }

    /// Whether a variant stays registered throughout.
    fn stays(&self, variant: &VariantName) -> bool {
        self.saved.target(variant, DIMENSION).is_some() && !self.is_bound(variant)
    }

    /// Whether a count is to be changed. More than was asked for is only taken away where this run gave it, or where it
    /// must have come from a config.
    fn is_off(&self, variant: &VariantName, desired: u32, settled: u32) -> bool {
        let exact = !self.request.keep_counts || (self.goal == Goal::Undo && !self.stays(variant));
        let given = self.kept.get(variant).map(|kept| self.request.raised(*kept));
        desired < settled
            || (desired > settled && (exact || given.is_some_and(|given| desired <= given)))
    }

    /// The run without the wish for more instances than there were, if that is what it settles for.
    pub(super) fn modest(&self, now: Timestamp) -> Option<Self> {
        let mut settled = self.settled.clone()?;
        for (variant, settled) in &mut settled {
            settled.count = settled
                .count
                .map(|count| self.kept.get(variant).map_or(count, |kept| count.min(*kept)));
        }
        let settled = Some(settled).filter(|settled| self.settled.as_ref() != Some(settled))?;
        Some(Self { settled: Some(settled), changed_at: now, ..self.clone() })
    }
}

/// Instances that the policies of a variant want; none where they say nothing.
fn wanted(variant: &VariantName, seen: &Seen) -> u32 {
    let current = seen.endpoint.running(variant).and_then(|one| one.current);
    let readings = seen.readings.get(variant);
    let wanted = readings.into_iter().flatten().filter_map(|one| one.wanted(current?));
    wanted.max().unwrap_or_default()
}

impl Reading {
    /// `ceil(current * value / target)` (`reference/autoscaling-and-cloudwatch.md`, section 2.4).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates at both ends, and makes 0 of what is not a number"
    )]
    fn wanted(&self, current: u32) -> Option<u32> {
        let latest = &self.datapoints[..self.datapoints.len().min(DATAPOINTS)];
        let count = u32::try_from(latest.len()).ok().filter(|count| *count > 0)?;
        let value = latest.iter().sum::<f64>() / f64::from(count);
        let product = f64::from(current) * value / self.target;
        product.is_finite().then(|| (product - ROUNDING_NOISE * product.abs()).ceil() as u32)
    }
}

/// What registering makes of a count (`reference/autoscaling-and-cloudwatch.md`, section 1.6).
fn within(target: &SavedTarget, count: u32) -> u32 {
    let (min, max) = target.bounds();
    let min = min.max(CAPACITY_FLOOR);
    count.clamp(min, max.max(min))
}

/// Weights come back as they were sent, or as AWS's 32-bit floats.
fn differ(one: f64, other: f64) -> bool {
    (one - other).abs() > f64::from(f32::EPSILON) * one.abs().max(other.abs())
}
