//! Which requests go further: the signature, the body's size, the members' constraints, the caller's permission.
//!
//! The body is read whole and hashed against the signature before anything is forwarded, so that no byte of a forged
//! request reaches a model server (promise T5). What can be refused without the body is refused without it.

use std::str::FromStr;

use auth::{Claim, Expectation, Found, Payload, Problem};
use bytes::Bytes;
use domain::name::{EndpointName, VariantName};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, Method};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use sha2::{Digest, Sha256};
use tokio::time;
use wire::sagemaker_runtime::{Operation, SERVICE};

use crate::fault::{Fault, Unavailable, Unsupported};
use crate::header;
use crate::permission::{Came, Forbidden};
use crate::quota::Share;
use crate::settings::BODY_BYTES_MAX;
use crate::whole::{Collected, Whole};
use crate::worker::Worker;

/// The service in the scope of the runtime's signatures.
pub(crate) const SIGNING_NAME: &str = "sagemaker";

/// The longest value of the headers that pass through (`reference/sagemaker-hosting.md`, appendix A, `Header`).
const HEADER_BYTES_MAX: usize = 1024;

/// A request that may go to a model server.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) endpoint: EndpointName,
    pub(crate) variant: Option<VariantName>,
    /// A header that no endpoint here can honour; said only of endpoints that exist.
    pub(crate) unsupported: Option<Unsupported>,
    pub(crate) body: Whole,
    /// The body's part of what the process may hold.
    pub(crate) held: Share,
}

/// Why a request goes no further, and whether not all of its body was read.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) fault: Fault,
    pub(crate) unread: bool,
}

/// Which of the operations that we serve lives at this path; its label is judged later.
pub(crate) fn operation(path: &str) -> Option<Operation> {
    route(path).map(|(operation, _)| operation)
}

fn route(path: &str) -> Option<(Operation, &str)> {
    let (label, rest) = path.strip_prefix("/endpoints/")?.split_once('/')?;
    match rest {
        "invocations" => Some((Operation::InvokeEndpoint, label)),
        "invocations-response-stream" => Some((Operation::InvokeEndpointWithResponseStream, label)),
        _ => None,
    }
}

/// The header in which the operation's caller says what the model server should answer in.
pub(crate) fn accept(operation: Operation) -> HeaderName {
    match operation {
        Operation::InvokeEndpoint => ACCEPT,
        Operation::InvokeEndpointWithResponseStream => header::ACCEPT,
    }
}

/// Reads and judges a request for the operation that lives at its path.
pub(crate) async fn admit(
    worker: &Worker,
    (parts, came): (&Parts, Came<'_>),
    claim: Result<Claim<'_>, Problem>,
    mut body: Incoming,
) -> Result<Admitted, Refusal> {
    match judge(worker, (parts, came), claim, &mut body).await {
        Ok((members, body, held)) => {
            let Members { endpoint, variant, unsupported } = members;
            Ok(Admitted { endpoint, variant, unsupported, body, held })
        }
        Err(fault) => Err(Refusal { fault, unread: !body.is_end_stream() }),
    }
}

async fn judge(
    worker: &Worker,
    (parts, came): (&Parts, Came<'_>),
    claim: Result<Claim<'_>, Problem>,
    body: &mut Incoming,
) -> Result<(Members, Whole, Share), Fault> {
    let shared = &worker.shared;
    let credentials = &*shared.parts.credentials;
    let claim = claim.map_err(Fault::Signature)?;
    let expectation = Expectation {
        regions: &[&shared.settings.region],
        services: &[SIGNING_NAME],
        now: shared.parts.clock.wall().as_millis().div_euclid(1000),
        skew_secs: shared.settings.skew_secs,
    };
    let unverified = claim.admit(credentials, &expectation).map_err(Fault::Signature)?;
    let announced = body.size_hint().exact();
    if announced.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        return Err(Fault::BodyTooLarge { announced });
    }
    let reading = time::timeout(shared.settings.limits.body_read, read(worker, body));
    let (whole, held, sum) = reading.await.map_err(|_| Fault::BodyTooSlow)??;
    let caller = unverified
        .verify(Payload::Sha256(sum), credentials, &mut worker.keys.borrow_mut())
        .map_err(Fault::Signature)?;
    let members = match plain(parts) {
        Some(members) => members,
        None => examined(parts, &whole.joined())?,
    };
    // Not before the signature is verified: what a key may do is nobody's business who only knows its id. And not
    // before the body is there: what was taken away while it came must not count.
    permit(worker, &caller, &members.endpoint, came)?;
    Ok((members, whole, held))
}

fn permit(
    worker: &Worker,
    caller: &Found,
    endpoint: &EndpointName,
    came: Came<'_>,
) -> Result<(), Fault> {
    let permission = &worker.shared.parts.permission;
    permission.invoke(caller, endpoint, came).map_err(|why| match why {
        Forbidden::Denied(message) => Fault::Forbidden(message),
        Forbidden::UnknownKey => {
            Fault::Signature(Problem::UnknownKey { access_key_id: caller.access_key_id.clone() })
        }
    })
}

/// The whole body, its share of the room, and its hash.
async fn read(worker: &Worker, body: &mut Incoming) -> Result<(Whole, Share, [u8; 32]), Fault> {
    let announced = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let no_room = || Fault::Unavailable(Unavailable::NoRoom);
    let mut held = worker.shared.room.take(announced.unwrap_or(0)).ok_or_else(no_room)?;
    let mut whole = Collected::default();
    let mut hash = Sha256::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            tracing::debug!(%error, "a request's body broke off");
            Fault::BodyBroken
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > BODY_BYTES_MAX {
            return Err(Fault::BodyTooLarge { announced: None });
        }
        if !held.cover(whole.len() + data.len()) {
            return Err(no_room());
        }
        hash.update(&data);
        if whole.len() == 0 && body.is_end_stream() {
            // The usual body comes in one piece.
            return Ok((data.into(), held, hash.finalize().into()));
        }
        whole.push(data);
    }
    Ok((whole.finish(), held, hash.finalize().into()))
}

