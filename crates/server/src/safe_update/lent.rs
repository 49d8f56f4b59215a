//! The rights of somebody who is not there any more.
//!
//! They are looked up anew for each call, so that a key that was deactivated, a right that was taken away and a session that
//! has expired count at once.

use std::fmt;
use std::sync::Arc;

use ::safe_update::Fault;
use api::{Asked, Authority, Context, Lend};
use auth::{Credentials, Principal};
use domain::time::{Clock, Timestamp};
use store::record::Lender;

/// Makes of a caller, and of how their call came, what an operation may use.
pub(crate) type AsCaller = dyn Fn(Principal, Asked) -> Context + Send + Sync;

/// Whose keys are good, and what can be done with them.
#[derive(Clone)]
pub(crate) struct Rights {
    pub(crate) authority: Authority,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) as_caller: Arc<AsCaller>,
}

/// The rights of one lender.
pub(super) struct Lent {
    pub(super) rights: Rights,
    pub(super) lender: Lender,
}

impl fmt::Debug for Rights {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Rights").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl fmt::Debug for Lent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Lent").field("lender", &self.lender).finish_non_exhaustive()
    }
}

impl Lend for Lent {
    fn context(&self) -> Result<Context, Fault> {
        let Lender { arn, access_key_id, source_ip, secure, user_agent } = &self.lender;
        let found = self.rights.authority.find(access_key_id);
        let credential = found.filter(|found| found.principal.arn == *arn).ok_or_else(|| {
            let what = "is gone or not active any more";
            refused("UnrecognizedClientException", &self.lender, what)
        })?;
        let now = self.rights.clock.wall().as_millis().div_euclid(1000);
        if credential.session.as_ref().is_some_and(|session| session.expires <= now) {
            return Err(refused("ExpiredTokenException", &self.lender, "has expired"));
        }
        let asked = Asked {
            access_key_id: access_key_id.clone(),
            source_ip: *source_ip,
            secure: *secure,
            user_agent: user_agent.clone(),
        };
        Ok((self.rights.as_caller)(credential.principal.clone(), asked))
    }

    fn now(&self) -> Timestamp {
        self.rights.clock.now()
    }
}

fn refused(code: &str, lender: &Lender, what: &str) -> Fault {
    let Lender { arn, access_key_id, .. } = lender;
    let message =
        format!("The access key {access_key_id} of {arn}, with whose rights this goes on, {what}");
    Fault::Refused { code: code.to_owned(), message, status: 403 }
}
