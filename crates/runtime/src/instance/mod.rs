//! The life of one instance, shared by every driver that runs real ones. It knows phases, probes and deadlines; how an
//! instance is prepared, launched and ended is its driver's [`Backend`].

mod actor;
mod backend;
mod probe;
mod registry;
mod roster;
mod tasks;

pub(crate) use backend::{Backend, Running};
pub(crate) use probe::{Health, ping};
pub(crate) use registry::Registry;
pub use roster::Nudge;
pub(crate) use roster::{INSTANCES_MAX, Roster};
pub(crate) use tasks::Tasks;
