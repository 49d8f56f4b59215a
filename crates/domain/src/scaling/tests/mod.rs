//! Requests and their records: rows name the section of `reference/autoscaling-and-cloudwatch.md` that they come from.

mod progress;
mod register;
mod resource;
mod schedule;
