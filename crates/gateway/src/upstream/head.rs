//! The heads of one exchange in HTTP/1.1: ours as bytes, and what is used of a model server's (RFC 9112).
//!
//! Pure: bytes in, what they say out. An answer that could be read in two ways is refused, so that no model server can
//! smuggle the answer to the next request into this one.

use std::mem::MaybeUninit;

use bytes::{Buf, BufMut, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::header::CUSTOM_ATTRIBUTES;

/// The longest head of an answer. Two headers of it are used, neither longer than 1,024 bytes.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The most headers of an answer.
const HEADERS_MAX: usize = 100;

/// The path of the container's contract (`reference/sagemaker-hosting.md`, section 6).
const BEGINNING: &[u8] = b"POST /invocations HTTP/1.1\r\n";
const LAST: &[u8] = b"host: localhost\r\ncontent-length: ";

/// What is used of an answer's head.
#[derive(Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) custom_attributes: Option<HeaderValue>,
    pub(super) framing: Framing,
    /// Whether the model server keeps the connection after this answer.
    pub(super) stays: bool,
}

/// How the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// Why bytes are no head of an answer.
#[derive(Debug, thiserror::Error, PartialEq)]
pub(super) enum Malformed {
    #[error("the answer is not HTTP/1.1: {0}")]
    Head(#[from] httparse::Error),
    #[error("the head of the answer is longer than {HEAD_BYTES_MAX} bytes")]
    TooLong,
    #[error("the answer has a status that none can have")]
    Status,
    #[error("the answer's length is said in more than one way, or in none that can be read")]
    Length,
}

/// The head of a request with these headers and a body of that length.
pub(super) fn write(out: &mut Vec<u8>, headers: &[(HeaderName, HeaderValue)], length: usize) {
    out.put_slice(BEGINNING);
    for (name, value) in headers {
        out.put_slice(name.as_str().as_bytes());
        out.put_slice(b": ");
        out.put_slice(value.as_bytes());
        out.put_slice(b"\r\n");
    }
    out.put_slice(LAST);
    out.put_slice(length.to_string().as_bytes());
    out.put_slice(b"\r\n\r\n");
}

/// The head of an answer that is awaited.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    /// How much came before it.
    passed: usize,
}

impl Awaited {
    /// Takes it from the beginning of `buffer`; nothing while it has not come whole. Interim answers (`100 Continue`) are
    /// dropped, each once: they count for the length, so that they come to an end.
    pub(super) fn take(&mut self, buffer: &mut BytesMut) -> Result<Option<Head>, Malformed> {
        loop {
            let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
            let mut response = httparse::Response::new(&mut []);
            let status = httparse::ParserConfig::default().parse_response_with_uninit_headers(
                &mut response,
                buffer,
                &mut headers,
            )?;
            let httparse::Status::Complete(length) = status else {
                let is_too_long = self.passed + buffer.len() >= HEAD_BYTES_MAX;
                return if is_too_long { Err(Malformed::TooLong) } else { Ok(None) };
            };
            self.passed += length;
            if self.passed > HEAD_BYTES_MAX {
                return Err(Malformed::TooLong);
            }
            let status = response.code.and_then(|code| StatusCode::from_u16(code).ok());
            let status = status.ok_or(Malformed::Status)?;
            // A switch of protocols, which nobody asked for, is an answer; what follows is not HTTP.
            let is_interim = status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS;
            if is_interim {
                buffer.advance(length);
                continue;
            }
            let is_old = response.version != Some(1);
            let head = judge(status, is_old, response.headers)?;
            buffer.advance(length);
            return Ok(Some(head));
        }
    }
}

