//! Compressed request bodies: clients send `PutMetricData` so once it is larger than 10 KiB.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::CONTENT_ENCODING;
use http::request::Parts;

use crate::protocol::{ErrorBody, PARSED_BODY_BYTES_MAX};
use crate::service::Service;

/// The body as it was before it was compressed. Only for services that take compressed bodies at all; which operation
/// is called may be told in the body itself.
pub(super) fn expand(service: &Service, parts: &Parts, body: &Bytes) -> Result<Bytes, ErrorBody> {
    if !service.operations.iter().any(|operation| operation.gzip) || !is_gzip(parts) {
        return Ok(body.clone());
    }
    let limit = u64::try_from(PARSED_BODY_BYTES_MAX).unwrap_or(u64::MAX);
    let mut expanded = Vec::new();
    // One byte more, to tell a body that is as large as may be from one that is larger.
    let read =
        MultiGzDecoder::new(&**body).take(limit.saturating_add(1)).read_to_end(&mut expanded);
    read.map_err(|_| ErrorBody::serialization("The request body is not valid gzip"))?;
    if expanded.len() > PARSED_BODY_BYTES_MAX {
        return Err(ErrorBody::too_large(PARSED_BODY_BYTES_MAX));
    }
    Ok(Bytes::from(expanded))
}

fn is_gzip(parts: &Parts) -> bool {
    let encoding = parts.headers.get(CONTENT_ENCODING);
    encoding.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"gzip"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::Request;

    use super::*;
    use crate::protocol::{Call, Rejection, route};
    use crate::{cloudwatch, sagemaker};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn call(
        service: &'static Service,
        target: &str,
        encoding: &str,
        body: Vec<u8>,
    ) -> Result<Call, Box<Rejection>> {
        let request = Request::post("/")
            .header("x-amz-target", format!("{}.{target}", service.target_prefix))
            .header("content-type", "application/x-amz-json-1.0")
            .header("content-encoding", encoding);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        route(service, &parts, &body.into())
    }

    fn put(encoding: &str, body: Vec<u8>) -> Result<Call, Box<Rejection>> {
        call(&cloudwatch::SERVICE, "PutMetricData", encoding, body)
    }

    #[test]
    fn a_compressed_body_is_read_as_if_it_were_not() {
        let plain = br#"{"Namespace":"App","MetricData":[]}"#;
        let expected = put("identity", plain.to_vec()).unwrap().input;
        for encoding in ["gzip", "GZIP"] {
            assert_eq!(put(encoding, gzip(plain)).unwrap().input, expected);
        }
        // A file of several members is one file.
        let (one, other) = plain.split_at(10);
        assert_eq!(put("gzip", [gzip(one), gzip(other)].concat()).unwrap().input, expected);
    }

    #[test]
    fn the_operation_may_be_told_in_the_compressed_body() {
        let request = Request::post("/")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-encoding", "gzip");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let body = gzip(b"Action=PutMetricData&Version=2010-08-01&Namespace=App&MetricData.member.1.MetricName=m");
        let call = route(&cloudwatch::SERVICE, &parts, &body.into()).unwrap();
        assert_eq!(call.operation.name, "PutMetricData");
    }

    #[test]
    fn what_a_body_becomes_is_bounded() {
        let padded = |length: usize| {
            let mut body = br#"{"Namespace":"App","MetricData":[]}"#.to_vec();
            body.resize(length, b' ');
            gzip(&body)
        };
        assert!(put("gzip", padded(PARSED_BODY_BYTES_MAX)).is_ok());
        let table = [
            (padded(PARSED_BODY_BYTES_MAX + 1), 413, "RequestEntityTooLargeException"),
            // 64 MiB in some 64 KiB.
            (gzip(&vec![0; 64 << 20]), 413, "RequestEntityTooLargeException"),
            (b"{}".to_vec(), 400, "SerializationException"),
            (Vec::new(), 400, "SerializationException"),
            (gzip(b"{}")[..15].to_vec(), 400, "SerializationException"),
        ];
        for (body, status, code) in table {
            let error = put("gzip", body).unwrap_err().error;
            assert_eq!((error.status.as_u16(), error.code.as_ref()), (status, code));
        }
    }

    /// Where AWS does not take compressed bodies, they are what they are: no JSON.
    #[test]
    fn other_services_take_bodies_as_they_come() {
        let error = call(&sagemaker::SERVICE, "ListModels", "gzip", gzip(b"{}")).unwrap_err().error;
        assert_eq!(error.code, "SerializationException");
    }
}
