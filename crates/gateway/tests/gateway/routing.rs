//! Which instance a request goes to while instances come, go and fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::instance::Address;
use domain::route::{Strategy, Traffic};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::{Behaviour, ModelServer, World, until};

#[tokio::test]
async fn a_request_waits_for_the_first_ready_instance() {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::Echo).await);
    world.publish(&[("v", 1.0, vec![])]);
    let mut client = world.client().await;
    let mut request = std::pin::pin!(client.invoke("x"));
    assert!(
        tokio::time::timeout(Duration::from_millis(100), &mut request).await.is_err(),
        "it waits"
    );
    // Another table without an instance changes nothing.
    world.publish(&[("v", 1.0, vec![])]);
    assert!(
        tokio::time::timeout(Duration::from_millis(100), &mut request).await.is_err(),
        "it still waits"
    );
    world.publish_one(model.route());
    assert_eq!(request.await.status, 200);
}

#[tokio::test]
async fn waiting_ends_at_the_deadline_and_when_the_endpoint_goes() {
    let world = World::with(|settings| settings.limits.answer = Duration::from_millis(200));
    world.publish(&[("v", 1.0, vec![])]);
    let (status, kind, _) = world.client().await.invoke("x").await.error();
    assert_eq!((status, &kind[..]), (503, "ServiceUnavailable"));

    let world = World::start();
    world.publish(&[("v", 1.0, vec![])]);
    let mut client = world.client().await;
    let mut request = std::pin::pin!(client.invoke("x"));
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut request).await.is_err());
    world.routes.publish(Arc::default());
    assert!(request.await.error().2.ends_with("not found."));
}

#[tokio::test]
async fn only_so_many_requests_wait() {
    let world = World::with(|settings| settings.limits.waiting = 1);
    let model = ModelServer::tcp(Behaviour::Echo).await;
    world.publish(&[("v", 1.0, vec![])]);
    let (mut first, mut second) = (world.client().await, world.client().await);
    let mut waits = std::pin::pin!(first.invoke("x"));
    assert!(tokio::time::timeout(Duration::from_secs(1), &mut waits).await.is_err());
    let (status, kind, message) = second.invoke("x").await.error();
    assert_eq!((status, &kind[..]), (503, "ServiceUnavailable"));
    assert!(message.starts_with("Too many requests are waiting"), "{message}");
    world.publish_one(model.route());
    assert_eq!(waits.await.status, 200);
    // The place is free again.
    world.publish(&[("v", 1.0, vec![])]);
    let mut waits = std::pin::pin!(second.invoke("x"));
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut waits).await.is_err());
    world.publish_one(model.route());
    assert_eq!(waits.await.status, 200);
}

#[tokio::test]
async fn an_instance_that_cannot_be_reached_is_passed_over() {
    let (world, model) = (World::start(), ModelServer::tcp(Behaviour::Echo).await);
    let folder = tempfile::tempdir().unwrap();
    let dead = [ModelServer::absent(folder.path()), ModelServer::absent(folder.path())];
    let mut client = world.client().await;
    for strategy in [Strategy::Random, Strategy::LeastOutstanding] {
        let instances = [&dead[..], &[model.route()]].concat();
        world.publish_with(strategy, &[("v", 1.0, instances)]);
        for _ in 0..20 {
            assert_eq!(client.invoke("x").await.status, 200);
        }
    }
    assert_eq!(model.requests(), 40);
}

#[tokio::test]
async fn a_model_server_that_is_away_for_a_moment_costs_nothing_but_time() {
    let (world, first) = (World::start(), ModelServer::tcp(Behaviour::Echo).await);
    let Address::Tcp(address) = first.route().address else { panic!("it is a TCP server") };
    world.publish_one(first.route());
    let mut client = world.client().await;
    assert_eq!(client.invoke("x").await.status, 200);
    first.stop().await;
    let mut request = std::pin::pin!(client.invoke("y"));
    assert!(
        tokio::time::timeout(Duration::from_millis(200), &mut request).await.is_err(),
        "it waits"
    );
    let _second = ModelServer::tcp_at(address, Behaviour::Echo).await;
    assert_eq!(request.await.status, 200);
}

