//! What is refused before `s3s` sees the request: older signatures, forms, other scopes, headers that nobody signed.

use std::borrow::Cow;

use http::request::Parts;
use http::{Method, header};
use percent_encoding::percent_decode_str;
use s3s::{S3Error, S3Result, s3_error};

use super::super::error::custom;
use super::chunk::Framing;

/// Longest life of a presigned URL.
const EXPIRES_SECS_MAX: u64 = 7 * 24 * 60 * 60;

/// Part of the signed text in their own right, so they need not be among the signed headers.
const SIGNED_ANYWAY: [&str; 2] = ["x-amz-content-sha256", "x-amz-date"];

/// Checks the shape of the signature, not the signature; and says how the body is framed.
pub(super) fn check(parts: &Parts, region: &str) -> S3Result<Framing> {
    if is_form(parts) {
        // Such a form carries its signature in the body, which would have to be read to know who sends it.
        return Err(s3_error!(
            NotImplemented,
            "Uploads by HTML form (POST Object) are not implemented"
        ));
    }
    let authorization = parts.headers.get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
    let query = |name: &str| query_value(parts.uri.query().unwrap_or_default(), name);
    let (algorithm, old) = (query("X-Amz-Algorithm"), query("Signature"));
    if [
        authorization.is_some(),
        algorithm.is_some() || query("X-Amz-Signature").is_some(),
        old.is_some(),
    ]
    .iter()
    .filter(|given| **given)
    .count()
        > 1
    {
        return Err(s3_error!(
            InvalidArgument,
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified"
        ));
    }
    if old.is_some() {
        // SigV2, but only as a presigned URL: boto3 and the AWS CLI still make those by default in us-east-1, and S3 takes them.
        return Ok(framing(parts));
    }
    if let Some(authorization) = authorization {
        let text = std::str::from_utf8(authorization).map_err(|_| unsupported())?;
        let text = text.strip_prefix("AWS4-HMAC-SHA256").ok_or_else(unsupported)?;
        let member = |name: &str| {
            text.split(',')
                .map(str::trim)
                .find_map(|member| member.strip_prefix(name)?.strip_prefix('='))
        };
        check_scope(member("Credential").unwrap_or_default(), region, Where::Header)?;
        check_signed(parts, member("SignedHeaders").unwrap_or_default())?;
    } else if let Some(credential) = query("X-Amz-Credential") {
        check_scope(&credential, region, Where::Query)?;
        check_signed(parts, &query("X-Amz-SignedHeaders").unwrap_or_default())?;
        check_expires(query("X-Amz-Expires").as_deref())?;
    }
    Ok(framing(parts))
}

fn framing(parts: &Parts) -> Framing {
    match parts.headers.get("x-amz-content-sha256").map(header::HeaderValue::as_bytes) {
        Some(b"STREAMING-UNSIGNED-PAYLOAD-TRAILER") => Framing::UnsignedChunks,
        Some(kind) if kind.starts_with(b"STREAMING-") => Framing::SignedChunks,
        _ => Framing::Plain,
    }
}

fn is_form(parts: &Parts) -> bool {
    let kind = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    parts.method == Method::POST
        && kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
}

fn unsupported() -> S3Error {
    s3_error!(
        InvalidRequest,
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    )
}

#[derive(Clone, Copy)]
enum Where {
    Header,
    Query,
}

