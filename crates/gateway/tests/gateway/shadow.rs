//! Copies of requests for a shadow: who gets which, and that the client never notices.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use domain::metric::Tally;
use domain::route::Traffic;
use gateway::Settings;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::support::{Behaviour, Ledger, ModelServer, ScaledClock, World, invocation, until};

const LONG: Duration = Duration::from_secs(20);

/// A world that counts.
fn counting(change: impl FnOnce(&mut Settings)) -> (World, Arc<Ledger>) {
    let ledger = Ledger::new();
    let world = World::at(ScaledClock::new(1.0), |settings| {
        settings.sink = Some(Arc::clone(&ledger) as _);
        settings.flush = Duration::from_millis(1);
        change(settings);
    });
    (world, ledger)
}

/// One production instance that echoes, and a shadow of one instance.
async fn pair(world: &World, shadow: Behaviour, share: f64) -> (ModelServer, ModelServer) {
    let (production, shadow) = (ModelServer::unix(Behaviour::Echo), ModelServer::tcp(shadow).await);
    world.publish_shadowed(&[production.route()], &[shadow.route()], share);
    (production, shadow)
}

async fn nobody_is_inside(world: &World, model: &ModelServer) {
    until("the copies have ended", || world.routes.in_flight(model.id()) == 0).await;
}

fn counted(tally: &Tally) -> (u64, [u64; 3]) {
    (tally.invocations, [tally.errors_4xx, tally.errors_5xx, tally.model_errors])
}

#[tokio::test]
async fn the_shadow_gets_what_production_gets_and_the_client_hears_production() {
    let (world, ledger) = counting(|_| {});
    let answer = Behaviour::status(200, "the shadow's");
    let (production, shadow) = pair(&world, answer, 1.0).await;
    let mut client = world.client().await;
    let targeted = [
        ("content-type", "a/b"),
        ("accept", "c/d"),
        ("x-amzn-sagemaker-custom-attributes", "kept"),
        ("x-amzn-sagemaker-target-variant", "v"),
    ];
    for headers in [&[][..], &targeted] {
        let answer = client.invoke_with(headers, "a body").await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"a body"[..]));
        assert_eq!(answer.header("x-amzn-invoked-production-variant"), Some("v"));
    }
    until("the copies have come", || shadow.requests() == 2).await;
    assert_eq!((shadow.heads(), shadow.bytes()), (production.heads(), production.bytes()));
    nobody_is_inside(&world, &shadow).await;
    drop(client);
    world.gateway.drain(LONG).await;
    for variant in ["v", "s"] {
        let total = ledger.total(variant);
        assert_eq!(counted(&total), (2, [0; 3]), "{variant}");
        assert_eq!(total.model_latency.summary().count.to_bits(), 2.0_f64.to_bits(), "{variant}");
    }
}

#[tokio::test]
async fn as_many_are_copied_as_the_share_says() {
    const REQUESTS: usize = 400;
    let world = World::start();
    for (share, expected) in [(0.0, 0..=0), (0.25, 65..=135), (1.0, 400..=400)] {
        let (production, shadow) = pair(&world, Behaviour::Echo, share).await;
        let mut client = world.client().await;
        for _ in 0..REQUESTS {
            assert_eq!(client.invoke("x").await.status, 200);
        }
        assert_eq!(production.requests(), REQUESTS);
        // Those that were offered are in the hands of a thread that serves this request too.
        nobody_is_inside(&world, &shadow).await;
        until("they have come", || expected.contains(&shadow.requests())).await;
    }
}

#[tokio::test]
async fn nobody_may_ask_for_the_shadow() {
    let world = World::start();
    let (production, shadow) = pair(&world, Behaviour::Echo, 1.0).await;
    let target = [("x-amzn-sagemaker-target-variant", "s")];
    let (status, kind, message) = world.client().await.invoke_with(&target, "x").await.error();
    assert_eq!((status, &kind[..]), (400, "ValidationError"));
    assert_eq!(message, "Variant s of endpoint e of account 123456789012 not found.");
    assert_eq!((production.requests(), shadow.requests()), (0, 0));
}

#[tokio::test]
async fn a_shadow_that_hangs_costs_no_client_anything_and_is_drained_like_others() {
    let (world, ledger) = counting(|settings| settings.limits.answer = Duration::from_secs(2));
    let (production, shadow) = pair(&world, Behaviour::Hang, 1.0).await;
    let (mut client, began) = (world.client().await, Instant::now());
    for _ in 0..10 {
        assert_eq!(client.invoke("x").await.status, 200);
    }
    assert!(began.elapsed() < Duration::from_secs(2), "nobody waits for it");
    until("the copies have come", || shadow.requests() == 10).await;
    // Taken out, it is still busy, until the time of the copies is over too.
    world.publish_one(production.route());
    assert_eq!(world.routes.in_flight(shadow.id()), 10);
    nobody_is_inside(&world, &shadow).await;
    assert!(began.elapsed() >= Duration::from_secs(2));
    assert_eq!(client.invoke("x").await.status, 200);
    drop(client);
    world.gateway.drain(LONG).await;
    assert_eq!(counted(&ledger.total("s")), (10, [0, 10, 10]));
    assert_eq!(counted(&ledger.total("v")), (11, [0; 3]));
}

