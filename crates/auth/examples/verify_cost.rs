//! What verifying one InvokeEndpoint costs: `cargo run --release -p auth --example verify_cost`.
//!
//! Prints nanoseconds per call, the median of several rounds, for the whole check and for its parts.

use std::hint::black_box;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use auth::sigv4::sha256;
use auth::{
    Claim, Credential, Expectation, Payload, Principal, SecretKey, Signer, SigningKeys, sign,
};
use http::Request;
use http::request::Parts;

const NOW: i64 = 1_795_427_144;
const CALLS: u32 = 20_000;
const ROUNDS: usize = 9;
const BODY: &[u8] = br#"{"instances": [[1.0, 2.0, 3.0, 4.0]]}"#;

fn credential() -> Arc<Credential> {
    let principal = Principal {
        account: "000000000000".into(),
        arn: "arn:aws:iam::000000000000:root".into(),
        user_id: "000000000000".into(),
    };
    Arc::new(Credential {
        access_key_id: "AKIAEXAMPLEEXAMPLEEX".into(),
        secret: SecretKey::new("a/secret+of+forty+characters/for+tests+0"),
        session: None,
        principal,
    })
}

/// The head that boto3 sends with InvokeEndpoint.
fn invocation(credential: &Credential) -> Parts {
    let mut request = Request::post("http://127.0.0.1:4280/endpoints/forecast/invocations")
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .header("accept-encoding", "identity")
        .header("amz-sdk-invocation-id", "00000000-0000-0000-0000-000000000000")
        .header("amz-sdk-request", "attempt=1")
        .header("content-length", BODY.len())
        .header("user-agent", "Boto3/1.44 md/Botocore#1.44 ua/2.1 os/linux")
        .body(())
        .expect("a well-formed request");
    let signer = Signer {
        access_key_id: &credential.access_key_id,
        secret: &credential.secret,
        session_token: None,
        region: "us-east-1",
        service: "sagemaker",
    };
    sign(&mut request, &sha256(BODY), &signer, NOW).expect("a request that can be signed");
    request.into_parts().0
}

/// The median over the rounds of what one of `calls` calls takes.
#[expect(
    clippy::disallowed_methods,
    reason = "measures work of the processor, which no test pauses"
)]
fn nanoseconds(calls: u32, mut call: impl FnMut()) -> u128 {
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| call());
            start.elapsed().as_nanos() / u128::from(calls)
        })
        .collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

fn main() -> io::Result<()> {
    let credential = credential();
    let parts = invocation(&credential);
    let find = |id: &str| (id == credential.access_key_id).then(|| Arc::clone(&credential));
    let expect =
        Expectation { regions: &["us-east-1"], services: &["sagemaker"], now: NOW, skew_secs: 900 };
    let mut keys = SigningKeys::new();
    let verify = |keys: &mut SigningKeys| {
        let claim = Claim::parse(black_box(&parts)).expect("a well-formed claim");
        let admitted = claim.admit(&find, &expect).expect("a claim in order");
        let payload = Payload::Sha256(sha256(black_box(BODY)));
        black_box(admitted.verify(payload, &find, keys).expect("a good signature"));
    };
    let mut out = io::stdout().lock();
    writeln!(out, "verify, key cached    {:>6} ns", nanoseconds(CALLS, || verify(&mut keys)))?;
    writeln!(
        out,
        "verify, key derived   {:>6} ns",
        nanoseconds(CALLS, || verify(&mut SigningKeys::new()))
    )?;
    let parse = nanoseconds(CALLS, || drop(black_box(Claim::parse(black_box(&parts)))));
    writeln!(out, "of it, reading claim  {parse:>6} ns")?;
    let body = vec![0_u8; 1024 * 1024];
    let hash = nanoseconds(1, || _ = black_box(sha256(black_box(&body))));
    writeln!(out, "hash of a 1 MiB body  {:>6} µs", hash / 1000)
}
