//! What must hold for every request, not only for recorded ones.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::sigv4::{Dialect, Signer, presence, sign};

/// A request as a client might send one: method, path and query, headers, body.
#[derive(Debug, Clone)]
struct Plain {
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn plain() -> impl Strategy<Value = Plain> {
    let segment = "([a-zA-Z0-9_~!$&'()*+,;=:@-]|%[0-9A-F]{2}){1,8}";
    let uri = (
        prop::collection::vec(segment, 0..4),
        prop::option::of("([a-z]{1,3}=([a-z/~*]|%[0-9A-F]{2}){0,4}&){0,4}"),
    )
        .prop_map(|(path, query)| {
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            format!("http://127.0.0.1:4280/{}{query}", path.join("/"))
        });
    let headers = prop::collection::vec(("x-[a-z]{1,6}", "[ -~]{0,12}"), 0..5);
    ("GET|POST|PUT|DELETE", uri, headers, prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(method, uri, headers, body)| Plain { method, uri, headers, body })
}

impl Plain {
    /// Signed by `id`, as a server receives it.
    fn sign(&self, service: &str, session: bool) -> Parts {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut request = Request::from_parts(head(&self.method, &self.uri, &headers), ());
        let secret = SecretKey::new(SECRET);
        let (access_key_id, session_token) =
            if session { (SESSION_KEY_ID, Some(TOKEN)) } else { (KEY_ID, None) };
        let signer =
            Signer { access_key_id, secret: &secret, session_token, region: "us-east-1", service };
        sign(&mut request, &sha256(&self.body), &signer, NOW).unwrap();
        request.into_parts().0
    }
}

fn accepted(parts: &Parts, body: &[u8], service: &str) -> bool {
    let expect = Expectation { services: &[service], ..EXPECT };
    verdict(parts, body, &TwoKeys::new(), &expect).is_ok()
}

/// The text with the byte at `at` replaced by another printable one that keeps its meaning apart.
fn flipped(text: &str, at: Index) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = at.index(bytes.len());
    bytes[at] = if bytes[at].is_ascii_digit() { b'g' } else { b'7' };
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #[test]
    fn what_is_signed_verifies(request in plain(), session: bool, s3: bool) {
        let service = if s3 { "s3" } else { "sagemaker" };
        let parts = request.sign(service, session);
        prop_assert!(accepted(&parts, &request.body, service), "{:?}", parts);
        // Signing once more replaces the first signature.
        let mut again = Request::from_parts(parts, ());
        let secret = SecretKey::new(SECRET);
        let signer = Signer {
            access_key_id: KEY_ID, secret: &secret, session_token: None, region: "us-east-1", service,
        };
        sign(&mut again, &sha256(&request.body), &signer, NOW + 1).unwrap();
        prop_assert!(accepted(&again.into_parts().0, &request.body, service));
    }

    #[test]
    fn no_changed_byte_verifies(request in plain(), s3: bool, at: Index, seen: Index) {
        let service = if s3 { "s3" } else { "sagemaker" };
        let parts = request.sign(service, true);
        let refused = |parts: &Parts| !accepted(parts, &request.body, service);

        let mut other = parts.clone();
        other.method = flipped(parts.method.as_str(), at).parse().unwrap();
        prop_assert!(refused(&other));

        let target = parts.uri.path_and_query().unwrap().as_str();
        let changed = flipped(target, at);
        if let (true, Ok(uri)) = (changed.starts_with('/'), changed.parse()) {
            other = parts.clone();
            other.uri = uri;
            prop_assert!(refused(&other), "{} for {}", other.uri, parts.uri);
        }

        let names: Vec<_> = parts.headers.keys().cloned().collect();
        let name = seen.get(&names);
        let value = parts.headers[name].to_str().unwrap();
        if !value.is_empty() && !value.as_bytes()[at.index(value.len())].is_ascii_whitespace() {
            other = parts.clone();
            other.headers.insert(name, flipped(value, at).parse().unwrap());
            prop_assert!(refused(&other), "{name}: {:?} for {value:?}", other.headers[name]);
        }

        if !request.body.is_empty() {
            let mut body = request.body.clone();
            body[at.index(request.body.len())] ^= 1;
            prop_assert!(!accepted(&parts, &body, service));
        }
    }

    #[test]
    fn only_the_secret_that_signed_verifies(request in plain(), other in "[A-Za-z0-9/+]{40}") {
        let parts = request.sign("sagemaker", false);
        let find = |_: &str| {
            let secret = SecretKey::new(other.as_str());
            Some(Arc::new(Credential { secret, ..TwoKeys::new().long_term.as_ref().clone() }))
        };
        prop_assert!(verdict(&parts, &request.body, &find, &EXPECT).is_err());
    }

    #[test]
    fn no_bytes_of_a_stranger_panic(
        authorization in prop::option::of(
            "(AWS4-HMAC-SHA256 )?((Credential|SignedHeaders|Signature|x)?=?[a-zA-Z0-9/;%=-]{0,20}[, ]{0,2}){0,5}"
        ),
        raw in prop::collection::vec(32_u8..=255, 0..40),
        date in prop::option::of("[0-9]{8}T[0-9]{6}Z|[ -~]{0,30}"),
        query in "(X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature)?=?[a-zA-Z0-9/;%+-]{0,20}&?){0,7}",
        now: i64,
        skew_secs: u32,
        s3: bool,
    ) {
        let mut parts = head("GET", "/", &[]);
        if let Ok(uri) = format!("/?{query}").parse() {
            parts.uri = uri;
        }
        let mut insert = |name: &'static str, value: &[u8]| {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                parts.headers.append(name, value);
            }
        };
        insert("x-raw", &raw);
        if let Some(authorization) = &authorization {
            insert("authorization", authorization.as_bytes());
        }
        insert("authorization", &raw);
        if let Some(date) = &date {
            insert("x-amz-date", date.as_bytes());
        }
        let services = if s3 { ["s3"] } else { ["sagemaker"] };
        let expect = Expectation { regions: REGIONS, services: &services, now, skew_secs };
        let _ = presence(&parts);
        let refused = verdict(&parts, &raw, &TwoKeys::new(), &expect);
        for dialect in [Dialect::Json, Dialect::RestJson, Dialect::Query, Dialect::S3] {
            let answer = refused.as_ref().unwrap_err().answer(dialect);
            prop_assert!((400..404).contains(&answer.status) && !answer.message.is_empty());
        }
    }
}
