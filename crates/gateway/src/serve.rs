//! One request of a connection: is it inference or the control plane's, and the answer to it.
//!
//! A signature routes by the service in its scope before the path is looked at, so that an S3 object may have the path
//! of an invocation. Everything that is not an invocation goes to the control plane untouched and unverified.

use auth::{Claim, Problem};
use bytes::Bytes;
use domain::name::{EndpointName, VariantName};
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use tokio::time::Instant;
use wire::sagemaker_runtime::{Operation, SERVICE};
use wire::{Protocol, event_stream};

use crate::admit::{self, Admitted, Refusal};
use crate::answer_body::AnswerBody;
use crate::control_plane::PeerInfo;
use crate::fault::Fault;
use crate::forward::{Asked, Forward, Opened, Served};
use crate::header;
use crate::mirror::Copies;
use crate::permission::Came;
use crate::recorder;
use crate::route_table::Whom;
use crate::stream::Limit;
use crate::task;
use crate::upstream::{Headers, Outgoing};
use crate::worker::Worker;

/// What a model server may see of a request's head (`reference/sagemaker-hosting.md`, section 5, "Header allow-list"),
/// beside what it should answer in.
const PASSED_ON: [HeaderName; 3] = [CONTENT_TYPE, header::CUSTOM_ATTRIBUTES, header::INFERENCE_ID];

/// When a request that could not be taken may come again: soon, for what is full now has room with the next answer.
const RETRY_AFTER_SECS: HeaderValue = HeaderValue::from_static("1");

/// Answers a request, whatever is in it.
pub(crate) async fn serve(
    worker: &Worker,
    peer: PeerInfo,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    match task::caught(dispatch(worker, peer, request)).await {
        Ok(response) => response,
        Err(panic) => {
            tracing::error!(panic, "a request ended in a panic");
            refuse(worker, &Fault::Internal, &worker.request_id())
        }
    }
}

async fn dispatch(
    worker: &Worker,
    peer: PeerInfo,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    let (mut parts, body) = request.into_parts();
    if let Some(operation) = admit::operation(parts.uri.path()) {
        let record = worker.recorder.arrive();
        let claim = Claim::parse(&parts);
        if is_ours(&claim) {
            let came = Came {
                from: peer.address.ip(),
                secure: worker.shared.settings.tls.is_some(),
                headers: &parts.headers,
            };
            return invoke(worker, (operation, came), &parts, claim, body, record).await;
        }
    }
    // The control plane holds bodies too: the budget travels with the request.
    parts.extensions.insert(worker.shared.room.clone());
    match worker.shared.parts.control.serve(Request::from_parts(parts, body), peer).await {
        Some(response) => response.map(AnswerBody::relayed),
        None => refuse(worker, &Fault::Internal, &worker.request_id()),
    }
}

/// Whether a request at an invocation's path is one. A signature too broken to name its service is told so in the
/// runtime's words.
fn is_ours(claim: &Result<Claim<'_>, Problem>) -> bool {
    claim.as_ref().map_or(true, |claim| claim.service == admit::SIGNING_NAME)
}

async fn invoke(
    worker: &Worker,
    (operation, came): (Operation, Came<'_>),
    parts: &Parts,
    claim: Result<Claim<'_>, Problem>,
    body: Incoming,
    mut record: recorder::Request,
) -> Response<AnswerBody> {
    let request_id = worker.request_id();
    let admitted = match admit::admit(worker, (parts, came), claim, body).await {
        Ok(admitted) => admitted,
        Err(Refusal { fault, unread }) => {
            let mut response = refuse(worker, &fault, &request_id);
            if unread && parts.version <= Version::HTTP_11 {
                // `listen` lets the client send on and read this. HTTP/2 ends the one stream without harm.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            return response;
        }
    };
    let answered = match operation {
        Operation::InvokeEndpoint => {
            let served = whole(worker, parts, admitted, &mut record).await;
            served.map(|served| answer(served, &request_id))
        }
        // In a box, so that the usual request does not carry the room for it.
        Operation::InvokeEndpointWithResponseStream => {
            let opened = Box::pin(stream(worker, parts, admitted, &mut record)).await;
            opened.map(|opened| streamed(opened, &request_id))
        }
    };
    answered.unwrap_or_else(|fault| {
        record.failed(&fault);
        refuse(worker, &fault, &request_id)
    })
}

async fn whole(
    worker: &Worker,
    parts: &Parts,
    admitted: Admitted,
    record: &mut recorder::Request,
) -> Result<Served, Fault> {
    let forward = forward(worker, Instant::now(), &admitted)?;
    // The body's share of the room is given back when the request is over.
    let Admitted { endpoint, variant, body, held: _held, .. } = admitted;
    let operation = Operation::InvokeEndpoint;
    let headers = passed_on(operation, &parts.headers);
    let outgoing = Outgoing { headers, body };
    let copies = Copies { mirror: &worker.mirror, operation, body: &outgoing.body };
    let asked = asked(&endpoint, variant.as_ref(), &outgoing, copies);
    forward.whole(asked, || worker.draw(), record).await
}

async fn stream(
    worker: &Worker,
    parts: &Parts,
    admitted: Admitted,
    record: &mut recorder::Request,
) -> Result<Opened, Fault> {
    let since = Instant::now();
    let operation = Operation::InvokeEndpointWithResponseStream;
    let forward = forward(worker, since, &admitted)?;
    let Admitted { endpoint, variant, body, held, .. } = admitted;
    let headers = passed_on(operation, &parts.headers);
    // The body is gone long before the answer is over, and its share of the room with it.
    let outgoing = Outgoing { headers, body: body.clone().held(held) };
    // A copy has room of its own, and must not keep the request's.
    let copies = Copies { mirror: &worker.mirror, operation, body: &body };
    let limit = Limit::of(&worker.shared, since);
    let asked = asked(&endpoint, variant.as_ref(), &outgoing, copies);
    forward.stream(asked, || worker.draw(), limit, record).await
}

fn asked<'a>(
    endpoint: &'a EndpointName,
    variant: Option<&'a VariantName>,
    request: &'a Outgoing,
    copies: Copies<'a>,
) -> Asked<'a> {
    let whom = variant.map_or(Whom::ByWeight, |variant| Whom::Named(variant.as_str()));
    Asked { endpoint: endpoint.as_str(), whom, request, copies: Some(copies) }
}

