//! Carries out the safe updates that users have left to the server, each with the rights of whoever began it or resumed
//! it last. `api` only records them (invariant A2).
//!
//! What is to be carried out is read from the store whenever something may have changed, so that a restart and a new
//! record are one path. One that stands still is left alone until somebody resumes or undoes it.

mod doing;
mod drive;
mod journal;
mod lent;
#[cfg(test)]
mod tests;

pub(crate) use doing::Doing;
pub(crate) use drive::{Bell, Means, drive};
pub(crate) use lent::Rights;
