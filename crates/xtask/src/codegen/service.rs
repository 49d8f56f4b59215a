//! Writes `service.rs` (the table of operations) and the `mod.rs` files.

use std::fmt::Write as _;

use crate::codegen::names;
use crate::codegen::streams::Streams;
use crate::codegen::types::Types;
use crate::failure::{Failure, Outcome};
use crate::model::{Metadata, Operation, Reference};
use crate::services::Service;

pub(crate) fn emit(service: &Service, types: Types<'_>, streams: &Streams) -> Outcome<String> {
    let model = types.0;
    let metadata = &model.metadata;
    let mut operations = String::new();
    for (name, operation) in &model.operations {
        emit_operation(&mut operations, types, streams, (name, operation))?;
    }
    let mut unserved = String::new();
    for (name, http) in &model.unserved {
        let (method, uri) = http.split_once(' ').unwrap_or(("POST", http));
        let _ =
            write!(unserved, "Unserved {{ name: {name:?}, method: {method:?}, uri: {uri:?} }},");
    }
    let protocols = protocols(&metadata.protocols, metadata.json_version.as_deref())?;
    let schemas = if operations.contains("schemas::") { "use super::schemas;\n" } else { "" };
    let error_model = if operations.contains("ErrorModel {") { "ErrorModel, " } else { "" };
    let spelling =
        if service.habits.spells_as_modelled { "Spelling::Model" } else { "Spelling::Both" };
    let unserved_model = if unserved.is_empty() { "" } else { ", Unserved" };
    let mut text = format!(
        "{schemas}use crate::Protocol;\nuse crate::service::{{{error_model}OperationModel, Service, Spelling{unserved_model}}};\n\
         use crate::value::DecodeError;\n\n\
         /// {} {}.\npub static SERVICE: Service = Service {{\n\
         id: {:?}, service_id: {:?}, signing_name: {:?}, endpoint_prefix: {:?}, target_prefix: {:?},\n\
         api_version: {:?}, xml_namespace: {:?}, validation_code: {:?}, query_compatible: {}, spelling: {spelling}, protocols: &[{protocols}],\n\
         operations: &[{operations}],\nunserved: &[{unserved}],\n}};\n\n",
        metadata.service_id,
        metadata.api_version,
        service.module(),
        metadata.service_id,
        metadata.signing_name.as_ref().unwrap_or(&metadata.endpoint_prefix),
        metadata.endpoint_prefix,
        metadata.target_prefix.as_deref().unwrap_or_default(),
        metadata.api_version,
        metadata.xml_namespace.as_deref().unwrap_or_default(),
        service.validation_code,
        metadata.aws_query_compatible.is_some(),
    );
    emit_enum(&mut text, types);
    Ok(text)
}

fn protocols(published: &[String], json_version: Option<&str>) -> Outcome<String> {
    let mut names = Vec::new();
    for protocol in published {
        names.push(match (protocol.as_str(), json_version) {
            ("json", Some("1.0")) => "Protocol::AwsJson1_0",
            ("json", _) => "Protocol::AwsJson1_1",
            ("rest-json", _) => "Protocol::RestJson",
            ("query", _) => "Protocol::AwsQuery",
            ("smithy-rpc-v2-cbor", _) => "Protocol::RpcV2Cbor",
            (other, _) => return Err(Failure::new(format!("wire does not speak {other}"))),
        });
    }
    Ok(names.join(", "))
}

fn emit_operation(
    text: &mut String,
    types: Types<'_>,
    streams: &Streams,
    (name, operation): (&str, &Operation),
) -> Outcome {
    let schema = |reference: &Option<Reference>| {
        reference.as_ref().map_or_else(
            || "None".to_owned(),
            |reference| format!("Some(&schemas::{})", names::constant(&reference.shape)),
        )
    };
    let mut errors = String::new();
    for reference in &operation.errors {
        emit_error(&mut errors, types, &reference.shape)?;
    }
    let stream = match streams.get(name) {
        Some(stream) => format!("Some(&schemas::{})", names::constant(stream)),
        None => "None".to_owned(),
    };
    let wrapper = operation.output.as_ref().and_then(|output| output.result_wrapper.as_ref());
    let compressed = operation
        .compression
        .as_ref()
        .is_some_and(|compression| compression.encodings.iter().any(|encoding| encoding == "gzip"));
    let _ = writeln!(
        text,
        "OperationModel {{ name: {name:?}, method: {:?}, uri: {:?}, status: {}, input: {}, output: {}, \
         event_stream: {stream}, result_wrapper: {wrapper:?}, gzip: {compressed}, errors: &[{errors}] }},",
        operation.http.method,
        operation.http.request_uri,
        operation.http.response_code.unwrap_or(200),
        schema(&operation.input),
        schema(&operation.output),
    );
    Ok(())
}

