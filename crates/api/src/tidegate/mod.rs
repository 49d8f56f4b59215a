//! What AWS has no operation for: why a variant scales as it does, the instances behind an endpoint, what became of its
//! last update, and safe updates.
//!
//! What is explained and planned is `domain`'s to say. A safe update is only recorded here: `server` carries it out.

mod alarm;
mod describe_instances;
mod describe_last_update;
mod explain_scaling;
mod lookup;
mod roll_back_update;
mod rollout;
mod safe_updates;
mod shown;
#[cfg(test)]
mod tests;

use domain::name::{EndpointName, VariantName};
use http::StatusCode;
use wire::tidegate::Operation;
use wire::{Call, Document, ErrorBody, Value};

use crate::{Context, Error};

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("There is no endpoint {0}.")]
    NoEndpoint(EndpointName),
    #[error("Endpoint {endpoint} has no variant {variant}; it has: {there}.")]
    NoVariant {
        endpoint: EndpointName,
        variant: VariantName,
        /// The names of those that it has.
        there: String,
    },
    #[error("Endpoint {0} has had no safe update.")]
    NoSafeUpdate(EndpointName),
    /// What is asked for does not go together with the safe update that there is.
    #[error("{0}")]
    InUse(String),
    /// What was asked for cannot be begun.
    #[error("{0}")]
    Invalid(String),
    /// A call that was made for the caller was refused.
    #[error("{message}")]
    Call { code: String, message: String, status: StatusCode },
}

impl Refusal {
    pub(crate) fn body(&self) -> ErrorBody {
        let told = |status, code| ErrorBody::new(code, status, self.to_string());
        match self {
            Self::NoEndpoint(_) | Self::NoVariant { .. } | Self::NoSafeUpdate(_) => {
                told(StatusCode::NOT_FOUND, "ResourceNotFound")
            }
            Self::InUse(_) => told(StatusCode::CONFLICT, "ResourceInUse"),
            Self::Invalid(_) => told(StatusCode::BAD_REQUEST, "ValidationException"),
            Self::Call { code, message, status } => ErrorBody::new(code.clone(), *status, message),
        }
    }
}

pub(crate) async fn serve(cx: &Context, call: &Call) -> Result<Document, Error> {
    let unserved = Error::Unserved { service: call.service.id, operation: call.operation.name };
    let operation: Operation = call.operation.name.parse().map_err(|_| unserved)?;
    match operation {
        Operation::DescribeInstances => {
            shown(describe_instances::describe_instances(cx, &call.input()?))
        }
        Operation::DescribeLastUpdate => {
            shown(describe_last_update::describe_last_update(cx, &call.input()?))
        }
        Operation::DescribeSafeUpdate => {
            shown(safe_updates::describe::describe_safe_update(cx, &call.input()?))
        }
        Operation::ExplainScaling => {
            shown(explain_scaling::explain_scaling(cx, call.input()?).await)
        }
        Operation::ListSafeUpdates => {
            shown(safe_updates::list::list_safe_updates(cx, &call.input()?))
        }
        Operation::PlanSafeUpdate => {
            shown(safe_updates::plan::plan_safe_update(cx, call.input()?).await)
        }
        Operation::ResumeSafeUpdate => {
            shown(safe_updates::resume::resume_safe_update(cx, call.input()?).await)
        }
        Operation::RollBackUpdate => {
            shown(roll_back_update::roll_back_update(cx, &call.input()?).await)
        }
        Operation::StartSafeUpdate => {
            shown(safe_updates::start::start_safe_update(cx, call.input()?).await)
        }
        Operation::UndoSafeUpdate => {
            shown(safe_updates::undo::undo_safe_update(cx, call.input()?).await)
        }
    }
}

fn shown(output: Result<impl Value, Error>) -> Result<Document, Error> {
    output.map(|output| output.to_document())
}