#[tokio::test]
async fn what_the_shadow_does_wrong_counts_for_it_alone() {
    let too_long =
        format!("HTTP/1.1 200 OK\r\ncontent-length: 7000000\r\n\r\n{}", "x".repeat(7_000_000));
    let table = [
        (Behaviour::status(204, ""), [0, 0, 0]),
        (Behaviour::status(400, "bad"), [1, 0, 1]),
        (Behaviour::status(500, "oops"), [0, 1, 1]),
        (Behaviour::raw("garbage"), [0, 1, 1]),
        (Behaviour::raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), [0, 1, 1]),
        (Behaviour::raw(too_long), [0, 1, 1]),
    ];
    for (behaviour, expected) in table {
        let (world, ledger) = counting(|_| {});
        let (_production, shadow) = pair(&world, behaviour, 1.0).await;
        let mut client = world.client().await;
        assert_eq!(client.invoke("x").await.status, 200);
        until("the copy has come", || shadow.requests() == 1).await;
        nobody_is_inside(&world, &shadow).await;
        drop(client);
        world.gateway.drain(LONG).await;
        assert_eq!(counted(&ledger.total("s")), (1, expected));
        assert_eq!(counted(&ledger.total("v")), (1, [0; 3]));
    }
}

#[tokio::test]
async fn an_instance_of_the_shadow_that_keeps_failing_is_left_out() {
    let world = World::start();
    let production = ModelServer::unix(Behaviour::Echo);
    let (good, bad) =
        (ModelServer::unix(Behaviour::Echo), ModelServer::unix(Behaviour::status(500, "oops")));
    world.publish_shadowed(&[production.route()], &[good.route(), bad.route()], 1.0);
    let mut client = world.client().await;
    for sent in 1..=100 {
        assert_eq!(client.invoke("x").await.status, 200);
        until("the copy has come", || good.requests() + bad.requests() == sent).await;
        nobody_is_inside(&world, &good).await;
        nobody_is_inside(&world, &bad).await;
    }
    // Five failures, and whatever chances it gets while the test runs.
    assert!((5..20).contains(&bad.requests()), "{}", bad.requests());
}

#[tokio::test]
async fn copies_that_there_is_no_room_for_are_dropped_and_counted() {
    // One thread, which has two copies under way at once, and ten bytes of room for them.
    let (world, ledger) = counting(|settings| {
        settings.threads = NonZeroUsize::MIN;
        settings.limits.copies = 2;
        settings.limits.held_bytes = 80;
    });
    let permits = Arc::new(Semaphore::new(0));
    let (_production, shadow) =
        pair(&world, Behaviour::EchoWhenTold(Arc::clone(&permits)), 1.0).await;
    let mut client = world.client().await;
    for _ in 0..5 {
        assert_eq!(client.invoke("x").await.status, 200);
    }
    until("two have come", || shadow.requests() == 2).await;
    permits.add_permits(2);
    nobody_is_inside(&world, &shadow).await;
    assert_eq!(client.invoke("eleven byte").await.status, 200);
    // Its answer would be longer than the room that is left.
    permits.add_permits(1);
    assert_eq!(client.invoke("six by").await.status, 200);
    until("a third has come", || shadow.requests() == 3).await;
    nobody_is_inside(&world, &shadow).await;
    permits.add_permits(1);
    assert_eq!(client.invoke("five.").await.status, 200);
    until("a fourth has come", || shadow.requests() == 4).await;
    nobody_is_inside(&world, &shadow).await;
    drop(client);
    world.gateway.drain(LONG).await;
    // Three without a place, one without room, one whose answer had none.
    assert_eq!(counted(&ledger.total("s")), (8, [0, 5, 0]));
    assert_eq!(counted(&ledger.total("v")), (8, [0; 3]));
}

