//! What an operation may use.

use std::fmt;
use std::sync::Arc;

use auth::Principal;
use domain::arn::{Kind, Scope};
use domain::endpoint::Limits;
use domain::name::{EndpointName, ModelName};
use domain::time::Clock;
use metrics::Metrics;
use store::{Changes, State, Store, Undecided, decide};

use crate::{Asked, Error, Grant, Live};

/// One caller's view of the server.
#[derive(Clone)]
pub struct Context {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub scope: Scope,
    pub caller: Principal,
    /// How the request came, which policies may ask for.
    pub asked: Asked,
    /// By what the call at hand was allowed; none as long as it has not been asked for.
    pub grant: Option<Arc<Grant>>,
    pub limits: Arc<Limits>,
    /// What model servers have written.
    pub logs: Arc<dyn logs::Read>,
    /// Every metric of the server.
    pub metrics: Arc<Metrics>,
    /// What is seen of instances and of scaling as it runs.
    pub live: Arc<dyn Live>,
    /// Random bits for ids.
    pub entropy: Arc<dyn Fn() -> u128 + Send + Sync>,
    /// Tells the control loop that something may be due.
    pub nudge: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Context {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Context")
            .field("scope", &self.scope)
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

impl Context {
    /// Makes one decision: all of its changes are kept, or it is refused and nothing changes. Whether the caller may is
    /// asked once more of the image that is decided about.
    pub(crate) async fn decide<T: Send + 'static>(
        &self,
        decision: impl FnOnce(&State) -> Result<(Changes, T), Error> + Send + 'static,
    ) -> Result<T, Error> {
        let grant = self.grant.clone();
        let granted = move |state: &State| {
            grant.map_or(Ok(()), |grant| grant.holds_in(state))?;
            decision(state)
        };
        match decide(&*self.store, granted).await {
            Ok(value) => {
                (self.nudge)();
                Ok(value)
            }
            Err(Undecided::Refused(error)) => Err(error),
            Err(Undecided::Store(store::Error::Full)) => Err(Error::DiskFull),
            Err(Undecided::Store(store::Error::Disk(why))) => Err(Error::DiskFailed(why)),
            Err(Undecided::Store(why)) => Err(Error::Internal(why.to_string())),
        }
    }

    pub(crate) fn model_arn(&self, name: &ModelName) -> String {
        self.scope.sagemaker(Kind::Model, name)
    }

    pub(crate) fn endpoint_arn(&self, name: &EndpointName) -> String {
        self.scope.sagemaker(Kind::Endpoint, name)
    }
}

/// A name that the model's pattern has admitted already; a pattern wider than ours is told like any bad name.
pub(crate) fn name<N: std::str::FromStr>(member: &'static str, raw: &str) -> Result<N, Error> {
    raw.parse().map_err(|_| Error::BadName { member, value: raw.to_owned() })
}
