//! Messages to frames.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    CHECKSUM_BYTES, EventStreamMessage, FrameError, HEADER_VALUE_BYTES_MAX, HEADERS_BYTES_MAX,
    HEADERS_MAX, HeaderValue, MESSAGE_BYTES_MAX, PRELUDE_BYTES,
};

/// Room for the headers of the usual frame, so that it is written without growing.
const USUAL_HEADERS_BYTES: usize = 128;

pub(super) fn encode(message: &EventStreamMessage) -> Result<Bytes, FrameError> {
    let EventStreamMessage { headers, payload } = message;
    let mut frame = begin(headers, payload.len(), payload.len().saturating_add(CHECKSUM_BYTES))?;
    frame.put_slice(payload);
    frame.put_u32(crc32fast::hash(&frame));
    Ok(frame.freeze())
}

/// What is before the payload of the frame, and what is behind it.
pub(super) fn around(message: &EventStreamMessage) -> Result<(Bytes, Bytes), FrameError> {
    let EventStreamMessage { headers, payload } = message;
    let before = begin(headers, payload.len(), 0)?.freeze();
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&before);
    checksum.update(payload);
    Ok((before, Bytes::copy_from_slice(&checksum.finalize().to_be_bytes())))
}

/// The prelude and the headers of a frame with so many bytes of payload, and `room` for what is put behind them.
fn begin(
    headers: &[(Cow<'static, str>, HeaderValue)],
    payload: usize,
    room: usize,
) -> Result<BytesMut, FrameError> {
    let room = room.saturating_add(PRELUDE_BYTES).saturating_add(USUAL_HEADERS_BYTES);
    let mut frame = BytesMut::with_capacity(room.min(MESSAGE_BYTES_MAX));
    frame.put_bytes(0, PRELUDE_BYTES);
    if headers.len() > HEADERS_MAX {
        return Err(FrameError::Headers("there are too many"));
    }
    for (position, (name, value)) in headers.iter().enumerate() {
        if headers.iter().take(position).any(|(before, _)| before == name) {
            return Err(FrameError::Headers("a name comes twice"));
        }
        write_header(&mut frame, name, value)?;
    }
    let headers = frame.len().saturating_sub(PRELUDE_BYTES);
    let total = frame.len().saturating_add(payload).saturating_add(CHECKSUM_BYTES);
    let too_long = FrameError::Length { total, headers };
    if headers > HEADERS_BYTES_MAX || total > MESSAGE_BYTES_MAX {
        return Err(too_long);
    }
    let length = |bytes: usize| u32::try_from(bytes).map_err(|_| too_long);
    let (total, headers) = (length(total)?, length(headers)?);
    let mut prelude = frame.get_mut(..PRELUDE_BYTES).ok_or(too_long)?;
    prelude.put_u32(total);
    prelude.put_u32(headers);
    let lengths = [total.to_be_bytes(), headers.to_be_bytes()];
    prelude.put_u32(crc32fast::hash(lengths.as_flattened()));
    Ok(frame)
}

fn write_header(frame: &mut BytesMut, name: &str, value: &HeaderValue) -> Result<(), FrameError> {
    let length = u8::try_from(name.len()).ok().filter(|length| *length > 0);
    frame.put_u8(length.ok_or(FrameError::Headers("a name is empty or too long"))?);
    frame.put_slice(name.as_bytes());
    match value {
        HeaderValue::Bool(flag) => frame.put_u8(u8::from(!flag)),
        HeaderValue::Byte(number) => {
            frame.put_u8(2);
            frame.put_i8(*number);
        }
        HeaderValue::Short(number) => {
            frame.put_u8(3);
            frame.put_i16(*number);
        }
        HeaderValue::Integer(number) => {
            frame.put_u8(4);
            frame.put_i32(*number);
        }
        HeaderValue::Long(number) => {
            frame.put_u8(5);
            frame.put_i64(*number);
        }
        HeaderValue::Bytes(bytes) => {
            frame.put_u8(6);
            write_long(frame, bytes)?;
        }
        HeaderValue::String(text) => {
            frame.put_u8(7);
            write_long(frame, text.as_bytes())?;
        }
        HeaderValue::Timestamp(millis) => {
            frame.put_u8(8);
            frame.put_i64(*millis);
        }
        HeaderValue::Uuid(bytes) => {
            frame.put_u8(9);
            frame.put_slice(bytes);
        }
    }
    Ok(())
}

fn write_long(frame: &mut BytesMut, bytes: &[u8]) -> Result<(), FrameError> {
    let length = u16::try_from(bytes.len())
        .ok()
        .filter(|length| usize::from(*length) <= HEADER_VALUE_BYTES_MAX);
    frame.put_u16(length.ok_or(FrameError::Headers("a value is too long"))?);
    frame.put_slice(bytes);
    Ok(())
}