fn judge(
    status: StatusCode,
    is_old: bool,
    headers: &[httparse::Header<'_>],
) -> Result<Head, Malformed> {
    let mut head = Head {
        status,
        content_type: None,
        custom_attributes: None,
        framing: Framing::UntilClose,
        stays: !is_old,
    };
    let (mut length, mut coding) = (None, None);
    let is = |header: &httparse::Header<'_>, name: &HeaderName| {
        header.name.eq_ignore_ascii_case(name.as_str())
    };
    for header in headers {
        if is(header, &CONTENT_TYPE) {
            head.content_type = head.content_type.or_else(|| value(header));
        } else if is(header, &CUSTOM_ATTRIBUTES) {
            head.custom_attributes = head.custom_attributes.or_else(|| value(header));
        } else if is(header, &CONTENT_LENGTH) {
            let said = number(header.value).ok_or(Malformed::Length)?;
            if length.replace(said).is_some_and(|before| before != said) {
                return Err(Malformed::Length);
            }
        } else if is(header, &TRANSFER_ENCODING) {
            // Codings may be spread over several headers: the last one frames.
            coding = tokens(header.value).last().map(|last| last.eq_ignore_ascii_case("chunked"));
        } else if is(header, &CONNECTION) {
            for token in tokens(header.value) {
                if token.eq_ignore_ascii_case("close") {
                    head.stays = false;
                } else if token.eq_ignore_ascii_case("keep-alive") && is_old {
                    head.stays = true;
                }
            }
        }
    }
    head.framing = match (coding, length) {
        _ if status == StatusCode::SWITCHING_PROTOCOLS => {
            head.stays = false;
            Framing::Length(0)
        }
        _ if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) => {
            Framing::Length(0)
        }
        // Two lengths are what smuggling is made of; and HTTP/1.0 has no codings.
        (Some(_), Some(_)) => return Err(Malformed::Length),
        (Some(_), None) if is_old => return Err(Malformed::Length),
        (Some(true), None) => Framing::Chunked,
        (None, Some(length)) => Framing::Length(length),
        (Some(false) | None, None) => Framing::UntilClose,
    };
    head.stays &= head.framing != Framing::UntilClose;
    Ok(head)
}

fn value(header: &httparse::Header<'_>) -> Option<HeaderValue> {
    HeaderValue::from_bytes(header.value).ok()
}

