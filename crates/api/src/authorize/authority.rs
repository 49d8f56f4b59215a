//! What the server asks besides the control plane's calls: whose a key is, who may invoke, and who may use S3.
//!
//! Its answers come from the store's image as it is at that moment: no lock, and nothing that could be out of date.

use std::fmt;
use std::sync::Arc;

use auth::{Credential, Credentials, Found};
use domain::arn::Scope;
use domain::time::Clock;
use store::{State, Store};

use super::denied::Denied;
use super::facts::Asked;
use super::keyring::{self, Held};
use super::need::Need;
use super::permit::Permit;
use super::standing::Standing;
use super::table::{self, S3Call};
use crate::iam::{PRECISION, note_soon};

/// Keys and permissions of one server. Cheap to clone.
#[derive(Clone)]
pub struct Authority {
    /// The key of the credentials file, which is in no record.
    root: Arc<Credential>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    scope: Scope,
}

/// What is wrong with a session token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    Bad,
    Expired,
}

impl fmt::Debug for Authority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Authority").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Authority {
    pub fn new(
        root: auth::key::AccessKey,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        scope: Scope,
    ) -> Self {
        let root = Arc::new(Credential {
            access_key_id: root.access_key_id,
            secret: root.secret,
            session: None,
            principal: super::standing::root(&scope),
        });
        Self { root, store, clock, scope }
    }

    /// Whether the owner of a key may invoke an endpoint. The answer is that of the moment at which the key was found, or
    /// last known to hold: ask at once.
    pub fn invoke(
        &self,
        found: &Found,
        endpoint: &str,
        asked: impl FnOnce() -> Asked,
    ) -> Result<(), Denied> {
        let held = found.holder::<Held>();
        if found.principal == self.root.principal {
            return Ok(());
        }
        if let Some(held) = held.filter(|held| held.may_invoke(endpoint)) {
            self.note(&held.standing, "sagemaker");
            return Ok(());
        }
        let state = self.store.state();
        let standing = match held.filter(|held| held.is_of(&state)) {
            Some(held) => Arc::clone(&held.standing),
            None => keyring::standing(&state, &self.scope, &found.access_key_id)
                .ok_or(Denied::UnknownKey)?,
        };
        let resource = table::endpoint_arn(&self.scope, endpoint);
        let need = Need::on("sagemaker", "InvokeEndpoint", resource);
        if self.permit(Some(Arc::clone(&standing)), asked()).decide(&state, &need)? {
            keyring::remember(&standing, endpoint);
        }
        self.note(&standing, "sagemaker");
        Ok(())
    }

    /// Notes that a key was used. It costs a look at the clock, and a write once a minute.
    fn note(&self, standing: &Standing, service: &'static str) {
        let now = self.clock.wall();
        if standing.hands_on(now, PRECISION) {
            let id = &standing.credential.access_key_id;
            note_soon(&self.store, &self.scope, id, (service, now));
        }
    }

    /// Whether a request of S3, signed with this key, comes with the token that the key needs.
    pub fn check_token(&self, access_key_id: &str, token: Option<&str>) -> Result<(), TokenFault> {
        let credential = self.find(access_key_id).ok_or(TokenFault::Bad)?;
        match (&credential.session, token) {
            (None, None) => Ok(()),
            (Some(session), Some(token)) if session.token.matches(token) => {
                let now = self.clock.wall().as_millis().div_euclid(1000);
                if session.expires <= now { Err(TokenFault::Expired) } else { Ok(()) }
            }
            (None, Some(_)) | (Some(_), None | Some(_)) => Err(TokenFault::Bad),
        }
    }

    /// Whether the owner of the key in `asked` may have this call of S3 served.
    pub fn s3(&self, call: &S3Call<'_>, asked: Asked) -> Result<(), Denied> {
        let state = self.store.state();
        let standing = self.standing(&state, &asked.access_key_id).ok_or(Denied::UnknownKey)?;
        // What has no case is not implemented either, as its answer will say to the root user. Nobody else gets there.
        let Some(needs) = table::s3_needs(call) else {
            return match standing {
                None => Ok(()),
                Some(_) => Err(Denied::Policy("Access Denied".to_owned())),
            };
        };
        let permit = self.permit(standing.clone(), asked);
        needs.iter().try_for_each(|need| permit.check(&state, need))?;
        if let Some(standing) = standing {
            self.note(&standing, "s3");
        }
        Ok(())
    }

    /// The standing of a key's owner: `Some(None)` is the root user's.
    #[expect(clippy::option_option, reason = "a key may be nobody's, and root stands for itself")]
    fn standing(&self, state: &Arc<State>, access_key_id: &str) -> Option<Option<Arc<Standing>>> {
        if access_key_id == self.root.access_key_id {
            return Some(None);
        }
        let standing = keyring::standing(state, &self.scope, access_key_id)?;
        let is_root = standing.credential.principal == self.root.principal;
        Some((!is_root).then_some(standing))
    }

    fn permit(&self, standing: Option<Arc<Standing>>, asked: Asked) -> Permit {
        Permit::new(standing, asked, self.scope.clone(), self.clock.wall())
    }
}

impl Credentials for Authority {
    fn find(&self, access_key_id: &str) -> Option<Found> {
        if access_key_id == self.root.access_key_id {
            return Some(Found::from(Arc::clone(&self.root)));
        }
        let held = keyring::find(&self.store.state(), &self.scope, access_key_id)?;
        Some(Found::new(held))
    }

    /// Root's key is in no record; any other holds at least until there is a new image.
    fn holds(&self, found: &Found) -> bool {
        match found.holder::<Held>() {
            Some(held) => held.is_of(&self.store.state()),
            None => found.access_key_id == self.root.access_key_id,
        }
    }
}
