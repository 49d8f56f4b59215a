//! What else should be known before an update.

use std::collections::BTreeMap;

use super::changes::{Changes, Counts};
use super::verdict;
use super::words::{instances, kind, list, named};
use crate::name::VariantName;
use crate::safe_update::Why;
use crate::safe_update::facts::{Facts, Scaled};
use crate::scaling::is_burstable;

/// Why a safe update cannot be made either.
pub(super) fn obstacles(changes: &Changes<'_>) -> Vec<String> {
    let facts = changes.facts;
    let mut notes: Vec<String> = verdict::by_status(facts).into_iter().collect();
    if facts.status == "UpdateRollbackFailed" {
        notes.push(
            "An update failed, and so did its rollback: old and new instances serve side by side. Call UpdateEndpoint \
             yourself to heal the endpoint."
                .to_owned(),
        );
    }
    let unknown = facts.running.iter().filter(|one| facts.in_use.variant(&one.variant).is_none());
    let unknown: Vec<&VariantName> = unknown.map(|one| &one.variant).collect();
    if !unknown.is_empty() {
        notes.push(format!(
            "The config in use, {}, does not tell the instance type of {}. Was it deleted? What the update changes \
             cannot be known.",
            facts.in_use.name,
            list(unknown)
        ));
    }
    notes.extend(verdict::by_deployment(changes));
    for one in changes.registered_again() {
        let wanted = facts.wanted.variant(&one.variant);
        let kind = wanted.and_then(|one| one.instance_type.as_deref());
        if let Some(kind) = kind.filter(|kind| is_burstable(kind)) {
            notes.push(format!(
                "{} cannot be registered again after the update: SageMaker does not scale {kind}. Deregister it yourself \
                 if it is to do without automatic scaling.",
                one.variant
            ));
        }
    }
    if facts.in_use.name == facts.wanted.name {
        notes.push(format!("{} is in use already: there is nothing to update.", facts.wanted.name));
    }
    notes
}

pub(super) fn all(changes: &Changes<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(changes.kept().filter_map(|one| other_model(changes.facts, one)));
    notes.extend(changes.registered_again().filter_map(|one| other_type(changes, one)));
    notes.extend(changes.lost().map(|one| lost(changes.facts, one)));
    notes.extend(renamed(changes.facts));
    notes.extend(corrected(changes));
    notes.extend(changes.held().map(suspended));
    notes.extend(
        changes.counts().iter().filter(|_| !changes.request.keep_counts).filter_map(fallen),
    );
    notes.extend(changes.registered_again().flat_map(unscaled));
    let deployment = changes.request.deployment_config.as_ref();
    if deployment.is_none_or(|config| config.at(&["RollingUpdatePolicy"]).is_none()) {
        notes.extend(doubled(changes));
    }
    notes
}

/// The seed's one exception, with its advice.
fn other_model(facts: &Facts, one: &Scaled) -> Option<String> {
    let variant = &one.variant;
    let (before, after) = (facts.in_use.variant(variant)?, facts.wanted.variant(variant)?);
    (before.model != after.model).then(|| {
        let named = |model: &Option<String>| model.clone().unwrap_or_else(|| "none".to_owned());
        format!(
            "The model of {variant} changes from {} to {}. Automatic scaling allows that, because a change of the model \
             seldom affects performance enough to change how a variant scales. But what scales {variant} was tuned for \
             the old model: make sure that it fits the new one.",
            named(&before.model),
            named(&after.model)
        )
    })
}

fn other_type(changes: &Changes<'_>, one: &Scaled) -> Option<String> {
    let bound = changes.bound.iter().find(|bound| bound.variant == one.variant)?;
    let Why::TypeChanges { from, to } = &bound.why else { return None };
    (!one.policies.is_empty()).then(|| {
        format!(
            "The {} of {} {} tuned for {}. Step 7 puts back what was there: make sure that it fits {}.",
            named("policy", "policies", &one.policies),
            one.variant,
            if one.policies.len() == 1 { "was" } else { "were" },
            kind(from.as_deref()),
            kind(to.as_deref())
        )
    })
}

