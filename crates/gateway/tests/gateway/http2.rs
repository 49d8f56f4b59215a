//! HTTP/2 clients that make work, frame by frame.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, BufMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Behaviour, ModelServer, World};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// `:method: GET`, `:scheme: http`, `:path: /`, each one byte of HPACK's static table.
const GET: &[u8] = &[0x82, 0x86, 0x84];

/// As `GET`, with the method POST.
const POST: &[u8] = &[0x83, 0x86, 0x84];

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

struct Raw(TcpStream);

impl Raw {
    async fn connect(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut raw = Self(stream);
        assert!(raw.send(SETTINGS, 0, 0, &[]).await);
        raw
    }

    /// False if the connection has ended.
    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        let mut frame = Vec::new();
        frame.put_uint(payload.len() as u64, 3);
        frame.put_u8(kind);
        frame.put_u8(flags);
        frame.put_u32(stream);
        frame.put_slice(payload);
        self.0.write_all(&frame).await.is_ok()
    }

    /// The next frame; nothing when the connection has ended.
    async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        let read = self.0.read_exact(&mut head);
        tokio::time::timeout(Duration::from_secs(20), read)
            .await
            .expect("a frame or an end")
            .ok()?;
        let mut head = &head[..];
        let length = usize::try_from(head.get_uint(3)).unwrap();
        let (kind, flags, stream) = (head.get_u8(), head.get_u8(), head.get_u32());
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame { kind, flags, stream, payload })
    }

    /// The reason that the connection ends for; nothing if it ends without a word.
    async fn goaway(&mut self) -> Option<u32> {
        while let Some(frame) = self.next().await {
            if frame.kind == GOAWAY {
                return Some((&frame.payload[4..]).get_u32());
            }
        }
        None
    }
}

#[tokio::test]
async fn the_bounds_are_announced() {
    let world = World::start();
    let mut raw = Raw::connect(world.address()).await;
    let settings = loop {
        let frame = raw.next().await.unwrap();
        if frame.kind == SETTINGS && frame.flags & ACK == 0 {
            break frame.payload;
        }
    };
    let value = |wanted: u16| {
        settings
            .chunks(6)
            .map(|mut setting| (setting.get_u16(), setting.get_u32()))
            .find(|(id, _)| *id == wanted)
            .map(|(_, value)| value)
    };
    assert_eq!(value(MAX_CONCURRENT_STREAMS), Some(128));
    assert_eq!(value(MAX_HEADER_LIST_SIZE), Some(64 * 1024));
}

#[tokio::test]
async fn streams_beyond_the_bound_are_refused() {
    let world = World::start();
    let mut raw = Raw::connect(world.address()).await;
    // Bodies that never come: every stream stays open.
    for number in 0..140 {
        assert!(raw.send(HEADERS, END_HEADERS, 2 * number + 1, POST).await);
    }
    let mut refused = Vec::new();
    while refused.len() < 12 {
        let frame = raw.next().await.expect("the connection lives");
        if frame.kind == RST_STREAM {
            assert_eq!((&frame.payload[..]).get_u32(), REFUSED_STREAM);
            refused.push(frame.stream);
        }
    }
    assert_eq!(refused, (128..140).map(|number| 2 * number + 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn resetting_streams_as_fast_as_they_are_opened_ends_the_connection() {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::Echo).await);
    world.publish_one(model.route());
    let mut raw = Raw::connect(world.address()).await;
    let mut burst = Vec::new();
    for number in 0..10_000_u32 {
        for (kind, flags, payload) in
            [(HEADERS, END_HEADERS | END_STREAM, GET), (RST_STREAM, 0, &[0, 0, 0, 8][..])]
        {
            burst.put_uint(payload.len() as u64, 3);
            burst.put_u8(kind);
            burst.put_u8(flags);
            burst.put_u32(2 * number + 1);
            burst.put_slice(payload);
        }
    }
    // It may be cut off while it is sent.
    let _ = raw.0.write_all(&burst).await;
    let reason = raw.goaway().await;
    assert!(reason.is_none_or(|reason| reason == ENHANCE_YOUR_CALM), "{reason:?}");
    assert_eq!(world.client().await.invoke("others are served").await.status, 200);
}

#[tokio::test]
async fn a_head_without_end_is_not_collected() {
    let world = World::start();
    let mut raw = Raw::connect(world.address()).await;
    assert!(raw.send(HEADERS, END_STREAM, 1, GET).await);
    // A literal header that is not indexed: name "a", and a value of a hundred bytes.
    let field = [&[0x00, 1, b'a', 100][..], &[b'x'; 100]].concat();
    let fields = field.repeat(150);
    let mut sent = 0;
    while sent < 64 * 1024 * 1024 && raw.send(CONTINUATION, 0, 1, &fields).await {
        sent += fields.len();
    }
    assert!(sent < 16 * 1024 * 1024, "{sent} bytes of a head were taken");
    assert_eq!(world.client().await.send(crate::support::invocation("x")).await.status, 403);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_and_the_connection_lives() {
    let world = World::start();
    let mut raw = Raw::connect(world.address()).await;
    let field = [&[0x00, 1, b'a', 100][..], &[b'x'; 100]].concat();
    assert!(raw.send(HEADERS, END_STREAM, 1, GET).await);
    for _ in 0..5 {
        assert!(raw.send(CONTINUATION, 0, 1, &field.repeat(140)).await);
    }
    assert!(raw.send(CONTINUATION, END_HEADERS, 1, &field).await);
    // An answer that says so, or the end of the one stream.
    let frame = loop {
        let frame = raw.next().await.expect("an answer");
        if frame.stream == 1 {
            break frame;
        }
    };
    assert!(matches!(frame.kind, HEADERS | RST_STREAM), "{}", frame.kind);
    assert!(raw.send(HEADERS, END_HEADERS | END_STREAM, 3, GET).await);
    loop {
        let frame = raw.next().await.expect("another answer");
        assert_ne!(frame.kind, GOAWAY);
        if frame.stream == 3 && matches!(frame.kind, HEADERS | DATA) {
            break;
        }
    }
}
