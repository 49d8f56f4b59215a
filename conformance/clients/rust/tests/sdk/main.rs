//! The AWS SDK for Rust, unmodified, against the server that the environment names. `test_rust.py` starts one and runs
//! this; alone it has nothing to talk to.

mod autoscaling;
mod runtime;
mod support;
