//! Calls as values: what AWS's protocols write as JSON goes in and comes out. Reading calls are tried again while that may
//! help; changing ones are made once.

use std::time::Duration;

use domain::safe_update::Refused;
use serde_json::Value;
use wire::{Document, OperationModel, Service};

use crate::{Fault, Remote};

/// How long one thing is tried again and again, in wall time. A server that restarts is back by then, and throttling has
/// passed; what lasts longer is for somebody to look at.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// The first pause before another try, in wall time.
const PAUSE_MIN: Duration = Duration::from_millis(250);

/// The longest pause before another try, in wall time.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Pages of one list. Fifty policies and two hundred scheduled actions are a target's most; a server that always has one
/// page more is broken.
const PAGES_MAX: usize = 200;

/// How long something has been tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    spent: Duration,
    next: Duration,
}

impl Patience {
    pub(crate) const fn new() -> Self {
        Self { spent: Duration::ZERO, next: PAUSE_MIN }
    }

    /// Waits before another try, each time for longer. False if it has lasted long enough.
    pub(crate) async fn wait(&mut self, remote: &impl Remote) -> bool {
        if self.spent >= PATIENCE {
            return false;
        }
        remote.pause(self.next).await;
        self.spent += self.next;
        self.next = (self.next * 2).min(PAUSE_MAX);
        true
    }
}

impl Fault {
    /// Whether another try may go well.
    pub(crate) fn passes(&self) -> bool {
        self.refused().is_none_or(|refused| refused.passes())
    }

    pub(crate) fn refused(&self) -> Option<Refused<'_>> {
        match self {
            Self::Refused { code, message, status } => {
                Some(Refused { code, message, status: *status })
            }
            Self::Lost(_) => None,
        }
    }
}

/// One call, made once. A call that cannot even be written is told as [`Fault::Refused`]: no other try would help.
pub(crate) async fn call(
    remote: &impl Remote,
    service: &'static Service,
    operation: &'static str,
    input: &Value,
) -> Result<Value, Fault> {
    let model = model(service, operation)?;
    let input = match model.input {
        Some(schema) => {
            Document::from_json(schema, input).map_err(|error| unwritten(operation, &error))?
        }
        None => Document::empty(),
    };
    let output = remote.call(service, operation, &input).await?;
    Ok(model.output.map_or(Value::Null, |schema| output.to_json(schema)))
}

/// A call that reads, tried until it is answered or patience ends.
pub(crate) async fn ask(
    remote: &impl Remote,
    service: &'static Service,
    operation: &'static str,
    input: &Value,
) -> Result<Value, Fault> {
    let mut patience = Patience::new();
    loop {
        match call(remote, service, operation, input).await {
            Err(fault) if fault.passes() => {
                if !patience.wait(remote).await {
                    return Err(fault);
                }
            }
            answered => return answered,
        }
    }
}

/// All elements of a list that comes in pages. `input` is an object.
pub(crate) async fn all(
    remote: &impl Remote,
    service: &'static Service,
    operation: &'static str,
    mut input: Value,
    list: &str,
) -> Result<Vec<Value>, Fault> {
    let mut elements = Vec::new();
    for _ in 0..PAGES_MAX {
        let mut page = ask(remote, service, operation, &input).await?;
        if let Some(Value::Array(found)) = page.get_mut(list).map(Value::take) {
            elements.extend(found);
        }
        match page.get_mut("NextToken").map(Value::take) {
            Some(Value::String(token)) if !token.is_empty() => input["NextToken"] = token.into(),
            _ => return Ok(elements),
        }
    }
    Err(Fault::Lost(format!("{operation} has more than {PAGES_MAX} pages")))
}

/// A description as the input of another call: the members that both have, in the same form.
pub(crate) fn as_input(
    service: &'static Service,
    operation: &'static str,
    description: &Value,
) -> Result<Value, Fault> {
    let schema = model(service, operation)?.input;
    let schema = schema.ok_or_else(|| unwritten(operation, &"it takes nothing"))?;
    let input = Document::from_json(schema, description);
    input.map(|input| input.to_json(schema)).map_err(|error| unwritten(operation, &error))
}

fn model(
    service: &'static Service,
    operation: &'static str,
) -> Result<&'static OperationModel, Fault> {
    let model = service.operation(operation);
    model.ok_or_else(|| unwritten(operation, &"the service has no such operation"))
}

fn unwritten(operation: &'static str, problem: &impl ToString) -> Fault {
    let message = format!("{operation} cannot be written: {}", problem.to_string());
    Fault::Refused { code: "SerializationException".to_owned(), message, status: 400 }
}
