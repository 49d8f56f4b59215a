//! The table of `reference/autoscaling-and-cloudwatch.md`, section 8.4: each condition, its place in the order, its text.

use std::cell::Cell;

use super::*;
use crate::sigv4::{Answer, Dialect, Signer, sign};

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLEEXAMPLEEX/20261123/us-east-1/sagemaker/aws4_request, \
                             SignedHeaders=host;x-amz-date, Signature=00";
const DATE: (&str, &str) = ("x-amz-date", "20261123T094544Z");
const HOST: (&str, &str) = ("host", "127.0.0.1:4280");

/// The parts of the header with some text exchanged.
fn authorization(old: &str, new: &str) -> String {
    assert!(AUTHORIZATION.contains(old), "{old}");
    AUTHORIZATION.replace(old, new)
}

fn answer(parts: &Parts, dialect: Dialect) -> Answer {
    verdict(parts, b"", &TwoKeys::new(), &EXPECT).unwrap_err().answer(dialect)
}

/// Code and message as JSON services say them, for a `POST /` with this header and date.
fn json(authorization: &str, date: &str) -> (&'static str, String) {
    let parts = head("POST", "/", &[HOST, ("authorization", authorization), ("x-amz-date", date)]);
    let answer = answer(&parts, Dialect::Json);
    assert_eq!((answer.status, answer.details.len()), (400, 0));
    (answer.code, answer.message)
}

#[test]
fn conditions_1_and_2_are_about_where_the_signature_is() {
    let both = head(
        "POST",
        "/?X-Amz-Algorithm=AWS4-HMAC-SHA256",
        &[HOST, DATE, ("authorization", AUTHORIZATION)],
    );
    let answer_to_both = answer(&both, Dialect::Json);
    assert_eq!(answer_to_both.code, "InvalidSignatureException");
    let text =
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.";
    assert_eq!(answer_to_both.message, text);

    for headers in
        [&[HOST][..], &[HOST, ("authorization", "Bearer AWS4")], &[HOST, ("authorization", "")]]
    {
        let answer = answer(&head("POST", "/?x-amz-algorithm=1", headers), Dialect::Json);
        assert_eq!(answer.code, "MissingAuthenticationTokenException");
        assert_eq!(answer.message, "Request is missing Authentication Token");
    }
}

#[test]
fn condition_3_names_only_the_missing_parts() {
    let needs = |name: &str| format!("Authorization header requires '{name}' parameter. ");
    let credential = "Credential=AKIAEXAMPLEEXAMPLEEX/20261123/us-east-1/sagemaker/aws4_request";
    for (sent, missing) in [
        (
            "AWS4-HMAC-SHA256".to_owned(),
            ["Credential", "Signature", "SignedHeaders"].map(needs).concat(),
        ),
        (authorization(credential, "Credential="), needs("Credential")),
        (authorization(", Signature=00", ""), needs("Signature")),
        (authorization("SignedHeaders=host;x-amz-date, ", ""), needs("SignedHeaders")),
        // Before the algorithm is looked at.
        (
            authorization("AWS4-HMAC-SHA256", "AWS4-OTHER").replace(", Signature=00", ""),
            needs("Signature"),
        ),
    ] {
        let expected = ("IncompleteSignatureException", format!("{missing}Authorization={sent}"));
        assert_eq!(json(&sent, DATE.1), expected);
    }

    let dateless = head(
        "POST",
        "/",
        &[HOST, ("authorization", "AWS4-HMAC-SHA256 Signature=1,SignedHeaders=host")],
    );
    let text = "Authorization header requires 'Credential' parameter. Authorization header requires existence of \
                either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Signature=1,SignedHeaders=host";
    assert_eq!(answer(&dateless, Dialect::Json).message, text);

    let text = "'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: \
                'AWS4-HMAC-SHA256 Signature=b,  Credential'.";
    assert_eq!(
        json("AWS4-HMAC-SHA256 Signature=b,  Credential", DATE.1),
        ("IncompleteSignatureException", text.into())
    );
}

