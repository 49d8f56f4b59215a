//! S3's protocol over HTTP for one store: signatures, operations, errors in S3's form.
//!
//! `s3s` verifies SigV4 (header, presigned, streaming) and reads and writes the protocol. `gate` refuses before it what `s3s`
//! would let pass, `chunk` bounds what it would hold in memory, `document` tells bad bodies from faults of the server, and `dress`
//! gives errors the members that S3's have.
//! This must not decide what a signer may do; it knows whether a signature is good, and asks the [`Guard`] for the rest.

mod chunk;
mod document;
mod dress;
mod gate;
pub(super) mod guard;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use s3s::{S3Result, s3_error};

pub use guard::{Asked, Denied, Guard, Listing};

use super::Buckets;
use super::name::BucketNames;
use super::operation::Operations;
use chunk::{Chunks, Framing};
use document::{Document, Fault};
use dress::Dresser;
use guard::Gatekeeper;

/// Any error of a body.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// An answer's body; downloads stream through it.
pub type Body = BoxBody<Bytes, BodyError>;

/// Bytes of an XML body: `CompleteMultipartUpload` with 10,000 parts and `DeleteObjects` with 1,000 keys of 1 KiB, each character
/// written as an entity, stay below.
const XML_BYTES_MAX: usize = 8 << 20;

/// Seconds that a signature's date may be off, as AWS's services allow.
const SKEW_SECS: u32 = 15 * 60;

/// Answers S3 requests. Cheap to clone.
#[derive(Clone)]
pub struct S3Service {
    inner: s3s::service::S3Service,
    region: Arc<str>,
}

impl fmt::Debug for S3Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Service").field("region", &self.region).finish_non_exhaustive()
    }
}

/// The S3 of `buckets`. `guard` gives the secret of an access key id, for every request anew, and says what its owner may do;
/// without a good signature by one of them nothing is read or changed. `region` is the one that signatures must name.
pub fn service(buckets: Buckets, guard: impl Guard, region: &str) -> S3Service {
    let guard: Arc<dyn Guard> = Arc::new(guard);
    let mut config = S3Config::default();
    config.xml_max_body_size = XML_BYTES_MAX;
    config.presigned_url_max_skew_time_secs = SKEW_SECS;
    let mut builder = S3ServiceBuilder::new(Operations::new(buckets, region));
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.set_auth(Gatekeeper(Arc::clone(&guard)));
    builder.set_access(Gatekeeper(guard));
    builder.set_validation(BucketNames);
    S3Service { inner: builder.build(), region: region.into() }
}

impl S3Service {
    /// Answers one request. Never fails: what goes wrong is answered as S3 does.
    pub fn call<B>(
        &self,
        request: Request<B>,
    ) -> impl Future<Output = Response<Body>> + Send + 'static
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let (parts, body) = request.into_parts();
        let dresser = Dresser::new(&parts);
        // What runs from here on is the same for every kind of body, and is compiled once.
        let fault = Fault::default();
        let verdict = gate::check(&parts, &self.region).and_then(|framing| {
            let chunks = Chunks::new(body, framing);
            let body = match (document::is_document(&parts), framing) {
                (false, _) => s3s::Body::http_body_unsync(chunks),
                (true, Framing::Plain) => {
                    let document = Document::new(chunks, &parts, fault.clone());
                    s3s::Body::http_body_unsync(document)
                }
                (true, Framing::SignedChunks | Framing::UnsignedChunks) => {
                    return Err(s3_error!(
                        InvalidRequest,
                        "Bodies in signed or checked chunks are for uploads of objects and parts."
                    ));
                }
            };
            Ok(Request::from_parts(parts, body))
        });
        self.clone().answer(verdict, fault, dresser)
    }

    async fn answer(
        self,
        verdict: S3Result<Request<s3s::Body>>,
        fault: Fault,
        dresser: Dresser,
    ) -> Response<Body> {
        let mut response = match verdict {
            Err(error) => error.to_http_response().ok(),
            // Boxed: the future holds every operation's state, and servers hold one per connection.
            Ok(request) => Box::pin(self.inner.call(request)).await.ok(),
        };
        let failed = response.as_ref().is_none_or(|response| response.status().is_server_error());
        if let Some(error) = fault.take().filter(|_| failed) {
            response = error.to_http_response().ok();
        }
        dresser.dress(response.unwrap_or_else(dress::internal_error).map(boxed)).await
    }
}

fn boxed(body: s3s::Body) -> Body {
    body.boxed()
}
