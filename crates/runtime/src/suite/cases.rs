//! The cases.

use std::time::Duration;

use domain::instance::{Exit, ExitCause, InstanceId, Observed, Phase};
use domain::time::Clock as _;

use super::{Bench, Case, instance_id};
use crate::driver::Driver as _;

/// Starts an instance and waits for its exit.
async fn exit_of(bench: &impl Bench, case: Case) -> (InstanceId, Exit) {
    let order = bench.order(case);
    let id = order.id.clone();
    bench.driver().start(order);
    (id.clone(), wait_for_exit(bench, &id).await)
}

async fn wait_for_exit(bench: &impl Bench, id: &InstanceId) -> Exit {
    match bench.until(id, |phase| matches!(phase, Phase::Exited(_))).await {
        Phase::Exited(exit) => {
            assert_eq!(
                exit.at,
                bench.clock().steady(),
                "an exit is stamped with the time of real work"
            );
            exit
        }
        other => panic!("{id} is {other:?}"),
    }
}

async fn start_and_wait(bench: &impl Bench, case: Case) -> InstanceId {
    let order = bench.order(case);
    let id = order.id.clone();
    bench.driver().start(order);
    bench.until(&id, Phase::is_ready).await;
    id
}

pub(crate) async fn an_instance_that_answers_becomes_ready(bench: &mut impl Bench) {
    let order = bench.order(Case::Serves);
    bench.driver().start(order.clone());
    let seen = bench.driver().observe();
    assert_eq!(
        seen,
        [Observed { id: order.id.clone(), fleet: order.fleet.clone(), phase: Phase::Preparing }]
    );
    bench.until(&order.id, Phase::is_ready).await;
    let other = start_and_wait(bench, Case::Serves).await;
    assert_ne!(bench.phase(&order.id), bench.phase(&other), "two instances share an address");
}

pub(crate) async fn a_start_that_is_repeated_changes_nothing(bench: &mut impl Bench) {
    let mut order = bench.order(Case::Serves);
    let id = order.id.clone();
    bench.driver().start(order.clone());
    bench.until(&id, Phase::is_ready).await;
    let before = bench.driver().observe();
    order.image = "another".to_owned();
    bench.driver().start(order.clone());
    assert_eq!(bench.driver().observe(), before);
    bench.driver().stop(&id);
    wait_for_exit(bench, &id).await;
    let before = bench.driver().observe();
    bench.driver().start(order);
    assert_eq!(bench.driver().observe(), before, "what has exited is not started again");
}

pub(crate) async fn a_stop_is_seen_at_once_and_ends_in_an_exit(bench: &mut impl Bench) {
    let id = start_and_wait(bench, Case::Serves).await;
    bench.driver().stop(&id);
    assert_eq!(bench.phase(&id), Some(Phase::Stopping));
    bench.driver().stop(&id);
    assert_eq!(bench.phase(&id), Some(Phase::Stopping));
    let exit = wait_for_exit(bench, &id).await;
    assert_eq!((exit.cause, exit.was_ready), (ExitCause::Stopped, true));
    let before = bench.driver().observe();
    bench.driver().stop(&id);
    assert_eq!(bench.driver().observe(), before);
}

pub(crate) async fn an_instance_that_is_being_prepared_can_be_stopped(bench: &mut impl Bench) {
    let order = bench.order(Case::ArtifactIsSlow);
    let id = order.id.clone();
    bench.driver().start(order);
    assert_eq!(bench.phase(&id), Some(Phase::Preparing));
    bench.driver().stop(&id);
    let exit = wait_for_exit(bench, &id).await;
    assert_eq!((exit.cause, exit.was_ready), (ExitCause::Stopped, false));
}

pub(crate) async fn stopping_and_forgetting_what_is_not_there_changes_nothing(
    bench: &mut impl Bench,
) {
    let id = start_and_wait(bench, Case::Serves).await;
    let before = bench.driver().observe();
    bench.driver().stop(&instance_id());
    bench.driver().forget(&instance_id());
    assert_eq!(bench.driver().observe(), before);
    assert!(bench.phase(&id).is_some_and(|phase| phase.is_ready()));
}

