//! More requests than instances take, and instances that keep failing.

use std::sync::Arc;
use std::time::Duration;

use domain::instance::Address;
use domain::route::{InstanceRoute, Strategy};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{Answer, Behaviour, ModelServer, World, until};

/// Failures in a row after which an instance is left out for a second.
const FAILURES_MAX: u64 = 5;

fn is_busy(answer: &Answer) -> bool {
    let (status, kind, message) = answer.error();
    assert_eq!((status, &kind[..]), (503, "ServiceUnavailable"), "{message}");
    assert_eq!(answer.header("retry-after"), Some("1"), "{message}");
    message.starts_with("Every instance that could take the request is as busy as it may be")
}

#[tokio::test]
async fn what_instances_have_no_place_for_is_refused_at_once_and_the_place_comes_back() {
    let world = Arc::new(World::with(|settings| settings.limits.inside = 2));
    let permits = Arc::new(Semaphore::new(0));
    let slow = || ModelServer::tcp(Behaviour::EchoWhenTold(Arc::clone(&permits)));
    let models = [slow().await, slow().await];
    for strategy in [Strategy::LeastOutstanding, Strategy::Random] {
        let instances = models.iter().map(ModelServer::route).collect();
        world.publish_with(strategy, &[("v", 1.0, instances)]);
        let before: Vec<_> = models.iter().map(ModelServer::requests).collect();
        let mut inside = JoinSet::new();
        for _ in 0..4 {
            let world = Arc::clone(&world);
            inside.spawn(async move { world.client().await.invoke("x").await.status.as_u16() });
        }
        until("every place is taken", || {
            models.iter().zip(&before).all(|(model, before)| model.requests() == before + 2)
        })
        .await;
        let mut client = world.client().await;
        assert!(is_busy(&client.invoke("x").await));
        let targeted = [("x-amzn-sagemaker-target-variant", "v")];
        assert!(is_busy(&client.invoke_with(&targeted, "x").await));
        permits.add_permits(4);
        while let Some(status) = inside.join_next().await {
            assert_eq!(status.unwrap(), 200);
        }
        permits.add_permits(1);
        assert_eq!(client.invoke("x").await.status, 200);
    }
}

#[tokio::test]
async fn another_variant_takes_what_a_full_one_cannot_unless_it_is_named() {
    let world = World::with(|settings| settings.limits.inside = 1);
    let permits = Arc::new(Semaphore::new(0));
    let full = ModelServer::tcp(Behaviour::EchoWhenTold(Arc::clone(&permits))).await;
    let free = ModelServer::tcp(Behaviour::Echo).await;
    world.publish(&[("full", 1.0, vec![full.route()]), ("free", 1.0, vec![free.route()])]);
    let (mut first, mut others) = (world.client().await, world.client().await);
    let targeted = [("x-amzn-sagemaker-target-variant", "full")];
    let probe = async {
        until("it is full", || full.requests() == 1).await;
        for _ in 0..20 {
            assert_eq!(others.invoke("x").await.status, 200);
        }
        assert!(is_busy(&others.invoke_with(&targeted, "x").await));
        permits.add_permits(1);
    };
    let (answer, ()) = tokio::join!(first.invoke_with(&targeted, "x"), probe);
    assert_eq!((answer.status.as_u16(), full.requests(), free.requests()), (200, 1, 20));
}

#[tokio::test]
async fn each_503_says_when_to_come_again() {
    let world = World::with(|settings| {
        settings.limits.answer = Duration::from_millis(100);
        settings.limits.held_bytes = 10;
    });
    world.publish(&[("v", 1.0, vec![])]);
    let mut client = world.client().await;
    // No instance in time, no room for the body.
    assert!(!is_busy(&client.invoke("x").await));
    assert!(!is_busy(&client.invoke("longer than ten").await));
    let world = World::with(|settings| settings.limits.waiting = 0);
    world.publish(&[("v", 1.0, vec![])]);
    assert!(!is_busy(&world.client().await.invoke("x").await));
}

#[tokio::test]
async fn an_instance_that_keeps_failing_is_left_out_and_comes_back_when_it_answers() {
    for bad in [
        Behaviour::status(500, "no"),
        Behaviour::raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
    ] {
        let world = World::start();
        let (bad, good) = (ModelServer::tcp(bad).await, ModelServer::tcp(Behaviour::Echo).await);
        let Address::Tcp(address) = bad.route().address else { panic!("it is a TCP server") };
        world.publish(&[("v", 1.0, vec![bad.route(), good.route()])]);
        let mut client = world.client().await;
        let mut failed = 0;
        let deadline = Instant::now() + Duration::from_mins(1);
        // It rests for a moment after each connection that broke off, so this takes some time.
        while failed < FAILURES_MAX {
            assert!(Instant::now() < deadline, "it is hardly ever asked");
            failed += u64::from(client.invoke("x").await.status != 200);
        }
        let began = Instant::now();
        for _ in 0..200 {
            failed += u64::from(client.invoke("x").await.status != 200);
        }
        // It was put out a moment before. One chance after a second, one two seconds later, and so on, however slow this
        // machine is.
        let chances = began.elapsed().as_secs() + 1;
        assert!(failed <= FAILURES_MAX + chances, "{failed}, {chances}");
        bad.stop().await;
        let healed = ModelServer::tcp_at(address, Behaviour::Echo).await;
        let deadline = Instant::now() + Duration::from_mins(1);
        while healed.requests() == 0 {
            assert!(Instant::now() < deadline, "it never gets its chance");
            assert_eq!(client.invoke("x").await.status, 200);
        }
        for _ in 0..100 {
            assert_eq!(client.invoke("x").await.status, 200);
        }
        assert!(healed.requests() > 10, "{} of 100", healed.requests());
    }
}

