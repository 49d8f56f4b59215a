//! One admitted request from its choice of an instance to the model server's answer.
//!
//! It waits while no instance is ready, goes on to another instance if the request provably did not leave, and never
//! sends a request twice. One deadline spans all of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use domain::instance::InstanceId;
use http::{HeaderValue, StatusCode};
use tokio::sync::{mpsc, watch};
use tokio::time::{self, Instant};

use crate::fault::{Fault, ModelFault, Unavailable};
use crate::gate::Ticket;
use crate::mirror::Copies;
use crate::quota::{Quota, Share};
use crate::recorder;
use crate::route_table::{Choice, Instance, Routes, Wanted, Whom};
use crate::stream::{self, Limit, Source};
use crate::upstream::{Cause, Failure, Outgoing, Pool, Reply, Sent};
use crate::whole::Whole;

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
    /// Requests that one instance may have at once.
    pub(crate) inside_max: u64,
    /// When the request had come whole.
    pub(crate) since: Instant,
    pub(crate) deadline: Instant,
}

/// What is asked, and of whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) whom: Whom<'a>,
    pub(crate) request: &'a Outgoing,
    /// How it is copied, where there is a shadow; a copy is not.
    pub(crate) copies: Option<Copies<'a>>,
}

/// A good answer, and who gave it.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) reply: Reply,
    pub(crate) variant: HeaderValue,
}

/// An answer that has begun well and goes on.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) variant: HeaderValue,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) custom_attributes: Option<HeaderValue>,
    pub(crate) frames: mpsc::Receiver<Whole>,
}

/// An instance that has begun to answer.
#[derive(Debug)]
struct Reached {
    instance: Arc<Instance>,
    ticket: Ticket,
    sent: Sent,
}

