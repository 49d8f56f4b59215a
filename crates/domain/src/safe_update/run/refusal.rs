//! What a refused call means for the run.

use super::{Order, Phase, Run};
use crate::time::Timestamp;

/// Codes of refusals that pass by themselves, as the services and their SDKs name them
/// (`reference/autoscaling-and-cloudwatch.md`, section 1.1).
const PASSING: [&str; 12] = [
    "ConcurrentUpdateException",
    "ConflictException",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceException",
    "InternalServiceFault",
    "LimitExceededFault",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Codes by which something that a call names is not there.
const ABSENT: [&str; 3] =
    ["ObjectNotFoundException", "ResourceNotFoundException", "ResourceNotFound"];

/// Codes by which SageMaker refuses an update for what it asks: asking again cannot heal it.
const UNHEALABLE: [&str; 2] = ["ValidationException", "ResourceLimitExceeded"];

/// Codes by which a caller is told that they may not. On the way to the new config the run turns round: what it has taken
/// away comes back at once, if they may at least do that.
const FORBIDDEN: [&str; 2] = ["AccessDeniedException", "AccessDenied"];

/// Parts of SageMaker's refusals that say what the next look shows too (`reference/sagemaker-hosting.md`, section 1.1,
/// and promises S1 and S2).
const SHOWN_BY_A_LOOK: [&str; 2] = ["in-progress endpoint", "must be deregistered"];

/// An answer that is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused<'a> {
    pub code: &'a str,
    pub message: &'a str,
    /// Of HTTP.
    pub status: u16,
}

/// What to do about a refused order.
#[derive(Debug, Clone, PartialEq)]
pub enum Reaction {
    /// Look again a little later. How often, is for the caller to bound.
    TryAgain,
    /// The run has changed: keep it, then look again.
    Keep(Box<Run>),
    /// Somebody must decide: why.
    Pause(String),
}

impl Refused<'_> {
    /// Whether asking the same again may go well. What a server has not implemented (501) it will not have in a moment.
    pub fn passes(&self) -> bool {
        let falters = self.status >= 500 || self.status == 429 || PASSING.contains(&self.code);
        falters && self.status != 501
    }
}

impl Run {
    /// What a refused order leads to.
    pub fn refused(&self, order: &Order, refused: Refused<'_>, now: Timestamp) -> Reaction {
        let Refused { code, message, .. } = refused;
        let shown = SHOWN_BY_A_LOOK.iter().any(|part| message.contains(part));
        if refused.passes() || shown || ABSENT.contains(&code) {
            return Reaction::TryAgain;
        }
        let why = format!("{} was refused: {code}: {message}", order.operation());
        let on_the_way = matches!(self.phase, Phase::Raising | Phase::Updating);
        let moves = matches!(order, Order::SetCapacity(_) | Order::UpdateEndpoint { .. });
        let forbidden = on_the_way && FORBIDDEN.contains(&code);
        if moves && (forbidden || UNHEALABLE.contains(&code)) {
            let changed =
                if on_the_way { Some(self.turned(why.clone(), now)) } else { self.modest(now) };
            if let Some(run) = changed {
                return Reaction::Keep(Box::new(run));
            }
        }
        Reaction::Pause(why)
    }
}
