//! Frames against botocore, round trips, and bytes of strangers.
//!
//! `vectors/generate.py` writes the recording.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::sagemaker_runtime::{
    InternalStreamFailure, InvokeEndpointWithResponseStreamOutput, ModelStreamError, Operation,
    SERVICE,
};
use crate::schema::{Kind, Location};
use crate::{Shape as _, Value as _};

fn recording() -> Value {
    serde_json::from_str(include_str!("../../../vectors/event_stream.json")).unwrap()
}

fn bytes(base64: &Value) -> Bytes {
    STANDARD.decode(base64.as_str().unwrap()).unwrap().into()
}

/// Everything in the input, and whether it ended where a frame does.
fn decode(mut input: Bytes) -> Result<(Vec<EventStreamMessage>, bool), FrameError> {
    let mut decoder = Decoder::new();
    let mut messages = Vec::new();
    while let Some(message) = decoder.decode(&mut input)? {
        messages.push(message);
    }
    Ok((messages, decoder.finish().is_ok()))
}

/// A header's type and value as the recording spells them.
fn spelled(value: &HeaderValue) -> (&'static str, Value) {
    match value {
        HeaderValue::Bool(flag) => ("bool", json!(flag)),
        HeaderValue::Byte(number) => ("byte", json!(number)),
        HeaderValue::Short(number) => ("short", json!(number)),
        HeaderValue::Integer(number) => ("integer", json!(number)),
        HeaderValue::Long(number) => ("long", json!(number)),
        HeaderValue::Bytes(bytes) => ("bytes", json!(STANDARD.encode(bytes))),
        HeaderValue::String(text) => ("string", json!(text)),
        HeaderValue::Timestamp(millis) => ("timestamp", json!(millis)),
        HeaderValue::Uuid(uuid) => ("uuid", json!(STANDARD.encode(uuid))),
    }
}

fn spelled_message(message: &EventStreamMessage) -> Value {
    let headers = message.headers.iter().map(|(name, value)| json!([name, spelled(value).1]));
    json!({"headers": headers.collect::<Value>(), "payload": STANDARD.encode(&message.payload)})
}

#[test]
fn botocore_reads_the_same_in_the_same_frames() {
    let errors = [
        "a flipped prelude",
        "a flipped prelude checksum",
        "a flipped header",
        "a flipped payload",
        "a flipped checksum",
        "a name twice",
        "a type that does not exist",
        "a text that is not UTF-8",
        "headers beyond the limit",
        "a payload beyond the limit",
    ];
    for case in recording()["frames"].as_array().unwrap() {
        let (name, input) = (case["name"].as_str().unwrap(), bytes(&case["bytes"]));
        let Some(expected) = case["botocore"].as_array() else {
            assert!(errors.contains(&name), "{name}");
            assert!(decode(input).is_err(), "{name}");
            continue;
        };
        let (messages, whole) = decode(input.clone()).unwrap();
        assert_eq!(messages.iter().map(spelled_message).collect::<Vec<_>>(), *expected, "{name}");
        assert_eq!(whole, name != "an unfinished frame");
        let written: Vec<_> = messages.iter().map(|message| message.encode().unwrap()).collect();
        assert!(input.starts_with(&written.concat()), "{name}");
    }
}

#[test]
fn headers_keep_their_types() {
    let recording = recording();
    let frames = recording["frames"].as_array().unwrap();
    let case = frames.iter().find(|case| case["name"] == "every type").unwrap();
    let (messages, _) = decode(bytes(&case["bytes"])).unwrap();
    let found: Vec<Value> =
        messages[0].headers.iter().map(|(_, value)| json!(spelled(value))).collect();
    assert_eq!(json!(found), recording["every_type"]);
}

/// botocore has read these bytes as a response stream, so that writing the same bytes is being understood.
#[test]
fn sagemakers_frames_are_those_that_botocore_understands() {
    let broken = ModelStreamError {
        message: Some("The stream broke".to_owned()),
        error_code: Some("StreamBroken".to_owned()),
    };
    let internal = InternalStreamFailure { message: Some("Something broke".to_owned()) };
    let ours = [
        vec![payload_part(&b"one "[..]), payload_part(&b"\x00\xfftwo"[..])],
        vec![payload_part(&b"one "[..]), exception(&broken)],
        vec![exception(&internal)],
    ];
    let recording = recording();
    for (stream, ours) in recording["streams"].as_array().unwrap().iter().zip(ours) {
        let (read, whole) = decode(bytes(&stream["bytes"])).unwrap();
        assert!(whole);
        for (read, ours) in read.iter().zip(&ours) {
            assert_eq!(read.headers, ours.headers);
            if ours.text(":message-type") == Some("event") {
                assert_eq!(read.payload, ours.payload);
            } else {
                // The order of JSON's members is free.
                let json = |bytes| serde_json::from_slice::<Value>(bytes).unwrap();
                assert_eq!(json(&read.payload), json(&ours.payload));
            }
        }
        assert_eq!(read.len(), ours.len());
    }
}

