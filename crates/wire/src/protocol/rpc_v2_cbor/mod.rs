//! Smithy's RPC v2 with CBOR bodies: the operation is in the path, everything else in one map.

mod decode;
mod encode;
mod error;
mod item;
mod route;
#[cfg(test)]
mod tests;

pub(super) use decode::{decode_input, decode_output};
pub(super) use encode::{encode_input, encode_output};
pub(super) use error::{decode_error, encode_error};
pub(super) use route::{claims, has_path, operation};