#[tokio::test]
async fn a_model_server_that_does_not_answer_in_time_is_left_out() {
    let world = World::with(|settings| settings.limits.answer = Duration::from_millis(600));
    let hung = ModelServer::tcp(Behaviour::Hang).await;
    let good = ModelServer::tcp(Behaviour::Echo).await;
    world.publish(&[("v", 1.0, vec![hung.route(), good.route()])]);
    let mut client = world.client().await;
    let asked = || u64::try_from(hung.requests()).unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while asked() < FAILURES_MAX {
        assert!(Instant::now() < deadline, "it is hardly ever asked");
        client.invoke("x").await;
    }
    let began = Instant::now();
    for _ in 0..50 {
        client.invoke("x").await;
    }
    // It was put out a moment before, so its first chance may come a moment before a second is over.
    let chances = began.elapsed().as_secs() + 1;
    assert!(asked() <= FAILURES_MAX + chances, "{}, {chances}", asked());
}

#[tokio::test]
async fn requests_that_fail_everywhere_leave_half_of_the_instances_in_service() {
    for count in [1, 2, 3] {
        let world = World::start();
        let mut models = Vec::new();
        for _ in 0..count {
            models.push(ModelServer::tcp(Behaviour::status(500, "poison")).await);
        }
        let routes: Vec<InstanceRoute> = models.iter().map(ModelServer::route).collect();
        world.publish(&[("v", 1.0, routes)]);
        let mut client = world.client().await;
        for _ in 0..60 {
            let (status, kind, message) = client.invoke("x").await.error();
            assert_eq!((status, &kind[..]), (424, "ModelError"), "{count}: {message}");
        }
        assert_eq!(models.iter().map(ModelServer::requests).sum::<usize>(), 60, "{count}");
    }
}

#[tokio::test]
async fn answers_that_blame_the_client_and_lone_failures_put_nobody_out() {
    let world = World::start();
    let (strict, good) = (
        ModelServer::tcp(Behaviour::status(400, "no")).await,
        ModelServer::tcp(Behaviour::Echo).await,
    );
    world.publish(&[("v", 1.0, vec![strict.route(), good.route()])]);
    let mut client = world.client().await;
    for _ in 0..200 {
        client.invoke("x").await;
    }
    assert!(strict.requests() > 50, "{} of 200", strict.requests());
}

#[tokio::test]
async fn streams_that_break_off_count_and_those_that_end_well_do_too() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n";
    let world = World::start();
    let broken = ModelServer::tcp(Behaviour::raw(head)).await;
    let good = ModelServer::tcp(Behaviour::Echo).await;
    world.publish(&[("v", 1.0, vec![broken.route(), good.route()])]);
    let fails = async || {
        let mut stream = world.client().await.open(&[], "x").await;
        let mut failed = 0;
        while let Some(frame) = stream.next().await {
            failed += u64::from(frame.text(":message-type") == Some("exception"));
        }
        failed
    };
    let mut failed = 0;
    let deadline = Instant::now() + Duration::from_mins(1);
    while failed < FAILURES_MAX {
        assert!(Instant::now() < deadline, "it is hardly ever asked");
        failed += fails().await;
    }
    let began = Instant::now();
    for _ in 0..100 {
        failed += fails().await;
    }
    let chances = began.elapsed().as_secs() + 1;
    assert!(failed <= FAILURES_MAX + chances, "{failed}, {chances}");
}

#[tokio::test]
async fn a_burst_that_meets_an_instance_still_starting_loses_nothing() {
    const BURST: usize = 500;
    // As many as one connection carries at once.
    const PER_CONNECTION: usize = 125;
    let (world, model) = (World::start(), ModelServer::unix(Behaviour::Echo));
    world.publish(&[("v", 1.0, vec![])]);
    let mut burst = JoinSet::new();
    for number in 0..BURST / PER_CONNECTION {
        let client = world.http2().await;
        for request in 0..PER_CONNECTION {
            let (mut client, body) = (client.clone(), format!("{number} {request}"));
            burst.spawn(async move {
                let answer = client.invoke(body.clone()).await;
                (answer.status.as_u16(), answer.body == body)
            });
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(burst.try_join_next().is_none(), "all of them wait");
    world.publish_one(model.route());
    while let Some(answered) = burst.join_next().await {
        assert_eq!(answered.unwrap(), (200, true));
    }
    assert_eq!(model.requests(), BURST);
}