#[test]
fn the_frames_are_the_events_of_the_model() {
    let events = Operation::InvokeEndpointWithResponseStream.model().event_stream.unwrap();
    let Kind::Structure(events) = &events.kind else { panic!("not a structure") };
    let part = payload_part(Bytes::new());
    let part = events.member(part.text(":event-type").unwrap()).unwrap();
    let Kind::Structure(part) = &part.schema.kind else { panic!("not a structure") };
    assert_eq!(part.members.len(), 1);
    assert_eq!(part.members[0].location, Location::EventPayload);
    for name in [ModelStreamError::NAME, InternalStreamFailure::NAME] {
        assert!(events.member(name).is_some(), "{name}");
    }
    assert_eq!(events.members.len(), 3);
}

#[test]
fn the_head_tells_the_stream_and_the_models_media_type() {
    let output = InvokeEndpointWithResponseStreamOutput {
        content_type: Some("text/event-stream".to_owned()),
        invoked_production_variant: Some("blue".to_owned()),
        custom_attributes: Some("a=1".to_owned()),
    };
    let operation = Operation::InvokeEndpointWithResponseStream.model();
    let head = response_head(&SERVICE, operation, &output, "id-1");
    let mut found: Vec<_> = head
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    found.sort_unstable();
    let expected = [
        ("content-type", "application/vnd.amazon.eventstream"),
        ("x-amzn-invoked-production-variant", "blue"),
        ("x-amzn-requestid", "id-1"),
        ("x-amzn-sagemaker-content-type", "text/event-stream"),
        ("x-amzn-sagemaker-custom-attributes", "a=1"),
    ];
    assert_eq!((head.status().as_u16(), found), (200, expected.to_vec()));
    let whole = SERVICE.protocols[0].encode_output(&SERVICE, operation, &output.to_document(), "");
    assert!(whole.body().is_empty());
}

#[test]
fn a_long_piece_is_split_and_nothing_is_no_frame() {
    let table = [
        (0, vec![]),
        (1, vec![1]),
        (PAYLOAD_PART_BYTES_MAX, vec![PAYLOAD_PART_BYTES_MAX]),
        (PAYLOAD_PART_BYTES_MAX * 2 + 5, vec![PAYLOAD_PART_BYTES_MAX, PAYLOAD_PART_BYTES_MAX, 5]),
    ];
    for (length, expected) in table {
        let piece: Bytes = (0..=u8::MAX).cycle().take(length).collect();
        let (parts, whole) = decode(encode_payload(&piece)).unwrap();
        let lengths: Vec<usize> = parts.iter().map(|part| part.payload.len()).collect();
        assert_eq!((lengths, whole), (expected, true));
        assert_eq!(parts.iter().flat_map(|part| part.payload.to_vec()).collect::<Bytes>(), piece);
        let pieces: Vec<Bytes> = encode_long_payload(&piece).collect();
        assert_eq!(pieces.concat(), encode_payload(&piece));
        assert!(pieces.iter().map(Bytes::len).all(|length| length <= PAYLOAD_PART_BYTES_MAX));
    }
}

fn text(length: usize) -> HeaderValue {
    HeaderValue::String("x".repeat(length).into())
}

#[test]
fn what_no_client_could_read_is_not_written() {
    let header = |name: &str, value| (name.to_owned().into(), value);
    let with = |headers| EventStreamMessage { headers, payload: Bytes::new() };
    let many = |count: usize, length| {
        with((0..count).map(|at| header(&at.to_string(), text(length))).collect())
    };
    let filled = MESSAGE_BYTES_MAX - PRELUDE_BYTES - CHECKSUM_BYTES;
    let payload = |length| EventStreamMessage { headers: vec![], payload: vec![0; length].into() };
    let table = [
        (with(vec![header("", text(0))]), false),
        (with(vec![header(&"n".repeat(255), text(0))]), true),
        (with(vec![header(&"n".repeat(256), text(0))]), false),
        (with(vec![header("a", text(1)), header("a", HeaderValue::Bool(true))]), false),
        (with(vec![header("a", text(HEADER_VALUE_BYTES_MAX))]), true),
        (with(vec![header("a", text(HEADER_VALUE_BYTES_MAX + 1))]), false),
        (with(vec![header("a", HeaderValue::Bytes(vec![0; 70_000].into()))]), false),
        (many(HEADERS_MAX, 1), true),
        (many(HEADERS_MAX + 1, 1), false),
        (many(5, HEADER_VALUE_BYTES_MAX), false),
        (payload(filled), true),
        (payload(filled + 1), false),
    ];
    for (at, (message, good)) in table.into_iter().enumerate() {
        let written = message.encode();
        assert_eq!(written.is_ok(), good, "case {at}");
        if let Ok(frame) = written {
            assert_eq!(decode(frame).unwrap(), (vec![message], true), "case {at}");
        }
    }
}

/// A frame whose checksums are right whatever else is wrong.
fn sealed(total: u32, headers_length: u32, rest: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u32(total);
    frame.put_u32(headers_length);
    frame.put_u32(crc32fast::hash(&frame));
    frame.put_slice(rest);
    frame.put_u32(crc32fast::hash(&frame));
    frame.freeze()
}

