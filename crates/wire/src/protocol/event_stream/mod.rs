//! AWS's event streams: the frames of an answer that comes in pieces.
//!
//! A frame is a prelude (total length, length of the headers, CRC-32 of both), typed headers, a payload, and a CRC-32
//! of everything before it; all numbers are big-endian. What the frames of `InvokeEndpointWithResponseStream` say:
//! reference/sagemaker-hosting.md, section 5, "Response stream". Whoever sends them reads and writes the bytes in
//! between; this file waits for nothing and keeps nothing.
//! ```
//! use bytes::Bytes;
//! use wire::event_stream::{self, Decoder};
//! use wire::sagemaker_runtime::ModelStreamError;
//!
//! # fn main() -> Result<(), event_stream::FrameError> {
//! let error = ModelStreamError {
//!     message: Some("The model server closed the connection".to_owned()),
//!     error_code: Some("StreamBroken".to_owned()),
//! };
//! let mut body = event_stream::encode_payload(&Bytes::from_static(b"tokens")).to_vec();
//! body.extend(event_stream::exception(&error).encode()?);
//!
//! let (mut decoder, mut body) = (Decoder::new(), Bytes::from(body));
//! let first = decoder.decode(&mut body)?.expect("a whole frame");
//! assert_eq!((first.text(":event-type"), &first.payload[..]), (Some("PayloadPart"), &b"tokens"[..]));
//! let second = decoder.decode(&mut body)?.expect("a whole frame");
//! assert_eq!(second.text(":exception-type"), Some("ModelStreamError"));
//! assert_eq!(decoder.decode(&mut body)?, None);
//! decoder.finish()
//! # }
//! ```

mod decode;
mod encode;
mod message;
#[cfg(test)]
mod tests;

pub use decode::Decoder;
pub use message::{
    EventStreamMessage, HeaderValue, encode_long_payload, encode_payload, exception, payload_part,
    response_head,
};

/// The media type of a body that is a stream of frames.
pub const MEDIA_TYPE: &str = "application/vnd.amazon.eventstream";

/// Bytes of one frame: the smallest limit among AWS's own clients, so that all of them read what is written here.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of one frame's headers, as AWS's clients limit them.
pub const HEADERS_BYTES_MAX: usize = 128 * 1024;

/// Headers of one frame. AWS's services send three to five; finding a name twice looks at all before it.
pub const HEADERS_MAX: usize = 64;

/// Bytes of a text or a byte array in a header: a signed 16-bit length in some of AWS's clients.
pub const HEADER_VALUE_BYTES_MAX: usize = i16::MAX as usize;

/// Bytes of payload in one part. A client sees nothing of a part before it has all of it.
pub const PAYLOAD_PART_BYTES_MAX: usize = 256 * 1024;

/// The prelude and its checksum.
const PRELUDE_BYTES: usize = 12;

/// The checksum of the whole frame.
const CHECKSUM_BYTES: usize = 4;

/// A frame that cannot be read, or written. After it nothing of the stream can be: where the next frame begins is
/// not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error(
        "the lengths of a frame are impossible or too large: {total} bytes, {headers} of headers"
    )]
    Length { total: usize, headers: usize },
    #[error("a frame's first bytes do not match their checksum")]
    PreludeChecksum,
    #[error("a frame does not match its checksum")]
    MessageChecksum,
    #[error("a frame's headers cannot be: {0}")]
    Headers(&'static str),
    #[error("the stream ended in the middle of a frame")]
    Truncated,
}
