//! Decisions as they are kept for those who ask why.

use super::Decision;
use crate::time::Timestamp;

/// A decision that was made lately, or several of the same outcome in a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Recent {
    /// When the first of them was made.
    pub since: Timestamp,
    /// How many they are.
    pub times: u64,
    /// The last of them.
    pub decision: Decision,
    /// Why SageMaker refused the change that was decided, if it did: its activity's message.
    pub refused: Option<String>,
}