fn emit_error(errors: &mut String, types: Types<'_>, name: &str) -> Outcome {
    let shape = types.shape(name)?;
    let given = shape.error.clone().unwrap_or_default();
    let code = given.code.unwrap_or_else(|| name.to_owned());
    let status = given.http_status_code.unwrap_or(if shape.fault { 500 } else { 400 });
    let constant = names::constant(name);
    let namespaces = namespace(&types.0.metadata).filter(|_| !shape.synthetic);
    let type_name = match (namespaces, &types.0.metadata.aws_query_compatible) {
        (Some(namespace), _) => format!("{namespace}#{name}"),
        (None, Some(_)) => format!("com.amazon.coral.service#{name}"),
        (None, None) => code.clone(),
    };
    let _ = write!(
        errors,
        "ErrorModel {{ name: {name:?}, code: {code:?}, type_name: {type_name:?}, status: {status}, \
         schema: &schemas::{constant} }},"
    );
    Ok(())
}

/// What stands before the name of an error's type; only those services write it that also tell awsQuery's code, so
/// that no client goes by it.
fn namespace(metadata: &Metadata) -> Option<String> {
    metadata.aws_query_compatible.as_ref()?;
    let name = metadata.service_id.replace(' ', "").to_lowercase();
    Some(format!("com.amazonaws.{name}.v{}", metadata.api_version.replace('-', "_")))
}

/// `too-many-lines-threshold` of `clippy.toml`.
const FUNCTION_LINES_MAX: usize = 70;

fn emit_enum(text: &mut String, types: Types<'_>) {
    let (mut variants, mut all, mut name_arms, mut parse_arms) =
        (String::new(), String::new(), String::new(), String::new());
    for (name, operation) in &types.0.operations {
        let variant = names::type_name(name);
        if let Some(about) = &operation.about {
            let _ = writeln!(variants, "/// {about}");
        }
        let _ = writeln!(variants, "{variant},");
        let _ = write!(all, "Self::{variant},");
        let _ = writeln!(name_arms, "Self::{variant} => {name:?},");
        let _ = writeln!(parse_arms, "{name:?} => Ok(Self::{variant}),");
    }
    // A match has a line per operation, and one or two around them.
    let long = |around: usize| {
        if types.0.operations.len() + around > FUNCTION_LINES_MAX {
            "#[expect(clippy::too_many_lines, reason = \"a line per operation\")]\n"
        } else {
            ""
        }
    };
    let (long_name, long_parse) = (long(2), long(3));
    let _ = writeln!(
        text,
        "/// The operations Tidegate serves.\n\
         #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum Operation {{ {variants} }}\n\n\
         impl Operation {{\npub const ALL: &'static [Self] = &[{all}];\n\n\
         {long_name}pub const fn name(self) -> &'static str {{\nmatch self {{ {name_arms} }}\n}}\n\n\
         /// The table and this enum have one order.\n pub fn model(self) -> &'static OperationModel {{\n\
         &SERVICE.operations[self as usize]\n}}\n}}\n\n\
         impl std::str::FromStr for Operation {{\ntype Err = DecodeError;\n\n\
         {long_parse}fn from_str(name: &str) -> Result<Self, DecodeError> {{\n\
         match name {{ {parse_arms} other => Err(DecodeError::unknown_value(\"operation\", other)) }}\n}}\n}}\n"
    );
}

/// `shape/<service>/mod.rs`.
pub(crate) fn emit_module(enums: bool) -> String {
    let (module, export) = if enums { ("mod enums;\n", "pub use enums::*;\n") } else { ("", "") };
    format!(
        "{module}pub mod schemas;\nmod service;\nmod structures;\n\n{export}pub use service::{{Operation, SERVICE}};\n\
         pub use structures::*;\n"
    )
}

/// `shape/mod.rs`.
pub(crate) fn emit_root(services: &[Service]) -> String {
    let mut text = String::new();
    for service in services {
        let _ = writeln!(text, "pub mod {};", service.module());
    }
    text.push_str("\nuse crate::service::Service;\n\n/// Every service Tidegate serves.\n");
    let all: Vec<_> =
        services.iter().map(|service| format!("&{}::SERVICE", service.module())).collect();
    let _ = writeln!(text, "pub static SERVICES: &[&Service] = &[{}];", all.join(", "));
    text
}
