//! Signed calls to the services of the control plane: admitted, read within bounds, verified, routed, served.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use api::{Asked, Context};
use auth::{Claim, Credential, Expectation, Found, Payload, Problem, SigningKeys};
use bytes::Bytes;
use domain::time::Clock;
use gateway::{ControlBody, PeerInfo, Quota, Share, Step};
use http::header::CONTENT_ENCODING;
use http::request::Parts;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use wire::protocol::PARSED_BODY_BYTES_MAX;
use wire::{Call, ErrorBody, Rejection, Service};

use super::keys::user_agent;
use super::{Front, SKEW_SECS, answer, dry_run};

/// How long a client may take to send a body: at 64 KiB a second the largest one arrives within it.
const BODY_TIME_MAX: Duration = Duration::from_secs(64);

/// A call whose body is longer is read on the control plane's runtime.
const LIGHT_BODY_BYTES_MAX: usize = 4 * 1024;

thread_local! {
    /// Derived keys by thread, so that no request waits for another.
    static KEYS: RefCell<SigningKeys> = RefCell::new(SigningKeys::new());
}

/// Why a request goes no further.
enum Refused {
    Problem(Problem),
    Error(ErrorBody),
}

/// A request whose signature is good.
struct Authentic {
    credential: Found,
    body: Bytes,
    /// The body's share of the budget, given back when the request is answered.
    held: Option<Share>,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

pub(super) async fn take(
    front: &Arc<Front>,
    parts: &Parts,
    claim: Result<Claim<'_>, Problem>,
    mut body: Incoming,
) -> Step {
    let request_id = answer::request_id();
    let signing_name = claim.as_ref().ok().map(|claim| &*claim.service);
    let refused = match authenticate(front, parts, &claim, &mut body).await {
        Ok((claim, authentic)) => match wire::detect(Some(&claim.service), parts) {
            Some(service) => {
                return serve(front, parts, (service, claim), authentic, request_id).await;
            }
            None => answer::error(parts, None, unserved(&claim.service)),
        },
        Err(Refused::Problem(problem)) => answer::problem(parts, signing_name, &problem),
        Err(Refused::Error(error)) => answer::error(parts, signing_name, error),
    };
    Step::Answered(answer::unread(parts, &body, refused))
}

/// Verifies the signature over head and body. Nothing of the body is looked at before.
async fn authenticate<'c, 'a>(
    front: &Front,
    parts: &Parts,
    claim: &'c Result<Claim<'a>, Problem>,
    body: &mut Incoming,
) -> Result<(&'c Claim<'a>, Authentic), Refused> {
    let claim = claim.as_ref().map_err(Clone::clone)?;
    let global = ["sts", "iam"].contains(&&*claim.service);
    let regions = [front.scope.region.as_str(), "us-east-1"];
    let expect = Expectation {
        regions: if global { &regions } else { &regions[..1] },
        // Which services there are is told after it is known who asks.
        services: &[&*claim.service],
        now: front.clock.wall().as_millis().div_euclid(1000),
        skew_secs: SKEW_SECS,
    };
    let admitted = claim.admit(&front.keys.authority, &expect)?;
    let held = hold(parts, body).map_err(Refused::Error)?;
    let body = read(body).await.map_err(Refused::Error)?;
    let payload = Payload::Sha256(auth::sigv4::sha256(&body));
    let authority = &front.keys.authority;
    let credential = KEYS.with_borrow_mut(|keys| admitted.verify(payload, authority, keys))?;
    Ok((claim, Authentic { credential, body, held }))
}

/// A share of what all requests together may hold, for a body: its length, where that is told and the body is not
/// compressed, else the most that is read. Beyond it a call is refused with a 503, which every SDK tries again.
fn hold(parts: &Parts, body: &Incoming) -> Result<Option<Share>, ErrorBody> {
    let plain = !parts.headers.contains_key(CONTENT_ENCODING);
    let told = body.size_hint().exact().filter(|_| plain).and_then(|bytes| bytes.try_into().ok());
    let bytes = told.unwrap_or(PARSED_BODY_BYTES_MAX).min(PARSED_BODY_BYTES_MAX);
    let Some(room) = parts.extensions.get::<Quota>() else { return Ok(None) };
    let share = room.take(bytes).ok_or_else(|| {
        let message = "The server is holding as many request bodies as it may. Try again.";
        ErrorBody::new("ServiceUnavailable", StatusCode::SERVICE_UNAVAILABLE, message)
    })?;
    Ok(Some(share))
}

async fn read(body: &mut Incoming) -> Result<Bytes, ErrorBody> {
    let collected =
        tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, PARSED_BODY_BYTES_MAX).collect())
            .await;
    match collected {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(why)) if why.is::<http_body_util::LengthLimitError>() => Err(ErrorBody::new(
            "RequestEntityTooLargeException",
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("Request size exceeded {PARSED_BODY_BYTES_MAX} bytes"),
        )),
        Ok(Err(_)) => Err(ErrorBody::new(
            "IncompleteBody",
            StatusCode::BAD_REQUEST,
            "The request body ended before its length",
        )),
        Err(_) => Err(ErrorBody::new(
            "RequestTimeout",
            StatusCode::REQUEST_TIMEOUT,
            format!("The request body did not arrive within {} s", BODY_TIME_MAX.as_secs()),
        )),
    }
}

