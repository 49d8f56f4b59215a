//! Calls from within: the server's own operations, made as one of its users would make them.
//!
//! What a user may not do, the server may not do for them either: each call is validated, asked for and answered as if
//! it had come over the network.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use ::safe_update::{Fault, Remote};
use domain::time::Timestamp;
use http::StatusCode;
use wire::{Call, Document, ErrorBody, Service};

use crate::{Context, Error, answer};

/// Whoever lends their rights.
pub trait Lend: Send + Sync {
    /// The caller as they are now: a key may have been taken away, or a session may have ended.
    fn context(&self) -> Result<Context, Fault>;

    /// Server time.
    fn now(&self) -> Timestamp;
}

/// This server, as one of its users sees it.
#[derive(Debug, Clone)]
pub struct Local<L>(pub L);

/// The caller of the present call lends their rights to it, and no longer.
impl Lend for Context {
    fn context(&self) -> Result<Context, Fault> {
        Ok(self.clone())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl<L: Lend + fmt::Debug> Remote for Local<L> {
    async fn call(
        &self,
        service: &'static Service,
        operation: &'static str,
        input: &Document,
    ) -> Result<Document, Fault> {
        let cx = self.0.context()?;
        let unserved = || {
            let message = format!("Tidegate does not serve {operation} of {}", service.id);
            ErrorBody::new("UnknownOperationException", StatusCode::BAD_REQUEST, message)
        };
        let model = service.operation(operation).ok_or_else(unserved).map_err(fault)?;
        let call = Call::within(service, model, input.clone()).map_err(fault)?;
        let answer = made(&cx, &call).await;
        answer.map_err(|error| fault(error.body_for(&call)))
    }

    async fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// The operations that carry out safe updates are among those that safe updates could call: a box ends the recursion.
fn made<'a>(
    cx: &'a Context,
    call: &'a Call,
) -> Pin<Box<dyn Future<Output = Result<Document, Error>> + Send + 'a>> {
    Box::pin(answer(cx, call))
}

fn fault(error: ErrorBody) -> Fault {
    Fault::Refused {
        code: error.code.into_owned(),
        message: error.message,
        status: error.status.as_u16(),
    }
}
