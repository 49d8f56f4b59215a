//! Tokens of pages: opaque to clients, and no secret. What is not one of ours is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Refusal;

/// Changes when the meaning of tokens does.
const VERSION: u8 = 1;

/// A token of a place in some list; `list` tells lists and orders apart.
pub(super) fn write(list: &str, place: impl Serialize) -> String {
    // A tuple of numbers and texts is always JSON.
    let json = serde_json::to_string(&(VERSION, list, place)).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(json)
}

pub(super) fn read<P: DeserializeOwned>(
    list: &str,
    token: Option<&str>,
) -> Result<Option<P>, Refusal> {
    let Some(token) = token else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Refusal::BadToken)?;
    let (version, of, place): (u8, String, P) =
        serde_json::from_slice(&bytes).map_err(|_| Refusal::BadToken)?;
    if version == VERSION && of == list { Ok(Some(place)) } else { Err(Refusal::BadToken) }
}
