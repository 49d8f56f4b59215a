//! One request on its way through the gateway, as the metrics see it.

use std::rc::Rc;
use std::thread;

use tokio::time::Instant;

use crate::fault::{Fault, StreamFault};
use crate::route_table::Place;
use crate::upstream::Timing;

use super::Book;
use super::series::{Ended, Series};

/// A request under way. It is counted when it is dropped, so that one whose client goes away is counted too; but only
/// if it is known by then which variant it is for.
#[derive(Debug, Default)]
pub(crate) struct Request {
    counted: Option<Counted>,
    /// When a model server had it.
    pub(crate) timing: Timing,
}

#[derive(Debug)]
struct Counted {
    book: Rc<Book>,
    arrived: Instant,
    /// Where it is to be counted.
    series: Option<Rc<Series>>,
    share: f64,
    outcome: Outcome,
}

/// How a request ended, as the metrics tell errors apart. The class is that of the model's status. Where there is none
/// that is an error, or none at all, it is the one that the client was told: whoever is not told of a client error is
/// told of a server error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was answered well, or its client went away before anything was wrong.
    Good,
    /// The model server answered with 4xx.
    ModelRefused,
    /// The model server answered with something else that is not 2xx, or not at all, or not to the end.
    ModelFailed,
    /// It was for a variant, and no model server is to blame that it was not answered.
    GatewayFailed,
}

impl Request {
    pub(super) fn new(book: Option<Rc<Book>>) -> Self {
        let counted = |book| Counted {
            book,
            arrived: Instant::now(),
            series: None,
            share: 0.0,
            outcome: Outcome::Good,
        };
        Self { counted: book.map(counted), timing: Timing::default() }
    }

    /// It goes to an instance of this place now, which thereby has so many.
    pub(crate) fn goes(&mut self, place: &Place, inside: u64, now: Instant) {
        if let Some(counted) = &mut self.counted {
            counted.book.turn_if_over(now);
            counted.belongs(place).begin(inside);
        }
    }

    /// It would go to an instance of this place, if there were one that takes it.
    pub(crate) fn waits(&mut self, place: &Place) {
        if let Some(counted) = &mut self.counted {
            counted.belongs(place);
        }
    }

    /// It could not be answered well.
    pub(crate) fn failed(&mut self, fault: &Fault) {
        if let Some(counted) = &mut self.counted {
            match fault.outcome() {
                Some(outcome) => counted.outcome = outcome,
                None => counted.series = None,
            }
        }
    }

    /// Its answer could not be passed on to its end; gives the reason back.
    pub(crate) fn broke_off(&mut self, fault: StreamFault) -> StreamFault {
        if let Some(counted) = &mut self.counted {
            counted.outcome = fault.outcome();
        }
        fault
    }

    /// Leaves nothing here: it is counted where it goes on.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl Counted {
    fn belongs(&mut self, place: &Place) -> &Series {
        self.share = place.share;
        self.series.insert(self.book.series(&place.target))
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let Some(Counted { book, arrived, series: Some(series), share, outcome }) =
            self.counted.take()
        else {
            return;
        };
        let Timing { sent, answered } = self.timing;
        let now = Instant::now();
        let model = sent.map(|sent| answered.unwrap_or(now).saturating_duration_since(sent));
        let whole = now.saturating_duration_since(arrived);
        let overhead = whole.saturating_sub(model.unwrap_or_default()).as_micros();
        // A request that ends in a panic is answered as a defect of ours.
        let outcome = if thread::panicking() { Outcome::GatewayFailed } else { outcome };
        let model = model.map(|model| model.as_micros());
        book.turn_if_over(now);
        series.end(&Ended { share, outcome, model, overhead });
    }
}
