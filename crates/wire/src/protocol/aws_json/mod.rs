//! awsJson 1.0 and 1.1: one path, the operation in `X-Amz-Target`, JSON both ways.

mod decode;
mod encode;
mod error;
mod route;
#[cfg(test)]
mod tests;

pub(super) use decode::{decode_input, decode_output};
pub(super) use encode::{encode_input, encode_output};
pub(super) use error::{decode_error, encode_error};
pub(super) use route::operation;
