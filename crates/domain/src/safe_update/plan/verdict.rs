//! What a plain `UpdateEndpoint` with the same choices would meet.

use super::Verdict;
use super::changes::{Changes, Counts};
use super::words::{instances, list};
use crate::endpoint::Refusal;
use crate::name::VariantName;
use crate::rollout::Guardrails;
use crate::safe_update::Bound;
use crate::safe_update::facts::Facts;
use crate::scaling::ResourceId;

/// In the order in which `UpdateEndpoint` looks: at the endpoint, at its targets.
pub(super) fn of(changes: &Changes<'_>) -> Verdict {
    let refused = by_status(changes.facts)
        .or_else(|| by_two_deployment_configs(changes))
        .or_else(|| by_scaling(changes))
        .or_else(|| by_guardrails(changes, plain));
    if let Some(words) = refused {
        return Verdict::Refused(words);
    }
    let fallen: Vec<Counts<'_>> = fallen(changes).collect();
    if fallen.is_empty() {
        return Verdict::Accepted;
    }
    let falls = fallen.iter().filter_map(fall);
    Verdict::LosesScaling(format!(
        "It would be accepted, but what automatic scaling has made of the counts would be lost: {}.",
        list(falls)
    ))
}

/// `reference/sagemaker-hosting.md`, section 2. An update is what heals an endpoint whose rollback failed.
pub(super) fn by_status(facts: &Facts) -> Option<String> {
    let endpoint = facts.endpoint.clone();
    let refusal = match facts.status.as_str() {
        "InService" | "UpdateRollbackFailed" => return None,
        "Failed" => Refusal::Failed(endpoint),
        _ => Refusal::InProgress(endpoint),
    };
    Some(refusal.in_words(&facts.arn))
}

/// Promises S1 and S2.
pub(super) fn by_scaling(changes: &Changes<'_>) -> Option<String> {
    let endpoint = &changes.facts.endpoint;
    let resource =
        |one: &Bound| ResourceId { endpoint: endpoint.clone(), variant: one.variant.clone() };
    let bound: Vec<ResourceId> = changes.bound.iter().map(resource).collect();
    (!bound.is_empty()).then(|| Refusal::Registered(bound).in_words(&changes.facts.arn))
}

fn by_two_deployment_configs(changes: &Changes<'_>) -> Option<String> {
    let request = changes.request;
    let two = request.deployment_config.is_some() && request.retain_deployment_config;
    two.then(|| Refusal::TwoDeploymentConfigs.in_words(&changes.facts.arn))
}

/// Instances of a variant in the old deployment and in the new one, of those that it has on both sides.
type Sides = fn(&Changes<'_>, &Counts<'_>) -> (u32, u32);

/// By a plain `UpdateEndpoint`.
fn plain(changes: &Changes<'_>, counts: &Counts<'_>) -> (u32, u32) {
    let initial = counts.initial.unwrap_or_default();
    (counts.before, if changes.request.keep_counts { counts.before } else { initial })
}

/// What the `UpdateEndpoint` of step 6 meets with its `DeploymentConfig`. One that is retained is only known to the server.
pub(super) fn by_deployment(changes: &Changes<'_>) -> Option<String> {
    by_two_deployment_configs(changes)
        .or_else(|| by_guardrails(changes, |_, counts| (counts.raised, counts.updated)))
}

fn by_guardrails(changes: &Changes<'_>, sides: Sides) -> Option<String> {
    let config = changes.request.deployment_config.as_ref()?;
    let counts = changes.counts();
    let pairs: Vec<_> = counts
        .iter()
        .map(|one| {
            let running = changes.facts.running(one.variant).and_then(|it| it.desired).is_some();
            let (old, new) = sides(changes, one);
            let new = if running { new } else { one.initial.unwrap_or_default() };
            (one.variant, running.then_some(old), one.initial.map(|_| new))
        })
        .collect();
    let refused = Guardrails::read(config).and_then(|guardrails| guardrails.check(&pairs)).err()?;
    Some(Refusal::from(refused).in_words(&changes.facts.arn))
}

/// The scaled variants that a reset to `InitialInstanceCount` leaves with fewer instances than scaling has given them.
fn fallen<'a>(changes: &Changes<'a>) -> impl Iterator<Item = Counts<'a>> {
    let scaled: Vec<&VariantName> =
        changes.kept().filter(|one| one.counts_instances()).map(|one| &one.variant).collect();
    let falls = move |one: &Counts<'_>| fall(one).is_some() && scaled.contains(&one.variant);
    changes.counts().into_iter().filter(|_| !changes.request.keep_counts).filter(falls)
}

/// What such a reset would take from a variant, in words.
pub(super) fn fall(counts: &Counts<'_>) -> Option<String> {
    let Counts { variant, before, initial, .. } = counts;
    let initial = initial.filter(|initial| initial < before)?;
    Some(format!("{variant} would fall from {} to {initial}", instances(*before)))
}
