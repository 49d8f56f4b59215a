//! What a service is: its operations and how they are addressed.
//!
//! Codegen writes one table per service; [`SERVICES`] lists them. Adding a service must not need a change here.

use crate::schema::{Kind, Schema};

pub use crate::shape::SERVICES;

/// One AWS service at one API version.
#[derive(Debug)]
pub struct Service {
    /// Our name for it, also that of its folder below `shape`: `sagemaker_runtime`.
    pub id: &'static str,
    /// AWS's `serviceId`: `SageMaker Runtime`.
    pub service_id: &'static str,
    /// The service in the scope of a signature. Two services may share one.
    pub signing_name: &'static str,
    /// The prefix of AWS's host name: `runtime.sagemaker`.
    pub endpoint_prefix: &'static str,
    /// What stands before the dot in `X-Amz-Target`; empty where awsJson is not spoken.
    pub target_prefix: &'static str,
    pub api_version: &'static str,
    /// The namespace of awsQuery's answers; empty where it is not spoken.
    pub xml_namespace: &'static str,
    /// The error code of a request that breaks the model's constraints.
    pub validation_code: &'static str,
    /// Whether awsJson and CBOR also tell awsQuery's code of an error, and write its type with a namespace.
    pub query_compatible: bool,
    pub spelling: Spelling,
    /// The protocols it speaks, the preferred one first.
    pub protocols: &'static [crate::Protocol],
    /// What Tidegate serves.
    pub operations: &'static [OperationModel],
    /// What AWS has and Tidegate does not, so that the error can say so.
    pub unserved: &'static [Unserved],
}

impl Service {
    pub fn operation(&self, name: &str) -> Option<&'static OperationModel> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// The error of this code or name, whichever operation's model names it.
    pub fn error(&self, code: &str) -> Option<&'static ErrorModel> {
        self.operations.iter().find_map(|operation| operation.error(code))
    }

    /// The service of this `id`.
    pub fn by_id(id: &str) -> Option<&'static Service> {
        SERVICES.iter().copied().find(|service| service.id == id)
    }
}

/// How awsJson and CBOR spell the message of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// `message`, and `Message` too where the operation's model names the error: AWS's own way is not known.
    Both,
    /// As the model does where the operation's model names the error, else `message`.
    Model,
}

/// One served operation.
#[derive(Debug)]
pub struct OperationModel {
    pub name: &'static str,
    pub method: &'static str,
    /// Path with labels: `/endpoints/{EndpointName}/invocations`.
    pub uri: &'static str,
    /// Status of a successful answer.
    pub status: u16,
    pub input: Option<&'static Schema>,
    /// The members of the answer; an event stream is not one of them.
    pub output: Option<&'static Schema>,
    /// The events, if the body of a successful answer is a stream of them: one member per event.
    pub event_stream: Option<&'static Schema>,
    /// The element that awsQuery wraps an answer's members in.
    pub result_wrapper: Option<&'static str>,
    /// Whether clients may send the body compressed.
    pub gzip: bool,
    pub errors: &'static [ErrorModel],
}

impl OperationModel {
    /// The modelled error of this code or name.
    pub fn error(&self, code: &str) -> Option<&'static ErrorModel> {
        self.errors.iter().find(|error| error.code == code || error.name == code)
    }

    /// The same operation with other members in its answer, as a dry run has them.
    #[must_use]
    pub const fn answering(&self, output: &'static Schema) -> Self {
        Self { output: Some(output), ..*self }
    }
}

/// An error that an operation's model names.
#[derive(Debug)]
pub struct ErrorModel {
    /// The shape's name: `InvalidParameterValueException`.
    pub name: &'static str,
    /// What awsQuery calls it: `InvalidParameterValue`; mostly the name.
    pub code: &'static str,
    /// What `__type` says: the name, behind a namespace if the service writes one.
    pub type_name: &'static str,
    pub status: u16,
    pub schema: &'static Schema,
}

impl ErrorModel {
    /// `message` or `Message`, as the model spells it; None if the error has no such member.
    pub fn spelling(&self) -> Option<&'static str> {
        let Kind::Structure(structure) = &self.schema.kind else { return None };
        let mut names = structure.members.iter().map(|member| member.name);
        names.find(|name| name.eq_ignore_ascii_case("message"))
    }
}

/// An operation of AWS that Tidegate does not serve.
#[derive(Debug)]
pub struct Unserved {
    pub name: &'static str,
    pub method: &'static str,
    pub uri: &'static str,
}