#[tokio::test]
async fn a_copy_waits_for_no_instance_and_takes_no_place_of_those_who_do() {
    let (world, ledger) = counting(|settings| settings.limits.waiting = 1);
    let production = ModelServer::unix(Behaviour::Echo);
    let folder = tempfile::tempdir().unwrap();
    let absent = ModelServer::absent(folder.path());
    let mut client = world.client().await;
    for shadow in [&[][..], std::slice::from_ref(&absent)] {
        world.publish_shadowed(&[production.route()], shadow, 1.0);
        assert_eq!(client.invoke("x").await.status, 200);
        until("the copy has ended", || world.routes.in_flight(&absent.id) == 0).await;
    }
    // The one place is free.
    world.publish_shadowed(&[], std::slice::from_ref(&absent), 1.0);
    {
        let mut waits = std::pin::pin!(client.invoke("x"));
        assert!(tokio::time::timeout(Duration::from_millis(100), &mut waits).await.is_err());
        world.publish_one(production.route());
        assert_eq!(waits.await.status, 200);
    }
    drop(client);
    world.gateway.drain(LONG).await;
    assert_eq!(counted(&ledger.total("s")), (2, [0, 2, 0]));
    assert_eq!(counted(&ledger.total("v")), (3, [0; 3]));
}

#[tokio::test]
async fn a_request_that_has_to_try_twice_is_copied_once() {
    let world = World::start();
    let (production, shadow) =
        (ModelServer::unix(Behaviour::Echo), ModelServer::unix(Behaviour::Echo));
    let folder = tempfile::tempdir().unwrap();
    let dead = [(); 3].map(|()| ModelServer::absent(folder.path()));
    let instances = [&dead[..], &[production.route()]].concat();
    let mut client = world.client().await;
    for sent in 1..=20 {
        // Published anew, so that none is left out for what it did.
        world.routes.publish(Arc::default());
        world.publish_shadowed(&instances, &[shadow.route()], 1.0);
        assert_eq!(client.invoke("x").await.status, 200);
        until("the copy has come", || shadow.requests() == sent).await;
        nobody_is_inside(&world, &shadow).await;
    }
    assert_eq!((production.requests(), shadow.requests()), (20, 20));
}

#[tokio::test]
async fn a_copy_goes_on_when_the_client_does_not() {
    let world = World::start();
    let permits = Arc::new(Semaphore::new(0));
    let production = ModelServer::unix(Behaviour::Hang);
    let shadow = ModelServer::unix(Behaviour::EchoWhenTold(Arc::clone(&permits)));
    world.publish_shadowed(&[production.route()], &[shadow.route()], 1.0);
    let mut client = world.client().await;
    let mut request = invocation("x");
    crate::support::sign(&mut request, &world.address().to_string(), "sagemaker").await;
    tokio::select! {
        answer = client.try_send(request) => panic!("{answer:?}"),
        () = until("both are asked", || production.requests() + shadow.requests() == 2) => {}
    }
    client.hang_up();
    until("production notices", || production.closed() > 0).await;
    assert_eq!((shadow.closed(), world.routes.in_flight(shadow.id())), (0, 1));
    permits.add_permits(1);
    nobody_is_inside(&world, &shadow).await;
}

#[tokio::test]
async fn a_stream_is_copied_and_the_shadows_is_read_to_its_end() {
    let (world, ledger) = counting(|settings| settings.limits.answer = Duration::from_millis(300));
    let (pen, behaviour) = Behaviour::pieces();
    let (production, shadow) = pair(&world, behaviour, 1.0).await;
    let mut client = world.client().await;
    let begin = async {
        pen.head().await;
        pen.chunk(b"0").await;
    };
    let (mut stream, ()) = tokio::join!(client.open(&[], "all of it"), begin);
    assert_eq!(stream.rest().await, b"all of it");
    assert_eq!(shadow.heads(), production.heads());
    // For longer than an answer may take to begin, and more than one that does not stream may have.
    tokio::time::sleep(Duration::from_millis(400)).await;
    for _ in 0..7 {
        pen.chunk(&vec![b'x'; 1024 * 1024]).await;
    }
    assert_eq!(world.routes.in_flight(shadow.id()), 1);
    pen.chunk(b"").await;
    nobody_is_inside(&world, &shadow).await;
    drop((client, stream));
    world.gateway.drain(LONG).await;
    for variant in ["v", "s"] {
        assert_eq!(counted(&ledger.total(variant)), (1, [0; 3]), "{variant}");
    }
}

#[tokio::test]
async fn a_copy_of_a_stream_does_not_keep_the_room_of_its_request() {
    const MIB: usize = 1024 * 1024;
    let world = World::with(|settings| settings.limits.held_bytes = 8 * MIB);
    let (_production, shadow) = pair(&world, Behaviour::Hang, 1.0).await;
    let mut client = world.client().await;
    let body: &'static str = Box::leak("x".repeat(MIB).into_boxed_str());
    assert_eq!(client.open(&[], body).await.rest().await.len(), MIB);
    until("the copy has come", || shadow.requests() == 1).await;
    // All of the room: the request and its answer.
    assert_eq!(client.invoke("x".repeat(4 * MIB)).await.status, 200);
    assert_eq!(world.routes.in_flight(shadow.id()), 1);
}
