//! What an update would do, said before it is done.

use serde::{Deserialize, Serialize};

use super::bound::Bound;
use super::facts::{Facts, Request};
use crate::name::VariantName;

mod changes;
mod notes;
mod steps;
#[cfg(test)]
mod tests;
mod verdict;
mod words;

use changes::Changes;

/// A plan, for people and for programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What a plain `UpdateEndpoint` with the same choices would meet.
    pub verdict: Verdict,
    /// The registered variants that stand in its way.
    pub bound: Vec<Bound>,
    /// The seed's seven, in order; also those that are not needed, with the reason.
    pub steps: Vec<Step>,
    pub capacity: Vec<Capacity>,
    /// What else should be known, each a sentence or two.
    pub notes: Vec<String>,
    /// Why a safe update cannot be made as planned, each a sentence or two; they are also the first of the notes. It
    /// does not begin while there is one.
    pub obstacles: Vec<String>,
}

/// What becomes of a plain `UpdateEndpoint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Accepted,
    /// Refused, in SageMaker's words.
    Refused(String),
    /// Accepted, but scaled-out capacity or scaling itself would be lost: why.
    LosesScaling(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// 1 to 7, as the seed numbers them.
    pub number: u8,
    /// In a few words, for a heading.
    pub title: String,
    /// Whether anything is done. Step 7 also gives back what step 2 took.
    pub needed: bool,
    /// Why it is needed, or why not; what would be refused without it.
    pub why: String,
    pub calls: Vec<Planned>,
}

/// One API call of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The service as IAM's actions spell it: of CloudWatch not its signing name, `monitoring`.
    pub service: String,
    pub operation: String,
    /// On what, in a few words: a resource's name, and the counts or bounds it is given.
    pub on: String,
}

/// Instances of one variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    pub variant: VariantName,
    /// In service now; 0 for a variant that comes.
    pub before: u32,
    /// The fewest that serve at any moment while the update runs; for a variant that comes, 0.
    pub during: u32,
    /// Wanted at the end; 0 for a variant that goes.
    pub after: u32,
}

/// Plans an update.
pub fn plan(facts: &Facts, request: &Request) -> Plan {
    let changes = Changes::of(facts, request);
    let obstacles = notes::obstacles(&changes);
    Plan {
        verdict: verdict::of(&changes),
        steps: steps::all(&changes),
        capacity: changes.counts().iter().map(Capacity::from).collect(),
        notes: [obstacles.clone(), notes::all(&changes)].concat(),
        obstacles,
        bound: changes.bound,
    }
}
