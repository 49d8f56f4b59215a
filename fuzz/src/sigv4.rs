//! Signed requests before anything is known of who sent them.

use std::sync::Arc;

use auth::sigv4::{Claim, Dialect, Expectation, Payload, SigningKeys, sha256};
use auth::{Credential, Principal, SecretKey};

/// A key of this id, whichever it is, so that no request ends at an unknown one.
fn key(access_key_id: &str) -> Arc<Credential> {
    let account = "000000000000".to_owned();
    let arn = format!("arn:aws:iam::{account}:root");
    Arc::new(Credential {
        access_key_id: access_key_id.to_owned(),
        secret: SecretKey::new("secret"),
        session: None,
        principal: Principal { arn, user_id: account.clone(), account },
    })
}

/// No input is signed: whoever could make one would have guessed a SHA-256 of the secret.
pub fn run(data: &[u8]) {
    let Some((parts, body)) = crate::head::read(data) else { return };
    let refused = |problem: &auth::sigv4::Problem| {
        for dialect in [Dialect::Json, Dialect::Query, Dialect::RestJson, Dialect::S3] {
            let status = problem.answer(dialect).status;
            assert!((400..500).contains(&status), "{problem:?} is answered with {status}");
        }
    };
    let claim = match Claim::parse(&parts) {
        Ok(claim) => claim,
        Err(problem) => return refused(&problem),
    };
    let services = [&*claim.service];
    let regions = [&*claim.region];
    let expect = Expectation {
        regions: &regions,
        services: &services,
        now: claim.timestamp.unix(),
        skew_secs: 900,
    };
    let payload = Payload::Sha256(sha256(&body));
    match claim.authenticate(payload, &|id: &str| Some(key(id)), &mut SigningKeys::new(), &expect) {
        Ok(_) => panic!("an unsigned request passed"),
        Err(problem) => refused(&problem),
    }
}
