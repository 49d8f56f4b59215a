//! What one gateway thread has: its own connections, keys and random numbers, and what all threads share.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use auth::{Credentials, SigningKeys};
use domain::time::Clock;
use domain::uuid::Uuid;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::control_plane::ControlPlane;
use crate::mirror::Mirror;
use crate::permission::Permission;
use crate::quota::Quota;
use crate::recorder::Recorder;
use crate::route_table::Routes;
use crate::settings::{HELD_BY_COPIES, Settings};
use crate::upstream::Pool;

/// What the gateway is given to work with.
#[derive(Clone)]
pub struct Parts {
    /// Asked once or twice per request, so it answers from memory.
    pub credentials: Arc<dyn Credentials + Send + Sync>,
    pub permission: Arc<dyn Permission>,
    /// Signatures go by its wall time.
    pub clock: Arc<dyn Clock>,
    /// Where `control` publishes.
    pub routes: Arc<Routes>,
    pub control: ControlPlane,
}

impl fmt::Debug for Parts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Parts").field("routes", &self.routes).finish_non_exhaustive()
    }
}

/// What all threads share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) parts: Parts,
    /// Bytes of bodies.
    pub(crate) room: Quota,
    /// Bytes of bodies of copies, which are no part of `room`.
    pub(crate) room_of_copies: Quota,
    /// Requests that wait for an instance.
    pub(crate) waiting: Quota,
    /// When what is still under way must have come to an end; nothing while the server runs on.
    pub(crate) ending: watch::Receiver<Option<Instant>>,
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        parts: Parts,
        ending: watch::Receiver<Option<Instant>>,
    ) -> Self {
        let room = Quota::new(settings.limits.held_bytes);
        let room_of_copies = Quota::new(settings.limits.held_bytes / HELD_BY_COPIES);
        let waiting = Quota::new(settings.limits.waiting);
        Self { settings: Arc::new(settings), parts, room, room_of_copies, waiting, ending }
    }
}

/// One thread's own, with what it shares.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) shared: Shared,
    pub(crate) pool: Pool,
    pub(crate) keys: RefCell<SigningKeys>,
    pub(crate) recorder: Recorder,
    pub(crate) mirror: Mirror,
    random: RefCell<fastrand::Rng>,
}

impl Worker {
    pub(crate) fn new(shared: Shared, seed: u64) -> Self {
        let recorder = shared.settings.sink.as_ref().map_or_else(Recorder::default, |sink| {
            Recorder::new(Arc::clone(&shared.parts.clock), Arc::clone(sink))
        });
        let pool = Pool::default();
        let mirror = Mirror::new(shared.clone(), pool.clone(), recorder.clone());
        Self {
            shared,
            pool,
            keys: RefCell::new(SigningKeys::new()),
            recorder,
            mirror,
            random: RefCell::new(fastrand::Rng::with_seed(seed)),
        }
    }

    /// The random numbers of one choice of variant and instance.
    pub(crate) fn draw(&self) -> (f64, u64) {
        let mut random = self.random.borrow_mut();
        (random.f64(), random.u64(..))
    }

    /// A request's id. It names, it does not protect: no secret lies in it.
    pub(crate) fn request_id(&self) -> String {
        Uuid::from_entropy(self.random.borrow_mut().u128(..)).to_string()
    }
}
