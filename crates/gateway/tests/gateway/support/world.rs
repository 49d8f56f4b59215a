//! A gateway on a free port with one known key, a control plane that answers for itself, and a table to publish.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use auth::{Credential, Principal, SecretKey};
use domain::route::{
    EndpointRoute, InstanceRoute, RouteTable, ShadowRoute, Strategy, Traffic, VariantRoute,
};
use domain::time::{Clock, Timestamp};
use gateway::{
    BoxFuture, ControlBody, ControlPlane, Everybody, Gateway, Limits, Parts, PeerInfo, Permission,
    Routes, Settings, Step,
};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::client::{Client, Http2};

pub(crate) const REGION: &str = "eu-test-1";
pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const KEY_ID: &str = "AKIAGATEWAYTESTSKEY1";
pub(crate) const SECRET: &str = "only-for-tests/0123456789012345678901234";

/// Server time that runs `scale` times as fast as the wall.
#[derive(Debug)]
pub(crate) struct ScaledClock {
    began: Instant,
    scale: f64,
}

impl ScaledClock {
    pub(crate) fn new(scale: f64) -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), scale })
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000).plus(self.began.elapsed().mul_f64(self.scale))
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(now() * 1000)
    }

    fn wall_until(&self, at: Timestamp) -> Duration {
        at.since(self.now()).div_f64(self.scale)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the gateway checks signatures against the wall clock"
)]
pub(crate) fn now() -> i64 {
    let since =
        std::time::SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since.as_secs()).expect("and before the year 292 billion")
}

pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) routes: Arc<Routes>,
    /// Requests that went to the control plane.
    pub(crate) controlled: Arc<AtomicUsize>,
}

impl World {
    /// Two threads and limits short enough to be waited out.
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::at(ScaledClock::new(1.0), change)
    }

    pub(crate) fn at(clock: Arc<ScaledClock>, change: impl FnOnce(&mut Settings)) -> Self {
        Self::guarded(Arc::new(Everybody), clock, change)
    }

    pub(crate) fn guarded(
        permission: Arc<dyn Permission>,
        clock: Arc<ScaledClock>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::new(REGION, ACCOUNT);
        settings.threads = NonZeroUsize::new(2).expect("two");
        settings.limits = Limits { answer: Duration::from_secs(20), ..Limits::default() };
        change(&mut settings);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let routes = Arc::new(Routes::new());
        let controlled = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&controlled);
        let control = ControlPlane::new(
            Handle::current(),
            Arc::new(move |request, peer| {
                count.fetch_add(1, Ordering::SeqCst);
                let work = control(request, peer);
                Box::pin(async { Step::Continues(work) })
            }),
        );
        let parts = Parts {
            credentials: Arc::new(find),
            permission,
            clock,
            routes: Arc::clone(&routes),
            control,
        };
        let gateway = Gateway::start(listener, settings, parts).expect("the gateway starts");
        Self { gateway, routes, controlled }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.gateway.address()
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address()).await
    }

    pub(crate) async fn http2(&self) -> Http2 {
        Http2::connect(self.address()).await
    }

    /// Publishes one endpoint `e` of these variants: name, weight, instances.
    pub(crate) fn publish(&self, variants: &[(&str, f64, Vec<InstanceRoute>)]) {
        self.publish_with(Strategy::LeastOutstanding, variants);
    }

    pub(crate) fn publish_with(
        &self,
        strategy: Strategy,
        variants: &[(&str, f64, Vec<InstanceRoute>)],
    ) {
        let variants = variants
            .iter()
            .map(|(name, weight, instances)| variant(name, *weight, strategy, instances));
        self.publish_endpoint(EndpointRoute { variants: variants.collect(), shadow: None });
    }

    /// Publishes one endpoint `e` of one variant `v` and its shadow `s`, which gets this part of the requests.
    pub(crate) fn publish_shadowed(
        &self,
        production: &[InstanceRoute],
        shadow: &[InstanceRoute],
        share: f64,
    ) {
        let of = |name, instances| variant(name, 1.0, Strategy::LeastOutstanding, instances);
        let shadow = Some(ShadowRoute { variant: of("s", shadow), share });
        self.publish_endpoint(EndpointRoute { variants: vec![of("v", production)], shadow });
    }

    fn publish_endpoint(&self, endpoint: EndpointRoute) {
        let endpoints = BTreeMap::from([("e".parse().expect("a name"), Arc::new(endpoint))]);
        self.routes.publish(Arc::new(RouteTable { endpoints }));
    }

    /// Publishes one endpoint `e` of one variant `v`.
    pub(crate) fn publish_one(&self, instance: InstanceRoute) {
        self.publish(&[("v", 1.0, vec![instance])]);
    }
}

fn variant(
    name: &str,
    weight: f64,
    strategy: Strategy,
    instances: &[InstanceRoute],
) -> VariantRoute {
    let name = name.parse().expect("a name");
    VariantRoute { name, weight, strategy, instances: instances.to_vec() }
}

fn find(access_key_id: &str) -> Option<Arc<Credential>> {
    (access_key_id == KEY_ID).then(|| {
        Arc::new(Credential {
            access_key_id: KEY_ID.into(),
            secret: SecretKey::new(SECRET),
            session: None,
            principal: Principal {
                account: ACCOUNT.into(),
                arn: format!("arn:aws:iam::{ACCOUNT}:root"),
                user_id: ACCOUNT.into(),
            },
        })
    })
}

/// Streams the body back; `/panic` panics, `/peer` tells who asks, and `/refuse` does not look at the body.
fn control(request: Request<Incoming>, peer: PeerInfo) -> BoxFuture<Response<ControlBody>> {
    Box::pin(async move {
        match request.uri().path() {
            "/panic" => panic!("the control plane was asked to"),
            "/peer" => Response::new(gateway::whole(peer.address.to_string())),
            "/refuse" => Response::builder()
                .status(403)
                .body(gateway::whole("refused"))
                .expect("an answer without headers"),
            _ => Response::builder()
                .header("x-path", request.uri().path())
                .body(request.into_body().map_err(Into::into).boxed_unsync())
                .expect("a path is a header's value"),
        }
    })
}
