//! The one table: every operation of every service, the actions that it needs, and on which resources
//! (`reference/autoscaling-and-cloudwatch.md`, section 8.1).
//!
//! Each service's part is a `match` over its generated operations without a default arm, so that an operation without
//! a case does not compile. Nothing is decided here: a case only reads the input, and looks up what a resource is called.

mod autoscaling;
mod cloudwatch;
mod iam;
mod logs;
mod s3;
mod sagemaker;
mod sts;
mod tidegate;

use domain::arn::Scope;
use domain::scaling::Target;
use store::State;
use wire::Document;

use super::need::Need;
use crate::Error;

pub(crate) use autoscaling::{delete_policy, deregister};
pub(super) use s3::needs as s3_needs;
pub use s3::{Bucket, S3Call, actions as s3_actions};

/// What a case may look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) scope: &'a Scope,
    pub(super) state: &'a State,
    pub(super) input: &'a Document,
    /// The user who asks: IAM's operations that may leave out the name of a user mean this one.
    pub(super) user: Option<&'a str>,
}

/// What an operation needs. None at all means that everybody may.
pub(super) fn needs(
    ask: &Ask<'_>,
    service: &'static str,
    name: &'static str,
) -> Result<Vec<Need>, Error> {
    let unserved = || Error::Unserved { service, operation: name };
    match service {
        "application_autoscaling" => {
            Ok(autoscaling::needs(ask, name.parse().map_err(|_| unserved())?))
        }
        "cloudwatch" => Ok(cloudwatch::needs(ask, name.parse().map_err(|_| unserved())?)),
        "iam" => Ok(iam::needs(ask, name.parse().map_err(|_| unserved())?)),
        "logs" => Ok(logs::needs(ask, name.parse().map_err(|_| unserved())?)),
        "sagemaker" => Ok(sagemaker::needs(ask, name.parse().map_err(|_| unserved())?)),
        "sagemaker_runtime" => {
            Ok(sagemaker::runtime_needs(ask, name.parse().map_err(|_| unserved())?))
        }
        "sts" => Ok(sts::needs(ask, name.parse().map_err(|_| unserved())?)),
        "tidegate" => Ok(tidegate::needs(ask, name.parse().map_err(|_| unserved())?)),
        _ => Err(unserved()),
    }
}

impl Ask<'_> {
    fn text(&self, member: &str) -> &str {
        super::need::text(self.input, member)
    }

    fn endpoint_arn(&self, name: &str) -> String {
        endpoint_arn(self.scope, name)
    }

    /// The ARN of a scalable target, or the wildcard that stands for one that does not exist.
    fn target_arn(&self, target: Option<&Target>) -> String {
        match target {
            Some(target) => target.arn(self.scope),
            None => self.autoscaling_arn("scalable-target/*"),
        }
    }

    fn autoscaling_arn(&self, resource: &str) -> String {
        let Scope { region, account } = self.scope;
        format!("arn:aws:application-autoscaling:{region}:{account}:{resource}")
    }
}

/// An endpoint as its actions name it: in lower case.
pub(crate) fn endpoint_arn(scope: &Scope, name: &str) -> String {
    scope.sagemaker(domain::arn::Kind::Endpoint, name.to_ascii_lowercase())
}
