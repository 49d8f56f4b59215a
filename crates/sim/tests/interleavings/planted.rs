//! Faults that are planted are found: each kind of them, and where a decision is made of what was read before.

use domain::scaling::Target;
use sim::interleave::{Mode, Planted, is_none};
use store::{Changes, Decision, State};

use crate::acts::{self, Act, By};
use crate::net::{Fault, cast};
use crate::scene::{Scene, Setting};

/// Check and write are two: every decision is made of the state that its client looked at last.
fn stale(seen: &State, _now: &State, decision: Decision) -> Changes {
    decision(seen)
}

/// A refusal changes something all the same.
fn refusal_writes(_seen: &State, now: &State, decision: Decision) -> Changes {
    let changes = decision(now);
    if is_none(&changes) { changes.keep_time(domain::time::Timestamp::default()) } else { changes }
}

/// Whatever is changed, the targets of all endpoints go.
fn greedy(_seen: &State, now: &State, decision: Decision) -> Changes {
    let changes = decision(now);
    if is_none(&changes) {
        return changes;
    }
    now.targets.keys().fold(changes, |changes, key| changes.delete::<Target>(key.clone()))
}

fn found(setting: Setting, planted: Planted, acts: &[Act], wanted: Fault) {
    let scene = Scene::new(setting);
    let programs: Vec<Vec<Act>> = acts.iter().map(|act| vec![act.clone()]).collect();
    let caught = cast(&scene, &programs, Mode::Broken(planted));
    let labels: Vec<String> = acts.iter().map(Act::label).collect();
    assert!(caught.faults.contains_key(&wanted), "{wanted:?} of {labels:?}: {:#?}", caught.faults);
}

#[test]
fn a_decision_made_of_what_was_read_before_is_found() {
    let root = By::Root;
    let (plain, scaled) = (Setting::Plain, Setting::Scaled);
    for (setting, acts, wanted) in [
        (plain, vec![acts::register(root), acts::update(root, "larger")], Fault::Unbound),
        (plain, vec![acts::register(root), acts::update(root, "without")], Fault::Unbound),
        (plain, vec![acts::register(root), acts::update(root, "without")], Fault::Orphan),
        (plain, vec![acts::register(root), acts::delete(root)], Fault::Orphan),
        (plain, vec![acts::register(root), acts::delete(By::Ann)], Fault::Orphan),
        (scaled, vec![acts::deregister(root), acts::put_policy(root)], Fault::Orphan),
        (scaled, vec![acts::delete(By::Ann), acts::put_action(root)], Fault::Orphan),
        (scaled, vec![acts::delete(By::Ann), acts::revoke("deregister")], Fault::Unlawful),
        (scaled, vec![acts::delete(By::Ann), acts::revoke("policies")], Fault::Unlawful),
        (scaled, vec![acts::delete(By::Ann), acts::deny()], Fault::Unlawful),
        (plain, vec![acts::update(root, "model"), acts::capacity(root)], Fault::Unexplained),
        (plain, vec![acts::register(root), acts::register_more(root)], Fault::Unexplained),
    ] {
        found(setting, stale, &acts, wanted);
    }
}

#[test]
fn a_refusal_that_changes_something_is_found() {
    let acts = [acts::create(By::Root), acts::register(By::Root)];
    found(Setting::Plain, refusal_writes, &acts, Fault::Torn);
}

#[test]
fn what_is_done_to_other_endpoints_is_found() {
    let acts = [acts::capacity(By::Root), acts::tag_endpoint(&Scene::new(Setting::Scaled))];
    found(Setting::Scaled, greedy, &acts, Fault::Bystander);
}
