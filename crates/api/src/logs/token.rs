//! Tokens of pages: opaque to clients, and no secret. What is not one of ours is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Refusal;

/// Changes when the meaning of tokens does.
const VERSION: u8 = 1;

/// A token of a place in some list; `kind` tells lists and orders apart.
pub(super) fn write(kind: &str, place: impl Serialize) -> String {
    // A tuple of numbers and texts is always JSON.
    let json = serde_json::to_string(&(VERSION, kind, place)).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(json)
}

pub(super) fn read<P: DeserializeOwned>(kind: &str, token: &str) -> Result<P, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Refusal::BadToken)?;
    let (version, of, place): (u8, String, P) =
        serde_json::from_slice(&bytes).map_err(|_| Refusal::BadToken)?;
    if version == VERSION && of == kind { Ok(place) } else { Err(Refusal::BadToken) }
}

/// Which way a token of `GetLogEvents` leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Forward,
    Backward,
}

/// A place in one stream, in the form that CloudWatch Logs' tokens have: `f/` or `b/`, 56 digits and `/s`.
pub(super) fn write_place(way: Way, place: u64) -> String {
    let letter = if way == Way::Forward { 'f' } else { 'b' };
    format!("{letter}/{place:056}/s")
}

pub(super) fn read_place(token: &str) -> Result<(Way, u64), Refusal> {
    let (way, rest) = match token.split_at_checked(2) {
        Some(("f/", rest)) => (Way::Forward, rest),
        Some(("b/", rest)) => (Way::Backward, rest),
        _ => return Err(Refusal::BadToken),
    };
    let digits = rest.strip_suffix("/s").unwrap_or(rest);
    if digits.len() != 56 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::BadToken);
    }
    digits.parse().map(|place| (way, place)).map_err(|_| Refusal::BadToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_read_back_as_what_they_were_made_of() {
        let token = write("list", (7, "name"));
        assert_eq!(read::<(i64, String)>("list", &token).unwrap(), (7, "name".to_owned()));
        for bad in [&token[1..], "", "%", "AAAA", &write("other", (7, "name")), &write("list", 7)] {
            assert!(read::<(i64, String)>("list", bad).is_err(), "{bad}");
        }
        for (way, place) in [(Way::Forward, 0), (Way::Backward, u64::MAX)] {
            assert_eq!(read_place(&write_place(way, place)).unwrap(), (way, place));
        }
        let too_large = format!("f/{}/s", "9".repeat(56));
        for bad in ["", "f", "f/", "f/12/s", "x/", "ä/1", &too_large] {
            assert!(read_place(bad).is_err(), "{bad}");
        }
    }
}
