//! What was decided, and what holds a target where it is, in plain words: one sentence each, with its numbers, units and
//! times. Text of what is given; nothing is decided here.

mod decision;
mod standing;
#[cfg(test)]
mod tests;
mod text;

pub use decision::{considered, decision};
pub use standing::{Cooldown, alarm, cooldowns, in_flight, policy, scheduled_action, summary};
