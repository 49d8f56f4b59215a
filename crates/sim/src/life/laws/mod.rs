//! What must hold in a life, looked at wherever something was decided, answered or told.

mod answers;
mod decisions;
mod rest;

pub(super) use answers::answered;
pub(super) use decisions::{decided, explained};
pub(super) use rest::{has_come_to_rest, remembered, rested};
