//! Ending without losing what is under way.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::support::{Behaviour, ModelServer, World, until};

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn draining_finishes_what_is_under_way_and_closes_the_rest() {
    let (world, permits) = (World::start(), Arc::new(Semaphore::new(0)));
    let model = ModelServer::tcp(Behaviour::EchoWhenTold(Arc::clone(&permits))).await;
    world.publish_one(model.route());
    let address = world.address();
    let mut idle = TcpStream::connect(address).await.unwrap();
    let (mut busy, mut http2) = (world.client().await, world.http2().await);
    let watch = async {
        until("the model server is asked twice", || model.requests() == 2).await;
        let drain = world.gateway.drain(LONG);
        let finish = async {
            // The idle connection is closed while the busy ones are not.
            assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
            permits.add_permits(2);
        };
        tokio::join!(drain, finish).0
    };
    let (first, second, drained) = tokio::join!(busy.invoke("one"), http2.invoke("two"), watch);
    assert_eq!((first.status.as_u16(), second.status.as_u16(), drained.cut_off), (200, 200, 0));
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn draining_cuts_off_what_does_not_finish() {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::Hang).await);
    world.publish_one(model.route());
    let mut client = world.client().await;
    let mut request = crate::support::invocation("x");
    crate::support::sign(&mut request, &world.address().to_string(), "sagemaker").await;
    let watch = async {
        until("the model server is asked", || model.requests() > 0).await;
        world.gateway.drain(Duration::from_millis(100)).await
    };
    let (answer, drained) = tokio::join!(client.try_send(request), watch);
    assert!(answer.is_err());
    assert_eq!(drained.cut_off, 1);
    until("the model server notices", || model.closed() > 0).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_one_to_close() {
    let world = World::with(|settings| settings.limits.connections = 2);
    let model = ModelServer::tcp(Behaviour::Echo).await;
    world.publish_one(model.route());
    let (mut first, mut second, mut third) =
        (world.client().await, world.client().await, world.client().await);
    assert_eq!(
        (first.invoke("1").await.status.as_u16(), second.invoke("2").await.status.as_u16()),
        (200, 200)
    );
    {
        let mut waits = std::pin::pin!(third.invoke("3"));
        assert!(tokio::time::timeout(Duration::from_millis(200), &mut waits).await.is_err());
        first.hang_up();
        assert_eq!(waits.await.status, 200);
    }
}