#[tokio::test]
async fn nobody_home_until_the_deadline_is_unavailable() {
    let world = World::with(|settings| settings.limits.answer = Duration::from_millis(200));
    let folder = tempfile::tempdir().unwrap();
    world.publish_one(ModelServer::absent(folder.path()));
    let (status, kind, _) = world.client().await.invoke("x").await.error();
    assert_eq!((status, &kind[..]), (503, "ServiceUnavailable"));
}

#[tokio::test]
async fn the_least_busy_instance_gets_the_next_request() {
    let (world, permits) = (World::start(), Arc::new(Semaphore::new(0)));
    let slow = ModelServer::tcp(Behaviour::EchoWhenTold(Arc::clone(&permits))).await;
    let fast = ModelServer::tcp(Behaviour::Echo).await;
    world.publish_one(slow.route());
    let (mut first, mut others) = (world.client().await, world.client().await);
    let probe = async {
        until("the slow server is asked", || slow.requests() > 0).await;
        world.publish(&[("v", 1.0, vec![slow.route(), fast.route()])]);
        for _ in 0..50 {
            assert_eq!(others.invoke("x").await.status, 200);
        }
        assert_eq!((slow.requests(), fast.requests()), (1, 50));
        assert_eq!((world.routes.in_flight(slow.id()), world.routes.in_flight(fast.id())), (1, 0));
        permits.add_permits(1);
    };
    let (answer, ()) = tokio::join!(first.invoke("x"), probe);
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn an_instance_taken_out_keeps_its_requests_and_gets_no_more() {
    let (world, permits) = (World::start(), Arc::new(Semaphore::new(0)));
    let leaving = ModelServer::tcp(Behaviour::EchoWhenTold(Arc::clone(&permits))).await;
    let staying = ModelServer::tcp(Behaviour::Echo).await;
    world.publish_one(leaving.route());
    let (mut early, mut late) = (world.client().await, world.client().await);
    let probe = async {
        until("the leaving server is asked", || leaving.requests() > 0).await;
        world.publish_one(staying.route());
        assert_eq!(world.routes.in_flight(leaving.id()), 1);
        assert_eq!(late.invoke("x").await.status, 200);
        permits.add_permits(1);
    };
    let (answer, ()) = tokio::join!(early.invoke("x"), probe);
    assert_eq!((answer.status.as_u16(), leaving.requests(), staying.requests()), (200, 1, 1));
    assert_eq!(world.routes.in_flight(leaving.id()), 0);
}

#[tokio::test]
async fn replacing_instances_under_load_loses_no_request_and_never_touches_a_stopped_one() {
    let world = Arc::new(World::start());
    let stop = Arc::new(AtomicBool::new(false));
    let mut current = ModelServer::unix(Behaviour::Echo);
    world.publish_one(current.route());
    let mut load = JoinSet::new();
    for _ in 0..6 {
        let (world, stop) = (Arc::clone(&world), Arc::clone(&stop));
        load.spawn(async move {
            let (mut client, mut served) = (world.client().await, 0);
            while !stop.load(Ordering::SeqCst) {
                let answer = client.invoke("x").await;
                assert_eq!(answer.status, 200, "{answer:?}");
                served += 1;
            }
            served
        });
    }
    for _ in 0..40 {
        let next = ModelServer::unix(Behaviour::Echo);
        world.publish_one(next.route());
        until("nobody is inside", || world.routes.in_flight(current.id()) == 0).await;
        // From here on a request to it would fail, and the load would notice.
        current = next;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.store(true, Ordering::SeqCst);
    let mut served = 0;
    while let Some(count) = load.join_next().await {
        served += count.unwrap();
    }
    assert!(served > 100, "{served} requests are too few to tell");
}
