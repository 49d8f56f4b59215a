//! What is counted of what was served (`reference/autoscaling-and-cloudwatch.md`, section 7.1).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::metric::Measured;
use domain::route::Traffic;
use domain::time::Clock;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::{
    Behaviour, Ledger, ModelServer, ScaledClock, World, invocation, streaming, until,
};

const LONG: Duration = Duration::from_secs(20);

/// Longer than any step of a test takes, shorter than a test may.
const SOON: Duration = Duration::from_millis(300);

/// A world that counts, in server time that runs so fast.
fn counting(scale: f64) -> (World, Arc<Ledger>, Arc<ScaledClock>) {
    let (ledger, clock) = (Ledger::new(), ScaledClock::new(scale));
    let world = World::at(Arc::clone(&clock), |settings| {
        settings.limits.answer = SOON;
        settings.sink = Some(Arc::clone(&ledger) as _);
        settings.flush = Duration::from_millis(1);
    });
    (world, ledger, clock)
}

#[tokio::test]
async fn nothing_is_lost_or_counted_twice_under_concurrency() {
    const CLIENTS: usize = 8;
    const EACH: usize = 60;
    // A window is ten milliseconds: many requests are under way when one ends.
    let (world, ledger, _) = counting(1000.0);
    let world = Arc::new(world);
    let models = [(); 4].map(|()| ModelServer::unix(Behaviour::Echo));
    let (first, rest) = models.split_first().unwrap();
    let rest = rest.iter().map(ModelServer::route).collect();
    world.publish(&[("v", 1.0, vec![first.route()]), ("w", 0.0, rest)]);
    let mut load = JoinSet::new();
    for number in 0..CLIENTS {
        let world = Arc::clone(&world);
        load.spawn(async move {
            let mut client = world.client().await;
            let headers: &[_] =
                if number % 2 == 0 { &[] } else { &[("x-amzn-sagemaker-target-variant", "w")] };
            for _ in 0..EACH {
                assert_eq!(client.invoke_with(headers, "x").await.status, 200);
            }
        });
    }
    while let Some(ended) = load.join_next().await {
        ended.unwrap();
    }
    Arc::into_inner(world).unwrap().gateway.drain(LONG).await;
    for (variant, instances) in [("v", 1.0), ("w", 3.0)] {
        let total = ledger.total(variant);
        let expected = u32::try_from(CLIENTS / 2 * EACH).unwrap();
        assert_eq!(total.invocations, u64::from(expected), "{variant}");
        let per_instance = f64::from(expected) / instances;
        assert!((total.invocations_per_instance - per_instance).abs() < 1e-9, "{total:?}");
        for latency in [&total.model_latency, &total.overhead_latency] {
            assert_eq!(latency.summary().count.to_bits(), f64::from(expected).to_bits());
        }
        assert_eq!((total.errors_4xx, total.errors_5xx, total.model_errors), (0, 0, 0));
        let concurrency = total.concurrency;
        // Besides each request's beginning there are looks at what lasts.
        assert!(concurrency.count >= f64::from(expected) && concurrency.min >= 1.0);
        // Four clients each.
        assert!(concurrency.max <= 4.0, "{concurrency:?}");
    }
    assert!(ledger.offers() > 4, "{} offers are too few windows to tell", ledger.offers());
}

#[tokio::test]
async fn errors_are_told_apart_by_whose_fault_they_are() {
    // What the model server does, and how it counts: 4XX, 5XX, model errors.
    let table = [
        (Behaviour::Echo, [0, 0, 0]),
        (Behaviour::status(204, ""), [0, 0, 0]),
        (Behaviour::status(400, "bad"), [1, 0, 1]),
        (Behaviour::status(429, "busy"), [1, 0, 1]),
        (Behaviour::status(500, "oops"), [0, 1, 1]),
        (Behaviour::status(503, "busy"), [0, 1, 1]),
        // Clients are told of a "server error (302)".
        (Behaviour::status(302, "elsewhere"), [0, 1, 1]),
        (Behaviour::raw("garbage"), [0, 1, 1]),
        (Behaviour::raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), [0, 1, 1]),
        (Behaviour::Hang, [0, 1, 1]),
    ];
    for (behaviour, expected) in table {
        for is_stream in [false, true] {
            let (world, ledger, _) = counting(1.0);
            let model = ModelServer::tcp(behaviour.clone()).await;
            world.publish_one(model.route());
            let mut client = world.client().await;
            let request = if is_stream { streaming("x") } else { invocation("x") };
            client.signed(request).await;
            drop(client);
            world.gateway.drain(LONG).await;
            let total = ledger.total("v");
            let found = [total.errors_4xx, total.errors_5xx, total.model_errors];
            assert_eq!((total.invocations, found), (1, expected), "{behaviour:?}, {is_stream}");
            assert_eq!(total.model_latency.summary().count.to_bits(), 1.0_f64.to_bits());
        }
    }
}

