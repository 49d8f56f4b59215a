//! The three things the demonstration does with the object store: a bucket, an object in it, and neither.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};

use crate::Error;

use super::{Addressee, Client, Manner, Retry, refusal};

/// How long one object may take to upload: the bundled model is far below a megabyte.
const OBJECT_TIMEOUT: Duration = Duration::from_mins(1);

const S3: Addressee = Addressee { signing_name: "s3", endpoint_prefix: "s3" };

impl Client {
    /// Makes a bucket. Says whether it is new.
    pub(crate) async fn create_bucket(&self, bucket: &str) -> Result<bool, Error> {
        let body = location(&self.target.region);
        match self.object("CreateBucket", Method::PUT, &format!("/{bucket}"), body).await {
            Ok(()) => Ok(true),
            Err(error) if is(&error, &["BucketAlreadyOwnedByYou", "BucketAlreadyExists"]) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn put_object(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
    ) -> Result<(), Error> {
        self.object("PutObject", Method::PUT, &format!("/{bucket}/{key}"), body).await
    }

    pub(crate) async fn delete_object(&self, bucket: &str, key: &str) -> Result<(), Error> {
        self.object("DeleteObject", Method::DELETE, &format!("/{bucket}/{key}"), Bytes::new()).await
    }

    /// Removes a bucket if nothing is in it.
    pub(crate) async fn delete_bucket_if_empty(&self, bucket: &str) -> Result<(), Error> {
        match self.object("DeleteBucket", Method::DELETE, &format!("/{bucket}"), Bytes::new()).await
        {
            Err(error) if is(&error, &["BucketNotEmpty", "NoSuchBucket"]) => Ok(()),
            other => other,
        }
    }

    /// One S3 request. The names are ours and need no escaping.
    async fn object(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(), Error> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(body)
            .map_err(|error| Error::Transport { operation, problem: error.to_string() })?;
        let manner = Manner { operation, timeout: OBJECT_TIMEOUT, retry: Retry::Idempotent };
        let response = self.send(request, S3, manner).await?;
        if response.status().is_success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(response.body());
        let code = element(&text, "Code").unwrap_or("Unknown");
        let message = element(&text, "Message").unwrap_or("the answer carried no message");
        Err(refusal(operation, code, message, response.status().as_u16(), &self.target))
    }
}

/// Where the bucket is to be. Every region but the first wants to be named, and that one must not be.
fn location(region: &str) -> Bytes {
    if region == "us-east-1" {
        return Bytes::new();
    }
    let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    Bytes::from(format!(
        "<CreateBucketConfiguration xmlns=\"{namespace}\"><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
    ))
}

fn is(error: &Error, codes: &[&str]) -> bool {
    error.refusal().is_some_and(|refusal| codes.contains(&refusal.code.as_str()))
}

/// The text of the first such element. S3's errors have neither attributes nor nesting where this looks.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}
