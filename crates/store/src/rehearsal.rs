//! A store that keeps nothing: decisions are made of one image, and what they would have changed is dropped.

use std::pin::Pin;
use std::sync::Arc;

use crate::{Decision, Error, State, Store, engine};

/// One image of the state, in the place of the store that it is of.
#[derive(Debug, Clone)]
pub struct Rehearsal(Arc<State>);

impl Rehearsal {
    pub const fn of(image: Arc<State>) -> Self {
        Self(image)
    }
}

impl Store for Rehearsal {
    fn state(&self) -> Arc<State> {
        Arc::clone(&self.0)
    }

    fn submit(
        &self,
        decision: Decision,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        let verdict = engine::run(decision, &self.0).map(drop);
        Box::pin(std::future::ready(verdict))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Disk;
    use crate::{Changes, MemoryStore, Undecided, decide};

    #[tokio::test]
    async fn decisions_are_made_and_nothing_of_them_stays() {
        let store = MemoryStore::open(Disk::default()).unwrap();
        let rehearsal = Rehearsal::of(store.state());
        let counted = || {
            decide(&rehearsal, |state: &State| -> Result<_, ()> {
                Ok((Changes::none().count_deployment(state), state.last_deployment() + 1))
            })
        };
        assert_eq!((counted().await.unwrap(), counted().await.unwrap()), (1, 1));
        assert_eq!((rehearsal.state().last_deployment(), store.state().last_deployment()), (0, 0));
        let refused = decide(&rehearsal, |_: &State| Err::<(Changes, ()), _>("no"));
        assert!(matches!(refused.await, Err(Undecided::Refused("no"))));
    }
}
