//! Standings and decisions that each thread remembers, so that the usual request costs a look-up and no evaluation.
//!
//! Nothing in here expires: an entry counts as long as the records that it was made of are those of the image at hand.
//! While the image is the same one that is known at once; behind a new image each entry is compared once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::arn::Scope;
use store::State;

use super::standing::Standing;

/// Keys that one thread remembers; with more it begins anew. Each holds little but what all threads share.
const KEYS_MAX: usize = 4_096;

/// Endpoints that one key is remembered to be allowed to invoke; with more it begins anew.
const ENDPOINTS_MAX: usize = 1_024;

#[derive(Default)]
struct Keyring {
    /// The image that was looked at last.
    image: Option<Arc<State>>,
    /// Counts images.
    images: u64,
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    standing: Arc<Standing>,
    /// The image in which it was last found to hold.
    held_in: u64,
    /// Names of endpoints, as they were spelled, that every request of this key may invoke.
    invokes: BTreeSet<Box<str>>,
}

thread_local! {
    static KEYRING: RefCell<Keyring> = RefCell::default();
}

impl Keyring {
    fn entry(
        &mut self,
        state: &Arc<State>,
        scope: &Scope,
        access_key_id: &str,
    ) -> Option<&mut Entry> {
        if self.image.as_ref().is_none_or(|image| !Arc::ptr_eq(image, state)) {
            self.image = Some(Arc::clone(state));
            self.images += 1;
        }
        let images = self.images;
        let holds = self.entries.get_mut(access_key_id).is_some_and(|entry| {
            if entry.held_in != images && entry.standing.holds_in(state) {
                entry.held_in = images;
            }
            entry.held_in == images
        });
        if !holds {
            self.entries.remove(access_key_id);
            let standing = Arc::new(Standing::find(state, scope, access_key_id)?);
            if self.entries.len() >= KEYS_MAX {
                self.entries.clear();
            }
            let entry = Entry { standing, held_in: images, invokes: BTreeSet::new() };
            self.entries.insert(access_key_id.to_owned(), entry);
        }
        self.entries.get_mut(access_key_id)
    }
}

/// Where the owner of this key stands, by this image. `None` if there is no such key, or it is not active.
pub(super) fn standing(
    state: &Arc<State>,
    scope: &Scope,
    access_key_id: &str,
) -> Option<Arc<Standing>> {
    KEYRING.with_borrow_mut(|keyring| {
        keyring.entry(state, scope, access_key_id).map(|entry| Arc::clone(&entry.standing))
    })
}

/// What is known of a key and an endpoint.
pub(super) enum Known {
    /// The key is nobody's.
    Nobody,
    Allowed,
    /// It must be asked.
    Open(Arc<Standing>),
}

pub(super) fn invoke(
    state: &Arc<State>,
    scope: &Scope,
    access_key_id: &str,
    endpoint: &str,
) -> Known {
    KEYRING.with_borrow_mut(|keyring| match keyring.entry(state, scope, access_key_id) {
        None => Known::Nobody,
        Some(entry) if entry.invokes.contains(endpoint) => Known::Allowed,
        Some(entry) => Known::Open(Arc::clone(&entry.standing)),
    })
}

/// Remembers that this standing allows every request to an endpoint.
pub(super) fn remember(standing: &Arc<Standing>, endpoint: &str) {
    KEYRING.with_borrow_mut(|keyring| {
        let entry = keyring.entries.get_mut(&standing.credential.access_key_id);
        if let Some(entry) = entry.filter(|entry| Arc::ptr_eq(&entry.standing, standing)) {
            if entry.invokes.len() >= ENDPOINTS_MAX {
                entry.invokes.clear();
            }
            entry.invokes.insert(endpoint.into());
        }
    });
}
