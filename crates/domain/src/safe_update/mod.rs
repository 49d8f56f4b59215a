//! Updating an autoscaled endpoint without losing capacity or scaling: the seed's seven steps, planned and carried out.
//!
//! [`plan()`] says from facts what a plain `UpdateEndpoint` would do, which of the seven steps are needed, and what
//! capacity is there before, during and after. [`Run`] is an update under way, to be kept after every change of it;
//! [`Run::next`] compares what was saved with what is seen now, and says what to do next. It goes by what is there and
//! not by what was sent, so that a call whose answer was lost, a process that was killed and a second try are all one
//! path. [`deletion()`] says what deleting an endpoint takes with it, and what it needs.
//!
//! Nothing in here knows a protocol, a service or a wait. The crate `safe_update` observes and acts.

mod bound;
mod deletion;
mod facts;
mod plan;
mod run;

pub use bound::{Bound, Why, bound};
pub use deletion::{
    DeletionFacts, DeletionPlan, DeletionVerdict, Deregistered, Ending, Given, Permission, deletion,
};
pub use facts::{Config, Facts, Request, Running, Scaled, Variant};
pub use plan::{Capacity, Plan, Planned, Step, Verdict, plan};
pub use run::{
    Attempt, Goal, HEADROOM_PERCENT_MAX, Next, Order, Outcome, Phase, Reaction, Reading, Refused,
    Run, Saved, SavedAction, SavedAlarm, SavedPolicy, SavedTarget, Seen, SeenEndpoint, Settled,
    is_users_own,
};

use crate::name::{EndpointName, VariantName};

/// `ResourceId` of a variant, as Application Auto Scaling's calls take it.
fn resource_id(endpoint: &EndpointName, variant: &VariantName) -> String {
    format!("endpoint/{endpoint}/variant/{variant}")
}
