//! Lets calls through until somebody wants to end, and tells when the last one is done.

use tokio::sync::watch;

use crate::interruption::Interruption;

/// How many calls are under way, and whether more may begin.
#[derive(Debug)]
pub(crate) struct Gate {
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    under_way: usize,
    closed: bool,
}

/// A call under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Passage<'a>(&'a Gate);

impl Gate {
    pub(super) fn new() -> Self {
        Self { state: watch::Sender::new(State::default()) }
    }

    /// None if no call may begin any more.
    pub(super) fn enter(&self) -> Option<Passage<'_>> {
        let enters = |state: &mut State| {
            if !state.closed {
                state.under_way += 1;
            }
            !state.closed
        };
        self.state.send_if_modified(enters).then(|| Passage(self))
    }

    /// Waits until the user wants it to end, and the call under way is done. Who asks twice does not want to wait.
    pub(crate) async fn closes(&self, interruption: &mut Interruption) {
        interruption.comes().await;
        self.close();
        tokio::select! {
            () = self.is_empty() => {}
            () = interruption.comes() => {}
        }
    }

    pub(super) fn close(&self) {
        self.state.send_modify(|state| state.closed = true);
    }

    pub(super) async fn is_empty(&self) {
        let mut states = self.state.subscribe();
        // The sender is ours: it does not go before this does.
        let _ = states.wait_for(|state| state.under_way == 0).await;
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| state.under_way -= 1);
    }
}
