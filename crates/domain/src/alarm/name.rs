//! Names of alarms, which are unique in an account and region.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Refusal;

/// An alarm's name: 1 to 255 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlarmName(Arc<str>);

impl AlarmName {
    /// The longest name, in characters (section 6.3).
    pub const CHARS_MAX: usize = 255;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name that a new alarm may have.
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        let chars = raw.chars().count();
        if chars == 0 || chars > Self::CHARS_MAX {
            return Err(Refusal::NameLength(raw.to_owned()));
        }
        if raw.chars().any(|one| one.is_ascii_control()) {
            return Err(Refusal::NameControl);
        }
        Ok(Self(raw.into()))
    }
}

/// A name to look an alarm up by: one that no alarm can have finds none.
impl From<&str> for AlarmName {
    fn from(raw: &str) -> Self {
        Self(raw.into())
    }
}

impl fmt::Display for AlarmName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Borrow<str> for AlarmName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}
