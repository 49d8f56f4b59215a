//! The control plane's front door: everything on the one port but inference.
//!
//! A signature routes by the service in its scope, before path or target. Unsigned, only a short list answers
//! (DESIGN, "One port"). Here bytes are admitted and verified; what a call does is `api`'s.

mod answer;
mod dry_run;
mod keys;
mod signed;
mod unsigned;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::{Asked, Context};
use artifact::S3Service;
use auth::{Claim, Presence, Principal};
use domain::arn::Scope;
use domain::endpoint::Limits;
use domain::time::Clock;
use gateway::{BoxFuture, PeerInfo, Step};
use http::request::Parts;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use metrics::Metrics;
use store::Store;

use crate::clock::ScaledClock;

pub(crate) use keys::Keys;

/// How far a client's clock may be off, in seconds: the wider of the two windows that AWS has
/// (`reference/autoscaling-and-cloudwatch.md`, section 8.4).
pub(crate) const SKEW_SECS: u32 = 900;

/// What answers are made with.
#[derive(Clone)]
pub(crate) struct Front {
    pub scope: Scope,
    pub clock: Arc<ScaledClock>,
    pub store: Arc<dyn Store>,
    pub keys: Keys,
    pub s3: S3Service,
    /// What model servers have written.
    pub logs: Arc<dyn logs::Read>,
    pub metrics: Arc<Metrics>,
    pub live: Arc<dyn api::Live>,
    pub limits: Arc<Limits>,
    /// Tells the control loop that something may be due.
    pub nudge: Arc<dyn Fn() + Send + Sync>,
    /// Whether the state is loaded and the port serves.
    pub ready: Arc<AtomicBool>,
}

impl fmt::Debug for Front {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Front").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Front {
    /// The handler that the gateway hands requests to.
    pub(crate) fn handler(self) -> Arc<gateway::Handler> {
        let front = Arc::new(self);
        Arc::new(move |request, peer: PeerInfo| -> BoxFuture<Step> {
            Box::pin(Arc::clone(&front).take(request, peer))
        })
    }

    /// What an operation may use that this caller asks for.
    pub(crate) fn context(&self, caller: Principal, asked: Asked) -> Context {
        Context {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            scope: self.scope.clone(),
            caller,
            asked,
            grant: None,
            limits: Arc::clone(&self.limits),
            logs: Arc::clone(&self.logs),
            metrics: Arc::clone(&self.metrics),
            live: Arc::clone(&self.live),
            entropy: Arc::new(crate::entropy::bits),
            nudge: Arc::clone(&self.nudge),
        }
    }

    async fn take(self: Arc<Self>, request: Request<Incoming>, peer: PeerInfo) -> Step {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(peer);
        if auth::presence(&parts) == Presence::None {
            return match unsigned::answer(&self, &parts) {
                Some(answer) => Step::Answered(answer),
                None => self.refuse_unsigned(parts, body),
            };
        }
        // The scope alone routes here; whether the signature is true is found out where the request is served.
        let claim = Claim::parse(&parts);
        let to_s3 = match &claim {
            Ok(claim) => claim.service == "s3",
            Err(_) => answer::looks_like_s3(&parts),
        };
        if !to_s3 {
            return signed::take(&self, &parts, claim, body).await;
        }
        if parts.headers.contains_key(dry_run::HEADER) {
            let message = "x-tidegate-dry-run is for UpdateEndpoint and DeleteEndpoint.";
            let (status, code) = (StatusCode::BAD_REQUEST, "InvalidRequest");
            let refused = answer::s3_error(&parts, status, code, message);
            return Step::Answered(answer::unread(&parts, &body, refused));
        }
        self.bucket_call(parts, body)
    }

    /// An unsigned request gets AWS's error in the form of the service that it seems to be meant for. S3 alone knows a
    /// second kind of signature, in the query, that its presigned URLs may still carry.
    fn refuse_unsigned(self: Arc<Self>, parts: Parts, body: Incoming) -> Step {
        if !answer::looks_like_s3(&parts) {
            let refused = answer::problem(&parts, None, &auth::Problem::Missing);
            return Step::Answered(answer::unread(&parts, &body, refused));
        }
        let old_signature =
            parts.uri.query().is_some_and(|query| query.contains("AWSAccessKeyId="));
        if old_signature {
            self.bucket_call(parts, body)
        } else {
            let status = StatusCode::FORBIDDEN;
            let refused = answer::s3_error(&parts, status, "AccessDenied", "Access Denied");
            Step::Answered(answer::unread(&parts, &body, refused))
        }
    }

    /// S3 verifies signatures itself: those of its streamed bodies come piece by piece.
    fn bucket_call(self: Arc<Self>, parts: Parts, body: Incoming) -> Step {
        Step::Continues(Box::pin(async move {
            self.s3.call(Request::from_parts(parts, body)).await.map(BodyExt::boxed_unsync)
        }))
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }
}
