//! Clients that take their time: each kind is bounded, and costs others nothing.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{Behaviour, ModelServer, World, invocation, sign, until};

const SHORT: Duration = Duration::from_millis(300);

/// Everything that comes until the gateway closes.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    // A reset is a close as well.
    let _ = tokio::time::timeout(Duration::from_secs(20), read).await.expect("it closes");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_head_that_does_not_end_is_given_up_however_steadily_it_comes() {
    let world = World::with(|settings| settings.limits.head = SHORT);
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(b"GET /x HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let dribble = async {
        // Until writing fails, which it does soon after the other side has closed.
        while stream.write_all(b"a: b\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), dribble).await.expect("it is given up");
    until("the place is free", || world.gateway.connections() == 0).await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_or_nothing_more_is_closed() {
    let world = World::with(|settings| settings.limits.idle = SHORT);
    let silent = TcpStream::connect(world.address()).await.unwrap();
    let mut once = TcpStream::connect(world.address()).await.unwrap();
    once.write_all(b"GET /x HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let http2 = world.http2().await;
    assert_eq!(until_closed(silent).await, "");
    assert!(until_closed(once).await.starts_with("HTTP/1.1 200 OK\r\n"));
    until("HTTP/2 is closed as well", || http2.is_closed()).await;
    until("the places are free", || world.gateway.connections() == 0).await;
}

#[tokio::test]
async fn a_request_under_way_is_not_idle() {
    let world = World::with(|settings| settings.limits.idle = SHORT);
    let permits = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let model = ModelServer::tcp(Behaviour::EchoWhenTold(std::sync::Arc::clone(&permits))).await;
    world.publish_one(model.route());
    let mut client = world.client().await;
    let later = async {
        tokio::time::sleep(SHORT * 3).await;
        permits.add_permits(1);
    };
    let (answer, ()) = tokio::join!(client.invoke("x"), later);
    assert_eq!(answer.status, 200);
}

/// Has a longest body echoed over a connection whose client takes nothing yet: the answer does not fit into what the
/// kernel keeps for both sides.
async fn echoed_unread(world: &World, model: &ModelServer, body: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(world.address()).await.unwrap();
    let mut request = invocation(body.to_vec());
    sign(&mut request, &world.address().to_string(), "sagemaker").await;
    let mut head = "POST /endpoints/e/invocations HTTP/1.1\r\n".to_owned();
    for (name, value) in request.headers() {
        write!(head, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    write!(head, "content-length: {}\r\n\r\n", body.len()).unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    until("it is answered", || model.requests() == 1).await;
    stream
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_cut_off() {
    let world = World::with(|settings| settings.limits.write = SHORT);
    let model = ModelServer::tcp(Behaviour::Echo).await;
    world.publish_one(model.route());
    let body = vec![b'x'; gateway::BODY_BYTES_MAX];
    let stream = echoed_unread(&world, &model, &body).await;
    until("the place is free", || world.gateway.connections() == 0).await;
    let answer = until_closed(stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.len() < body.len(),
        "{}",
        answer.len()
    );
}

#[tokio::test]
async fn an_answer_that_is_being_taken_is_not_idle() {
    let world = World::with(|settings| settings.limits.idle = SHORT);
    let model = ModelServer::tcp(Behaviour::Echo).await;
    world.publish_one(model.route());
    let body = vec![b'x'; gateway::BODY_BYTES_MAX];
    let stream = echoed_unread(&world, &model, &body).await;
    // Longer than an idle connection is left alone, and then has to close.
    tokio::time::sleep(SHORT + Duration::from_secs(6)).await;
    let answer = until_closed(stream).await;
    assert!(answer.ends_with("xxxx") && answer.len() > body.len(), "{} bytes", answer.len());
}
