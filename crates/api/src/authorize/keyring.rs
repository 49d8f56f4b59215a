//! Keys and decisions that each thread remembers, so that the usual request costs a look-up and no evaluation.
//!
//! Nothing in here expires: an entry counts as long as the records that it was made of are those of the image at hand.
//! While the image is the same one, or another with the same tables of IAM, that is known at once; when these have changed
//! each entry is compared once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use auth::{Credential, Holder};
use domain::arn::Scope;
use store::State;

use super::standing::{Identities, Standing};

/// Keys that one thread remembers; with more it begins anew. Each holds little but what all threads share.
const KEYS_MAX: usize = 4_096;

/// Endpoints that one key is remembered to be allowed to invoke; with more it begins anew.
const ENDPOINTS_MAX: usize = 1_024;

/// A key by one image of the state, with what has been decided about it. A verified request carries it from the check
/// of its signature to the question what its caller may do.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) standing: Arc<Standing>,
    /// The image in which the standing was last found to hold. It is known again, and not kept: an image is big.
    image: Weak<State>,
    /// Names of endpoints, as they were spelled, that every request of this key may invoke.
    invokes: Arc<BTreeSet<Box<str>>>,
}

impl Held {
    /// Whether it was found in this very image. That of another could not be at the same address: as long as this is
    /// here, the address is taken.
    pub(super) fn is_of(&self, image: &Arc<State>) -> bool {
        self.image.as_ptr() == Arc::as_ptr(image)
    }

    /// Whether every request of this key may invoke an endpoint of this name, as far as is remembered.
    pub(super) fn may_invoke(&self, endpoint: &str) -> bool {
        self.invokes.contains(endpoint)
    }

    fn with(&self, endpoint: &str) -> Self {
        let mut invokes = match self.invokes.len() {
            ENDPOINTS_MAX.. => BTreeSet::new(),
            _ => BTreeSet::clone(&self.invokes),
        };
        invokes.insert(endpoint.into());
        Self { invokes: Arc::new(invokes), ..self.clone() }
    }
}

impl Holder for Held {
    fn credential(&self) -> &Credential {
        &self.standing.credential
    }
}

/// What one thread remembers.
#[derive(Default)]
struct Keyring {
    /// The tables that were looked at last.
    identities: Identities,
    /// Counts them.
    turns: u64,
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    held: Arc<Held>,
    /// The tables in which it was last found to hold, by their number.
    held_in: u64,
}

thread_local! {
    static KEYRING: RefCell<Keyring> = RefCell::default();
}

impl Keyring {
    fn find(
        &mut self,
        state: &Arc<State>,
        scope: &Scope,
        access_key_id: &str,
    ) -> Option<Arc<Held>> {
        if let Some(Entry { held, .. }) = self.entries.get(access_key_id)
            && held.is_of(state)
        {
            return Some(Arc::clone(held));
        }
        let held = Arc::new(self.turn_to(state, scope, access_key_id)?);
        if self.entries.len() >= KEYS_MAX && !self.entries.contains_key(access_key_id) {
            self.entries.clear();
        }
        let entry = Entry { held: Arc::clone(&held), held_in: self.turns };
        self.entries.insert(access_key_id.to_owned(), entry);
        Some(held)
    }

    /// A key by an image in which it was not found yet.
    fn turn_to(&mut self, state: &Arc<State>, scope: &Scope, access_key_id: &str) -> Option<Held> {
        if !self.identities.are_of(state) {
            self.identities = Identities::of(state);
            self.turns += 1;
        }
        let image = Arc::downgrade(state);
        if let Some(Entry { held, held_in }) = self.entries.get(access_key_id) {
            if *held_in == self.turns || held.standing.holds_in(state) {
                return Some(Held { image, ..Held::clone(held) });
            }
            self.entries.remove(access_key_id);
        }
        let standing = Arc::new(Standing::find(state, scope, access_key_id)?);
        Some(Held { standing, image, invokes: Arc::default() })
    }
}

/// A key by this image. `None` if there is no such key, or it is not active.
pub(super) fn find(state: &Arc<State>, scope: &Scope, access_key_id: &str) -> Option<Arc<Held>> {
    KEYRING.with_borrow_mut(|keyring| keyring.find(state, scope, access_key_id))
}

/// Where the owner of this key stands, by this image. `None` if there is no such key, or it is not active.
pub(super) fn standing(
    state: &Arc<State>,
    scope: &Scope,
    access_key_id: &str,
) -> Option<Arc<Standing>> {
    find(state, scope, access_key_id).map(|held| Arc::clone(&held.standing))
}

/// Remembers that this standing allows every request to an endpoint.
pub(super) fn remember(standing: &Arc<Standing>, endpoint: &str) {
    KEYRING.with_borrow_mut(|keyring| {
        let entry = keyring.entries.get_mut(&standing.credential.access_key_id);
        if let Some(entry) = entry.filter(|entry| Arc::ptr_eq(&entry.held.standing, standing)) {
            entry.held = Arc::new(entry.held.with(endpoint));
        }
    });
}
