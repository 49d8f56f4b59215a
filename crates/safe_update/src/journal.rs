//! What stands in a journal: a run, whose it is, and proof that it is whole.
//!
//! Two lines of JSON: the first says what the second is and whose, and has a checksum of it; the second is the run. Where
//! a journal lies, and who may write it, is its owner's matter.

use domain::name::EndpointName;
use domain::safe_update::Run;
use serde::{Deserialize, Serialize};

/// The form of the run, to be counted up with every change that older programs would misread.
const VERSION: u32 = 2;

/// The form of runs that say nothing of how traffic goes over: older programs read them as they are meant.
const UNGUARDED: u32 = 1;

/// What every journal is.
const KIND: &str = "tidegate safe update";

/// Whose run it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whose {
    /// URL of the server.
    pub url: String,
    pub account: String,
    pub region: String,
    pub endpoint: EndpointName,
}

/// Why a journal cannot be gone on with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    #[error("it is not the journal of a safe update")]
    Other,
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error(
        "it was written by a newer tidegate (version {0} of the journal; this one reads {VERSION})"
    )]
    Newer(u32),
    #[error("it is about another {what}: {theirs}, not {ours}")]
    Foreign { what: &'static str, theirs: String, ours: String },
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    kind: String,
    version: u32,
    #[serde(rename = "for")]
    whose: Whose,
    /// CRC-32 of the second line.
    checksum: u32,
}

/// Writes a journal.
///
/// # Errors
/// In a sentence, where the run has no JSON form.
pub fn write(whose: &Whose, run: &Run) -> Result<String, String> {
    let version = if run.request.is_guarded() { VERSION } else { UNGUARDED };
    let unwritten = |error: serde_json::Error| format!("the journal cannot be written: {error}");
    let run = serde_json::to_string(run).map_err(unwritten)?;
    let head = Head {
        kind: KIND.to_owned(),
        version,
        whose: whose.clone(),
        checksum: crc32fast::hash(run.as_bytes()),
    };
    let head = serde_json::to_string(&head).map_err(unwritten)?;
    Ok(format!("{head}\n{run}\n"))
}

/// Reads a journal, which must be whole and about this endpoint of this server.
pub fn read(text: &str, whose: &Whose) -> Result<Run, JournalError> {
    let (head, run) = text.split_once('\n').unwrap_or((text, ""));
    let seen: serde_json::Value = serde_json::from_str(head).map_err(|_| JournalError::Other)?;
    if seen.get("kind").and_then(serde_json::Value::as_str) != Some(KIND) {
        return Err(JournalError::Other);
    }
    let version = seen.get("version").and_then(serde_json::Value::as_u64).unwrap_or_default();
    if version > u64::from(VERSION) {
        return Err(JournalError::Newer(u32::try_from(version).unwrap_or(u32::MAX)));
    }
    let damaged = |error: serde_json::Error| JournalError::Damaged(error.to_string());
    let head: Head = serde_json::from_value(seen).map_err(damaged)?;
    let run = run
        .strip_suffix('\n')
        .ok_or_else(|| JournalError::Damaged("its end is missing".to_owned()))?;
    if crc32fast::hash(run.as_bytes()) != head.checksum {
        return Err(JournalError::Damaged("its checksum is wrong".to_owned()));
    }
    check(&head.whose, whose)?;
    let run: Run = serde_json::from_str(run).map_err(damaged)?;
    if run.facts.endpoint != whose.endpoint {
        return Err(JournalError::Damaged(format!("its run is about {}", run.facts.endpoint)));
    }
    Ok(run)
}

fn check(theirs: &Whose, ours: &Whose) -> Result<(), JournalError> {
    let parts = [
        ("server", &theirs.url, &ours.url),
        ("account", &theirs.account, &ours.account),
        ("region", &theirs.region, &ours.region),
    ];
    let names = (theirs.endpoint.to_string(), ours.endpoint.to_string());
    let parts = parts.into_iter().chain([("endpoint", &names.0, &names.1)]);
    for (what, theirs, ours) in parts {
        if theirs != ours {
            let (theirs, ours) = (theirs.clone(), ours.clone());
            return Err(JournalError::Foreign { what, theirs, ours });
        }
    }
    Ok(())
}