/// `KEY/DATE/REGION/s3/aws4_request`; a key may hold slashes, nothing else may.
fn check_scope(credential: &str, region: &str, place: Where) -> S3Result<()> {
    let malformed = |what: String| match place {
        Where::Header => {
            s3_error!(AuthorizationHeaderMalformed, "The authorization header is malformed; {what}")
        }
        Where::Query => {
            let mut error = s3_error!(
                AuthorizationQueryParametersError,
                "Error parsing the X-Amz-Credential parameter; {what}"
            );
            error.set_status_code(http::StatusCode::BAD_REQUEST);
            error
        }
    };
    let mut members = credential.rsplitn(5, '/');
    let (Some(end), Some(service), Some(scoped), Some(_date), Some(_key)) =
        (members.next(), members.next(), members.next(), members.next(), members.next())
    else {
        return Err(malformed("the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".".to_owned()));
    };
    if end != "aws4_request" {
        return Err(malformed(format!(
            "incorrect terminal \"{end}\". This endpoint uses \"aws4_request\"."
        )));
    }
    if service != "s3" {
        return Err(malformed(format!(
            "incorrect service \"{service}\". This endpoint belongs to \"s3\"."
        )));
    }
    if scoped != region {
        return Err(malformed(format!("the region '{scoped}' is wrong; expecting '{region}'")));
    }
    Ok(())
}

/// A header that changes what a request means and that nobody signed may be anyone's.
fn check_signed(parts: &Parts, signed: &str) -> S3Result<()> {
    let signed: Vec<&str> = signed.split(';').collect();
    let is_signed = |name: &str| signed.contains(&name);
    let unsigned = parts.headers.keys().map(header::HeaderName::as_str).any(|name| {
        name.starts_with("x-amz-") && !SIGNED_ANYWAY.contains(&name) && !is_signed(name)
    });
    if unsigned || !is_signed("host") {
        return Err(s3_error!(
            AccessDenied,
            "There were headers present in the request which were not signed"
        ));
    }
    Ok(())
}

fn check_expires(expires: Option<&str>) -> S3Result<()> {
    let error = |message| {
        custom("AuthorizationQueryParametersError", http::StatusCode::BAD_REQUEST, message)
    };
    match expires.map(str::parse::<u64>) {
        Some(Ok(secs)) if secs <= EXPIRES_SECS_MAX => Ok(()),
        Some(Ok(_)) => Err(error(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        )),
        Some(Err(_)) => Err(error("X-Amz-Expires should be a number")),
        None => Err(error(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        )),
    }
}

fn query_value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        // Names are compared decoded, as the verifier does: an encoded name must not slip past.
        let key = percent_decode_str(key).decode_utf8_lossy();
        (key == name).then(|| percent_decode_str(value).decode_utf8_lossy())
    })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const SCOPE: &str = "AK/20260101/us-east-1/s3/aws4_request";

    fn verdict(uri: &str, headers: &[(&str, &str)]) -> Result<Framing, String> {
        let mut request = Request::builder().method(Method::POST).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts, "us-east-1").map_err(|error| error.code().as_str().to_owned())
    }

    fn header(scope: &str, signed: &str) -> String {
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={signed}, Signature=00")
    }

    #[test]
    fn headers_are_judged_by_their_shape() {
        let good = header(SCOPE, "host");
        let table = [
            (good.clone(), vec![], Ok(Framing::Plain)),
            (
                good.clone(),
                vec![("x-amz-date", "d"), ("x-amz-content-sha256", "h")],
                Ok(Framing::Plain),
            ),
            (
                good.clone(),
                vec![("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")],
                Ok(Framing::UnsignedChunks),
            ),
            (
                good.clone(),
                vec![("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")],
                Ok(Framing::SignedChunks),
            ),
            (good.clone(), vec![("x-amz-meta-a", "1")], Err("AccessDenied")),
            (good.clone(), vec![("x-amz-copy-source", "/a/b")], Err("AccessDenied")),
            (header(SCOPE, "host;x-amz-meta-a"), vec![("x-amz-meta-a", "1")], Ok(Framing::Plain)),
            (header(SCOPE, "date"), vec![], Err("AccessDenied")),
            (
                header("a/b/AK/20260101/us-east-1/s3/aws4_request", "host"),
                vec![],
                Ok(Framing::Plain),
            ),
            (
                header("AK/20260101/eu-west-1/s3/aws4_request", "host"),
                vec![],
                Err("AuthorizationHeaderMalformed"),
            ),
            (
                header("AK/20260101/us-east-1/sts/aws4_request", "host"),
                vec![],
                Err("AuthorizationHeaderMalformed"),
            ),
            (
                header("AK/20260101/us-east-1/s3/aws3", "host"),
                vec![],
                Err("AuthorizationHeaderMalformed"),
            ),
            (
                header("us-east-1/s3/aws4_request", "host"),
                vec![],
                Err("AuthorizationHeaderMalformed"),
            ),
            (header("", "host"), vec![], Err("AuthorizationHeaderMalformed")),
            ("AWS AK:c2ln".to_owned(), vec![], Err("InvalidRequest")),
            ("Bearer x".to_owned(), vec![], Err("InvalidRequest")),
            (
                good,
                vec![("content-type", "Multipart/Form-Data; boundary=x")],
                Err("NotImplemented"),
            ),
        ];
        for (authorization, mut headers, expected) in table {
            headers.push(("authorization", &authorization));
            assert_eq!(verdict("/b/k", &headers), expected.map_err(str::to_owned), "{headers:?}");
        }
        assert_eq!(
            verdict("/b/k", &[]),
            Ok(Framing::Plain),
            "who is anonymous is refused by the verifier"
        );
    }

    #[test]
    fn presigned_urls_are_judged_by_their_shape() {
        let url = |scope: &str, expires: &str| {
            format!(
                "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={scope}&X-Amz-SignedHeaders=host{expires}&X-Amz-Signature=0"
            )
        };
        let encoded = SCOPE.replace('/', "%2F");
        assert_eq!(verdict(&url(&encoded, "&X-Amz-Expires=604800"), &[]), Ok(Framing::Plain));
        for expires in ["", "&X-Amz-Expires=604801", "&X-Amz-Expires=-1", "&X-Amz-Expires=x"] {
            assert_eq!(
                verdict(&url(SCOPE, expires), &[]).unwrap_err(),
                "AuthorizationQueryParametersError",
                "{expires}"
            );
        }
        let elsewhere = url(&SCOPE.replace("us-east-1", "mars"), "&X-Amz-Expires=1");
        assert_eq!(verdict(&elsewhere, &[]).unwrap_err(), "AuthorizationQueryParametersError");
        let both = [("authorization", "AWS4-HMAC-SHA256 x")];
        assert_eq!(verdict(&url(SCOPE, "&X-Amz-Expires=1"), &both).unwrap_err(), "InvalidArgument");
        assert_eq!(
            verdict("/b/k?Signature=x&AWSAccessKeyId=AK&Expires=1", &both).unwrap_err(),
            "InvalidArgument"
        );
        assert_eq!(
            verdict("/b/k?%53ignature=x", &both).unwrap_err(),
            "InvalidArgument",
            "encoded names count as well"
        );
        let unsigned = [("x-amz-acl", "private")];
        assert_eq!(
            verdict(&url(SCOPE, "&X-Amz-Expires=1"), &unsigned).unwrap_err(),
            "AccessDenied"
        );
    }
}
