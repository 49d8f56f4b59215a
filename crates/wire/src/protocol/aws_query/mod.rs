//! awsQuery: form parameters in, XML out.

mod decode;
mod encode;
mod error;
mod form;
mod route;
#[cfg(test)]
mod tests;
mod xml;

pub(super) use decode::{decode_input, decode_output};
pub(super) use encode::{encode_input, encode_output};
pub(super) use error::{decode_error, encode_error};
pub(super) use route::operation;
