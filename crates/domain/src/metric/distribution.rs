//! Many values in little room, for percentiles.

use serde::{Deserialize, Serialize};

use super::Summary;

/// Values with how often each occurred, as a summary and a histogram whose buckets grow with the value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Distribution {
    pub summary: Summary,
}