#[tokio::test]
async fn a_request_that_reaches_no_instance_is_a_server_error_of_its_variant() {
    let (world, ledger, _) = counting(1.0);
    // Weight decides which variant would have had it; the other only takes targeted requests.
    world.publish(&[("v", 1.0, vec![]), ("w", 0.0, vec![])]);
    let mut client = world.client().await;
    let target = [("x-amzn-sagemaker-target-variant", "w")];
    for headers in [&[][..], &target] {
        assert_eq!(client.invoke_with(headers, "x").await.status, 503);
    }
    let folder = tempfile::tempdir().unwrap();
    world.publish_one(ModelServer::absent(folder.path()));
    assert_eq!(client.invoke("x").await.status, 503);
    drop(client);
    world.gateway.drain(LONG).await;
    for (variant, expected) in [("v", 2), ("w", 1)] {
        let total = ledger.total(variant);
        assert_eq!((total.invocations, total.errors_5xx), (expected, expected), "{variant}");
        assert_eq!((total.errors_4xx, total.model_errors), (0, 0), "{variant}");
        assert!(total.model_latency.is_empty(), "no model server has seen it");
        assert!(total.overhead_latency.summary().min >= 100_000.0, "it waited");
    }
    assert_eq!(ledger.total("v").invocations_per_instance.to_bits(), 2.0_f64.to_bits());
}

#[tokio::test]
async fn what_is_for_no_variant_counts_nowhere() {
    let (world, ledger, _) = counting(1.0);
    let model = ModelServer::tcp(Behaviour::Echo).await;
    world.publish_one(model.route());
    // Its connection closes after that.
    world.client().await.send(invocation("unsigned")).await;
    let mut client = world.client().await;
    client.invoke_with(&[("x-amzn-sagemaker-target-variant", "w")], "x").await;
    client.invoke_with(&[("x-amzn-sagemaker-session-id", "s")], "x").await;
    world.publish(&[("v", 1.0, vec![])]);
    let deletes = async {
        // While the request waits.
        tokio::time::sleep(SOON / 3).await;
        world.routes.publish(Arc::default());
    };
    let (waited, ()) = tokio::join!(client.invoke("x"), deletes);
    assert_eq!(waited.status, 400);
    assert_eq!(client.invoke("x").await.status, 400);
    world.gateway.drain(LONG).await;
    assert_eq!(ledger.all(), []);
}

#[tokio::test]
async fn each_request_counts_in_the_window_in_which_it_ends() {
    // A window is a tenth of a second.
    let (world, ledger, clock) = counting(100.0);
    let model = ModelServer::unix(Behaviour::Echo);
    world.publish_one(model.route());
    let mut client = world.client().await;
    // How many surely ended in each window, and how many perhaps.
    let mut expected = BTreeMap::<_, (u64, u64)>::new();
    while expected.len() < 6 {
        let before = Measured::window_of(clock.now());
        assert_eq!(client.invoke("x").await.status, 200);
        let after = Measured::window_of(clock.now());
        if before == after {
            expected.entry(after).or_default().0 += 1;
        } else {
            expected.entry(before).or_default().1 += 1;
            expected.entry(after).or_default().1 += 1;
        }
    }
    drop(client);
    world.gateway.drain(LONG).await;
    for (window, (surely, perhaps)) in expected {
        let found = ledger.within(window).invocations;
        assert!((surely..=surely + perhaps).contains(&found), "{found} in {window:?}");
    }
    for measured in ledger.all() {
        assert_eq!(measured.window, Measured::window_of(measured.window));
    }
}

#[tokio::test]
async fn concurrency_is_what_an_instance_is_busy_with() {
    let (world, ledger, _) = counting(1.0);
    let permits = Arc::new(Semaphore::new(0));
    let models = [(); 2].map(|()| ModelServer::unix(Behaviour::EchoWhenTold(Arc::clone(&permits))));
    world.publish(&[("v", 1.0, models.iter().map(ModelServer::route).collect())]);
    let mut load = JoinSet::new();
    for asked in 1..=6 {
        let mut client = world.client().await;
        load.spawn(async move { client.invoke("x").await.status });
        // One by one: of two requests that come at the same moment, each may not have seen the other's choice.
        let count = || models.iter().map(ModelServer::requests).sum::<usize>();
        until("it is asked", || count() == asked).await;
    }
    permits.add_permits(6);
    let statuses = load.join_all().await;
    assert!(statuses.iter().all(|status| *status == 200));
    world.gateway.drain(LONG).await;
    let concurrency = ledger.total("v").concurrency;
    // One, two and three on each of the two.
    let found = [concurrency.min, concurrency.max].map(f64::to_bits);
    assert_eq!(found, [1.0, 3.0].map(f64::to_bits), "{concurrency:?}");
    assert!(concurrency.sum >= 12.0, "{concurrency:?}");
}

