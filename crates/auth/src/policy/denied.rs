//! How a refusal reads: `reference/autoscaling-and-cloudwatch.md`, section 8.3.

use std::fmt;

use super::action::Action;
use super::evaluate::{Cause, Found, Layer, Why};

/// The message of `AccessDeniedException` and `AccessDenied`, by `Display`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The caller's ARN: a user's with its path, or a session's.
    pub caller: &'a str,
    pub action: Action<'a>,
    /// The ARN that was asked for; `None` leaves the resource out, as some services do where there is none.
    pub resource: Option<&'a str>,
    pub cause: Cause,
}

impl Why {
    /// The words for this refusal. `resource` is usually that of [`Why::resource`].
    pub const fn refusal<'a>(
        self,
        caller: &'a str,
        action: Action<'a>,
        resource: Option<&'a str>,
    ) -> Refusal<'a> {
        Refusal { caller, action, resource, cause: self.cause }
    }
}

impl Layer {
    /// As the refusals name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Trust => "role trust policy",
        }
    }

    const fn article(self) -> &'static str {
        match self {
            Self::Identity => "an",
            Self::Boundary | Self::Session | Self::Trust => "a",
        }
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { caller, action, resource, cause } = self;
        write!(f, "User: {caller} is not authorized to perform: {action}")?;
        if let Some(resource) = resource {
            write!(f, " on resource: {resource}")?;
        }
        match cause {
            Cause::Implicit(layer) => {
                write!(f, " because no {} allows the {action} action", layer.as_str())
            }
            Cause::Explicit(Found { layer, .. }) => {
                write!(f, " with an explicit deny in {} {}", layer.article(), layer.as_str())
            }
        }
    }
}
