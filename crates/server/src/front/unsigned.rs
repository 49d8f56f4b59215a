//! The short list of what answers without a signature.

use domain::time::Clock;
use gateway::ControlBody;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use jiff::Timestamp;
use serde_json::json;

use super::{Front, answer};

/// The answer, if the request is on the list.
pub(super) fn answer(front: &Front, parts: &Parts) -> Option<Response<ControlBody>> {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return None;
    }
    match parts.uri.path() {
        "/healthz" => Some(answer::text(StatusCode::OK, "alive\n")),
        "/readyz" if front.is_ready() => Some(answer::text(StatusCode::OK, "ready\n")),
        "/readyz" => Some(answer::text(StatusCode::SERVICE_UNAVAILABLE, "not ready yet\n")),
        "/tidegate/clock" => Some(clock(front)),
        _ => None,
    }
}

/// The server's time, in which a client must ask for what happened when.
fn clock(front: &Front) -> Response<ControlBody> {
    let show = |at: domain::time::Timestamp| {
        Timestamp::from_millisecond(at.as_millis()).map(|at| at.to_string()).unwrap_or_default()
    };
    let now = front.clock.now();
    let seconds = std::time::Duration::from_millis(now.as_millis().unsigned_abs()).as_secs_f64();
    answer::json(
        StatusCode::OK,
        &json!({
            "now": show(now),
            "now_epoch_seconds": seconds,
            "wall": show(front.clock.wall()),
            "time_scale": front.clock.scale(),
        }),
    )
}
