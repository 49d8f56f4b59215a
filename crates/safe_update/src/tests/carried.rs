//! Runs carried out: what is called and told, and what is there afterwards, whatever fails on the way.

use std::time::Duration;

use domain::safe_update::{Goal, Outcome, Phase, Request, Run};
use domain::time::Timestamp;

use super::fake::{Kept, Mishap, Server, server, wait_for};
use crate::ask::PATIENCE;
use crate::{Fault, Stopped, Survey, carry_on, survey};

const HEADROOM: Request = Request {
    keep_counts: true,
    keep_weights: true,
    headroom_percent: 50,
    deployment_config: None,
    retain_deployment_config: false,
};

fn begun(server: &Server) -> Run {
    let (endpoint, wanted) = ("e".parse().unwrap(), "new".parse().unwrap());
    let Survey { facts, saved } = wait_for(survey(server, &endpoint, &wanted)).unwrap();
    server.calls.lock().unwrap().clear();
    Run::begin(facts, saved, HEADROOM, Timestamp::from_millis(1_780_000_000_000)).unwrap()
}

fn carried(server: &Server, kept: &mut Kept<'_>, run: Run) -> Result<Outcome, Stopped> {
    wait_for(carry_on(server, kept, run))
}

#[test]
fn the_seven_steps_are_made_in_order_and_told_in_plain_words() {
    let server = server();
    let run = begun(&server);
    let mut kept = Kept::new(&server);
    assert_eq!(carried(&server, &mut kept, run), Ok(Outcome::Applied));
    let told: Vec<&str> = kept.told.iter().map(String::as_str).collect();
    assert_eq!(
        told,
        [
            "1/7 deletes the scaling policy steps of web",
            "1/7 deletes the scaling policy tide of web",
            "1/7 deregisters web as a scalable target",
            "2/7 sets web from 4 to 6 instances",
            "3/7 waits: the endpoint is Updating: web has 6 of 6 instances",
            "6/7 updates the endpoint to the config new, keeping counts and weights",
            "6/7 waits: the endpoint is Updating to new: web has 6 of 6 instances",
            "7/7 registers web as a scalable target of 2 to 8 instances",
            "7/7 tags the scalable target with team",
            "7/7 puts the scaling policy steps on web",
            "7/7 puts the scaling policy tide on web",
            "7/7 puts the scheduled action night on web",
            "7/7 lets the alarm mine call its policy again",
            // Six instances see 84 where 70 are to be: eight are wanted, and the headroom falls short of them.
            "7/7 sets web from 6 to 8 instances",
            "7/7 waits: the endpoint is Updating: web has 8 of 8 instances",
        ]
    );
    assert_eq!(kept.run.unwrap().phase, Phase::Ended(Outcome::Applied));
}

/// What is there after an update without mishaps, and after one that was undone.
fn expected(outcome: Outcome) -> (String, serde_json::Value) {
    let server = server();
    let before = server.state().scaling();
    if outcome == Outcome::Undone {
        return ("old".to_owned(), before);
    }
    let run = begun(&server);
    carried(&server, &mut Kept::new(&server), run).unwrap();
    let state = server.state();
    (state.config.clone(), state.scaling())
}

/// Calls of an update without mishaps.
fn calls() -> usize {
    let server = server();
    let run = begun(&server);
    carried(&server, &mut Kept::new(&server), run).unwrap();
    server.calls.lock().unwrap().len()
}

/// Without counts: how many instances policies want depends on how many there are when it is asked.
fn without_counts(
    (config, mut scaling): (String, serde_json::Value),
) -> (String, serde_json::Value) {
    scaling.as_array_mut().unwrap().pop();
    (config, scaling)
}

#[test]
fn killed_at_any_call_it_is_resumed_or_undone_and_nothing_is_lost() {
    let (applied, undone) = (expected(Outcome::Applied), expected(Outcome::Undone));
    for at in 0..calls() {
        for mishap in [Mishap::KilledBefore, Mishap::KilledAfter] {
            for goal in [None, Some(Goal::Apply), Some(Goal::Undo)] {
                let server = server();
                let run = begun(&server);
                *server.mishap.lock().unwrap() = Some((at, mishap));
                let mut kept = Kept::new(&server);
                assert!(carried(&server, &mut kept, run).is_err(), "{at} {mishap:?}");
                server.revive();
                let now = Timestamp::from_millis(1_780_000_000_000);
                let run = kept.run.take().unwrap();
                let (run, outcome) = match goal {
                    None => (run, Outcome::Applied),
                    Some(Goal::Apply) => (run.resumed(now), Outcome::Applied),
                    Some(Goal::Undo) => (run.undoing(now), Outcome::Undone),
                };
                let why = format!("{at} {mishap:?} {goal:?}");
                assert_eq!(carried(&server, &mut kept, run), Ok(outcome), "{why}");
                let state = server.state();
                let found = without_counts((state.config.clone(), state.scaling()));
                let wanted = if outcome == Outcome::Applied { &applied } else { &undone };
                assert_eq!(found, without_counts(wanted.clone()), "{why}");
                assert!(state.counts["web"] >= 4, "{why}");
            }
        }
    }
}

