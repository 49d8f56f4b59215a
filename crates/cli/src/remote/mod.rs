//! The server as `safe_update` works on it: one call after another, each made once, and none begun when it is to end.
//!
//! What may be tried again is decided there. Here is only how a call is made and what its failure is.

mod gate;
#[cfg(test)]
mod tests;

use std::future::pending;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::time::Timestamp;
use safe_update::{Fault, Remote};
use wire::{Document, Service};

use crate::client::{CALL_TIMEOUT, Client, Manner, Retry};
use crate::command::ServerClock;
use crate::{Error, wall};

pub(crate) use gate::Gate;

/// A server, called with the user's key.
#[derive(Debug)]
pub(crate) struct ClientRemote<'a> {
    client: &'a Client,
    gate: Gate,
    /// Whether it has a clock of its own, and more than AWS has.
    is_tidegate: bool,
    /// Server time as it was last told: the next cannot be before it.
    now: Mutex<Timestamp>,
    /// The last failure with all that we know about it.
    failure: Mutex<Option<Error>>,
}

impl<'a> ClientRemote<'a> {
    /// Asks the server what it is. One that does not answer at all is an error; one that has no clock is no Tidegate server.
    pub(crate) async fn meet(client: &'a Client) -> Result<Self, Error> {
        let (is_tidegate, now) = match ServerClock::ask(client).await {
            Ok(clock) => (true, clock.now_millis()),
            Err(Error::Answer { .. }) => (false, wall::now_millis()),
            Err(error) => return Err(error),
        };
        Ok(Self {
            client,
            gate: Gate::new(),
            is_tidegate,
            now: Mutex::new(Timestamp::from_millis(now)),
            failure: Mutex::new(None),
        })
    }

    pub(crate) fn client(&self) -> &'a Client {
        self.client
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn is_tidegate(&self) -> bool {
        self.is_tidegate
    }

    /// The failure that a fault was, with its operation and what to do about it.
    pub(crate) fn explained(&self, fault: &Fault) -> Error {
        let last = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        match last {
            Some(error) if fault_of(&error) == *fault => error,
            _ => Error::Failed(fault.to_string()),
        }
    }
}

impl Remote for ClientRemote<'_> {
    async fn call(
        &self,
        service: &'static Service,
        operation: &'static str,
        input: &Document,
    ) -> Result<Document, Fault> {
        let Some(_passage) = self.gate.enter() else { return pending().await };
        let manner = Manner { operation, timeout: CALL_TIMEOUT, retry: Retry::Never };
        let mut answer = self.client.call_in(service, input, manner).await;
        if answer.as_ref().is_err_and(|error| self.seems_unserved(operation, error)) {
            answer = self.client.call_in(service, input, manner).await;
        }
        answer.map_err(|error| {
            let fault = if self.seems_unserved(operation, &error) {
                let message = format!("the server has no {operation}");
                Fault::Refused { code: "NotImplemented".to_owned(), message, status: 501 }
            } else {
                fault_of(&error)
            };
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            fault
        })
    }

    async fn now(&self) -> Timestamp {
        let told = if self.is_tidegate {
            ServerClock::ask(self.client).await.map(|clock| clock.now_millis()).ok()
        } else {
            Some(wall::now_millis())
        };
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (*now).max(told.map_or(*now, Timestamp::from_millis));
        *now
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl ClientRemote<'_> {
    /// moto answers with a page in HTML where it lacks an operation, each time; AWS and Tidegate do not. Of what is asked
    /// here, it lacks the tags of targets.
    fn seems_unserved(&self, operation: &str, error: &Error) -> bool {
        let elsewhere = !self.is_tidegate && self.client.target().server.aws.is_none();
        elsewhere
            && operation == "ListTagsForResource"
            && error
                .refusal()
                .is_some_and(|refusal| refusal.status == 500 && refusal.code == "Unknown")
    }
}

/// An answer that refuses is one; everything else leaves open whether the call was acted upon.
fn fault_of(error: &Error) -> Fault {
    match error {
        Error::Refused(refusal) => Fault::Refused {
            code: refusal.code.clone(),
            message: refusal.message.clone(),
            status: refusal.status,
        },
        other => Fault::Lost(other.to_string()),
    }
}