/// The way to a model server for a request that arrived at `since`; none if it asks for what no endpoint here has.
fn forward<'a>(
    worker: &'a Worker,
    since: Instant,
    admitted: &Admitted,
) -> Result<Forward<'a>, Fault> {
    let shared = &worker.shared;
    if let Some(header) = admitted.unsupported {
        let endpoint = admitted.endpoint.as_str().to_owned();
        return Err(if shared.parts.routes.has(&endpoint) {
            Fault::Header { endpoint, header }
        } else {
            Fault::EndpointNotFound { endpoint }
        });
    }
    Ok(Forward {
        routes: &shared.parts.routes,
        pool: &worker.pool,
        room: &shared.room,
        waiting: &shared.waiting,
        inside_max: shared.settings.limits.inside as u64,
        since,
        deadline: since + shared.settings.limits.answer,
    })
}

fn passed_on(operation: Operation, headers: &HeaderMap) -> Headers {
    let accept = admit::accept(operation);
    let passes = |(name, value): (&HeaderName, &HeaderValue)| {
        let name = if *name == accept {
            ACCEPT
        } else if PASSED_ON.contains(name) {
            name.clone()
        } else {
            return None;
        };
        Some((name, value.clone()))
    };
    headers.iter().filter_map(passes).collect()
}

/// The answer to a request that a model server has answered well (`reference/sagemaker-hosting.md`, section 5).
fn answer(served: Served, request_id: &str) -> Response<AnswerBody> {
    let Served { reply, variant } = served;
    let mut response = Response::new(AnswerBody::held(reply.body, reply.held));
    let headers = response.headers_mut();
    headers.insert(header::REQUEST_ID, id(request_id));
    headers.insert(header::INVOKED_PRODUCTION_VARIANT, variant);
    if let Some(value) = reply.content_type {
        headers.insert(CONTENT_TYPE, value);
    }
    if let Some(value) = reply.custom_attributes {
        headers.insert(header::CUSTOM_ATTRIBUTES, value);
    }
    response
}

/// The head of an answer that a model server has begun well, and its frames as they come.
fn streamed(opened: Opened, request_id: &str) -> Response<AnswerBody> {
    let Opened { variant, content_type, custom_attributes, frames } = opened;
    let mut response = Response::new(AnswerBody::streamed(frames));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(event_stream::MEDIA_TYPE));
    headers.insert(header::REQUEST_ID, id(request_id));
    headers.insert(header::INVOKED_PRODUCTION_VARIANT, variant);
    if let Some(value) = content_type {
        headers.insert(header::CONTENT_TYPE, value);
    }
    if let Some(value) = custom_attributes {
        headers.insert(header::CUSTOM_ATTRIBUTES, value);
    }
    response
}

fn refuse(worker: &Worker, fault: &Fault, request_id: &str) -> Response<AnswerBody> {
    let error = fault.answer(&worker.shared.settings);
    tracing::debug!(request_id, code = %error.code, ?fault, "refused");
    let mut response = Protocol::RestJson
        .encode_error(&SERVICE, &error, request_id)
        .map(|body: Bytes| AnswerBody::whole(body));
    if error.status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECS);
    }
    response
}

fn id(request_id: &str) -> HeaderValue {
    HeaderValue::from_str(request_id).expect("a request id is hexadecimal digits and hyphens")
}