#[test]
fn what_passes_by_itself_is_outlasted() {
    let applied = expected(Outcome::Applied);
    for at in 0..calls() {
        for mishap in [Mishap::Lost, Mishap::Unanswered, Mishap::Throttled, Mishap::Failed] {
            let server = server();
            let run = begun(&server);
            *server.mishap.lock().unwrap() = Some((at, mishap));
            let ended = carried(&server, &mut Kept::new(&server), run);
            assert_eq!(ended, Ok(Outcome::Applied), "{at} {mishap:?}");
            let state = server.state();
            // Metrics are asked for once; without them the count is what it was.
            let found = without_counts((state.config.clone(), state.scaling()));
            assert_eq!(found, without_counts(applied.clone()), "{at} {mishap:?}");
        }
    }
}

#[test]
fn what_does_not_pass_is_left_to_somebody_after_a_while() {
    let fault = Fault::Refused {
        code: "ThrottlingException".to_owned(),
        message: "Rate exceeded".to_owned(),
        status: 400,
    };
    for operation in ["UpdateEndpoint", "DescribeScalingPolicies"] {
        let server = server();
        let run = begun(&server);
        server.refused.lock().unwrap().push((operation, fault.clone()));
        let mut kept = Kept::new(&server);
        let stopped = carried(&server, &mut kept, run).unwrap_err();
        assert!(stopped.0.ends_with("ThrottlingException: Rate exceeded"), "{stopped}");
        assert_eq!(kept.run.unwrap().problem, Some(stopped.0));
        let paused = server.paused();
        assert!((PATIENCE..PATIENCE + Duration::from_secs(20)).contains(&paused), "{paused:?}");
    }
}

#[test]
fn an_order_that_is_accepted_and_never_shown_is_not_given_for_ever() {
    let server = server();
    let run = begun(&server);
    server.ignored.lock().unwrap().push("DeleteScalingPolicy");
    let stopped = carried(&server, &mut Kept::new(&server), run).unwrap_err();
    assert_eq!(
        stopped.0,
        "the server accepts DeleteScalingPolicy again and again, but shows no change"
    );
    assert!(server.changes().len() < 20);
}

#[test]
fn nothing_is_done_that_cannot_be_kept() {
    let server = server();
    let run = begun(&server);
    let mut kept = Kept::new(&server);
    kept.broken = true;
    let stopped = carried(&server, &mut kept, run).unwrap_err();
    assert_eq!(stopped.0, "the journal cannot be kept: the disk is full");
    assert!(server.changes().is_empty());
}

#[test]
fn a_refused_update_puts_the_scaling_back_at_once() {
    let server = server();
    let before = server.state().scaling();
    let run = begun(&server);
    let fault = Fault::Refused {
        code: "ResourceLimitExceeded".to_owned(),
        message: "no more".to_owned(),
        status: 400,
    };
    server.refused.lock().unwrap().push(("UpdateEndpoint", fault));
    let mut kept = Kept::new(&server);
    assert_eq!(carried(&server, &mut kept, run), Ok(Outcome::Undone));
    let state = server.state();
    let found = (state.config.clone(), state.scaling());
    assert_eq!(without_counts(found), without_counts(("old".to_owned(), before)));
    drop(state);
    let run = kept.run.take().unwrap();
    assert_eq!(
        run.problem.as_deref(),
        Some("UpdateEndpoint was refused: ResourceLimitExceeded: no more")
    );
    assert!(
        kept.told.iter().any(|line| line.starts_with("turns round: UpdateEndpoint was refused"))
    );
    // An ended run is not carried on.
    server.calls.lock().unwrap().clear();
    assert_eq!(carried(&server, &mut kept, run), Ok(Outcome::Undone));
    assert!(server.calls.lock().unwrap().is_empty());
}
