//! What a call was allowed by. Its decision is made later, of an image in which that may have been taken away.

use std::ptr;
use std::sync::Arc;

use store::State;

use super::denied::Denied;
use super::need::Need;
use super::permit::Permit;

/// A call's leave, as one image of the state gave it.
#[derive(Debug)]
pub struct Grant {
    pub(super) permit: Permit,
    pub(super) needs: Vec<Need>,
    pub(super) image: Arc<State>,
}

impl Grant {
    /// Whether the image that is decided about gives it too. With this, a call cannot be overtaken by the change that takes
    /// its leave away and yet be carried out (promise T5).
    pub(crate) fn holds_in(&self, state: &State) -> Result<(), Denied> {
        if ptr::eq(Arc::as_ptr(&self.image), state) {
            return Ok(());
        }
        let permit = self.permit.within(state)?;
        self.needs.iter().try_for_each(|need| permit.check(state, need))
    }
}
