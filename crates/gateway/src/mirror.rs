//! Copies of requests for shadow variants (`reference/sagemaker-hosting.md`, section 5, "Shadow variants").
//!
//! A copy goes the way of a request, by the same `forward`: the same time, the same rules for instances that fail, the
//! same counts, only of the shadow's. Its answer is read to its end and thrown away. It never touches the request that it
//! is a copy of: nobody waits for it, it does not wait for an instance, and its places and bytes are its own.

use std::fmt;
use std::rc::Rc;

use tokio::time::Instant;
use wire::sagemaker_runtime::Operation;

use crate::fault::{Fault, Unavailable};
use crate::forward::{Asked, Forward, Opened};
use crate::quota::{Quota, Share};
use crate::recorder::{self, Recorder};
use crate::route_table::{Copied, Place, Whom};
use crate::stream::Limit;
use crate::task;
use crate::upstream::{Headers, Outgoing, Pool};
use crate::whole::Whole;
use crate::worker::Shared;

/// Sends the copies of one thread; clones are the same one.
#[derive(Clone)]
pub(crate) struct Mirror(Rc<Means>);

struct Means {
    shared: Shared,
    pool: Pool,
    recorder: Recorder,
    /// Copies that may be under way at once.
    places: Quota,
    /// Copies that may wait for an instance: none.
    waiting: Quota,
}

/// How a request is copied, if there is a shadow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Copies<'a> {
    pub(crate) mirror: &'a Mirror,
    pub(crate) operation: Operation,
    /// Without a share of the room for requests.
    pub(crate) body: &'a Whole,
}

/// One copy on its way.
struct Copy {
    operation: Operation,
    place: Place,
    request: Outgoing,
    random: u64,
    /// Those of the request.
    since: Instant,
    deadline: Instant,
    record: recorder::Request,
    _held: [Share; 2],
}

impl Copies<'_> {
    /// Sends a copy of a request if its lot says so, or counts that there was no room for it. `(unit, random)` are fresh
    /// random numbers, as for a choice; the times are when the request had come and when it must be answered.
    pub(crate) fn offer(
        self,
        shadow: &Copied,
        (unit, random): (f64, u64),
        headers: &Headers,
        (since, deadline): (Instant, Instant),
    ) {
        if unit >= shadow.share {
            return;
        }
        let Self { mirror, operation, body } = self;
        let mut record = mirror.0.recorder.arrive();
        record.waits(&shadow.place);
        let held = match mirror.0.hold(body.len()) {
            Ok(held) => held,
            Err(full) => {
                tracing::debug!(?full, shadow = %shadow.place.target.variant, "a copy is dropped");
                record.failed(&Fault::Unavailable(full));
                return;
            }
        };
        let request = Outgoing { headers: headers.clone(), body: body.clone() };
        let place = shadow.place.clone();
        let copy = Copy { operation, place, request, random, since, deadline, record, _held: held };
        let mirror = mirror.clone();
        task::spawn_local("copy for a shadow", async move { mirror.0.carry(copy).await });
    }
}

impl Means {
    /// A copy's place and its body's bytes.
    fn hold(&self, bytes: usize) -> Result<[Share; 2], Unavailable> {
        let place = self.places.take(1).ok_or(Unavailable::Full)?;
        let room = self.shared.room_of_copies.take(bytes).ok_or(Unavailable::NoRoom)?;
        Ok([place, room])
    }

    async fn carry(&self, mut copy: Copy) {
        if let Err(fault) = self.forward(&mut copy).await {
            tracing::debug!(?fault, shadow = %copy.place.target.variant, "a copy was not answered well");
            copy.record.failed(&fault);
        }
    }

    async fn forward(&self, copy: &mut Copy) -> Result<(), Fault> {
        let Copy { operation, place, request, random, since, deadline, record, _held } = copy;
        let shared = &self.shared;
        let forward = Forward {
            routes: &shared.parts.routes,
            pool: &self.pool,
            room: &shared.room_of_copies,
            waiting: &self.waiting,
            inside_max: shared.settings.limits.inside as u64,
            since: *since,
            deadline: *deadline,
        };
        let mut random = fastrand::Rng::with_seed(*random);
        let draw = || (random.f64(), random.u64(..));
        let asked = Asked {
            endpoint: place.target.endpoint.as_str(),
            whom: Whom::Shadow,
            request,
            copies: None,
        };
        match operation {
            Operation::InvokeEndpoint => forward.whole(asked, draw, record).await.map(drop),
            Operation::InvokeEndpointWithResponseStream => {
                let limit = Limit::of(shared, *since);
                let Opened { mut frames, .. } = forward.stream(asked, draw, limit, record).await?;
                while frames.recv().await.is_some() {}
                Ok(())
            }
        }
    }
}

impl Mirror {
    pub(crate) fn new(shared: Shared, pool: Pool, recorder: Recorder) -> Self {
        let places = Quota::new(shared.settings.limits.copies);
        Self(Rc::new(Means { shared, pool, recorder, places, waiting: Quota::new(0) }))
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Mirror").field("places", &self.0.places).finish_non_exhaustive()
    }
}
