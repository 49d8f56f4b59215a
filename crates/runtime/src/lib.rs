//! Drivers that run instances of model servers.

pub mod driver;
