use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time;

use super::*;

/// A body that does not fit into a socket's buffers.
const LONG: usize = 4 * 1024 * 1024;

fn pair() -> (Connection, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Connection::on(Socket::Unix(ours)), theirs)
}

fn request(length: usize) -> Outgoing {
    Outgoing { headers: Vec::new(), body: Bytes::from(vec![b'x'; length]).into() }
}

async fn head_of(peer: &mut UnixStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(peer.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Plays a model server that reads one request and says this.
async fn says(peer: &mut UnixStream, length: usize, answer: &[u8]) {
    head_of(peer).await;
    peer.read_exact(&mut vec![0; length]).await.unwrap();
    peer.write_all(answer).await.unwrap();
}

async fn body_of(connection: &mut Connection) -> io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(piece) = connection.next().await? {
        assert!(!piece.is_empty());
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

#[tokio::test]
async fn a_connection_carries_one_exchange_after_another() {
    let (mut connection, mut peer) = pair();
    let answers: [(&[u8], &[u8]); 4] = [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none", b"one"),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\ntw\r\n1\r\no\r\n0\r\n\r\n",
            b"two",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 400 No\r\ncontent-length: 4\r\n\r\nfour", b"four"),
    ];
    for (answer, expected) in answers {
        let request = request(5);
        let (head, ()) = tokio::join!(connection.exchange(&request), says(&mut peer, 5, answer));
        head.unwrap();
        assert_eq!(body_of(&mut connection).await.unwrap(), expected);
        assert!(connection.is_reusable());
    }
}

#[tokio::test]
async fn what_has_come_of_a_body_goes_on_at_once() {
    // More than is read with the head, and a model server that then says nothing more for a while.
    const FIRST: usize = READ_BYTES * 3;
    let (mut connection, mut peer) = pair();
    let mut answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", FIRST + 1).into_bytes();
    answer.extend_from_slice(&vec![b'y'; FIRST]);
    let request = request(5);
    let (head, ()) = tokio::join!(connection.exchange(&request), says(&mut peer, 5, &answer));
    head.unwrap();
    let mut come = 0;
    while come < FIRST {
        let piece = time::timeout(Duration::from_secs(10), connection.next()).await;
        come += piece.expect("it is at hand").unwrap().unwrap().len();
    }
    assert_eq!(come, FIRST);
    peer.write_all(b"z").await.unwrap();
    assert_eq!(body_of(&mut connection).await.unwrap(), b"z");
    assert!(connection.is_reusable());
}

#[tokio::test]
async fn a_long_body_goes_out_and_comes_back_whole() {
    let (mut connection, mut peer) = pair();
    let request = request(LONG);
    let echo = async {
        head_of(&mut peer).await;
        let mut body = vec![0; LONG];
        peer.read_exact(&mut body).await.unwrap();
        peer.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {LONG}\r\n\r\n").as_bytes())
            .await
            .unwrap();
        peer.write_all(&body).await.unwrap();
    };
    let exchange = async {
        connection.exchange(&request).await.unwrap();
        assert_eq!(connection.announced(), Some(LONG as u64));
        let mut whole = BytesMut::with_capacity(LONG);
        while connection.read_into(&mut whole, LONG).await.unwrap() > 0 {}
        whole
    };
    let (whole, ()) = tokio::join!(exchange, echo);
    assert!(whole == request.body.joined());
    assert!(connection.is_reusable());
}

#[tokio::test]
async fn an_answer_that_comes_before_the_request_has_left_counts_but_not_the_connection() {
    let (mut connection, mut peer) = pair();
    let request = request(LONG);
    let refuse = async {
        head_of(&mut peer).await;
        peer.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno").await.unwrap();
    };
    let (head, ()) = tokio::join!(connection.exchange(&request), refuse);
    assert_eq!(head.unwrap().status, StatusCode::PAYLOAD_TOO_LARGE);
    drop(peer);
    assert_eq!(body_of(&mut connection).await.unwrap(), b"no");
    assert!(!connection.is_at_rest());
}

#[tokio::test]
async fn the_rest_of_a_request_leaves_while_its_answer_is_read() {
    let (mut connection, mut peer) = pair();
    let request = request(LONG);
    let stream = async {
        head_of(&mut peer).await;
        peer.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
            .await
            .unwrap();
        peer.read_exact(&mut vec![0; LONG]).await.unwrap();
        peer.write_all(b"1\r\nb\r\n0\r\n\r\n").await.unwrap();
    };
    let exchange = async {
        connection.exchange(&request).await.unwrap();
        body_of(&mut connection).await.unwrap()
    };
    let (whole, ()) = tokio::join!(exchange, stream);
    assert_eq!(whole, b"ab");
    assert!(connection.is_reusable());
}

#[tokio::test]
async fn a_request_that_did_not_leave_is_told_from_one_that_may_have() {
    let (mut connection, peer) = pair();
    drop(peer);
    let unanswered = connection.exchange(&request(5)).await.unwrap_err();
    assert!(!unanswered.was_sent, "{unanswered:?}");

    let (mut connection, mut peer) = pair();
    let request = request(5);
    let leave = async {
        head_of(&mut peer).await;
        drop(peer);
    };
    let (answered, ()) = tokio::join!(connection.exchange(&request), leave);
    assert!(answered.unwrap_err().was_sent);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_never_shorter() {
    let answers: [&[u8]; 5] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\none",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n30\r\none",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n0\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno chunk\r\n",
    ];
    for answer in answers {
        let (mut connection, mut peer) = pair();
        let request = request(1);
        let (head, ()) = tokio::join!(connection.exchange(&request), says(&mut peer, 1, answer));
        head.unwrap();
        drop(peer);
        body_of(&mut connection).await.unwrap_err();
        assert!(!connection.is_reusable());
    }
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_the_connection() {
    let (mut connection, mut peer) = pair();
    let request = request(1);
    let (head, ()) = tokio::join!(
        connection.exchange(&request),
        says(&mut peer, 1, b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
    );
    head.unwrap();
    drop(peer);
    assert_eq!(body_of(&mut connection).await.unwrap(), b"until the end");
    assert!(!connection.is_reusable());
}

#[tokio::test]
async fn a_connection_on_which_something_was_said_unasked_is_not_used() {
    let (mut connection, mut peer) = pair();
    let request = request(1);
    let twice = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb";
    let (head, ()) = tokio::join!(connection.exchange(&request), says(&mut peer, 1, twice));
    head.unwrap();
    assert_eq!(body_of(&mut connection).await.unwrap(), b"a");
    assert!(!connection.is_at_rest());

    let (connection, mut peer) = pair();
    assert!(connection.is_reusable());
    peer.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
    noticed().await;
    assert!(!connection.is_reusable());
    let (connection, peer) = pair();
    drop(peer);
    noticed().await;
    assert!(!connection.is_reusable());
}

#[tokio::test]
async fn a_request_is_not_sent_on_a_connection_that_closed_a_moment_ago() {
    let (mut connection, mut peer) = pair();
    let asked = request(1);
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na";
    let (head, ()) = tokio::join!(connection.exchange(&asked), says(&mut peer, 1, answer));
    head.unwrap();
    assert_eq!(body_of(&mut connection).await.unwrap(), b"a");
    drop(peer);
    assert!(connection.is_reusable(), "the runtime has not looked since");
    let unanswered = connection.exchange(&request(1)).await.unwrap_err();
    assert!(!unanswered.was_sent, "{unanswered:?}");
}

/// Lets the runtime hear of what has come.
async fn noticed() {
    time::sleep(Duration::from_millis(1)).await;
}