fn lost(facts: &Facts, one: &Scaled) -> String {
    let parts = [
        ("policy", "policies", &one.policies),
        ("scheduled action", "scheduled actions", &one.scheduled_actions),
    ];
    let parts = parts.into_iter().filter(|(.., names)| !names.is_empty());
    let parts: Vec<String> = parts.map(|(one, many, names)| named(one, many, names)).collect();
    let with = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) };
    let alarms = if one.alarms.is_empty() {
        String::new()
    } else {
        format!(" The {} will have no policy to call.", named("alarm", "alarms", &one.alarms))
    };
    let becomes = match facts.wanted.variant(&one.variant) {
        None => "is removed".to_owned(),
        Some(wanted) => format!("becomes {}", kind(wanted.instance_type.as_deref())),
    };
    format!(
        "{} {becomes}: its automatic scaling{with} is gone for good. Only undoing the update brings it back.{alarms}",
        one.variant
    )
}

fn renamed(facts: &Facts) -> Option<String> {
    let goes: Vec<&VariantName> = facts
        .running
        .iter()
        .map(|one| &one.variant)
        .filter(|name| facts.wanted.variant(name).is_none())
        .collect();
    let comes: Vec<&VariantName> = facts
        .wanted
        .variants
        .iter()
        .map(|one| &one.name)
        .filter(|name| facts.running(name).is_none())
        .collect();
    (!goes.is_empty() && !comes.is_empty()).then(|| {
        format!(
            "Going: {}. Coming: {}. A variant that is given another name is a new one: it keeps neither count, weight nor \
             automatic scaling.",
            list(goes),
            list(comes)
        )
    })
}

/// Registering moves a count within the bounds (`reference/autoscaling-and-cloudwatch.md`, section 1.6).
fn corrected(changes: &Changes<'_>) -> Vec<String> {
    let registered = changes.registered_again().chain(changes.held());
    registered
        .filter(|one| one.counts_instances())
        .filter_map(|one| {
            let count = changes.facts.running(&one.variant)?.desired?;
            let corrected = one.corrected(count);
            let (variant, has) = (&one.variant, instances(count));
            let bound = if corrected < count { "MaxCapacity" } else { "MinCapacity" };
            (corrected != count).then(|| {
                format!("{variant} has {has}, and its {bound} is {corrected}: registering it brings the count to {corrected}.")
            })
        })
        .collect()
}

fn suspended(one: &Scaled) -> String {
    format!(
        "{} stays registered. Its scale-in is suspended from step 2 to step 7, so that the added instances stay.",
        one.variant
    )
}

fn fallen(counts: &Counts<'_>) -> Option<String> {
    (counts.initial.is_some() && counts.after < counts.before).then(|| {
        format!(
            "{} has {} and ends with {}: the counts are not kept.",
            counts.variant,
            instances(counts.before),
            counts.after
        )
    })
}

/// What is not there between steps 1 and 7, and a little longer.
fn unscaled(one: &Scaled) -> Vec<String> {
    let variant = &one.variant;
    let mut notes = Vec::new();
    if !one.scheduled_actions.is_empty() {
        notes.push(format!(
            "The {} of {variant} cannot run while it is deregistered. What was missed meanwhile is made up for after step 7.",
            named("scheduled action", "scheduled actions", &one.scheduled_actions)
        ));
    }
    if !one.policies.is_empty() {
        notes.push(format!(
            "After step 7 the alarms of the {} start without data: {variant} does not scale for some minutes more.",
            named("policy", "policies", &one.policies)
        ));
    }
    notes
}

/// Blue/green: the new fleet is complete before the old one goes.
fn doubled(changes: &Changes<'_>) -> Option<String> {
    let mut by_type: BTreeMap<&str, u64> = BTreeMap::new();
    let counts = changes.counts();
    for one in &counts {
        let fleets = [(&changes.facts.in_use, one.raised), (&changes.facts.wanted, one.updated)];
        for (config, count) in fleets {
            let variant = config.variant(one.variant);
            let Some(kind) = variant.and_then(|one| one.instance_type.as_deref()) else { continue };
            *by_type.entry(kind).or_default() += u64::from(count);
        }
    }
    let old: u64 = counts.iter().map(|one| u64::from(one.raised)).sum();
    let new: u64 = counts.iter().map(|one| u64::from(one.updated)).sum();
    let kinds = by_type
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(kind, count)| format!("{count} of {kind}"));
    (old > 0 && new > 0).then(|| {
        format!(
            "New instances start while the old ones serve: for a while there are {} at once ({}). There must be room for \
             them.",
            old + new,
            list(kinds)
        )
    })
}