/// Digits alone: neither sign nor space, and no list.
fn number(value: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(value).ok()?;
    let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| digits.parse().ok()).flatten()
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &str> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    text.split(',').map(str::trim).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, framing: Framing, stays: bool) -> Head {
        let status = StatusCode::from_u16(status).unwrap();
        Head { status, content_type: None, custom_attributes: None, framing, stays }
    }

    /// The head in `bytes`, and how much of them is taken.
    fn read(bytes: &[u8]) -> Result<Option<(Head, usize)>, Malformed> {
        let mut buffer = BytesMut::from(bytes);
        let head = Awaited::default().take(&mut buffer)?;
        Ok(head.map(|head| (head, bytes.len() - buffer.len())))
    }

    #[test]
    fn a_head_says_its_status_how_the_body_ends_and_whether_the_connection_stays() {
        // RFC 9112, section 6.3 (length) and 9.3 (persistence).
        let table = [
            ("HTTP/1.1 200 OK\r\ncontent-length: 5", head(200, Framing::Length(5), true)),
            ("HTTP/1.1 200\r\nContent-Length: 5", head(200, Framing::Length(5), true)),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", head(200, Framing::Chunked, true)),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked",
                head(200, Framing::Chunked, true),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\ntransfer-encoding: chunked",
                head(200, Framing::Chunked, true),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip",
                head(200, Framing::UntilClose, false),
            ),
            ("HTTP/1.1 200 OK\r\nserver: x", head(200, Framing::UntilClose, false)),
            ("HTTP/1.1 204 No Content\r\nserver: x", head(204, Framing::Length(0), true)),
            ("HTTP/1.1 101 Switching\r\nupgrade: h2c", head(101, Framing::Length(0), false)),
            ("HTTP/1.1 304 Not Modified\r\ncontent-length: 9", head(304, Framing::Length(0), true)),
            (
                "HTTP/1.1 500 Oh\r\ncontent-length: 3\r\nconnection: close",
                head(500, Framing::Length(3), false),
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nConnection: foo, Close",
                head(200, Framing::Length(3), false),
            ),
            ("HTTP/1.0 200 OK\r\ncontent-length: 3", head(200, Framing::Length(3), false)),
            (
                "HTTP/1.0 200 OK\r\ncontent-length: 3\r\nconnection: keep-alive",
                head(200, Framing::Length(3), true),
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nCONTENT-LENGTH: 3",
                head(200, Framing::Length(3), true),
            ),
        ];
        for (text, expected) in table {
            let bytes = format!("{text}\r\n\r\nrest");
            let length = bytes.len() - "rest".len();
            assert_eq!(read(bytes.as_bytes()), Ok(Some((expected, length))), "{text}");
            for end in 0..length {
                assert_eq!(read(&bytes.as_bytes()[..end]), Ok(None), "{text}, {end} bytes of it");
            }
        }
    }

    #[test]
    fn two_headers_are_passed_on_as_they_are() {
        let text = "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nx-amzn-sagemaker-custom-attributes: \"c\"\r\n\
             content-length: 0\r\n\r\n";
        let (head, _) = read(text.as_bytes()).unwrap().unwrap();
        assert_eq!(head.content_type, Some(HeaderValue::from_static("a/b")));
        assert_eq!(head.custom_attributes, Some(HeaderValue::from_static("\"c\"")));
    }

    #[test]
    fn interim_answers_are_passed_over() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n\
                    HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n";
        let expected = head(200, Framing::Length(1), true);
        assert_eq!(read(text.as_bytes()), Ok(Some((expected, text.len()))));
        assert_eq!(read(b"HTTP/1.1 100 Continue\r\n\r\n"), Ok(None));
    }

    #[test]
    fn interim_answers_come_to_an_end() {
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        let (mut awaited, mut buffer) = (Awaited::default(), BytesMut::new());
        for _ in 0..HEAD_BYTES_MAX / interim.len() {
            buffer.extend_from_slice(interim);
            assert_eq!(awaited.take(&mut buffer), Ok(None));
            assert!(buffer.is_empty(), "each is dropped when it has come");
        }
        buffer.extend_from_slice(interim);
        assert_eq!(awaited.take(&mut buffer), Err(Malformed::TooLong));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let table = [
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4", Malformed::Length),
            ("HTTP/1.1 200 OK\r\ncontent-length: 3, 3", Malformed::Length),
            ("HTTP/1.1 200 OK\r\ncontent-length: +3", Malformed::Length),
            ("HTTP/1.1 200 OK\r\ncontent-length: -1", Malformed::Length),
            ("HTTP/1.1 200 OK\r\ncontent-length:", Malformed::Length),
            ("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999", Malformed::Length),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked",
                Malformed::Length,
            ),
            ("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked", Malformed::Length),
            ("HTTP/1.1 099 Low", Malformed::Status),
            ("HTTP/2 200 OK", Malformed::Head(httparse::Error::Version)),
            ("SSH-2.0-OpenSSH", Malformed::Head(httparse::Error::Version)),
            ("HTTP/1.1 200 OK\r\nbad name: x", Malformed::Head(httparse::Error::HeaderName)),
            ("HTTP/1.1 200 OK\r\nx: y\r\n folded", Malformed::Head(httparse::Error::HeaderName)),
        ];
        for (text, expected) in table {
            assert_eq!(read(format!("{text}\r\n\r\n").as_bytes()), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_head_without_end_is_refused() {
        let mut text = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
        text.resize(HEAD_BYTES_MAX - 1, b'y');
        assert_eq!(read(&text), Ok(None));
        text.push(b'y');
        assert_eq!(read(&text), Err(Malformed::TooLong));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX + 1));
        assert_eq!(read(many.as_bytes()), Err(Malformed::Head(httparse::Error::TooManyHeaders)));
    }

    #[test]
    fn a_request_is_written_with_its_headers_and_its_length() {
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (CUSTOM_ATTRIBUTES, HeaderValue::from_static("one")),
        ];
        let mut out = Vec::new();
        write(&mut out, &headers, 17);
        let expected = "POST /invocations HTTP/1.1\r\ncontent-type: application/json\r\n\
                        x-amzn-sagemaker-custom-attributes: one\r\nhost: localhost\r\n\
                        content-length: 17\r\n\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
