//! `https://`: one GET, a few redirects, a few attempts, and a body that is bounded in length and in silence.
//!
//! No redirect leaves TLS, and nothing that identifies the server goes out. What the bytes are is the unpacker's to judge,
//! so `Content-Type` and `Content-Encoding` mean nothing here.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::{ACCEPT, ACCEPT_ENCODING, LOCATION, USER_AGENT};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use object_store::client::HttpRequestBody;
use url::Url;

use super::FetchError;
use super::location::web;
use super::pipe::{Closed, Feed};
use crate::network::{self, Network, NetworkError};

/// Release pages redirect twice (to a mirror, then to a signed URL); a loop does so for ever.
const REDIRECTS_MAX: usize = 5;

/// Requests until a head is good. What fails three times within seconds is down, and an endpoint's update should say so soon.
const ATTEMPTS_MAX: u32 = 3;

/// Before the second attempt; twice as long before the third.
const PAUSE: Duration = Duration::from_millis(300);

/// Between two pieces of a body. A stalled connection would otherwise hold the instance until its whole time is up.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Why an attempt gave nothing.
enum Failed {
    /// Another attempt may do better.
    ForNow(FetchError),
    ForGood(FetchError),
}

/// Downloads `from` into `feed`; `limit` is what `feed` takes. `url` is for messages.
pub(super) async fn download(
    network: &Network,
    url: &str,
    from: &Url,
    limit: u64,
    feed: Feed,
) -> Result<(), FetchError> {
    let mut pause = PAUSE;
    let mut attempt = 1;
    let response = loop {
        match ask(network, url, from).await {
            Ok(response) => break response,
            Err(Failed::ForNow(_)) if attempt < ATTEMPTS_MAX => {
                attempt += 1;
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(Failed::ForNow(error) | Failed::ForGood(error)) => return Err(error),
        }
    };
    if response.body().size_hint().lower() > limit {
        return Err(FetchError::TooLong { url: url.to_owned(), limit });
    }
    pump(url, limit, feed, response.into_body().into_data_stream()).await
}

/// Moves `pieces` into `feed`, until the end. A reader that has gone is no failure: it knows why it went.
pub(super) async fn pump<E: std::error::Error + 'static>(
    url: &str,
    limit: u64,
    mut feed: Feed,
    mut pieces: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
) -> Result<(), FetchError> {
    loop {
        let next = poll_fn(|cx| Pin::new(&mut pieces).poll_next(cx));
        let piece = match tokio::time::timeout(SILENCE_MAX, next).await {
            Ok(piece) => piece.transpose().map_err(|error| network::root_cause(&error)),
            Err(_) => Err(format!("nothing came for {} s", SILENCE_MAX.as_secs())),
        };
        let pushed = match piece.map_err(|why| unreachable(url, why))? {
            Some(data) => feed.push(data).await,
            None => return feed.end().await.or(Ok(())),
        };
        match pushed {
            Ok(()) => {}
            Err(Closed::Gone) => return Ok(()),
            Err(Closed::TooLong) => {
                return Err(FetchError::TooLong { url: url.to_owned(), limit });
            }
        }
    }
}

/// One attempt: follows redirects to a good head.
async fn ask(network: &Network, url: &str, from: &Url) -> Result<Response<Incoming>, Failed> {
    let mut at = from.clone();
    for _ in 0..=REDIRECTS_MAX {
        let request = get(&at).map_err(|why| Failed::ForGood(unreachable(url, why)))?;
        let response =
            network.exchange(request).await.map_err(|NetworkError { why, .. }| {
                let via = if at == *from { why } else { format!("{why} ({})", place(&at)) };
                Failed::ForNow(unreachable(url, via))
            })?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        let redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(next) = response.headers().get(LOCATION).filter(|_| redirect) else {
            return Err(refused(url, response.status()));
        };
        at = next
            .to_str()
            .ok()
            .and_then(|next| at.join(next).ok())
            .and_then(|next| web(next.as_str()))
            .ok_or_else(|| {
                Failed::ForGood(answered(url, "a redirect that does not lead to https://"))
            })?;
    }
    Err(Failed::ForGood(answered(url, &format!("more than {REDIRECTS_MAX} redirects"))))
}

fn get(url: &Url) -> Result<Request<HttpRequestBody>, String> {
    Request::get(url.as_str())
        .header(USER_AGENT, HeaderValue::from_static(network::USER_AGENT))
        .header(ACCEPT, HeaderValue::from_static("*/*"))
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
        .body(HttpRequestBody::empty())
        .map_err(|error| error.to_string())
}

fn refused(url: &str, status: StatusCode) -> Failed {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Failed::ForGood(FetchError::NotFound {
            url: url.to_owned(),
            what: format!("the server answered {status}"),
        }),
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Failed::ForNow(answered(url, &status.to_string())),
        status => Failed::ForGood(answered(url, &status.to_string())),
    }
}

fn answered(url: &str, answer: &str) -> FetchError {
    FetchError::Answered { url: url.to_owned(), answer: answer.to_owned() }
}

fn unreachable(url: &str, why: String) -> FetchError {
    FetchError::Unreachable { url: url.to_owned(), why }
}

/// Host and port, for messages about where a redirect led.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