#[test]
fn conditions_4_to_6_are_about_the_form() {
    let incomplete = |text: &str| ("IncompleteSignatureException", text.to_owned());
    let algorithm = authorization("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA25");
    let text = "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now). ";
    // Before the date is looked at.
    assert_eq!(json(&algorithm, "201"), incomplete(text));

    let four = authorization("/aws4_request", "");
    let text = "Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601";
    // Before the credential is looked at.
    assert_eq!(json(&four, "201"), incomplete(text));

    let elements = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got ";
    for credential in ["a/b/c/d", "a/b/c/d/e/f", "a"] {
        let sent = authorization(
            "AKIAEXAMPLEEXAMPLEEX/20261123/us-east-1/sagemaker/aws4_request",
            credential,
        );
        // Before the age is looked at.
        assert_eq!(
            json(&sent, "20130301T000000Z"),
            incomplete(&format!("{elements}'{credential}'"))
        );
    }
}

#[test]
fn conditions_7_and_8_are_about_the_age() {
    let invalid = |text: &str| ("InvalidSignatureException", text.to_owned());
    // Before the signed headers are looked at.
    let hostless = authorization("host;x-amz-date", "x-amz-date");
    let text = "Signature expired: 20261123T093043Z is now earlier than 20261123T093044Z (20261123T094544Z - 15 min.)";
    assert_eq!(json(&hostless, "20261123T093043Z"), invalid(text));
    let text = "Signature not yet current: 20261123T100045Z is still later than 20261123T100044Z \
                (20261123T094544Z + 15 min.)";
    assert_eq!(json(&hostless, "20261123T100045Z"), invalid(text));
    for within in ["20261123T093044Z", "20261123T100044Z"] {
        assert_eq!(
            json(&hostless, within).1,
            "'Host' must be a 'SignedHeader' in the AWS Authorization."
        );
    }
}

#[test]
fn conditions_9_and_10_are_about_host_and_scope() {
    let invalid = |text: &str| ("InvalidSignatureException", text.to_owned());
    let wrong = authorization("20261123/us-east-1/sagemaker/aws4_request", "b/c/d/e");
    let hostless = wrong.replace("host;x-amz-date", "");
    let text = "'Host' must be a 'SignedHeader' in the AWS Authorization.";
    assert_eq!(json(&hostless, DATE.1), invalid(text));

    let text = "Credential should be scoped to a valid region, not 'c'. \
                Credential should be scoped to correct service: 'sagemaker'. \
                Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. \
                Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                'b' != '20261123', from '20261123T094544Z'. ";
    // Before the key is looked up; the name of a signed header may be written in any case.
    let unknown = wrong.replace("AKIAEXAMPLEEXAMPLEEX", "nobody").replace("host", "Host");
    assert_eq!(json(&unknown, DATE.1), invalid(text));

    let region = authorization("us-east-1", "us-west-2");
    let text = "Credential should be scoped to a valid region, not 'us-west-2'. ";
    assert_eq!(json(&region, DATE.1), invalid(text));
}

#[test]
fn conditions_11_and_12_are_about_the_key() {
    let with_token = |id: &str, token: Option<&str>, now: i64| {
        let authorization = authorization("AKIAEXAMPLEEXAMPLEEX", id);
        let mut headers = vec![HOST, DATE, ("authorization", authorization.as_str())];
        headers.extend(token.map(|token| ("x-amz-security-token", token)));
        let expect = Expectation { now, ..EXPECT };
        let problem =
            verdict(&head("POST", "/", &headers), b"", &TwoKeys::new(), &expect).unwrap_err();
        let Answer { code, message, .. } = problem.answer(Dialect::Json);
        (code, message)
    };
    let unrecognized = |text: &str| ("UnrecognizedClientException", text.to_owned());
    let unknown = unrecognized("The security token included in the request is invalid.");
    let bad_token = unrecognized("The security token included in the request is invalid");
    assert_eq!(with_token("AKIAUNKNOWN", None, NOW), unknown);
    assert_eq!(with_token(SESSION_KEY_ID, None, NOW), bad_token);
    assert_eq!(with_token(SESSION_KEY_ID, Some("session/token="), NOW), bad_token);
    assert_eq!(with_token(KEY_ID, Some(TOKEN), NOW), bad_token);
    let expired = (
        "ExpiredTokenException",
        "The security token included in the request is expired".to_owned(),
    );
    assert_eq!(with_token(SESSION_KEY_ID, Some(TOKEN), NOW + 600), expired);
    assert_eq!(with_token(SESSION_KEY_ID, Some(TOKEN), NOW + 599).0, "InvalidSignatureException");
}

