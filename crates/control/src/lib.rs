//! Drives instances towards what is wanted: the only crate that talks to drivers (invariant A4).
//!
//! Each task reads everything anew on every run (habit: by level, not by edge), so that a restart, a missed nudge and
//! the happy path are one path. What to do is decided in `domain`; this crate does it.

mod drive;
pub mod task;

pub use drive::{Nudge, drive_fleets, drive_scaling};
