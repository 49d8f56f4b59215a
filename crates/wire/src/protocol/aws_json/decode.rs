//! JSON bodies to documents.

use bytes::Bytes;
use serde_json::Value;

use crate::Document;
use crate::document::JsonError;
use crate::protocol::{ErrorBody, PARSED_BODY_BYTES_MAX, ResponseError};
use crate::schema::Schema;
use crate::service::OperationModel;

/// An empty body is no JSON, not even for an operation whose members are all optional.
pub(in crate::protocol) fn decode_input(
    schema: &Schema,
    body: &Bytes,
) -> Result<Document, ErrorBody> {
    if body.len() > PARSED_BODY_BYTES_MAX {
        return Err(ErrorBody::too_large(PARSED_BODY_BYTES_MAX));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Null) => Err(JsonError::NullBody.into()),
        Ok(value) => Ok(Document::from_json(schema, &value)?),
        Err(error) => {
            Err(ErrorBody::serialization(format!("The request body is not valid JSON: {error}")))
        }
    }
}

pub(in crate::protocol) fn decode_output(
    operation: &OperationModel,
    body: &[u8],
) -> Result<Document, ResponseError> {
    let Some(schema) = operation.output.filter(|_| !body.is_empty()) else {
        return Ok(Document::empty());
    };
    let value = serde_json::from_slice(body).map_err(|error| ResponseError::malformed(&error))?;
    Document::from_json(schema, &value).map_err(|error| ResponseError::malformed(&error))
}