#[test]
fn condition_13_shows_what_should_have_been_signed() {
    let (code, message) = json(AUTHORIZATION, DATE.1);
    let text = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String \
                for this request should have been\n'POST\n/\n\nhost:127.0.0.1:4280\nx-amz-date:20261123T094544Z\n\n\
                host;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\nThe \
                String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20261123T094544Z\n\
                20261123/us-east-1/sagemaker/aws4_request\n\
                8076324a107a06015aa95799a822bed8b26f2286bedd7470678541f9b138e85e'\n";
    assert_eq!((code, message.as_str()), ("InvalidSignatureException", text));
}

#[test]
fn presigned_urls_have_their_own_texts() {
    const WHOLE: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLEEXAMPLEEX%2F20261123%2Fus-east-1\
                         %2Fsagemaker%2Faws4_request&X-Amz-Date=20261123T094544Z&X-Amz-SignedHeaders=host\
                         &X-Amz-Expires=60&X-Amz-Signature=00";
    let with = |old: &str, new: &str| {
        assert!(WHOLE.contains(old), "{old}");
        let parts = head("GET", &format!("/?{}", WHOLE.replace(old, new)), &[HOST]);
        let answer = answer(&parts, Dialect::Json);
        (answer.code, answer.message)
    };
    let incomplete = |text: &str| ("IncompleteSignatureException", text.to_owned());
    let (code, message) = with("Signature=00", "Signature=01");
    assert_eq!(code, "InvalidSignatureException");
    assert!(
        message.contains("X-Amz-SignedHeaders=host\nhost:127.0.0.1:4280\n\nhost\ne3b0c4"),
        "{message}"
    );
    let text = "AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include \
                'X-Amz-Date'. Re-examine the query-string parameters.";
    let parts = head(
        "GET",
        &format!("/?{}", WHOLE.replace("Date", "D").replace("Signature", "S")),
        &[HOST],
    );
    assert_eq!(answer(&parts, Dialect::Json).message, text);
    for (expires, text) in [
        ("x", "X-Amz-Expires should be a number"),
        ("-1", "X-Amz-Expires must be non-negative"),
        ("0", "X-Amz-Expires must be at least 1 second"),
        (
            "604801",
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             604800 seconds",
        ),
    ] {
        assert_eq!(with("Expires=60", &format!("Expires={expires}")), incomplete(text));
    }
    let text = "Signature expired: 20261123T094443Z is now earlier than 20261123T094444Z (20261123T094544Z - 1 min.)";
    assert_eq!(
        with("20261123T094544Z", "20261123T094443Z"),
        ("InvalidSignatureException", text.into())
    );
    // A week old is in time for a URL of a week: the next condition speaks.
    let week_old = WHOLE
        .replace("20261123", "20261116")
        .replace("=60", "=604800")
        .replace("Headers=host", "Headers=");
    let message = answer(&head("GET", &format!("/?{week_old}"), &[HOST]), Dialect::Json).message;
    assert_eq!(message, "'Host' must be a 'SignedHeader' in the AWS Authorization.");
}

/// A request in good order that this dialect's service would accept, for `spoil` to make bad.
fn signed(service: &str, spoil: impl FnOnce(&mut Request<()>)) -> Parts {
    let mut request = Request::post("http://127.0.0.1:4280/bucket/key").body(()).unwrap();
    let secret = SecretKey::new(SECRET);
    let signer = Signer {
        access_key_id: KEY_ID,
        secret: &secret,
        session_token: None,
        region: "us-east-1",
        service,
    };
    sign(&mut request, &sha256(b"body"), &signer, NOW).unwrap();
    spoil(&mut request);
    request.into_parts().0
}

fn of_s3(spoil: impl FnOnce(&mut Request<()>), body: &[u8]) -> Result<Found, Problem> {
    verdict(
        &signed("s3", spoil),
        body,
        &TwoKeys::new(),
        &Expectation { services: &["s3"], ..EXPECT },
    )
}