#[tokio::test]
async fn times_are_the_model_servers_and_the_rest() {
    let (world, ledger, _) = counting(1.0);
    let permits = Arc::new(Semaphore::new(0));
    let model = ModelServer::unix(Behaviour::EchoWhenTold(Arc::clone(&permits)));
    world.publish(&[("v", 1.0, vec![])]);
    let mut client = world.client().await;
    let steps = async {
        // It waits here for an instance, and then longer for its answer.
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.publish_one(model.route());
        until("it is asked", || model.requests() == 1).await;
        tokio::time::sleep(Duration::from_millis(120)).await;
        permits.add_permits(1);
    };
    let (answer, ()) = tokio::join!(client.invoke("x"), steps);
    assert_eq!(answer.status, 200);
    drop(client);
    world.gateway.drain(LONG).await;
    let total = ledger.total("v");
    let (model, overhead) = (total.model_latency.summary(), total.overhead_latency.summary());
    assert!((120_000.0..300_000.0).contains(&model.sum), "{model:?}");
    assert!((40_000.0..300_000.0).contains(&overhead.sum), "{overhead:?}");
}

#[tokio::test]
async fn a_stream_counts_when_it_ends_however_it_ends_and_shows_while_it_lasts() {
    // A window is a twentieth of a second.
    for (how, expected) in [("whole", [0, 0]), ("aborted", [0, 0]), ("broken", [1, 1])] {
        let (world, ledger, clock) = counting(200.0);
        let (pen, behaviour) = Behaviour::pieces();
        let model = ModelServer::tcp(behaviour).await;
        world.publish_one(model.route());
        let mut client = world.client().await;
        let write = async {
            pen.head().await;
            pen.chunk(b"0").await;
        };
        let (mut stream, ()) = tokio::join!(client.open(&[], "?"), write);
        assert_eq!(stream.part().await, "0");
        let began = clock.now();
        // Some windows later: nothing was counted, but the stream was seen in each.
        let shown = || ledger.all().iter().filter(|one| !one.tally.concurrency.is_empty()).count();
        until("it is seen", || shown() >= 3).await;
        assert_eq!(ledger.total("v").invocations, 0);
        let lasted = clock.now().since(began) / 200;
        match how {
            "whole" => {
                pen.chunk(b"").await;
                assert_eq!(stream.next().await, None);
            }
            "aborted" => {
                client.hang_up();
                drop(stream);
                until("the model server notices", || model.closed() > 0).await;
            }
            _ => {
                drop(pen);
                assert_eq!(stream.exception().await.0, "ModelStreamError");
            }
        }
        world.gateway.drain(LONG).await;
        let total = ledger.total("v");
        assert_eq!((total.invocations, total.errors_4xx), (1, 0), "{how}");
        assert_eq!([total.errors_5xx, total.model_errors], expected, "{how}");
        let latency = total.model_latency.summary();
        assert!(latency.sum >= lasted.as_secs_f64() * 1e6, "{how}: {latency:?} {lasted:?}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_is_counted_and_nobodys_fault() {
    let (world, ledger, _) = counting(1.0);
    let model = ModelServer::tcp(Behaviour::Hang).await;
    world.publish_one(model.route());
    let mut client = world.client().await;
    let mut request = invocation("x");
    crate::support::sign(&mut request, &world.address().to_string(), "sagemaker").await;
    tokio::select! {
        answer = client.try_send(request) => panic!("{answer:?}"),
        () = until("the model server is asked", || model.requests() > 0) => {}
    }
    client.hang_up();
    until("the model server notices", || model.closed() > 0).await;
    world.gateway.drain(LONG).await;
    let total = ledger.total("v");
    assert_eq!((total.invocations, total.errors_5xx, total.model_errors), (1, 0, 0));
}

#[tokio::test]
async fn the_sink_is_not_told_more_often_than_is_set() {
    let (ledger, clock) = (Ledger::new(), ScaledClock::new(10_000.0));
    let world = World::at(clock, |settings| {
        settings.sink = Some(Arc::clone(&ledger) as _);
        settings.flush = Duration::from_secs(1000);
    });
    let model = ModelServer::unix(Behaviour::Echo);
    world.publish_one(model.route());
    let mut client = world.client().await;
    for _ in 0..100 {
        assert_eq!(client.invoke("x").await.status, 200);
        // Longer than a window.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(ledger.offers(), 0);
    drop(client);
    world.gateway.drain(LONG).await;
    assert_eq!(ledger.offers(), 1, "one thread has served, and tells all at its end");
    assert_eq!(ledger.total("v").invocations, 100);
    assert!(ledger.all().len() > 10, "window by window");
}
