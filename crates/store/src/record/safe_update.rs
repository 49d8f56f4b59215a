//! A safe update that the server carries out: how far it is, and with whose rights it goes on.

use std::net::IpAddr;

use domain::name::EndpointKey;
use domain::safe_update::{Phase, Run};
use serde::{Deserialize, Serialize};

/// The latest safe update of an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SafeUpdate {
    pub run: Run,
    /// Counts from 1 with everybody who began, resumed or undid it. Whoever carries out an earlier turn may keep nothing
    /// any more.
    pub turn: u64,
    /// It waits for somebody to resume or undo it; the run says why.
    pub paused: bool,
    /// ARN of the principal who began it.
    pub started_by: String,
    /// Who lends their rights to the present turn.
    pub lender: Lender,
}

/// Somebody with whose rights the server makes calls, and how their own call came: policies may ask for that too. It
/// holds no secret; whether the key is still good is asked anew for each call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lender {
    /// ARN of the principal.
    pub arn: String,
    pub access_key_id: String,
    pub source_ip: Option<IpAddr>,
    pub secure: bool,
    pub user_agent: Option<String>,
}

impl SafeUpdate {
    pub fn endpoint(&self) -> EndpointKey {
        EndpointKey::from(&self.run.facts.endpoint)
    }

    /// Whether there is nothing more to do.
    pub const fn has_ended(&self) -> bool {
        matches!(self.run.phase, Phase::Ended(_))
    }

    /// Whether somebody is to carry it on.
    pub const fn is_running(&self) -> bool {
        !self.paused && !self.has_ended()
    }
}