#[test]
fn s3_signs_the_hash_of_the_body_or_none() {
    let code = |verdict: Result<Found, Problem>| verdict.unwrap_err().answer(Dialect::S3).code;
    let declare = |text: &'static str| {
        move |request: &mut Request<()>| {
            request.headers_mut().insert("x-amz-content-sha256", HeaderValue::from_static(text));
        }
    };
    assert!(of_s3(|_| {}, b"body").is_ok());
    assert_eq!(code(of_s3(|_| {}, b"another")), "XAmzContentSHA256Mismatch");
    assert_eq!(code(of_s3(declare("UNSIGNED-PAYLOAD"), b"body")), "SignatureDoesNotMatch");
    assert_eq!(code(of_s3(declare("unsigned"), b"body")), "InvalidArgument");
    let without =
        |request: &mut Request<()>| drop(request.headers_mut().remove("x-amz-content-sha256"));
    assert_eq!(code(of_s3(without, b"body")), "InvalidRequest");
    let copy = |request: &mut Request<()>| {
        request.headers_mut().insert("x-amz-copy-source", HeaderValue::from_static("/secret/key"));
    };
    let refused = of_s3(copy, b"body").unwrap_err().answer(Dialect::S3);
    assert_eq!((refused.code, refused.status), ("AccessDenied", 403));
    assert_eq!(refused.details, [("HeadersNotSigned", "x-amz-copy-source".to_owned())]);
}

#[test]
fn elsewhere_the_body_received_must_be_the_one_signed() {
    let declare = |text: &str| {
        let value = HeaderValue::from_str(text).unwrap();
        signed("sagemaker", |request| {
            drop(request.headers_mut().insert("x-amz-content-sha256", value));
        })
    };
    let code = |parts: &Parts, body: &[u8]| {
        let verdict = verdict(parts, body, &TwoKeys::new(), &EXPECT);
        verdict.map_or_else(|problem| problem.answer(Dialect::Json).code, |_| "OK")
    };
    // Of `body`, by sha256sum.
    let hash = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";
    for parts in [signed("sagemaker", |_| {}), declare(hash)] {
        assert_eq!(code(&parts, b"body"), "OK");
        assert_eq!(code(&parts, b"tampered"), "InvalidSignatureException");
        let claim = Claim::parse(&parts).unwrap();
        let unhashed = claim.authenticate(
            Payload::Unhashed,
            &TwoKeys::new(),
            &mut SigningKeys::new(),
            &EXPECT,
        );
        assert!(unhashed.is_err());
    }
    for text in ["UNSIGNED-PAYLOAD", "nonsense", &hash.replace('0', "1")] {
        assert_eq!(code(&declare(text), b"body"), "InvalidSignatureException", "{text}");
    }
}

#[test]
fn what_is_logged_holds_no_session_token() {
    let authorization = authorization("AKIAEXAMPLEEXAMPLEEX", SESSION_KEY_ID)
        .replace("-date", "-date;x-amz-security-token");
    let headers =
        [HOST, DATE, ("authorization", authorization.as_str()), ("x-amz-security-token", TOKEN)];
    let parts = head("POST", "/", &headers);
    let claim = Claim::parse(&parts).unwrap();
    let admitted = claim.admit(&TwoKeys::new(), &EXPECT).unwrap();
    let problem = admitted
        .clone()
        .verify(Payload::Sha256([0; 32]), &TwoKeys::new(), &mut SigningKeys::new())
        .unwrap_err();
    assert!(
        problem.answer(Dialect::Json).message.contains(TOKEN),
        "the client is told what it sent"
    );
    for shown in
        [format!("{claim:?}"), format!("{admitted:?}"), format!("{problem:?}"), problem.to_string()]
    {
        assert!(!shown.contains(TOKEN), "{shown}");
    }
}

/// Keys that are looked up by the book.
struct Watched {
    credential: Option<Arc<Credential>>,
    /// What they say of a key that was found before.
    holds: bool,
    looks: Cell<u32>,
}

impl Credentials for Watched {
    fn find(&self, _: &str) -> Option<Found> {
        self.looks.set(self.looks.get() + 1);
        self.credential.clone().map(Found::from)
    }