/// What the path and the headers say.
#[derive(Debug, PartialEq)]
struct Members {
    endpoint: EndpointName,
    variant: Option<VariantName>,
    unsupported: Option<Unsupported>,
}

/// The members of a request so plain that it satisfies the model whatever else is in it; nothing if that is not plain
/// to see. It spares the usual request the general validation, and a test holds the two against each other.
fn plain(parts: &Parts) -> Option<Members> {
    if parts.method != Method::POST {
        return None;
    }
    let (operation, label) = route(parts.uri.path())?;
    let passed = [CONTENT_TYPE, accept(operation), header::CUSTOM_ATTRIBUTES];
    let (mut seen, mut variant) = ([false; 3], None);
    for (name, value) in &parts.headers {
        let is_special = if let Some(place) = passed.iter().position(|one| one == name) {
            if value.len() > HEADER_BYTES_MAX || value.to_str().is_err() {
                return None;
            }
            std::mem::replace(&mut seen[place], true)
        } else if *name == header::TARGET_VARIANT {
            variant.replace(VariantName::from_str(value.to_str().ok()?).ok()?).is_some()
        } else {
            EXAMINED.contains(name)
        };
        if is_special {
            return None;
        }
    }
    let endpoint = EndpointName::from_str(label).ok()?;
    // What no endpoint supports is among the headers that are not plain.
    Some(Members { endpoint, variant, unsupported: None })
}

/// Headers whose constraints only the general validation knows.
const EXAMINED: [HeaderName; 8] = [
    header::DRY_RUN,
    header::INFERENCE_ID,
    header::TARGET_MODEL,
    header::TARGET_CONTAINER_HOSTNAME,
    header::INFERENCE_COMPONENT,
    header::SESSION_ID,
    header::ENABLE_EXPLANATIONS,
    header::PREFIX_AWARE_ID,
];

/// The members of a request that is validated in full.
fn examined(parts: &Parts, body: &Bytes) -> Result<Members, Fault> {
    if parts.headers.contains_key(&header::DRY_RUN) {
        let message = "The header x-tidegate-dry-run is for UpdateEndpoint and DeleteEndpoint: nothing was done.";
        let error = wire::ErrorBody::new("ValidationError", http::StatusCode::BAD_REQUEST, message);
        return Err(Fault::Rejected(Box::new(error)));
    }
    let call = wire::route(&SERVICE, parts, body)
        .map_err(|rejection| Fault::Rejected(Box::new(rejection.error)))?;
    let member = |name| call.input.get(name).and_then(wire::Document::as_str);
    let endpoint = member("EndpointName").unwrap_or_default();
    // Validated already, by the same rule. If the two ever differed, such a name could not be in the table either.
    let endpoint = EndpointName::from_str(endpoint)
        .map_err(|_| Fault::EndpointNotFound { endpoint: endpoint.to_owned() })?;
    let variant = member("TargetVariant").map(|name| {
        VariantName::from_str(name).map_err(|_| Fault::VariantNotFound {
            endpoint: endpoint.as_str().to_owned(),
            variant: name.to_owned(),
        })
    });
    let variant = variant.transpose()?;
    let unsupported =
        UNSUPPORTED.into_iter().find(|(name, _)| member(name).is_some()).map(|(_, header)| header);
    Ok(Members { endpoint, variant, unsupported })
}

/// Members that no endpoint here can honour. An operation that lacks one of them ignores the header.
const UNSUPPORTED: [(&str, Unsupported); 6] = [
    ("TargetModel", Unsupported::TargetModel),
    ("TargetContainerHostname", Unsupported::TargetContainerHostname),
    ("InferenceComponentName", Unsupported::InferenceComponent),
    ("SessionId", Unsupported::SessionId),
    ("EnableExplanations", Unsupported::EnableExplanations),
    ("PrefixAwareId", Unsupported::PrefixAwareId),
];

#[cfg(test)]
mod tests;