impl Forward<'_> {
    /// Serves one request whose answer is read whole. `draw` makes the random numbers of one choice.
    pub(crate) async fn whole(
        &self,
        asked: Asked<'_>,
        draw: impl FnMut() -> (f64, u64),
        record: &mut recorder::Request,
    ) -> Result<Served, Fault> {
        let endpoint = asked.endpoint;
        let Reached { instance, ticket, sent } = self.reach(asked, draw, record).await?;
        let timing = &mut record.timing;
        let read = self.pool.whole(&instance, sent, self.room, self.deadline, timing).await;
        match &read {
            Ok(reply) => answered(&instance, &ticket, reply.status),
            Err(failure) => self.failed(&instance, &ticket, failure, record),
        }
        // The instance is done with it, whatever the client does with the answer.
        drop(ticket);
        let reply = read.map_err(|failure| blame(endpoint, &instance.id, &failure))?;
        if reply.status.is_success() {
            Ok(Served { reply, variant: instance.place.target.header.clone() })
        } else {
            Err(refused(endpoint, &reply))
        }
    }

    /// Serves one request whose answer is passed on as it comes, from its first byte: until that has come, what goes
    /// wrong is told as it is of any other request. `limit` holds from then on.
    pub(crate) async fn stream(
        &self,
        asked: Asked<'_>,
        draw: impl FnMut() -> (f64, u64),
        limit: Limit,
        record: &mut recorder::Request,
    ) -> Result<Opened, Fault> {
        let endpoint = asked.endpoint;
        let Reached { instance, ticket, sent } = self.reach(asked, draw, record).await?;
        if !sent.head.status.is_success() {
            let timing = &mut record.timing;
            let read = self.pool.whole(&instance, sent, self.room, self.deadline, timing).await;
            return Err(match read {
                Ok(reply) => {
                    answered(&instance, &ticket, reply.status);
                    refused(endpoint, &reply)
                }
                Err(failure) => {
                    self.failed(&instance, &ticket, &failure, record);
                    blame(endpoint, &instance.id, &failure)
                }
            });
        }
        let Sent { mut connection, head } = sent;
        let first = match time::timeout_at(self.deadline, connection.next()).await {
            Ok(first) => first.map_err(Cause::Broken),
            Err(_) => Err(Cause::TimedOut),
        };
        let first = first.map_err(|cause| {
            let failure = cause.after_sending();
            self.failed(&instance, &ticket, &failure, record);
            blame(endpoint, &instance.id, &failure)
        })?;
        let no_room = Fault::Unavailable(Unavailable::NoRoom);
        let held = self.room.take(stream::HELD_BYTES).ok_or(no_room)?;
        let pool = self.pool.clone();
        let (variant, record) = (instance.place.target.header.clone(), record.take());
        let source = Source { connection, instance, ticket, pool, held, record };
        Ok(Opened {
            variant,
            content_type: head.content_type,
            custom_attributes: head.custom_attributes,
            frames: stream::start(source, first, limit),
        })
    }

    /// Sends the request to an instance that takes it.
    async fn reach(
        &self,
        asked: Asked<'_>,
        mut draw: impl FnMut() -> (f64, u64),
        record: &mut recorder::Request,
    ) -> Result<Reached, Fault> {
        let Asked { endpoint, whom, request, mut copies } = asked;
        let mut now = self.since;
        let mut tried: Vec<InstanceId> = Vec::new();
        let mut wait = Wait::default();
        loop {
            let (unit, random) = draw();
            let wanted = Wanted { endpoint, whom, unit, random, inside_max: self.inside_max, now };
            match self.routes.choose(&wanted, |id| !tried.contains(id)) {
                Choice::Instance { instance, ticket, shadow } => {
                    record.goes(&instance.place, ticket.entered_as(), now);
                    // Once, wherever the request itself ends up.
                    if let Some((shadow, copies)) = shadow.and_then(|it| Some((it, copies.take()?)))
                    {
                        copies.offer(
                            &shadow,
                            draw(),
                            &request.headers,
                            (self.since, self.deadline),
                        );
                    }
                    let timing = &mut record.timing;
                    match self.pool.send(&instance, request, (now, self.deadline), timing).await {
                        Ok(sent) => return Ok(Reached { instance, ticket, sent }),
                        Err(failure) => {
                            self.failed(&instance, &ticket, &failure, record);
                            if !failure.may_try_another_instance() {
                                return Err(blame(endpoint, &instance.id, &failure));
                            }
                            tracing::debug!(instance = %instance.id, cause = ?failure.cause, "trying another instance");
                            tried.push(instance.id.clone());
                        }
                    }
                }
                Choice::AllTried(place) => {
                    record.waits(&place);
                    self.pause(&mut wait).await?;
                    tried.clear();
                }
                Choice::Full(place) => {
                    record.waits(&place);
                    return Err(Fault::Unavailable(Unavailable::Full));
                }
                Choice::NoneReady(place) => {
                    record.waits(&place);
                    self.until_published(&mut wait).await?;
                }
                Choice::NoEndpoint => {
                    return Err(Fault::EndpointNotFound { endpoint: endpoint.to_owned() });
                }
                Choice::NoVariant => {
                    let Whom::Named(variant) = whom else {
                        return Err(Fault::EndpointNotFound { endpoint: endpoint.to_owned() });
                    };
                    let (endpoint, variant) = (endpoint.to_owned(), variant.to_owned());
                    return Err(Fault::VariantNotFound { endpoint, variant });
                }
            }
            now = Instant::now();
        }
    }

    /// Counts a failure against the instance if it is one of its own.
    fn failed(
        &self,
        instance: &Instance,
        ticket: &Ticket,
        failure: &Failure,
        record: &recorder::Request,
    ) {
        let now = Instant::now();
        let is_its_own = match &failure.cause {
            // A Unix socket whose queue is full says so; whoever listens there is busy, not gone.
            Cause::Connect(error) => error.kind() != io::ErrorKind::WouldBlock,
            Cause::NotSent(_) | Cause::Broken(_) => true,
            // A request that had waited for most of its time says nothing about whoever got it at last.
            Cause::TimedOut => record.timing.sent.is_some_and(|sent| {
                let allowed = self.deadline.saturating_duration_since(self.since);
                now.saturating_duration_since(sent) >= allowed / 2
            }),
            Cause::TooLong { .. } | Cause::NoRoom => false,
        };
        if is_its_own {
            instance.failed(ticket, now);
        }
        if matches!(failure.cause, Cause::Broken(_)) {
            ticket.broke_off(now);
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

/// Counts an answer for the instance, or against it.
fn answered(instance: &Instance, ticket: &Ticket, status: StatusCode) {
    if status.is_server_error() {
        instance.failed(ticket, Instant::now());
    } else {
        ticket.answered();
    }
}

/// What the client hears of an answer that is not 2xx.
fn refused(endpoint: &str, reply: &Reply) -> Fault {
    let body = String::from_utf8_lossy(&reply.body.joined()).into_owned();
    let fault = ModelFault::Answered { status: reply.status, body, whole: !reply.cut };
    Fault::Model { endpoint: endpoint.to_owned(), fault }
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
