//! One file for each task of the control loop.

pub mod fleets;
pub mod keep_time;
pub mod scale;
