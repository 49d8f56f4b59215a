//! Requests signed by botocore must verify, and stop verifying when a byte of them changes.
//!
//! `vectors/generate.py` writes the recording.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Recording {
    secret: String,
    now: i64,
    vectors: Vec<Vector>,
}

#[derive(Deserialize, Clone)]
struct Vector {
    name: String,
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
    body: String,
    region: String,
    service: String,
    access_key_id: String,
    session_token: Option<String>,
}

impl Recording {
    fn read() -> Self {
        serde_json::from_str(include_str!("../../../vectors/botocore.json")).unwrap()
    }

    fn verdict(&self, vector: &Vector, parts: &Parts, body: &[u8]) -> Result<Found, Problem> {
        let credential = Arc::new(Credential {
            access_key_id: vector.access_key_id.clone(),
            secret: SecretKey::new(self.secret.as_str()),
            session: vector
                .session_token
                .as_deref()
                .map(|token| Session { token: SessionToken::new(token), expires: self.now + 1 }),
            principal: TwoKeys::new().long_term.principal.clone(),
        });
        let find = |id: &str| (id == credential.access_key_id).then(|| Arc::clone(&credential));
        let (regions, services) = ([vector.region.as_str()], [vector.service.as_str()]);
        let expect =
            Expectation { regions: &regions, services: &services, now: self.now, skew_secs: 300 };
        verdict(parts, body, &find, &expect)
    }
}

impl Vector {
    fn parts(&self) -> Option<Parts> {
        let request =
            Request::builder().method(self.method.as_str()).uri(self.uri.as_str()).body(()).ok()?;
        let mut parts = request.into_parts().0;
        for (name, value) in &self.headers {
            let (name, value) =
                (name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?);
            parts.headers.append(name, value);
        }
        Some(parts)
    }

    fn signed_headers(&self) -> Vec<String> {
        let parts = self.parts().unwrap();
        Claim::parse(&parts).unwrap().signed_headers.split(';').map(str::to_owned).collect()
    }
}

#[test]
fn every_request_signed_by_botocore_verifies() {
    let recording = Recording::read();
    assert!(recording.vectors.len() >= 20);
    for vector in &recording.vectors {
        let verdict = recording.verdict(vector, &vector.parts().unwrap(), vector.body.as_bytes());
        assert_eq!(
            verdict.map(|found| found.access_key_id.clone()),
            Ok(vector.access_key_id.clone()),
            "{}",
            vector.name
        );
    }
}

/// The text with one of its characters replaced, for each of its characters.
fn changed(text: &str) -> impl Iterator<Item = String> + '_ {
    text.char_indices().map(|(at, old)| {
        let new = if old == 'x' { 'y' } else { 'x' };
        let rest = at + old.len_utf8();
        format!("{}{new}{}", &text[..at], &text[rest..])
    })
}

#[test]
fn no_changed_character_verifies() {
    let recording = Recording::read();
    for vector in &recording.vectors {
        let refused = |what: &str, changed: &Vector| {
            let Some(parts) = changed.parts() else { return };
            let verdict = recording.verdict(vector, &parts, changed.body.as_bytes());
            // S3's presigned URLs leave the body out.
            let free =
                what == "body" && vector.service == "s3" && vector.uri.contains("X-Amz-Signature");
            assert_eq!(
                verdict.is_err(),
                !free,
                "{}: {what}: {} {}",
                vector.name,
                changed.uri,
                changed.body
            );
        };
        for method in changed(&vector.method) {
            refused("method", &Vector { method, ..vector.clone() });
        }
        // A segment before `..` says nothing, by AWS's rules: a change in it is none.
        let dotted = vector.service != "s3" && vector.uri.contains("/..");
        // Without its first slash the target would be an authority, which no origin server is sent.
        for uri in changed(&vector.uri).filter(|uri| uri.starts_with('/') && !dotted) {
            refused("uri", &Vector { uri, ..vector.clone() });
        }
        for body in changed(&vector.body).take(40) {
            refused("body", &Vector { body, ..vector.clone() });
        }
        let mut covered = vector.signed_headers();
        covered.push("authorization".into());
        for (at, (name, value)) in
            vector.headers.iter().enumerate().filter(|(_, (name, _))| covered.contains(name))
        {
            for value in changed(value) {
                let mut other = vector.clone();
                other.headers[at].1 = value;
                refused(name, &other);
            }
        }
    }
}

#[test]
fn nothing_may_be_taken_away_from_what_was_signed_or_added_to_it() {
    let recording = Recording::read();
    for vector in &recording.vectors {
        let refused = |what: &str, changed: &Vector| {
            let verdict =
                recording.verdict(vector, &changed.parts().unwrap(), changed.body.as_bytes());
            assert!(verdict.is_err(), "{}: {what}", vector.name);
        };
        for name in vector.signed_headers() {
            let mut without = vector.clone();
            without.headers.retain(|(header, _)| *header != name);
            refused(&format!("without {name}"), &without);
            let mut twice = vector.clone();
            twice.headers.push((name.clone(), "more".into()));
            refused(&format!("{name} twice"), &twice);
        }
        let join = if vector.uri.contains('?') { '&' } else { '?' };
        refused(
            "another parameter",
            &Vector { uri: format!("{}{join}q=1", vector.uri), ..vector.clone() },
        );
        // Put last, where no dot segment after it takes it away again.
        let (path, query) = vector
            .uri
            .split_once('?')
            .map_or((vector.uri.as_str(), ""), |(path, query)| (path, query));
        refused("a longer path", &Vector { uri: format!("{path}/y?{query}"), ..vector.clone() });
    }
}
