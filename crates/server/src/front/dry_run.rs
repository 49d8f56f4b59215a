//! The header that asks for a dry run of a call. It must be signed: a call that was meant as a dry run may not become a
//! real one, nor the other way round, on its way here.

use auth::Claim;
use http::StatusCode;
use http::request::Parts;
use wire::ErrorBody;

pub(super) const HEADER: &str = "x-tidegate-dry-run";

/// Whether a dry run is asked for. What is not quite that is refused, so that nobody believes in a dry run that was real.
pub(super) fn asked(parts: &Parts, claim: &Claim<'_>) -> Result<bool, ErrorBody> {
    let mut values = parts.headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(false) };
    let is_signed = claim.signed_headers.split(';').any(|name| name == HEADER);
    if !is_signed {
        let message = format!("The header {HEADER} must be signed. Nothing was done.");
        return Err(ErrorBody::new("InvalidSignatureException", StatusCode::FORBIDDEN, message));
    }
    if value.as_bytes() != b"true" || values.next().is_some() {
        let message = format!("The header {HEADER} can only be true. Nothing was done.");
        return Err(ErrorBody::new("ValidationException", StatusCode::BAD_REQUEST, message));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(signed: &str, values: &[&str]) -> Parts {
        let date = "20260101T000000Z";
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders={signed}, \
             Signature={}",
            "0".repeat(64)
        );
        let mut request = http::Request::post("/")
            .header("authorization", authorization)
            .header("x-amz-date", date)
            .header("host", "localhost");
        for value in values {
            request = request.header(HEADER, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_a_signed_true_is_a_dry_run() {
        let (with, without) = ("host;x-amz-date;x-tidegate-dry-run", "host;x-amz-date");
        let code = |parts: &Parts| {
            let claim = Claim::parse(parts).unwrap();
            asked(parts, &claim).map_err(|error| error.code.into_owned())
        };
        let (unsigned, invalid) = ("InvalidSignatureException", "ValidationException");
        let table: [(&str, &[&str], Result<bool, &str>); 8] = [
            (without, &[], Ok(false)),
            (with, &["true"], Ok(true)),
            (without, &["true"], Err(unsigned)),
            (without, &["false"], Err(unsigned)),
            (with, &["false"], Err(invalid)),
            (with, &["True"], Err(invalid)),
            (with, &[""], Err(invalid)),
            (with, &["true", "true"], Err(invalid)),
        ];
        for (signed, values, expected) in table {
            let found = code(&parts(signed, values));
            assert_eq!(found, expected.map_err(str::to_owned), "{signed} {values:?}");
        }
    }
}
