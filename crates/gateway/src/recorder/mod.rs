//! What one thread has served, counted for the metrics (`reference/autoscaling-and-cloudwatch.md`, section 7.1).
//!
//! Plain cells of one thread: a request takes no lock and touches nothing that another thread writes. What was counted
//! is cut at the edges of [`Measured`]'s windows, and offered to the sink when a window is over. Nothing here knows
//! what becomes of it, or waits for it.

mod flush;
mod latencies;
mod request;
mod series;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use domain::metric::{Measured, Sink};
use domain::time::{Clock, Timestamp};
use foldhash::HashMap;
use tokio::time::Instant;

use crate::route_table::{Routes, Target};

pub(crate) use flush::keep_offering;
pub(crate) use request::{Outcome, Request};

use series::Series;

const WINDOW: Duration = Duration::from_secs(Measured::WINDOW_SECS.unsigned_abs());

/// Windows of variants that wait to be offered: those of ten thousand busy variants in a second that counts for a minute.
/// Beyond it they are not taken as they should be, and what comes is lost rather than the memory.
const OVER_MAX: usize = 65_536;

/// Counts what its thread serves; clones are the same one. Without a sink it is not there at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorder(Option<Rc<Book>>);

/// The open windows of one thread.
#[derive(Debug)]
struct Book {
    clock: Arc<dyn Clock>,
    sink: Arc<dyn Sink>,
    /// The window that is being counted in, and when it is over. Whoever comes later turns the page: a request that has
    /// read the monotonic clock anyway need not ask for server time.
    window: Cell<Timestamp>,
    edge: Cell<Instant>,
    /// By the address of the target, which the series keeps alive. As many as the route table has variants, and those
    /// that still have requests under way.
    series: RefCell<HashMap<usize, Rc<Series>>>,
    /// What was counted in windows that are over. It is offered soon: see [`keep_offering`].
    over: RefCell<Vec<Measured>>,
    /// How many of them there was no room for.
    lost: Cell<usize>,
}

impl Recorder {
    pub(crate) fn new(clock: Arc<dyn Clock>, sink: Arc<dyn Sink>) -> Self {
        let (window, edge) = (Cell::new(Timestamp::default()), Cell::new(Instant::now()));
        let (series, over, lost) = <_>::default();
        let book = Book { clock, sink, window, edge, series, over, lost };
        book.turn();
        Self(Some(Rc::new(book)))
    }

    /// A request whose head has just come. It counts once it is known which variant it is for.
    pub(crate) fn arrive(&self) -> Request {
        Request::new(self.0.clone())
    }

    /// Counts what each instance is busy with now, so that a window in which no request begins shows those that last.
    fn look(&self, routes: &Routes) {
        let Some(book) = &self.0 else { return };
        book.turn_if_over(Instant::now());
        routes.busy(|place, inside| book.series(&place.target).begin(inside));
    }

    /// When the window that is being counted in will be over; nothing if nothing is counted.
    fn edge(&self) -> Option<Instant> {
        self.0.as_ref().map(|book| book.edge.get())
    }

    /// Offers what was counted in windows that are over.
    fn offer(&self) {
        let Some(book) = &self.0 else { return };
        book.turn_if_over(Instant::now());
        book.offer();
    }

    /// Offers all that was counted, the window that is not yet over included.
    pub(crate) fn finish(&self) {
        let Some(book) = &self.0 else { return };
        book.turn();
        book.offer();
    }
}

impl Book {
    fn turn_if_over(&self, now: Instant) {
        if now >= self.edge.get() {
            self.turn();
        }
    }

    /// Begins to count in the window of this moment.
    #[cold]
    fn turn(&self) {
        let window = self.window.get();
        let mut over = self.over.borrow_mut();
        self.series.borrow_mut().retain(|_, series| {
            if let Some(measured) = series.take(window) {
                if over.len() < OVER_MAX {
                    over.push(measured);
                } else {
                    self.lost.set(self.lost.get() + 1);
                }
            }
            Rc::strong_count(series) > 1
        });
        let window = Measured::window_of(self.clock.now());
        self.window.set(window);
        self.edge.set(Instant::now() + self.clock.wall_until(window.plus(WINDOW)));
    }

    fn series(&self, target: &Arc<Target>) -> Rc<Series> {
        let mut all = self.series.borrow_mut();
        let series = all
            .entry(Arc::as_ptr(target).addr())
            .or_insert_with(|| Rc::new(Series::new(Arc::clone(target))));
        Rc::clone(series)
    }

    fn offer(&self) {
        let (over, lost) = (self.over.take(), self.lost.take());
        if lost > 0 {
            tracing::warn!(lost, "metrics of requests were lost: they are taken too slowly");
        }
        if !over.is_empty() {
            self.sink.offer(over);
        }
    }
}