fn assert_ended_with_3(exit: Exit, was_ready: bool) {
    assert_eq!(exit.was_ready, was_ready);
    match exit.cause {
        ExitCause::Ended { status, .. } => assert_eq!(status, "exit status 3"),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn an_end_before_the_first_good_ping_is_told(bench: &mut impl Bench) {
    let (_, exit) = exit_of(bench, Case::EndsEarly).await;
    assert_ended_with_3(exit, false);
}

pub(crate) async fn an_end_after_the_first_good_ping_is_told(bench: &mut impl Bench) {
    let id = start_and_wait(bench, Case::ServesUntilEnded).await;
    bench.end(&id);
    assert_ended_with_3(wait_for_exit(bench, &id).await, true);
}

pub(crate) async fn an_instance_that_never_answers_is_given_up(bench: &mut impl Bench) {
    let mut order = bench.order(Case::NeverReady);
    order.startup_timeout = Duration::from_millis(300);
    let id = order.id.clone();
    bench.driver().start(order);
    bench.until(&id, |phase| *phase == Phase::Starting).await;
    let exit = wait_for_exit(bench, &id).await;
    match exit.cause {
        ExitCause::NeverReady { waited, .. } => assert_eq!(waited, Duration::from_millis(300)),
        other => panic!("{other:?}"),
    }
    assert!(!exit.was_ready);
}

pub(crate) async fn an_unknown_image_is_refused(bench: &mut impl Bench) {
    let (_, exit) = exit_of(bench, Case::UnknownImage).await;
    assert!(!exit.was_ready);
    match exit.cause {
        ExitCause::UnknownImage(text) => assert!(text.contains("[[image]]"), "{text}"),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn an_artefact_that_cannot_be_had_is_told(bench: &mut impl Bench) {
    let (_, exit) = exit_of(bench, Case::ArtifactFails).await;
    assert_eq!(exit.cause, ExitCause::Artifact("there is no such object".to_owned()));
    assert!(!exit.was_ready);
}

pub(crate) async fn only_an_instance_that_has_exited_can_be_forgotten(bench: &mut impl Bench) {
    let id = start_and_wait(bench, Case::Serves).await;
    bench.driver().forget(&id);
    assert!(bench.phase(&id).is_some_and(|phase| phase.is_ready()));
    bench.driver().stop(&id);
    bench.driver().forget(&id);
    assert_eq!(bench.phase(&id), Some(Phase::Stopping));
    wait_for_exit(bench, &id).await;
    bench.driver().forget(&id);
    assert_eq!(bench.driver().observe(), []);
}

pub(crate) async fn instances_are_told_in_the_order_of_their_ids(bench: &mut impl Bench) {
    let orders: Vec<_> =
        [Case::Serves, Case::EndsEarly, Case::ArtifactFails].map(|case| bench.order(case)).into();
    let ids: Vec<_> = orders.iter().map(|order| order.id.clone()).collect();
    for order in orders.into_iter().rev() {
        bench.driver().start(order);
    }
    let driver = bench.driver();
    let told = || driver.observe().into_iter().map(|seen| seen.id).collect::<Vec<_>>();
    assert_eq!(told(), ids);
    wait_for_exit(bench, &ids[1]).await;
    assert_eq!(told(), ids);
}

pub(crate) async fn what_an_instance_uses_is_told_while_it_runs_and_its_time_never_goes_back(
    bench: &mut impl Bench,
) {
    let id = start_and_wait(bench, Case::Works).await;
    let idle = start_and_wait(bench, Case::Serves).await;
    let usage = |id: &InstanceId| bench.driver().usage(id);
    assert_eq!(usage(&instance_id()), None, "an instance that nobody knows");
    let (first, of_idle) = (usage(&id).unwrap(), usage(&idle).unwrap());
    assert!(first.memory_bytes > 0);
    let mut last = first;
    // Enough for many of its parts to end.
    while last.cpu < first.cpu + Duration::from_millis(500) {
        bench.work().await;
        let now = usage(&id).unwrap();
        assert!(now.cpu >= last.cpu, "{now:?} after {last:?}");
        last = now;
    }
    let beside = usage(&idle).unwrap().cpu.saturating_sub(of_idle.cpu);
    assert!(beside < Duration::from_millis(250), "the work is not that of the other: {beside:?}");
    bench.driver().stop(&id);
    wait_for_exit(bench, &id).await;
    assert_eq!(usage(&id), None, "nothing of it runs any more");
}
