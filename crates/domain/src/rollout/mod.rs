//! Deployment guardrails: how the instances of a new deployment take the place of the old one's, step by step, and how
//! they give it back (`reference/sagemaker-hosting.md`, section 4).
//!
//! A [`Rollout`] is one explicit state machine. It is stored with the endpoint, so that it goes on after a restart where
//! it was. [`Rollout::wanted`] and [`Rollout::active`] say how many instances of each side stand and take traffic at its
//! stage; [`Rollout::next`] says from facts and the server's time where it goes.

mod advance;
mod guardrails;
mod portion;
#[cfg(test)]
mod tests;

pub use advance::{Facts, Next, Rollout, Side, Sides, Stage};
pub use guardrails::{Guardrails, Policy, Refusal, Shift};
pub use portion::Size;
