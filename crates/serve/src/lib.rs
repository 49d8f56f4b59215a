//! The model servers built into the binary: `tidegate/echo` and `tidegate/onnx`.
//!
//! The server starts its own binary as a child process, one per instance, and the child calls [`run`]. Each speaks
//! SageMaker's container contract (`reference/sagemaker-hosting.md`, section 6): `GET /ping` and
//! `POST /invocations` over HTTP/1.1.
//!
//! This crate must not know of endpoints, stores or routes: to everything else it is one more model server,
//! as replaceable as a stranger's.

mod echo;
mod http;
mod onnx;
mod settings;
#[cfg(test)]
mod testing;

use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::http::{Crash, Listener};
pub use crate::onnx::read_only as read_onnx_request;
pub use crate::settings::{EchoSettings, Listen, Settings};

/// How long the runtime waits for work that was abandoned at the end (an inference that outlived the drain).
const ABANDONED_WORK_WAIT_MAX: Duration = Duration::ZERO;

/// A built-in model server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Image {
    /// `tidegate/echo`: answers the request body.
    Echo,
    /// `tidegate/onnx`: runs the `model.onnx` of its model directory.
    Onnx,
}

/// Why a model server ended, or never began. The text is one line, meant for the instance's log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An environment variable has a value that breaks its rule.
    #[error("{variable} is {value:?}, but must be {rule}")]
    Setting {
        /// The variable's name.
        variable: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        rule: &'static str,
    },
    /// The socket or port could not be bound.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The path of the socket, or address and port.
        address: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The operating system refused a thread, a timer or a signal handler.
    #[error("cannot start: {0}")]
    Start(std::io::Error),
    /// The model cannot be served.
    #[error("cannot serve {file}: {reason}")]
    Model {
        /// Path of the model file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The echo server was told to crash at a rate, and this is such a crash.
    #[error("crashed in the middle of a request, as TIDEGATE_ECHO_CRASH_RATE asks")]
    CrashAsked,
}

/// Serves until SIGTERM or SIGINT, then finishes what is in flight and returns.
///
/// # Errors
/// Any [`Error`]: the caller prints it on one line and exits with a code other than 0.
pub fn run(image: Image, settings: Settings) -> Result<(), Error> {
    let mut builder = Builder::new_current_thread();
    if image == Image::Onnx {
        builder.max_blocking_threads(onnx::workers());
        onnx::report_in_one_line();
    }
    let runtime = builder.enable_all().build().map_err(Error::Start)?;
    let result = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(Error::Start)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Start)?;
        let stop = async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        };
        serve(image, settings, stop).await
    });
    runtime.shutdown_timeout(ABANDONED_WORK_WAIT_MAX);
    result
}

/// [`run`] inside a runtime the caller owns, until `stop` completes.
async fn serve(
    image: Image,
    settings: Settings,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let listener = Listener::bind(&settings.listen)?;
    let (crash, crashed) = Crash::channel();
    match image {
        Image::Echo => {
            let service = echo::Echo::new(settings.echo, crash);
            http::serve(listener, service, stop, crashed).await
        }
        Image::Onnx => {
            let service = onnx::Onnx::load(&settings.model_dir, crash);
            http::serve(listener, service, stop, crashed).await
        }
    }
}
