//! What the simulator relies on beyond the suite: the times.

use std::sync::Arc;
use std::time::Duration;

use domain::instance::{Exit, ExitCause, InstanceId, Order, Phase};
use domain::time::{Clock as _, Timestamp};

use super::{Behaviour, FakeDriver};
use crate::driver::Driver as _;
use crate::suite::{ManualClock, order};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn ended(status: &str) -> ExitCause {
    ExitCause::Ended { status: status.to_owned(), last_words: String::new() }
}

/// Every change of the one instance of `driver`, with the seconds since `from`.
fn course(driver: &FakeDriver, clock: &ManualClock, from: Timestamp) -> Vec<(u64, &'static str)> {
    let mut seen = Vec::new();
    while let Some(due) = driver.next_due() {
        clock.set(due);
        assert!(driver.step());
        let phase = match driver.observe().pop().unwrap().phase {
            Phase::Preparing => "preparing",
            Phase::Starting => "starting",
            Phase::Ready { .. } => "ready",
            Phase::Stopping => "stopping",
            Phase::Exited(exit) => match exit.cause {
                ExitCause::Ended { .. } => "ended",
                ExitCause::NeverReady { .. } => "never ready",
                ExitCause::Artifact(_) => "artefact",
                other => panic!("{other:?}"),
            },
        };
        seen.push((due.since(from).as_secs(), phase));
    }
    seen
}

#[test]
fn each_behaviour_takes_its_course() {
    let ends = |after, ready: Option<u64>| Behaviour {
        ready_after: ready.map(secs),
        ..Behaviour::ends_after(secs(after), "exit status 1")
    };
    for (behaviour, expected) in [
        (Behaviour::ready_after(secs(5)).preparing(secs(2)), vec![(2, "starting"), (7, "ready")]),
        (Behaviour::ready_after(secs(60)), vec![(0, "starting"), (60, "ready")]),
        (Behaviour::ready_after(secs(61)), vec![(0, "starting"), (60, "never ready")]),
        (Behaviour::never_ready().preparing(secs(1)), vec![(1, "starting"), (61, "never ready")]),
        (Behaviour::artifact_fails("no").preparing(secs(3)), vec![(3, "artefact")]),
        (ends(9, None), vec![(0, "starting"), (9, "ended")]),
        (ends(99, None), vec![(0, "starting"), (60, "never ready")]),
        (ends(99, Some(1)), vec![(0, "starting"), (1, "ready"), (99, "ended")]),
        (ends(4, Some(4)), vec![(0, "starting"), (4, "ended")]),
    ] {
        let clock = Arc::new(ManualClock::default());
        let driver = FakeDriver::new(Arc::clone(&clock) as _);
        driver.script(behaviour.clone());
        let from = clock.wall();
        driver.start(order("image"));
        assert_eq!(course(&driver, &clock, from), expected, "{behaviour:?}");
    }
}

fn phase(driver: &FakeDriver, id: &InstanceId) -> Phase {
    driver.observe().into_iter().find(|seen| seen.id == *id).unwrap().phase
}

fn ready(driver: &FakeDriver, order: &Order) {
    driver.start(order.clone());
    driver.step();
    assert!(phase(driver, &order.id).is_ready());
}

#[test]
fn a_crash_is_an_exit_unless_the_instance_was_told_to_stop() {
    let clock = Arc::new(ManualClock::default());
    let driver = FakeDriver::new(Arc::clone(&clock) as _);
    driver.script(Behaviour::default().stopping(secs(10)));
    let (crashed, hung, stopped) = (order("image"), order("image"), order("image"));
    for order in [&crashed, &hung, &stopped] {
        ready(&driver, order);
    }
    driver.crash(&crashed.id, "signal 9");
    driver.hang(&hung.id);
    driver.stop(&stopped.id);
    driver.crash(&stopped.id, "signal 9");
    let exit = |cause| Phase::Exited(Exit { cause, was_ready: true, at: clock.wall() });
    assert_eq!(phase(&driver, &crashed.id), exit(ended("signal 9")));
    assert_eq!(
        phase(&driver, &hung.id),
        exit(ExitCause::Unresponsive { last_words: String::new() })
    );
    assert_eq!(phase(&driver, &stopped.id), exit(ExitCause::Stopped));
    assert_eq!(driver.next_due(), None);
}

#[test]
fn the_script_of_a_fleet_goes_before_that_of_its_image() {
    let driver = FakeDriver::new(Arc::new(ManualClock::default()));
    let of_fleet = order("image");
    let mut of_image = order("image");
    of_image.fleet.variant = "other".parse().unwrap();
    driver.script_image("image", Behaviour::artifact_fails("of the image"));
    driver.script_fleet(of_fleet.fleet.clone(), Behaviour::artifact_fails("of the fleet"));
    for (order, words) in [(of_fleet, "of the fleet"), (of_image, "of the image")] {
        driver.start(order.clone());
        driver.step();
        let Phase::Exited(exit) = phase(&driver, &order.id) else { panic!("an exit") };
        assert_eq!(exit.cause, ExitCause::Artifact(words.to_owned()));
    }
}
