//! Signed calls to a server, in the shapes of AWS's models.
//!
//! What a call means is not known here; who is called and as whom was decided in [`crate::target`].

mod object;
mod refusal;
mod stream;
mod transport;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use wire::value::Shape;
use wire::{Document, OperationModel, Service, sagemaker, sts};

pub(crate) use stream::Stream;
pub(crate) use transport::{Connections, Retry, Transport};

use refusal::{refusal, refused};

use crate::output::Output;
use crate::target::{Key, Target};
use crate::{Error, wall};

/// How long a control-plane call may take. The slowest of them write a few kilobytes and sync a disk.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The header of a request that a Tidegate server answers without doing what it asks for.
const DRY_RUN: HeaderName = HeaderName::from_static("x-tidegate-dry-run");

/// How long a reading call waits before it is made again when AWS says, with a 400, that there were too many.
const THROTTLED_PAUSES: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

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

/// A service as requests are addressed and signed for it.
#[derive(Debug, Clone, Copy)]
struct Addressee {
    signing_name: &'static str,
    endpoint_prefix: &'static str,
}

impl From<&'static Service> for Addressee {
    fn from(service: &'static Service) -> Self {
        Self { signing_name: service.signing_name, endpoint_prefix: service.endpoint_prefix }
    }
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
        let manner = Manner { operation: name, timeout: CALL_TIMEOUT, retry };
        for pause in THROTTLED_PAUSES.iter().filter(|_| reads) {
            match self.call_in(service, input, manner).await {
                Err(error) if error.is_throttled() => tokio::time::sleep(*pause).await,
                decided => return decided,
            }
        }
        self.call_in(service, input, manner).await
    }

    /// A call of any service, made as `manner` says.
    pub(crate) async fn call_in(
        &self,
        service: &'static Service,
        input: &Document,
        manner: Manner,
    ) -> Result<Document, Error> {
        let request = encoded(service, model(service, manner.operation)?, input)?;
        self.exchanged(service, request, manner).await
    }

    /// What a call would answer if it were made; nothing is changed. The server must be known to be a Tidegate server: any
    /// other would not heed the header, and do it.
    pub(crate) async fn dry_run(
        &self,
        service: &'static Service,
        operation: &'static str,
        input: &Document,
    ) -> Result<(), Error> {
        let manner = Manner { operation, timeout: CALL_TIMEOUT, retry: Retry::Idempotent };
        let mut request = encoded(service, model(service, operation)?, input)?;
        request.headers_mut().insert(DRY_RUN, HeaderValue::from_static("true"));
        self.exchanged(service, request, manner).await.map(drop)
    }

    async fn exchanged(
        &self,
        service: &'static Service,
        request: Request<Bytes>,
        manner: Manner,
    ) -> Result<Document, Error> {
        let operation = model(service, manner.operation)?;
        let response = self.send(request, service.into(), manner).await?;
        let (parts, body) = response.into_parts();
        wire::decode_response(service, operation, parts.status, &parts.headers, &body)
            .map_err(|error| refused(operation.name, error, &self.target))
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Signs and sends a request whose URI is a path.
    async fn send(
        &self,
        request: Request<Bytes>,
        to: Addressee,
        manner: Manner,
    ) -> Result<Response<Bytes>, Error> {
        let request = self.signed(request, to, manner.operation).await?;
        self.transport.send(request, manner).await
    }

    async fn signed(
        &self,
        request: Request<Bytes>,
        to: Addressee,
        operation: &'static str,
    ) -> Result<Request<Bytes>, Error> {
        let (url, region) = self.target.address(to.endpoint_prefix)?;
        let key = self.target.keys.key().await?;
        let unsendable = |problem: String| Error::Transport { operation, problem };
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = url.join(path).map_err(|error| unsendable(error.to_string()))?;
        let mut request = Request::from_parts(parts, body);
        let payload = auth::sigv4::sha256(request.body());
        let Key { access_key_id, secret, session_token, .. } = &key;
        let signer = auth::Signer {
            access_key_id,
            secret,
            session_token: session_token.as_ref().map(auth::SessionToken::expose),
            region,
            service: to.signing_name,
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