    fn holds(&self, _: &Found) -> bool {
        self.holds
    }
}

#[test]
fn what_becomes_of_a_key_while_the_body_arrives_counts() {
    let TwoKeys { long_term, temporary } = TwoKeys::new();
    let renamed = |session| Credential { session, ..Credential::clone(&long_term) };
    let other_secret =
        Credential { secret: SecretKey::new("another"), ..Credential::clone(&long_term) };
    let parts = signed("sagemaker", |_| {});
    let claim = Claim::parse(&parts).unwrap();
    for (now, holds, looks, code) in [
        (Some(renamed(None)), true, 0, None),
        (Some(renamed(None)), false, 1, None),
        (None, false, 1, Some("UnrecognizedClientException")),
        (Some(renamed(temporary.session.clone())), false, 1, Some("UnrecognizedClientException")),
        (Some(other_secret), false, 1, Some("InvalidSignatureException")),
    ] {
        let shown = format!("{now:?}, {holds}");
        let admitted = claim.admit(&TwoKeys::new(), &EXPECT).unwrap();
        let keys = Watched { credential: now.map(Arc::new), holds, looks: Cell::new(0) };
        let payload = Payload::Sha256(sha256(b"body"));
        let verdict = admitted.verify(payload, &keys, &mut SigningKeys::new());
        let told = verdict.err().map(|problem| problem.answer(Dialect::Json).code);
        assert_eq!((keys.looks.get(), told), (looks, code), "{shown}");
    }
}

#[test]
fn codes_and_statuses_differ_by_dialect() {
    use Dialect::{Json, Query, RestJson, S3};
    let of = |problem: &Problem, dialect| {
        let answer = problem.answer(dialect);
        (answer.code, answer.status)
    };
    let parts = signed("sagemaker", |_| {});
    let mismatch = verdict(&parts, b"", &TwoKeys::new(), &EXPECT).unwrap_err();
    let incomplete = Problem::MalformedDate { date: String::new() };
    let unknown = Problem::UnknownKey { access_key_id: String::new() };
    for (problem, json, rest_json, query, s3) in [
        (
            Problem::Missing,
            ("MissingAuthenticationTokenException", 400),
            ("MissingAuthenticationTokenException", 403),
            ("MissingAuthenticationToken", 403),
            ("AccessDenied", 403),
        ),
        (
            incomplete,
            ("IncompleteSignatureException", 400),
            ("IncompleteSignatureException", 403),
            ("IncompleteSignature", 400),
            ("AccessDenied", 403),
        ),
        (
            mismatch,
            ("InvalidSignatureException", 400),
            ("InvalidSignatureException", 403),
            ("SignatureDoesNotMatch", 403),
            ("SignatureDoesNotMatch", 403),
        ),
        (
            unknown,
            ("UnrecognizedClientException", 400),
            ("UnrecognizedClientException", 403),
            ("InvalidClientTokenId", 403),
            ("InvalidAccessKeyId", 403),
        ),
        (
            Problem::ExpiredToken,
            ("ExpiredTokenException", 400),
            ("ExpiredTokenException", 403),
            ("ExpiredToken", 403),
            ("ExpiredToken", 400),
        ),
    ] {
        assert_eq!(
            [Json, RestJson, Query, S3].map(|dialect| of(&problem, dialect)),
            [json, rest_json, query, s3]
        );
    }
}

#[test]
fn s3_names_the_region_it_expects() {
    let parts = signed("s3", |_| {});
    let expect = Expectation { services: &["s3"], regions: &["eu-central-1"], ..EXPECT };
    let answer =
        verdict(&parts, b"body", &TwoKeys::new(), &expect).unwrap_err().answer(Dialect::S3);
    let text = "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'";
    assert_eq!((answer.code, answer.message.as_str()), ("AuthorizationHeaderMalformed", text));
    assert_eq!(answer.details, [("Region", "eu-central-1".to_owned())]);
}

#[test]
fn a_stranger_is_not_echoed_at_length() {
    let long = "\u{e9}".repeat(40_000);
    let answer = Problem::MalformedCredential { credential: long }.answer(Dialect::Json);
    assert!(answer.message.len() < 17_000);
}
