//! Signed calls to a server, in the shapes of AWS's models.
//!
//! What a call means is not known here; who is called and as whom was decided in [`crate::target`].

mod object;
mod refusal;
mod stream;
mod transport;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use wire::value::Shape;
use wire::{Document, OperationModel, Service, sagemaker, sts};

pub(crate) use stream::Stream;
pub(crate) use transport::{Retry, Transport};

use refusal::{refusal, refused};

use crate::output::Output;
use crate::target::Target;
use crate::{Error, wall};

/// How long a control-plane call may take. The slowest of them write a few kilobytes and sync a disk.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A signed-in connection to one server.
#[derive(Debug)]
pub(crate) struct Client {
    transport: Transport,
    target: Target,
}

/// How one call is made: its name for messages, how long it may take, and when it may be made again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) operation: &'static str,
    pub(crate) timeout: Duration,
    pub(crate) retry: Retry,
}

impl Client {
    pub(crate) fn new(target: Target) -> Self {
        Self { transport: Transport::new(target.server.clone()), target }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// A SageMaker control-plane call with an answer.
    pub(crate) async fn sagemaker<I: Shape, O: Shape>(
        &self,
        operation: &'static str,
        input: &I,
    ) -> Result<O, Error> {
        let document = self.call(&sagemaker::SERVICE, operation, &input.to_document()).await?;
        decode(operation, &document)
    }

    /// A SageMaker control-plane call whose answer is empty, or of no interest.
    pub(crate) async fn sagemaker_order<I: Shape>(
        &self,
        operation: &'static str,
        input: &I,
    ) -> Result<(), Error> {
        self.call(&sagemaker::SERVICE, operation, &input.to_document()).await.map(drop)
    }

    /// A control-plane call, as a document. Reading calls are made again when the server falters.
    pub(crate) async fn call(
        &self,
        service: &'static Service,
        name: &'static str,
        input: &Document,
    ) -> Result<Document, Error> {
        let reads = ["Describe", "List", "Get"].iter().any(|verb| name.starts_with(verb));
        let retry = if reads { Retry::Idempotent } else { Retry::IfNothingSent };
        self.call_in(service, input, Manner { operation: name, timeout: CALL_TIMEOUT, retry }).await
    }

    /// A call of any service, made as `manner` says.
    pub(crate) async fn call_in(
        &self,
        service: &'static Service,
        input: &Document,
        manner: Manner,
    ) -> Result<Document, Error> {
        let operation = model(service, manner.operation)?;
        let request = encoded(service, operation, input)?;
        let response = self.send(request, service.signing_name, manner).await?;
        let (parts, body) = response.into_parts();
        wire::decode_response(service, operation, parts.status, &parts.headers, &body)
            .map_err(|error| refused(operation.name, error, &self.target))
    }

    /// Signs and sends a request whose URI is a path.
    async fn send(
        &self,
        request: Request<Bytes>,
        service: &str,
        manner: Manner,
    ) -> Result<Response<Bytes>, Error> {
        self.transport.send(self.signed(request, service, manner.operation)?, manner).await
    }

    fn signed(
        &self,
        request: Request<Bytes>,
        service: &str,
        operation: &'static str,
    ) -> Result<Request<Bytes>, Error> {
        let unsendable = |problem: String| Error::Transport { operation, problem };
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri =
            self.target.server.url.join(path).map_err(|error| unsendable(error.to_string()))?;
        let mut request = Request::from_parts(parts, body);
        let payload = auth::sigv4::sha256(request.body());
        let key = &self.target.key;
        let signer = auth::Signer {
            access_key_id: &key.access_key_id,
            secret: &key.secret,
            session_token: key.session_token.as_ref().map(auth::SessionToken::expose),
            region: &self.target.region,
            service,
        };
        auth::sign(&mut request, &payload, &signer, wall::now_secs())
            .map_err(|error| unsendable(error.to_string()))?;
        Ok(request)
    }

    /// The account that the calls act on: what the local server says of itself, else what STS says.
    pub(crate) async fn account(&self) -> Result<String, Error> {
        if let Some((_, file)) = &self.target.server.local {
            return Ok(file.account_id.clone());
        }
        let operation = "GetCallerIdentity";
        let document = self.call(&sts::SERVICE, operation, &Document::empty()).await?;
        let account = document.get("Account").and_then(Document::as_str);
        account
            .map(str::to_owned)
            .ok_or_else(|| Error::Answer { operation, problem: "it has no Account".to_owned() })
    }

    /// Says on stderr what is about to be changed where, before it is.
    pub(crate) async fn announce(&self, output: &Output, what: &str) -> Result<(), Error> {
        let account = self.account().await?;
        let Target { server, region, .. } = &self.target;
        output.note(format_args!("{what} at {}, account {account}, region {region}", server.url));
        Ok(())
    }
}

/// An answer as its type.
fn decode<O: Shape>(operation: &'static str, document: &Document) -> Result<O, Error> {
    O::from_document(document)
        .map_err(|error| Error::Answer { operation, problem: error.to_string() })
}

fn encoded(
    service: &'static Service,
    operation: &'static OperationModel,
    input: &Document,
) -> Result<Request<Bytes>, Error> {
    wire::encode_request(service, operation, input)
        .map_err(|error| Error::Transport { operation: operation.name, problem: error.to_string() })
}

fn model(service: &'static Service, name: &'static str) -> Result<&'static OperationModel, Error> {
    let problem = || format!("{} has no such operation", service.service_id);
    service.operation(name).ok_or_else(|| Error::Transport { operation: name, problem: problem() })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