fn unserved(signing_name: &str) -> ErrorBody {
    let message = format!("Tidegate does not serve the AWS service {signing_name:?}");
    ErrorBody::new("UnknownOperationException", StatusCode::BAD_REQUEST, message)
}

/// How the request came.
fn asked(front: &Front, parts: &Parts, credential: &Credential) -> Asked {
    let peer = parts.extensions.get::<PeerInfo>();
    Asked {
        access_key_id: credential.access_key_id.clone(),
        source_ip: peer.map(|peer| peer.address.ip()),
        secure: front.keys.secure,
        user_agent: user_agent(&parts.headers),
    }
}

async fn serve(
    front: &Front,
    parts: &Parts,
    (service, claim): (&'static Service, &Claim<'_>),
    authentic: Authentic,
    request_id: String,
) -> Step {
    let Authentic { credential, body, held } = authentic;
    let is_dry = match dry_run::asked(parts, claim) {
        Ok(is_dry) => is_dry,
        Err(error) => {
            return Step::Answered(answer::error(parts, Some(service.signing_name), error));
        }
    };
    let cx = front.context(credential.principal.clone(), asked(front, parts, &credential));
    let work = Work { cx, is_dry, request_id, held };
    if body.len() > LIGHT_BODY_BYTES_MAX || parts.headers.contains_key(CONTENT_ENCODING) {
        let parts = parts.clone();
        return Step::Continues(Box::pin(async move {
            work.answer(wire::route(service, &parts, &body)).await
        }));
    }
    match wire::route(service, parts, &body) {
        Ok(call) if api::is_light(&call) && !is_dry => Step::Answered(work.answer(Ok(call)).await),
        call => Step::Continues(Box::pin(work.answer(call))),
    }
}

/// A verified call, and who asks.
struct Work {
    cx: Context,
    is_dry: bool,
    request_id: String,
    held: Option<Share>,
}

impl Work {
    async fn answer(self, call: Result<Call, Box<Rejection>>) -> Response<ControlBody> {
        let Self { cx, is_dry, request_id, held: _held } = self;
        let response = match &call {
            Ok(call) if is_dry => api::rehearse(&cx, call, &request_id).await,
            Ok(call) => api::serve(&cx, call, &request_id).await,
            Err(rejection) => rejection.respond(&request_id),
        };
        let service = call.map_or_else(|rejection| rejection.service, |call| call.service);
        let status = response.status().as_u16();
        tracing::debug!(request_id, service = service.id, status, "answered a call");
        answer::body(response)
    }
}
