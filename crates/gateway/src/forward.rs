//! One admitted request from its choice of an instance to the model server's answer.
//!
//! It waits while no instance is ready, goes on to another instance if the request provably did not leave, and never
//! sends a request twice. One deadline spans all of it.

use std::time::Duration;

use domain::instance::InstanceId;
use http::HeaderValue;
use tokio::sync::watch;
use tokio::time::{self, Instant};

use crate::fault::{Fault, ModelFault, Unavailable};
use crate::quota::{Quota, Share};
use crate::route_table::{Choice, Routes, Wanted};
use crate::upstream::{Cause, Failure, Outgoing, Pool, Reply};

/// The first pause after every ready instance refused the connection; it doubles up to [`PAUSE_MAX`]. A model server
/// that restarts is back within a second or so, and `control` takes out one that is not.
const PAUSE_MIN: Duration = Duration::from_millis(25);
const PAUSE_MAX: Duration = Duration::from_millis(400);

/// What forwarding needs of its thread.
#[derive(Debug)]
pub(crate) struct Forward<'a> {
    pub(crate) routes: &'a Routes,
    pub(crate) pool: &'a Pool,
    /// Bytes of bodies.
    pub(crate) room: &'a Quota,
    /// Requests that may wait for an instance.
    pub(crate) waiting: &'a Quota,
    pub(crate) deadline: Instant,
}

/// A good answer, and who gave it.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) reply: Reply,
    pub(crate) variant: HeaderValue,
}

impl Forward<'_> {
    /// Serves one request. `draw` makes the random numbers of one choice.
    pub(crate) async fn serve(
        &self,
        endpoint: &str,
        variant: Option<&str>,
        request: &Outgoing,
        mut draw: impl FnMut() -> (f64, u64),
    ) -> Result<Served, Fault> {
        let mut tried: Vec<InstanceId> = Vec::new();
        let mut wait = Wait::default();
        loop {
            let (unit, random) = draw();
            let wanted = Wanted { endpoint, variant, unit, random };
            match self.routes.choose(&wanted, |id| !tried.contains(id)) {
                Choice::Instance { instance, variant, ticket } => {
                    let sent =
                        self.pool.exchange(&instance, request, self.room, self.deadline).await;
                    // The instance is done with it, whatever the client does with the answer.
                    drop(ticket);
                    match sent {
                        Ok(reply) => return answered(endpoint, reply, variant),
                        Err(failure) if failure.may_try_another_instance() => {
                            tracing::debug!(instance = %instance.id, cause = ?failure.cause, "trying another instance");
                            tried.push(instance.id.clone());
                        }
                        Err(failure) => return Err(blame(endpoint, &instance.id, &failure)),
                    }
                }
                Choice::AllTried => {
                    self.pause(&mut wait).await?;
                    tried.clear();
                }
                Choice::NoneReady => self.until_published(&mut wait).await?,
                Choice::NoEndpoint => {
                    return Err(Fault::EndpointNotFound { endpoint: endpoint.to_owned() });
                }
                Choice::NoVariant => {
                    let variant = variant.unwrap_or_default().to_owned();
                    return Err(Fault::VariantNotFound { endpoint: endpoint.to_owned(), variant });
                }
            }
        }
    }

    /// Waits for another table. The first call only begins to listen: a table may have come between the choice and that.
    async fn until_published(&self, wait: &mut Wait) -> Result<(), Fault> {
        self.reserve(wait)?;
        let Some(changes) = &mut wait.changes else {
            wait.changes = Some(self.routes.changes());
            return Ok(());
        };
        match time::timeout_at(self.deadline, changes.changed()).await {
            Ok(Ok(())) => Ok(()),
            // The sender lives in the very routes we hold.
            Ok(Err(_)) | Err(_) => Err(Fault::Unavailable(Unavailable::NoInstance)),
        }
    }

    /// Waits a moment before the same instances are tried again.
    async fn pause(&self, wait: &mut Wait) -> Result<(), Fault> {
        self.reserve(wait)?;
        let pause = wait.pause.map_or(PAUSE_MIN, |pause| (pause * 2).min(PAUSE_MAX));
        wait.pause = Some(pause);
        let until = Instant::now() + pause;
        if until >= self.deadline {
            return Err(Fault::Unavailable(Unavailable::NoInstance));
        }
        time::sleep_until(until).await;
        Ok(())
    }

    fn reserve(&self, wait: &mut Wait) -> Result<(), Fault> {
        if wait.place.is_none() {
            let place =
                self.waiting.take(1).ok_or(Fault::Unavailable(Unavailable::TooManyWaiting))?;
            wait.place = Some(place);
        }
        Ok(())
    }
}

/// The state of a request that had to wait.
#[derive(Debug, Default)]
struct Wait {
    place: Option<Share>,
    changes: Option<watch::Receiver<()>>,
    pause: Option<Duration>,
}

fn answered(endpoint: &str, reply: Reply, variant: HeaderValue) -> Result<Served, Fault> {
    if reply.status.is_success() {
        return Ok(Served { reply, variant });
    }
    let body = String::from_utf8_lossy(&reply.body).into_owned();
    let fault = ModelFault::Answered { status: reply.status, body, whole: !reply.cut };
    Err(Fault::Model { endpoint: endpoint.to_owned(), fault })
}

fn blame(endpoint: &str, instance: &InstanceId, failure: &Failure) -> Fault {
    tracing::debug!(endpoint, %instance, cause = ?failure.cause, "no answer from a model server");
    let fault = match failure.cause {
        Cause::TimedOut => ModelFault::TimedOut,
        Cause::TooLong { .. } => ModelFault::TooLong,
        Cause::Connect(_) | Cause::NotSent(_) | Cause::Broken(_) => ModelFault::Broken,
        Cause::NoRoom => return Fault::Unavailable(Unavailable::NoRoom),
    };
    Fault::Model { endpoint: endpoint.to_owned(), fault }
}
