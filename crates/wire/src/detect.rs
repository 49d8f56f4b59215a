//! Which service a request is for.
//!
//! The scope of a signature names a signing name, and two services may share one (`sagemaker`): then the target
//! header or the path decides. Only headers and path are looked at, never the body.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use http::request::Parts;

use crate::protocol::{self, Protocol};
use crate::service::{SERVICES, Service};

/// The service a request is for. Without a signing name (an unsigned request) only a target header or a path that
/// belongs to one service tells; None then means that nothing does.
pub fn detect(signing_name: Option<&str>, parts: &Parts) -> Option<&'static Service> {
    let candidates = || {
        let all = SERVICES.iter().copied();
        all.filter(move |service| signing_name.is_none_or(|name| name == service.signing_name))
    };
    if let Some(prefix) = protocol::target(parts).and_then(|target| Some(target.split_once('.')?.0))
        && let Some(service) = candidates().find(|service| service.target_prefix == prefix)
    {
        return Some(service);
    }
    let by_path = candidates().find(|service| protocol::has_path(service, parts));
    // Signed for a service but addressed to none of its operations: its own protocol says so best.
    by_path.or_else(|| {
        signing_name?;
        let by_default = |service: &&Service| !service.protocols.contains(&Protocol::RestJson);
        candidates().find(by_default).or_else(|| candidates().next())
    })
}
