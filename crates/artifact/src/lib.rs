//! Model artefacts: the embedded S3, fetching and unpacking.
//!
//! A room of its own: it knows nothing of endpoints, models or who is calling. It keeps objects durably ([`bucket`]), answers
//! S3's protocol for them ([`bucket::service`]), and turns the URL of a model into a folder ([`fetch`], [`unpack`]). Every
//! archive is a stranger's: it is unpacked whole or refused whole. It must not read a clock, start a model server, or decide
//! who may do what.

pub mod bucket;
pub mod fetch;
mod network;
mod stop;
pub mod unpack;

pub use bucket::Buckets;
pub use bucket::service::{S3Service, service};
pub use fetch::{AccessKey, Artifacts, FetchError, Keys, RealBucket, RealBucketError};
pub use stop::{Interrupt, Stop};
