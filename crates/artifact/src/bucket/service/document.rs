//! Bodies that are documents in XML, which `s3s` reads whole before it calls the operation.
//!
//! Whatever is wrong with such a body (too long, not the one that was signed, broken off), `s3s` calls it an internal error,
//! which SDKs try again. So what passes is watched here, and the answer corrected where the body was at fault. Uploads of objects and
//! parts are not documents: `ingest` judges their bodies itself.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, header};
use http_body::{Body, Frame, SizeHint};
use s3s::crypto::{Checksum as _, Sha256};
use s3s::{S3Error, s3_error};

use super::super::digest::hex;
use super::super::error::hash_mismatch;
use super::super::ingest::body_error;
use super::chunk::Chunks;
use super::{BodyError, XML_BYTES_MAX};

/// What an upload's query may hold, besides what presigning puts there.
const UPLOAD_PARAMETERS: [&str; 5] = ["partNumber", "uploadId", "versionId", "x-id", "Expires"];

/// Whether the body of such a request is a document.
pub(super) fn is_document(parts: &Parts) -> bool {
    if parts.method != Method::PUT {
        return parts.method == Method::POST;
    }
    let path = parts.uri.path().trim_start_matches('/');
    let has_key = path.split_once('/').is_some_and(|(_, key)| !key.is_empty());
    let names = parts.uri.query().unwrap_or_default().split('&');
    let mut names = names.map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    !has_key
        || names.any(|name| {
            let presigned =
                name.starts_with("X-Amz-") || name == "Signature" || name == "AWSAccessKeyId";
            !name.is_empty() && !presigned && !UPLOAD_PARAMETERS.contains(&name)
        })
}

/// What is wrong with a body, once that is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Fault(Arc<Mutex<Option<S3Error>>>);

impl Fault {
    pub(super) fn take(&self) -> Option<S3Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, error: S3Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// A document on its way.
pub(super) struct Document<B> {
    inner: Chunks<B>,
    fault: Fault,
    bytes: usize,
    hash: Sha256,
    /// The hash that was signed, if one was.
    signed: Option<String>,
    /// Bytes behind which `s3s` asks for nothing more.
    length: Option<usize>,
    ended: bool,
}

impl<B> Document<B> {
    pub(super) fn new(inner: Chunks<B>, parts: &Parts, fault: Fault) -> Self {
        let signed = parts.headers.get("x-amz-content-sha256");
        let length = parts.headers.get(header::CONTENT_LENGTH);
        let signed = signed.and_then(|hash| hash.to_str().ok()).filter(|hash| hash.len() == 64);
        Self {
            inner,
            fault,
            bytes: 0,
            hash: Sha256::new(),
            signed: signed.map(str::to_owned),
            length: length.and_then(|length| length.to_str().ok()?.parse().ok()),
            ended: false,
        }
    }

    fn take(&mut self, bytes: &Bytes) {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > XML_BYTES_MAX {
            self.fault.note(s3_error!(MaxMessageLengthExceeded));
        } else {
            self.hash.update(bytes);
        }
        if self.length == Some(self.bytes) {
            self.end();
        }
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let computed = hex(&std::mem::replace(&mut self.hash, Sha256::new()).finalize());
        if self.signed.as_ref().is_some_and(|signed| *signed != computed) {
            self.fault.note(hash_mismatch());
        }
    }
}

impl<B> Body for Document<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    self.take(bytes);
                }
            }
            Some(Err(error)) => self.fault.note(body_error(error)),
            None => self.end(),
        }
        Poll::Ready(frame)
    }

    /// Never before the end was judged.
    fn is_end_stream(&self) -> bool {
        self.ended && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::{BodyExt as _, Full};

    use super::super::chunk::Framing;
    use super::*;

    fn parts(method: &str, uri: &str, hash: Option<String>) -> Parts {
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(hash) = hash {
            request = request.header("x-amz-content-sha256", hash);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn documents_are_told_from_uploads() {
        for (method, uri, wanted) in [
            ("POST", "/b?delete", true),
            ("POST", "/b/k?uploadId=x", true),
            ("PUT", "/b", true),
            ("PUT", "/b/", true),
            ("PUT", "/b?versioning", true),
            ("PUT", "/b/k?tagging", true),
            ("PUT", "/b/k?acl=", true),
            ("PUT", "/b/k", false),
            ("PUT", "/b/k/l?x-id=PutObject", false),
            ("PUT", "/b/k?partNumber=1&uploadId=x", false),
            ("PUT", "/b/k?X-Amz-Signature=0&X-Amz-Expires=1", false),
            ("PUT", "/b/k?AWSAccessKeyId=a&Signature=0&Expires=1", false),
            ("GET", "/b", false),
            ("DELETE", "/b/k?tagging", false),
        ] {
            assert_eq!(is_document(&parts(method, uri, None)), wanted, "{method} {uri}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_body_is_noted() {
        let hash = |text: &[u8]| {
            let mut hash = Sha256::new();
            hash.update(text);
            Some(hex(&hash.finalize()))
        };
        let large = vec![b' '; XML_BYTES_MAX + 1];
        for (body, signed, wanted) in [
            (&b"<a/>"[..], hash(b"<a/>"), None),
            (b"<a/>", None, None),
            (b"<a/>", Some("UNSIGNED-PAYLOAD".to_owned()), None),
            (b"<b/>", hash(b"<a/>"), Some("XAmzContentSHA256Mismatch")),
            (b"", hash(b"<a/>"), Some("XAmzContentSHA256Mismatch")),
            (&large, None, Some("MaxMessageLengthExceeded")),
        ] {
            let fault = Fault::default();
            let chunks = Chunks::new(Full::new(Bytes::copy_from_slice(body)), Framing::Plain);
            let document =
                Document::new(chunks, &parts("POST", "/b?delete", signed), fault.clone());
            assert_eq!(document.collect().await.unwrap().to_bytes(), body);
            let code = fault.take().map(|error| error.code().as_str().to_owned());
            assert_eq!(code.as_deref(), wanted);
        }
    }

    /// Who knows the length asks for no more, and not for the end either.
    #[tokio::test]
    async fn a_body_is_judged_with_its_last_byte() {
        let fault = Fault::default();
        let mut parts = parts("PUT", "/b", Some("0".repeat(64)));
        parts.headers.insert(header::CONTENT_LENGTH, 4.into());
        let chunks = Chunks::new(Full::new(Bytes::from_static(b"<a/>")), Framing::Plain);
        let mut document = Document::new(chunks, &parts, fault.clone());
        assert!(document.frame().await.unwrap().is_ok());
        assert_eq!(fault.take().unwrap().code().as_str(), "XAmzContentSHA256Mismatch");
        assert!(document.frame().await.is_none());
        assert!(fault.take().is_none());
    }

    struct Broken;

    impl Body for Broken {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            Poll::Ready(Some(Err("the connection was reset".into())))
        }
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_incomplete() {
        let fault = Fault::default();
        let chunks = Chunks::new(Broken, Framing::Plain);
        let document = Document::new(chunks, &parts("POST", "/b?delete", None), fault.clone());
        assert!(document.collect().await.is_err());
        assert_eq!(fault.take().unwrap().code().as_str(), "IncompleteBody");
    }
}
