//! `tidegate/onnx`: serves the `model.onnx` of the model directory.
//!
//! This file routes and bounds. Inference, and the reading and writing of tensors around it, happen on a bounded pool of
//! blocking threads, so that `/ping` answers while a model is busy.

mod datatype;
mod format;
mod model;
mod outline;
mod panics;
mod signature;
mod tensor;
#[cfg(test)]
mod tests;

use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::Full;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use self::datatype::Datatype;
use self::format::{Answer, Format, metadata};
use self::model::Model;
pub(crate) use self::panics::report_in_one_line;
use self::signature::{InputSpec, Signature, TensorSpec};
use crate::Error;
use crate::http::{
    Crash, Refusal, Request, Response, Service, empty, no_such_route, read_body, refuse,
};

/// The model's file within the model directory.
const MODEL_FILE: &str = "model.onnx";

/// Most threads that run inference: beyond this the engine's own threads per inference are the better use of cores.
const WORKERS_MAX: usize = 16;

/// Requests whose body may be in memory at once. Each is at most 6 MiB on the wire and a few times that as tensors;
/// the rest wait in their sockets.
const IN_FLIGHT_MAX: usize = 32;

/// Threads for inference on this machine.
pub(crate) fn workers() -> usize {
    available_parallelism().map_or(1, NonZero::get).min(WORKERS_MAX)
}

/// The ONNX server.
#[derive(Clone, Debug)]
pub(crate) struct Onnx {
    /// Empty until the model is loaded.
    model: Arc<OnceLock<Model>>,
    in_flight: Arc<Semaphore>,
}

impl Onnx {
    /// A server that begins to load its model; must be called within a runtime. A model that cannot be loaded ends
    /// the server.
    pub(crate) fn load(model_dir: &Path, crash: Crash) -> Self {
        let model = Arc::new(OnceLock::new());
        let (path, slot) = (model_dir.join(MODEL_FILE), Arc::clone(&model));
        // Detached on purpose: it ends by itself, and nobody waits for it but `/ping`.
        drop(spawn_blocking(move || match Model::load(&path) {
            Ok(model) => {
                let _ = slot.set(model);
            }
            Err(reason) => {
                crash.with(Error::Model { file: path.display().to_string(), reason });
            }
        }));
        Self { model, in_flight: Arc::new(Semaphore::new(IN_FLIGHT_MAX)) }
    }

    async fn invoke(&self, request: Request) -> Result<Response, Refusal> {
        self.ready()?;
        let Ok(in_flight) = Arc::clone(&self.in_flight).acquire_owned().await else {
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "stopping"));
        };
        let (parts, body) = request.into_parts();
        let body = read_body(body).await?;
        let model = Arc::clone(&self.model);
        let work = spawn_blocking(move || {
            // Held by the work, not by the request: a client that leaves does not end an inference.
            let _in_flight = in_flight;
            infer(&model, &parts.headers, &body)
        });
        let answer = work.await.unwrap_or_else(|_| {
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the request could not be handled"))
        })?;
        Ok(ok(answer.content_type, answer.body))
    }

    fn ready(&self) -> Result<&Model, Refusal> {
        let loading = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the model is loading");
        self.model.get().ok_or_else(loading)
    }

    fn metadata(&self) -> Result<Response, Refusal> {
        Ok(ok("application/json", metadata(self.ready()?.signature())))
    }
}

impl Service for Onnx {
    async fn answer(&self, request: Request) -> Response {
        let allowed = match request.uri().path() {
            "/invocations" => "POST",
            "/ping" | "/v2/health/ready" | "/v2/models/model" => "GET",
            path => return no_such_route(path, None),
        };
        let answer = match (request.uri().path(), request.method()) {
            ("/invocations", &Method::POST) => self.invoke(request).await,
            ("/ping" | "/v2/health/ready", &Method::GET) => {
                self.ready().map(|_| empty(StatusCode::OK))
            }
            ("/v2/models/model", &Method::GET) => self.metadata(),
            (path, _) => return no_such_route(path, Some(allowed)),
        };
        answer.unwrap_or_else(|refusal| refuse(&refusal))
    }
}

/// The whole of a request once its bytes are here: read, run, write.
fn infer(model: &OnceLock<Model>, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Refusal> {
    let Some(model) = model.get() else {
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the model is loading"));
    };
    let format = Format::of_request(headers, &CONTENT_TYPE, body)?;
    let accepted = format.of_answer(headers.get(ACCEPT))?;
    let call = format.read(body, model.signature())?;
    let outputs = model.run(call.inputs, &call.wanted)?;
    accepted.write(&call.style, &outputs)
}

fn ok(content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Reads a body as `/invocations` would, for a model of two inputs or of one, and runs nothing. `kind` chooses the model
/// and the `Content-Type`. For fuzzing: what it says of the body is of no interest.
pub fn read_only(kind: u8, body: &[u8]) {
    let input = |name: &str, datatype, shape| InputSpec { name: name.to_owned(), datatype, shape };
    let inputs = match kind & 3 {
        0 => vec![input("x", Datatype::Fp32, Some(vec![None, Some(2)]))],
        1 => vec![input("x", Datatype::Int64, None)],
        2 => vec![input("x", Datatype::Uint8, Some(vec![Some(2), None, None]))],
        _ => vec![input("x", Datatype::Fp32, Some(vec![])), input("y", Datatype::Bool, None)],
    };
    let outputs = vec![TensorSpec { name: "z".to_owned(), datatype: None, shape: None }];
    let signature = Signature { inputs, outputs };
    let mut headers = HeaderMap::new();
    let named =
        ["application/json", "text/csv", "application/x-npy"].get(usize::from(kind >> 2 & 3));
    if let Some(named) = named {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(named));
    }
    let format = Format::of_request(&headers, &CONTENT_TYPE, body);
    drop(format.and_then(|format| format.read(body, &signature)));
}
