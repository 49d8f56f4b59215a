//! rest-json: the operation is method and path; members travel in path, query, headers and body.

mod decode;
mod encode;
mod error;
mod route;
#[cfg(test)]
mod tests;

pub(super) use decode::{decode_input, decode_output};
pub(super) use encode::{encode_input, encode_output};
pub(super) use error::encode_error;
pub(super) use route::{has_path, operation};
