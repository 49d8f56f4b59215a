//! Tasks of a gateway thread, each with a name, none of which can take its thread down.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::task::Poll;

/// Starts a task on this thread. If it panics, that is logged and the task is over.
pub(crate) fn spawn_local(name: &'static str, future: impl Future<Output = ()> + 'static) {
    // Nobody waits for it: it ends by itself, or with its thread.
    drop(tokio::task::spawn_local(async move {
        if let Err(panic) = caught(future).await {
            tracing::error!(task = name, panic, "a task panicked");
        }
    }));
}

/// The future's output, or the text of the panic that ended it.
pub(crate) async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| {
        // What the future leaves behind is not looked at again but by its drop.
        match panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(text(&*panic))),
        }
    })
    .await
}

fn text(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(ToString::to_string);
    literal
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a text".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_its_text() {
        let number = "one";
        assert_eq!(caught(async { panic!("boom") }).await, Err::<(), _>("boom".to_owned()));
        assert_eq!(
            caught(async { panic!("boom {number}") }).await,
            Err::<(), _>("boom one".to_owned())
        );
        assert_eq!(caught(async { 7 }).await, Ok(7));
    }
}
