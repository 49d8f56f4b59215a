//! The account and region that a server stands for, and the ARNs within them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where resources live: every ARN of a server shares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

/// The kinds of SageMaker resource that Tidegate serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Model,
    EndpointConfig,
    Endpoint,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Model, Self::EndpointConfig, Self::Endpoint];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::EndpointConfig => "endpoint-config",
            Self::Endpoint => "endpoint",
        }
    }
}

impl Scope {
    /// `arn:aws:sagemaker:{region}:{account}:{kind}/{name}`, the name's case kept
    /// (`reference/sagemaker-hosting.md`, section 0).
    pub fn sagemaker(&self, kind: Kind, name: impl fmt::Display) -> String {
        format!("arn:aws:sagemaker:{}:{}:{}/{name}", self.region, self.account, kind.as_str())
    }

    /// The account's root user, who may do everything.
    pub fn root(&self) -> String {
        format!("arn:aws:iam::{}:root", self.account)
    }
}

/// A SageMaker resource as an ARN names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource<'a> {
    pub kind: Kind,
    pub name: &'a str,
}

/// Why an ARN leads nowhere on this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Astray {
    /// It has not the form of a SageMaker resource that Tidegate serves.
    Malformed,
    /// It belongs to another account or region.
    Elsewhere,
}

impl Scope {
    /// Reads the ARN of a resource in this scope.
    pub fn resource<'a>(&self, arn: &'a str) -> Result<Resource<'a>, Astray> {
        let mut parts = arn.splitn(6, ':');
        let mut part = || parts.next().ok_or(Astray::Malformed);
        let (prefix, _partition, service) = (part()?, part()?, part()?);
        let (region, account, rest) = (part()?, part()?, part()?);
        if prefix != "arn" || service != "sagemaker" {
            return Err(Astray::Malformed);
        }
        if region != self.region || account != self.account {
            return Err(Astray::Elsewhere);
        }
        let (kind, name) = rest.split_once('/').ok_or(Astray::Malformed)?;
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
        Ok(Resource { kind: kind.ok_or(Astray::Malformed)?, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope { region: "us-east-1".into(), account: "000000000000".into() }
    }

    #[test]
    fn an_arn_reads_back_as_the_resource_it_was_made_of() {
        for kind in Kind::ALL {
            let arn = scope().sagemaker(kind, "Chat-1");
            assert_eq!(scope().resource(&arn), Ok(Resource { kind, name: "Chat-1" }));
        }
    }

    #[test]
    fn strangers_and_nonsense_are_told_apart() {
        for (arn, why) in [
            ("arn:aws:sagemaker:us-east-1:111111111111:endpoint/a", Astray::Elsewhere),
            ("arn:aws:sagemaker:eu-west-1:000000000000:endpoint/a", Astray::Elsewhere),
            ("arn:aws:sagemaker:us-east-1:000000000000:pipeline/a", Astray::Malformed),
            ("arn:aws:sagemaker:us-east-1:000000000000:endpoint", Astray::Malformed),
            ("arn:aws:s3:::bucket", Astray::Malformed),
            ("", Astray::Malformed),
        ] {
            assert_eq!(scope().resource(arn), Err(why), "{arn}");
        }
    }
}