#[test]
fn impossible_lengths_and_headers_are_refused() {
    let most = u32::try_from(MESSAGE_BYTES_MAX).unwrap();
    let lengths = [(0, 0), (15, 0), (16, 1), (most + 1, 0), (u32::MAX, u32::MAX), (0, u32::MAX)];
    for (total, headers) in lengths {
        let found = decode(sealed(total, headers, b""));
        assert!(matches!(found, Err(FrameError::Length { .. })), "{total} {headers}: {found:?}");
    }
    let many: Vec<u8> =
        (0..=HEADERS_MAX).flat_map(|at| [1, u8::try_from(at).unwrap(), 0]).collect();
    let headers: [&[u8]; 8] = [
        b"\x00\x00",
        b"\x05a",
        b"\x01a",
        b"\x01a\x04\x00",
        b"\x01a\x07\x00\x05four",
        b"\x01a\x07\x80\x00",
        b"\x01\xff\x00",
        &many,
    ];
    for bytes in headers {
        let length = u32::try_from(bytes.len()).unwrap();
        let found = decode(sealed(16 + length, length, bytes));
        assert!(matches!(found, Err(FrameError::Headers(_))), "{bytes:?}: {found:?}");
    }
}

#[test]
fn an_error_lasts() {
    let mut decoder = Decoder::new();
    let good = payload_part(&b"x"[..]).encode().unwrap();
    let mut input = Bytes::from([&[0; PRELUDE_BYTES], &good[..]].concat());
    assert_eq!(decoder.decode(&mut input), Err(FrameError::PreludeChecksum));
    assert_eq!(decoder.decode(&mut good.clone()), Err(FrameError::PreludeChecksum));
    assert_eq!(decoder.finish(), Err(FrameError::PreludeChecksum));
}

fn any_value() -> impl Strategy<Value = HeaderValue> {
    let blob = prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        any::<bool>().prop_map(HeaderValue::Bool),
        any::<i8>().prop_map(HeaderValue::Byte),
        any::<i16>().prop_map(HeaderValue::Short),
        any::<i32>().prop_map(HeaderValue::Integer),
        any::<i64>().prop_map(HeaderValue::Long),
        blob.prop_map(|bytes| HeaderValue::Bytes(bytes.into())),
        ".{0,12}".prop_map(|text| HeaderValue::String(text.into())),
        any::<i64>().prop_map(HeaderValue::Timestamp),
        any::<[u8; 16]>().prop_map(HeaderValue::Uuid),
    ]
}

fn any_message() -> impl Strategy<Value = EventStreamMessage> {
    let headers = prop::collection::btree_map(".{1,8}", any_value(), 0..8);
    let payload = prop::collection::vec(any::<u8>(), 0..300);
    (headers, payload).prop_map(|(headers, payload)| EventStreamMessage {
        headers: headers.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        payload: payload.into(),
    })
}

fn written(messages: &[EventStreamMessage]) -> Vec<u8> {
    messages.iter().flat_map(|message| message.encode().unwrap()).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read_however_it_is_cut(
        messages in prop::collection::vec(any_message(), 0..4),
        cuts in prop::collection::vec(1..50_usize, 1..20),
    ) {
        let bytes = Bytes::from(written(&messages));
        let (mut decoder, mut read, mut at) = (Decoder::new(), Vec::new(), 0);
        for cut in cuts.iter().cycle() {
            let end = (at + cut).min(bytes.len());
            let mut piece = bytes.slice(at..end);
            while let Some(message) = decoder.decode(&mut piece).unwrap() {
                read.push(message);
            }
            prop_assert!(piece.is_empty());
            at = end;
            if at == bytes.len() {
                break;
            }
        }
        prop_assert_eq!(decoder.finish(), Ok(()));
        prop_assert_eq!(read, messages);
    }

    #[test]
    fn a_changed_byte_never_passes(
        message in any_message(),
        at in any::<prop::sample::Index>(),
        change in 1..=u8::MAX,
    ) {
        let mut bytes = written(std::slice::from_ref(&message));
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(decode(bytes.into()).is_err());
    }

    #[test]
    fn a_stream_that_is_cut_off_is_known_by_it(
        message in any_message(),
        at in any::<prop::sample::Index>(),
    ) {
        let mut bytes = written(std::slice::from_ref(&message));
        let at = at.index(bytes.len());
        bytes.truncate(at);
        prop_assert_eq!(decode(bytes.into()), Ok((vec![], at == 0)));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), headers in 0..100_u32) {
        // Reading it at all is the property; with good checksums it comes to the headers.
        let length = u32::try_from(bytes.len()).unwrap();
        let read = decode(sealed(length + 16, headers, &bytes));
        if let Ok((messages, true)) = read {
            prop_assert_eq!(written(&messages), sealed(length + 16, headers, &bytes).to_vec());
        } else {
            prop_assert!(read.is_err());
        }
        let _ = decode(bytes.into());
    }
}
