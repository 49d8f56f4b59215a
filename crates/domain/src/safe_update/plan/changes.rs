//! What an update changes, as the parts of a plan look at it: which targets must go, and how counts move.

use super::Capacity;
use crate::name::VariantName;
use crate::safe_update::bound::{Bound, Why, bound};
use crate::safe_update::facts::{Facts, Request, Scaled};

/// Facts and choices, with the variants that are bound.
#[derive(Debug)]
pub(super) struct Changes<'a> {
    pub(super) facts: &'a Facts,
    pub(super) request: &'a Request,
    pub(super) bound: Vec<Bound>,
}

/// How many instances of one variant are wanted, as the update goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts<'a> {
    pub(super) variant: &'a VariantName,
    /// In service now.
    pub(super) serving: u32,
    /// Wanted now.
    pub(super) before: u32,
    /// With the headroom.
    pub(super) raised: u32,
    /// When `UpdateEndpoint` has ended.
    pub(super) updated: u32,
    /// `InitialInstanceCount` of the wanted config, for a variant that stays or comes.
    pub(super) initial: Option<u32>,
    /// At the end.
    pub(super) after: u32,
}

impl From<&Counts<'_>> for Capacity {
    fn from(counts: &Counts<'_>) -> Self {
        Self {
            variant: counts.variant.clone(),
            before: counts.serving,
            during: counts.raised,
            after: counts.after,
        }
    }
}

impl<'a> Changes<'a> {
    pub(super) fn of(facts: &'a Facts, request: &'a Request) -> Self {
        let registered = facts.scaled.iter().map(|one| &one.variant);
        Self { facts, request, bound: bound(registered, &facts.in_use, &facts.wanted) }
    }

    fn why_bound(&self, variant: &VariantName) -> Option<&Why> {
        self.bound.iter().find(|one| one.variant == *variant).map(|one| &one.why)
    }

    /// The targets that step 1 deregisters.
    pub(super) fn deregistered(&self) -> impl Iterator<Item = &'a Scaled> {
        self.facts.scaled.iter().filter(|one| self.why_bound(&one.variant).is_some())
    }

    /// Of these, the ones that step 7 registers again.
    pub(super) fn registered_again(&self) -> impl Iterator<Item = &'a Scaled> {
        self.deregistered().filter(|one| self.fits(one))
    }

    /// Of these, the ones that cannot come back.
    pub(super) fn lost(&self) -> impl Iterator<Item = &'a Scaled> {
        self.deregistered().filter(|one| !self.fits(one))
    }

    /// Whether the wanted config has the variant, with what the target scales.
    fn fits(&self, one: &Scaled) -> bool {
        let wanted = self.facts.wanted.variant(&one.variant);
        wanted.is_some_and(|wanted| wanted.instance_type.is_some() == one.counts_instances())
    }

    /// Targets that stay registered all the time.
    pub(super) fn kept(&self) -> impl Iterator<Item = &'a Scaled> {
        let kept = |one: &&Scaled| {
            self.why_bound(&one.variant).is_none() && self.facts.running(&one.variant).is_some()
        };
        self.facts.scaled.iter().filter(kept)
    }

    /// Of these, the ones whose scale-in is suspended, so that it does not take the headroom away.
    pub(super) fn held(&self) -> impl Iterator<Item = &'a Scaled> {
        self.kept().filter(|one| {
            let desired = self.facts.running(&one.variant).and_then(|one| one.desired);
            let rises = desired.is_some_and(|count| self.request.raised(count) > count);
            rises && one.counts_instances() && !one.scale_in_suspended
        })
    }

    /// The variants that get headroom.
    pub(super) fn raised(&self) -> impl Iterator<Item = Counts<'a>> {
        self.counts().into_iter().filter(|one| one.raised > one.before)
    }

    /// The variants whose counts are set once the update has ended.
    pub(super) fn settled(&self) -> impl Iterator<Item = Counts<'a>> {
        let moves = self.request.headroom_percent > 0 || !self.request.keep_counts;
        self.counts().into_iter().filter(move |one| moves && one.updated != one.after)
    }

    /// The variants that have instances: those that serve, then those that come.
    pub(super) fn counts(&self) -> Vec<Counts<'a>> {
        let Facts { running, wanted, .. } = self.facts;
        let serving = running.iter().filter(|one| one.desired.is_some()).map(|one| &one.variant);
        let comes = wanted.variants.iter().filter(|one| {
            one.instance_type.is_some()
                && self.facts.running(&one.name).is_none_or(|running| running.desired.is_none())
        });
        serving.chain(comes.map(|one| &one.name)).map(|variant| self.counts_of(variant)).collect()
    }

    fn counts_of(&self, variant: &'a VariantName) -> Counts<'a> {
        let Self { facts, request, .. } = self;
        let running = facts.running(variant);
        let before = running.and_then(|one| one.desired);
        let raised = before.map(|count| request.raised(count));
        let wanted = facts.wanted.variant(variant).filter(|one| one.instance_type.is_some());
        let initial = wanted.map(|one| one.initial_count.unwrap_or_default());
        // Counts are retained until the new instances serve, whatever is wanted in the end.
        let updated = initial.map_or(0, |initial| raised.unwrap_or(initial));
        let kept = before.filter(|_| request.keep_counts);
        let after = initial.map_or(0, |initial| kept.unwrap_or(initial));
        Counts {
            variant,
            serving: running.and_then(|one| one.current).unwrap_or(0),
            before: before.unwrap_or(0),
            raised: raised.unwrap_or(0),
            updated,
            initial,
            after: if initial.is_some() { self.corrected(variant, after) } else { 0 },
        }
    }

    /// The count that a target leaves when it is registered once more, or when the count is set: one within its bounds.
    fn corrected(&self, variant: &VariantName, count: u32) -> u32 {
        let set = self.kept().filter(|_| !self.request.keep_counts);
        let targets = self.registered_again().chain(self.held()).chain(set);
        let mut targets = targets.filter(|one| one.counts_instances() && one.variant == *variant);
        targets.next().map_or(count, |one| one.corrected(count))
    }
}
