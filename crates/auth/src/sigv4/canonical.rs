//! The canonical request: one spelling for all the ways of writing the same request.
//!
//! Server and client build it with the same code. Nothing is judged here: whatever does not fit a rule is written in
//! the one way that only the same bytes can repeat.

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderMap, Method, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::S3;
use super::parameters::X_AMZ_SIGNATURE;

/// Everything but RFC 3986's unreserved characters.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// As in a component, with the slashes between segments left alone.
const PATH: &AsciiSet = &COMPONENT.remove(b'/');

/// Room for the canonical request of a usual call, so that writing it allocates once.
const USUAL_BYTES: usize = 1024;

/// The part of a request's head that signatures cover.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
}

impl<'a> From<&'a Parts> for Head<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self { method: &parts.method, uri: &parts.uri, headers: &parts.headers }
    }
}

/// Writes the canonical request of `head` for `service`. Header names are taken from `signed_headers` in its order;
/// `payload` is the text for the body, a hash in nearly all cases.
pub(super) fn canonical_request(
    head: Head<'_>,
    service: &str,
    signed_headers: &str,
    payload: &str,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(USUAL_BYTES);
    out.extend_from_slice(head.method.as_str().as_bytes());
    out.push(b'\n');
    if service == S3 {
        put_path_of_s3(&mut out, head.uri.path());
    } else {
        put_path(&mut out, head.uri.path());
    }
    out.push(b'\n');
    put_query(&mut out, head.uri.query().unwrap_or_default());
    out.push(b'\n');
    for name in signed_headers.split(';').filter(|name| !name.is_empty()) {
        put_header(&mut out, head, name);
    }
    out.push(b'\n');
    out.extend_from_slice(signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload.as_bytes());
    out
}

/// S3's path names an object, so nothing is normalised and its encoding is not encoded again.
fn put_path_of_s3(out: &mut Vec<u8>, path: &str) {
    let plain: Cow<'_, [u8]> = percent_decode(path.as_bytes()).into();
    put_encoded(out, if plain.is_empty() { b"/" } else { &plain }, PATH);
}

/// Everybody else's: dot segments and repeated slashes go, and what was sent is encoded once more.
fn put_path(out: &mut Vec<u8>, path: &str) {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    for segment in &segments {
        out.push(b'/');
        put_encoded(out, segment.as_bytes(), PATH);
    }
    if segments.is_empty() || path.ends_with('/') {
        out.push(b'/');
    }
}

/// Parameters sorted by encoded name, then value; the signature itself is not among them.
fn put_query(out: &mut Vec<u8>, query: &str) {
    if query.is_empty() {
        return;
    }
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (component(name), component(value))
        })
        .filter(|(name, _)| name != X_AMZ_SIGNATURE.as_bytes())
        .collect();
    pairs.sort_unstable();
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

/// Decodes one component of a query string and encodes it in the one canonical way. A plus sign is a space, as in
/// forms: whoever reads parameters after us must read it so, too.
fn component(raw: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    for (at, piece) in raw.split('+').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"%20");
        }
        let plain: Cow<'_, [u8]> = percent_decode(piece.as_bytes()).into();
        put_encoded(&mut out, &plain, COMPONENT);
    }
    out
}

fn put_encoded(out: &mut Vec<u8>, plain: &[u8], set: &'static AsciiSet) {
    for piece in percent_encode(plain, set) {
        out.extend_from_slice(piece.as_bytes());
    }
}

/// One header line: every value trimmed, its inner white space collapsed, repeated headers joined by commas. HTTP/2 has
/// its host in `:authority`. A signed header that is not there counts as empty.
fn put_header(out: &mut Vec<u8>, head: Head<'_>, name: &str) {
    out.extend(name.bytes().map(|byte| byte.to_ascii_lowercase()));
    out.push(b':');
    let mut values = head.headers.get_all(name).iter().peekable();
    if values.peek().is_none() && name.eq_ignore_ascii_case(header::HOST.as_str()) {
        let authority = head.uri.authority().map_or("", |authority| authority.as_str());
        put_collapsed(out, authority.as_bytes());
    }
    while let Some(value) = values.next() {
        put_collapsed(out, value.as_bytes());
        if values.peek().is_some() {
            out.push(b',');
        }
    }
    out.push(b'\n');
}

fn put_collapsed(out: &mut Vec<u8>, value: &[u8]) {
    let words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn text(request: &Request<()>, service: &str, signed_headers: &str) -> String {
        let head =
            Head { method: request.method(), uri: request.uri(), headers: request.headers() };
        String::from_utf8(canonical_request(head, service, signed_headers, "hash")).unwrap()
    }

    fn path(path: &str, service: &str) -> String {
        let request = Request::builder().uri(path).body(()).unwrap();
        text(&request, service, "").split('\n').nth(1).unwrap().to_owned()
    }

    fn query(query: &str) -> String {
        let request = Request::builder().uri(format!("/?{query}")).body(()).unwrap();
        text(&request, "sts", "").split('\n').nth(2).unwrap().to_owned()
    }

    #[test]
    fn paths_are_normalised_and_encoded_twice_except_for_s3() {
        for (sent, usual, s3) in [
            ("/", "/", "/"),
            ("/a/b/", "/a/b/", "/a/b/"),
            ("//a/./b/../c", "/a/c", "//a/./b/../c"),
            ("/..", "/", "/.."),
            ("/a%20b", "/a%2520b", "/a%20b"),
            ("/~a-b_c.d", "/~a-b_c.d", "/~a-b_c.d"),
            ("/a!b+c", "/a%21b%2Bc", "/a%21b%2Bc"),
            ("/%zz", "/%25zz", "/%25zz"),
        ] {
            assert_eq!(
                (path(sent, "sagemaker").as_str(), path(sent, "s3").as_str()),
                (usual, s3),
                "{sent}"
            );
        }
    }

    #[test]
    fn query_parameters_are_sorted_by_encoded_name_then_value() {
        for (sent, canonical) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&a", "a=&a=1&a=2"),
            ("a=%7e%2f&&A=x=y", "A=x%3Dy&a=~%2F"),
            ("a=b+c&a=b%2Bc", "a=b%20c&a=b%2Bc"),
            ("X-Amz-Signature=1&X-Amz-Date=2", "X-Amz-Date=2"),
        ] {
            assert_eq!(query(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn header_values_are_collapsed_and_joined() {
        let request = Request::builder()
            .method("POST")
            .uri("http://over.http2:4280/x")
            .header("my-header", "  a \t b  ")
            .header("my-header", "c")
            .body(())
            .unwrap();
        let expected = "POST\n/x\n\nhost:over.http2:4280\nmy-header:a b,c\nnot-there:\n\nhost;My-Header;not-there\nhash";
        assert_eq!(text(&request, "sagemaker", "host;My-Header;not-there"), expected);
        let mut named = request;
        named.headers_mut().insert("host", "by.name".parse().unwrap());
        assert!(text(&named, "sagemaker", "host").contains("\nhost:by.name\n"));
    }
}
