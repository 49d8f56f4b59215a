//! Bytes, in whatever pieces they come, to messages.

use std::borrow::Cow;

use bytes::{Buf, Bytes, BytesMut, TryGetError};

use super::{
    CHECKSUM_BYTES, EventStreamMessage, FrameError, HEADER_VALUE_BYTES_MAX, HEADERS_BYTES_MAX,
    HEADERS_MAX, HeaderValue, MESSAGE_BYTES_MAX, PRELUDE_BYTES,
};

/// Reads a stream. It holds the bytes of one unfinished frame at most, and makes room only for what has come: the
/// length that a frame announces costs nothing.
#[derive(Debug, Default)]
pub struct Decoder {
    held: BytesMut,
    failed: Option<FrameError>,
}

impl Decoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// The next message, taken from the front of `input`; without one, all of `input` is taken and more is needed.
    /// After an error every call gives the same error.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<EventStreamMessage>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let message = self.frame(input).and_then(|frame| frame.map(read).transpose());
        self.failed = message.as_ref().err().copied();
        message
    }

    /// To be asked when the stream has ended: whether it ended between two frames.
    pub fn finish(&self) -> Result<(), FrameError> {
        match self.failed {
            Some(error) => Err(error),
            None if self.held.is_empty() => Ok(()),
            None => Err(FrameError::Truncated),
        }
    }

    fn frame(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, FrameError> {
        // A frame that lies whole in the input need not be copied.
        if self.held.is_empty()
            && let Some(lengths) = Lengths::read(input)?
            && lengths.total <= input.len()
        {
            return Ok(Some(input.split_to(lengths.total)));
        }
        self.hold(input, PRELUDE_BYTES);
        let Some(lengths) = Lengths::read(&self.held)? else { return Ok(None) };
        self.hold(input, lengths.total);
        if self.held.len() < lengths.total {
            return Ok(None);
        }
        Ok(Some(std::mem::take(&mut self.held).freeze()))
    }

    /// Takes input until this many bytes are held.
    fn hold(&mut self, input: &mut Bytes, wanted: usize) {
        let missing = wanted.saturating_sub(self.held.len()).min(input.len());
        self.held.extend_from_slice(&input.split_to(missing));
    }
}

/// The lengths of a frame, checked against each other and against the limits.
#[derive(Debug, Clone, Copy)]
struct Lengths {
    total: usize,
    headers: usize,
    payload: usize,
}

impl Lengths {
    /// None while the prelude is not there yet.
    fn read(frame: &[u8]) -> Result<Option<Self>, FrameError> {
        let Some((lengths, _)) = frame.split_first_chunk::<8>() else { return Ok(None) };
        let Some((mut prelude, _)) = frame.split_at_checked(PRELUDE_BYTES) else {
            return Ok(None);
        };
        let mut number = || prelude.try_get_u32().map_err(|_| FrameError::PreludeChecksum);
        let (total, headers, checksum) = (number()?, number()?, number()?);
        if crc32fast::hash(lengths) != checksum {
            return Err(FrameError::PreludeChecksum);
        }
        let length = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
        let (total, headers) = (length(total), length(headers));
        let overhead = PRELUDE_BYTES.saturating_add(CHECKSUM_BYTES).saturating_add(headers);
        match total.checked_sub(overhead) {
            Some(payload) if total <= MESSAGE_BYTES_MAX && headers <= HEADERS_BYTES_MAX => {
                Ok(Some(Self { total, headers, payload }))
            }
            _ => Err(FrameError::Length { total, headers }),
        }
    }
}

/// Reads one frame, all of it and nothing more.
fn read(mut frame: Bytes) -> Result<EventStreamMessage, FrameError> {
    let lengths = Lengths::read(&frame)?.ok_or(FrameError::Truncated)?;
    let body = lengths.total.saturating_sub(CHECKSUM_BYTES);
    let (checked, mut checksum) = frame.split_at_checked(body).ok_or(FrameError::Truncated)?;
    if checksum.try_get_u32() != Ok(crc32fast::hash(checked)) {
        return Err(FrameError::MessageChecksum);
    }
    frame.advance(PRELUDE_BYTES);
    let headers = read_headers(frame.split_to(lengths.headers))?;
    frame.truncate(lengths.payload);
    Ok(EventStreamMessage { headers, payload: frame })
}

fn read_headers(mut bytes: Bytes) -> Result<Vec<(Cow<'static, str>, HeaderValue)>, FrameError> {
    let mut headers: Vec<(Cow<'static, str>, HeaderValue)> = Vec::new();
    while !bytes.is_empty() {
        if headers.len() >= HEADERS_MAX {
            return Err(FrameError::Headers("there are too many"));
        }
        let length = bytes.try_get_u8().map_err(short)?;
        let name = text(take(&mut bytes, length.into())?)?;
        if name.is_empty() {
            return Err(FrameError::Headers("a name is empty"));
        }
        if headers.iter().any(|(before, _)| *before == name) {
            return Err(FrameError::Headers("a name comes twice"));
        }
        headers.push((name, read_value(&mut bytes)?));
    }
    Ok(headers)
}

fn read_value(bytes: &mut Bytes) -> Result<HeaderValue, FrameError> {
    Ok(match bytes.try_get_u8().map_err(short)? {
        0 => HeaderValue::Bool(true),
        1 => HeaderValue::Bool(false),
        2 => HeaderValue::Byte(bytes.try_get_i8().map_err(short)?),
        3 => HeaderValue::Short(bytes.try_get_i16().map_err(short)?),
        4 => HeaderValue::Integer(bytes.try_get_i32().map_err(short)?),
        5 => HeaderValue::Long(bytes.try_get_i64().map_err(short)?),
        6 => HeaderValue::Bytes(take_long(bytes)?),
        7 => HeaderValue::String(text(take_long(bytes)?)?),
        8 => HeaderValue::Timestamp(bytes.try_get_i64().map_err(short)?),
        9 => {
            let mut uuid = [0; 16];
            bytes.try_copy_to_slice(&mut uuid).map_err(short)?;
            HeaderValue::Uuid(uuid)
        }
        _ => return Err(FrameError::Headers("a value has a type that does not exist")),
    })
}

fn take_long(bytes: &mut Bytes) -> Result<Bytes, FrameError> {
    let length = usize::from(bytes.try_get_u16().map_err(short)?);
    if length > HEADER_VALUE_BYTES_MAX {
        return Err(FrameError::Headers("a value is too long"));
    }
    take(bytes, length)
}

fn take(bytes: &mut Bytes, length: usize) -> Result<Bytes, FrameError> {
    if length > bytes.len() {
        return Err(FrameError::Headers("they end in the middle of one"));
    }
    Ok(bytes.split_to(length))
}

fn text(bytes: Bytes) -> Result<Cow<'static, str>, FrameError> {
    let text = String::from_utf8(bytes.into());
    text.map(Cow::Owned).map_err(|_| FrameError::Headers("a text is not UTF-8"))
}

fn short(_: TryGetError) -> FrameError {
    FrameError::Headers("they end in the middle of one")
}
