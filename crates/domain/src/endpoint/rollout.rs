//! An update as its endpoint sees it: what guards it, how its two deployments stand to each other, and the way back.

use std::sync::Arc;

use super::{Deployment, Endpoint, Fleet, Refusal, Stage};
use crate::members::Members;
use crate::name::VariantName;
use crate::rollout::{Guardrails, Rollout, Side, Sides};
use crate::time::Timestamp;

impl Endpoint {
    /// The update under way, forwards or back. A record from before updates were guarded has one without guardrails.
    pub fn rollout(&self) -> Option<Rollout> {
        match self.stage {
            Stage::Deploying | Stage::RollingBack => {
                let unguarded = || Rollout::begin(Guardrails::default(), self.modified_at);
                Some(self.rollout.clone().unwrap_or_else(unguarded))
            }
            _ => None,
        }
    }

    /// Every variant of the live and of the pending deployment, with the instances that it is to have in each.
    pub fn totals(&self) -> Vec<(VariantName, Sides)> {
        let total = |fleet: Option<&Fleet>| Side {
            total: fleet.map_or(0, |fleet| fleet.desired_count),
            ..Side::default()
        };
        both(self.live.as_deref(), self.pending.as_deref())
            .into_iter()
            .map(|(variant, old, new)| {
                (variant.clone(), Sides { old: total(old), new: total(new) })
            })
            .collect()
    }

    /// All that instances of the endpoint may belong to.
    pub fn deployments(&self) -> impl Iterator<Item = &Arc<Deployment>> {
        self.live.iter().chain(&self.pending).chain(&self.stranded)
    }

    /// Rolls the update under way back, because somebody asks for it. One that is on its way back goes on.
    pub fn request_rollback(&self, now: Timestamp) -> Result<Self, Refusal> {
        match self.stage {
            Stage::RollingBack => return Ok(self.clone()),
            Stage::Deploying => {}
            _ => return Err(Refusal::NothingToRollBack(self.name.clone())),
        }
        let Some(rollout) = self.rollout() else { return Ok(self.clone()) };
        let reason = "The deployment was rolled back on request.".to_owned();
        let sides: Vec<Sides> = self.totals().into_iter().map(|(_, sides)| sides).collect();
        let rollout = Some(rollout.rolled_back(&sides, reason, now));
        Ok(Self { stage: Stage::RollingBack, modified_at: now, rollout, ..self.clone() })
    }

    /// What guards an update to `wanted` with the counts of `pending`.
    pub(super) fn guardrails(
        &self,
        config: Option<&Members>,
        pending: &Deployment,
    ) -> Result<Guardrails, Refusal> {
        let guardrails = config.map_or_else(|| Ok(Guardrails::default()), Guardrails::read)?;
        let pair = |(variant, old, new): (_, Option<&Fleet>, Option<&Fleet>)| {
            // A shadow under the name of a production variant does not take over from it, nor the other way round.
            let old = old.filter(|old| new.is_none_or(|new| new.shadow == old.shadow));
            let count = |fleet: &Fleet| fleet.desired_count;
            (variant, old.map(count), new.map(count))
        };
        let variants = both(self.live.as_deref(), Some(pending)).into_iter();
        let pairs: Vec<_> = variants.map(pair).collect();
        guardrails.check(&pairs)?;
        Ok(guardrails)
    }

    /// What stays of the pending deployment where the old one did not come back: `standing` instances of each variant.
    pub(super) fn with_stranded(&self, standing: u32) -> Vec<Arc<Deployment>> {
        let mut stranded = self.stranded.clone();
        if let Some(pending) = &self.pending {
            let mut left = Deployment::clone(pending);
            // A variant that only the new config has is none of the endpoint's.
            let live = self.live.as_deref();
            left.fleets.retain(|fleet| {
                let old = live.and_then(|live| live.fleet(&fleet.variant));
                old.is_some_and(|old| old.shadow == fleet.shadow)
            });
            for fleet in &mut left.fleets {
                fleet.desired_count = standing.min(fleet.desired_count);
            }
            stranded.push(Arc::new(left));
        }
        stranded
    }
}

/// A variant, and its fleet on each side of an update.
type Both<'a> = (&'a VariantName, Option<&'a Fleet>, Option<&'a Fleet>);

/// The variants of two deployments: the old one's in their order, then those that only the new one has.
fn both<'a>(old: Option<&'a Deployment>, new: Option<&'a Deployment>) -> Vec<Both<'a>> {
    let fleets = |one: Option<&'a Deployment>| one.into_iter().flat_map(|one| &one.fleets);
    let of = |one: Option<&'a Deployment>, variant| one.and_then(|one| one.fleet(variant));
    let olds = fleets(old).map(|fleet| (&fleet.variant, Some(fleet), of(new, &fleet.variant)));
    let added = fleets(new).filter(|fleet| of(old, &fleet.variant).is_none());
    olds.chain(added.map(|fleet| (&fleet.variant, None, Some(fleet)))).collect()
}

/// Whether what a `DeploymentConfig` says goes together, before it is known what it is to guard.
pub(super) fn check(config: Option<&Members>) -> Result<(), Refusal> {
    config.map_or(Ok(()), |config| Ok(Guardrails::read(config).map(|_| ())?))
}
