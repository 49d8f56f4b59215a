//! Names of SageMaker's resources, parsed once at the edge, so that an endpoint's name cannot stand where a variant's
//! belongs (`reference/sagemaker-hosting.md`, appendix A).

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest name that SageMaker accepts for a model, an endpoint config, an endpoint or a variant.
pub const NAME_LENGTH_MAX: usize = 63;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name has 1 to 63 letters, digits and hyphens, and neither begins nor ends with a hyphen"
)]
pub struct NameError;

fn is_name(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= NAME_LENGTH_MAX
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(raw: &str) -> Result<Self, NameError> {
                if is_name(raw) { Ok(Self(raw.into())) } else { Err(NameError) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(raw: String) -> Result<Self, NameError> {
                raw.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.as_str().to_owned()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), out)
            }
        }
    )+};
}

names! {
    /// A model's name.
    ModelName,
    /// An endpoint config's name.
    EndpointConfigName,
    /// An endpoint's name. Its case is kept, and must match in `InvokeEndpoint`; see [`EndpointKey`].
    EndpointName,
    /// A production variant's name, unique within its endpoint config.
    VariantName,
}

/// An endpoint's identity in the control plane, where names differ by more than case
/// (`reference/sagemaker-hosting.md`, section 0: unique without regard to case at creation).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EndpointKey(Arc<str>);

impl EndpointKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&EndpointName> for EndpointKey {
    fn from(name: &EndpointName) -> Self {
        Self(name.as_str().to_ascii_lowercase().into())
    }
}

impl Borrow<str> for EndpointKey {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_pattern_of_the_model() {
        let longest = "a".repeat(63);
        for good in ["a", "A-b", "a--b", "0", longest.as_str()] {
            assert!(good.parse::<EndpointName>().is_ok(), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in ["", "-a", "a-", "a_b", "a.b", "ä", "a b", too_long.as_str()] {
            assert!(bad.parse::<EndpointName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn endpoint_keys_fold_case() {
        let [a, b]: [EndpointName; 2] = ["Chat-1".parse().unwrap(), "chat-1".parse().unwrap()];
        assert_ne!(a, b);
        assert_eq!(EndpointKey::from(&a), EndpointKey::from(&b));
    }
}
