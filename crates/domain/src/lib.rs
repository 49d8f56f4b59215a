//! What Tidegate decides: facts and a clock reading in, decisions with their reasons out.
//!
//! Nothing in this crate reads a clock, a file, the network or a random number (invariant A1): that is what lets the
//! server, the simulator and a dry run share every line of it. Acting on a decision is `control`'s and `api`'s work.

pub mod alarm;
pub mod arn;
pub mod endpoint;
pub mod endpoint_config;
pub mod fleet;
pub mod iam;
pub mod instance;
pub mod members;
pub mod metric;
pub mod model;
pub mod name;
pub mod rollout;
pub mod route;
pub mod safe_update;
pub mod scaling;
pub mod tag;
pub mod time;
pub mod uuid;
