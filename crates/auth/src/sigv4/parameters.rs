//! Takes a signature's parameters out of the `Authorization` header or the query string, as text that nobody has judged.
//!
//! Only presence is checked here (conditions 3 and 4 of section 8.4); what the texts mean is the claim's affair.

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

use super::problem::{Missing, Problem};
use super::{ALGORITHM, Presence};

/// Header names one signature may list. SDKs sign about a dozen; the limit keeps checking for repeats, and the
/// canonical request, in proportion to the request's own head.
pub const SIGNED_HEADERS_MAX: usize = 128;

pub(super) const X_AMZ_DATE: &str = "x-amz-date";
pub(super) const X_AMZ_SECURITY_TOKEN: &str = "x-amz-security-token";
pub(super) const X_AMZ_CONTENT_SHA256: &str = "x-amz-content-sha256";
pub(super) const X_AMZ_SIGNATURE: &str = "X-Amz-Signature";
const X_AMZ_ALGORITHM: &str = "X-Amz-Algorithm";

/// The parameters as sent, in the order of their meaning rather than of their arrival.
pub(super) struct Parameters<'a> {
    pub(super) credential: Cow<'a, str>,
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signature: Cow<'a, str>,
    pub(super) date: Cow<'a, str>,
    pub(super) expires: Option<Cow<'a, str>>,
    pub(super) security_token: Option<Cow<'a, str>>,
}

/// Where the request carries AWS signatures. Other schemes of `Authorization`, such as a bearer token, count as none.
pub fn presence(parts: &Parts) -> Presence {
    let in_header = authorization(&parts.headers).is_some();
    let in_query = parts
        .uri
        .query()
        .is_some_and(|query| parameters(query).any(|(name, _)| name == X_AMZ_ALGORITHM));
    match (in_header, in_query) {
        (false, false) => Presence::None,
        (true, false) => Presence::Header,
        (false, true) => Presence::Query,
        (true, true) => Presence::Both,
    }
}

pub(super) fn from_header(headers: &HeaderMap) -> Result<Parameters<'_>, Problem> {
    let raw = authorization(headers).ok_or(Problem::Missing)?;
    let shown = || String::from_utf8_lossy(raw).into_owned();
    // A header that is not text has none of the parameters; the answer then shows it.
    let text = str::from_utf8(raw).unwrap_or_default();
    let (algorithm, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            return Err(Problem::NotKeyValue { part: part.to_owned(), authorization: shown() });
        };
        match name {
            "Credential" => credential = Some(value),
            "SignedHeaders" => signed_headers = Some(value),
            "Signature" => signature = Some(value),
            _ => {}
        }
    }
    let date =
        header_text(headers, X_AMZ_DATE).or_else(|| header_text(headers, header::DATE.as_str()));
    // An empty list of headers is not a missing one: it fails later, for the host.
    let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (filled(credential), filled(signature), signed_headers, date.clone())
    else {
        let missing = Missing {
            credential: filled(credential).is_none(),
            signature: filled(signature).is_none(),
            signed_headers: signed_headers.is_none(),
            date: date.is_none(),
        };
        return Err(Problem::MissingParts { missing, authorization: shown() });
    };
    check_algorithm(algorithm)?;
    Ok(Parameters {
        credential: credential.into(),
        signed_headers: signed_headers.into(),
        signature: signature.into(),
        date,
        expires: None,
        security_token: header_text(headers, X_AMZ_SECURITY_TOKEN),
    })
}

pub(super) fn from_query<'a>(
    query: &'a str,
    headers: &'a HeaderMap,
) -> Result<Parameters<'a>, Problem> {
    let find =
        |wanted: &str| parameters(query).find(|(name, _)| name == wanted).map(|(_, value)| value);
    let named = |wanted: &'static str| find(wanted).ok_or(wanted);
    let filled =
        |wanted: &'static str| find(wanted).filter(|value| !value.is_empty()).ok_or(wanted);
    let algorithm = filled(X_AMZ_ALGORITHM);
    let (credential, signature) = (filled("X-Amz-Credential"), filled(X_AMZ_SIGNATURE));
    let (signed_headers, date) = (named("X-Amz-SignedHeaders"), filled("X-Amz-Date"));
    let missing: Vec<_> = [&algorithm, &credential, &signature, &signed_headers, &date]
        .into_iter()
        .filter_map(|parameter| parameter.as_ref().err().copied())
        .collect();
    let (Ok(algorithm), Ok(credential), Ok(signature), Ok(signed_headers), Ok(date)) =
        (algorithm, credential, signature, signed_headers, date)
    else {
        return Err(Problem::MissingQueryParts { missing });
    };
    check_algorithm(&algorithm)?;
    Ok(Parameters {
        credential,
        signed_headers,
        signature,
        date,
        expires: find("X-Amz-Expires"),
        security_token: find("X-Amz-Security-Token")
            .or_else(|| header_text(headers, X_AMZ_SECURITY_TOKEN)),
    })
}

fn check_algorithm(algorithm: &str) -> Result<(), Problem> {
    if algorithm == ALGORITHM {
        return Ok(());
    }
    Err(Problem::UnsupportedAlgorithm { algorithm: algorithm.to_owned() })
}

/// The first `Authorization` header, if it is of a scheme of AWS's.
fn authorization(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes().trim_ascii();
    value.starts_with(b"AWS").then_some(value)
}

/// A header's first value; what is not text reads as text that matches nothing.
fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes().trim_ascii()))
}

fn filled(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.is_empty())
}

/// The decoded names and values of a query string.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// One component of a query string, with `+` for a space as forms write it.
fn decoded(component: &str) -> Cow<'_, str> {
    if !component.contains('+') {
        return percent_decode_str(component).decode_utf8_lossy();
    }
    let spaced = component.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

/// Whether a list of signed headers is short enough and names each header once.
pub(super) fn acceptable(signed_headers: &str) -> bool {
    if signed_headers.split(';').nth(SIGNED_HEADERS_MAX).is_some() {
        return false;
    }
    let names = || signed_headers.split(';');
    let ascending = names().zip(names().skip(1)).all(|(name, next)| name < next && is_lower(next));
    // Every SDK sorts its names, so the comparison of all pairs is for the rest.
    (ascending && names().next().is_none_or(is_lower))
        || names()
            .enumerate()
            .all(|(at, name)| !names().take(at).any(|before| before.eq_ignore_ascii_case(name)))
}

fn is_lower(name: &str) -> bool {
    !name.bytes().any(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_signed_headers_is_bounded_and_without_repeats() {
        for good in ["", "host", "host;x-amz-date", "x-amz-date;host", "Host;X-Amz-Date"] {
            assert!(acceptable(good), "{good}");
        }
        let longest: Vec<_> = (0..SIGNED_HEADERS_MAX).map(|at| format!("h{at}")).collect();
        assert!(acceptable(&longest.join(";")));
        let too_long = format!("{};host", longest.join(";"));
        for bad in ["host;host", "host;Host", "a;host;a", "Host;a;host", ";", &too_long] {
            assert!(!acceptable(bad), "{bad}");
        }
    }

    #[test]
    fn query_components_are_decoded_as_forms_are() {
        let pairs: Vec<_> = parameters("a=1%2F2&&b+c=d+%2B&e&%zz=%").collect();
        let expected = [("a", "1/2"), ("b c", "d +"), ("e", ""), ("%zz", "%")];
        assert_eq!(pairs, expected.map(|(name, value)| (Cow::from(name), Cow::from(value))));
    }
}
