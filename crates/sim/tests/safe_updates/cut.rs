//! The machine dies at every point of an update in turn, and somebody comes who goes on with it, or undoes it.

use std::time::Duration;

use domain::safe_update::Outcome;

use crate::machine::{Machine, Point, Trouble, Turn};
use crate::setting::{FAILING, NEW, WITHOUT};
use crate::{REST, Story, There};

/// How long nobody looks after a machine that has died.
const ALONE: Duration = Duration::from_secs(7);

/// How an update ends that was cut off.
struct Ends {
    outcome: Outcome,
    there: There,
}

/// Numbers of points of which each finds something else, and of how many they stand for.
fn different(points: &[Point]) -> (Vec<usize>, usize) {
    let same = |at: usize| at > 0 && points[at].finds_the_same(&points[at - 1]);
    ((0..points.len()).filter(|at| !same(*at)).collect(), points.len())
}

/// Cuts an update off at every point. `prepared` is where it begins; it goes towards `way`.
fn cut(story: Story, way: Turn, prepared: &dyn Fn() -> Machine, then: Turn) {
    let machine = prepared();
    machine.trouble(|_, _| None);
    let before = There::at(&machine);
    let whole = story.run(&machine, way);
    let points = machine.points();
    machine.pass(REST);
    let done = There::at(&machine);
    let ends = match (then, way) {
        (Turn::Undo, Turn::Resume) => Ends { outcome: Outcome::Undone, there: before.clone() },
        _ => Ends { outcome: whole, there: done },
    };
    let (numbers, all) = different(&points);
    let changing = points.iter().filter(|point| point.changes()).count();
    assert!(changing >= 4 && numbers.len() > 2 * changing, "{} of {all} points", numbers.len());
    let deaths = numbers.iter().map(|at| (*at, Trouble::DiesBefore));
    let mut felt = 0;
    // After a call is before the next one, but for the last.
    for (at, death) in deaths.chain([(all - 1, Trouble::DiesAfter)]) {
        let machine = prepared();
        machine.trouble(move |reached, _| (reached == at).then_some(death));
        let died = machine.update(story.wanted, story.request(), way);
        assert_eq!(died, None, "it was to die at {at}");
        machine.trouble(|_, _| None);
        machine.pass(ALONE);
        felt += usize::from(There::at(&machine).scaling != before.scaling);
        let place = format!("{death:?} {at}, {}", points[at].what);
        let outcome = story.run(&machine, then);
        machine.pass(REST);
        let there = There::at(&machine);
        assert!(
            there == ends.there,
            "{place}: {:#?}\n{}",
            ends.there.differs(&there),
            machine.told()
        );
        // Somebody who finds nothing in the journal has nothing to undo.
        assert_eq!(outcome, ends.outcome, "{place}");
    }
    assert!(felt > 5, "hardly any of {} cuts was felt", numbers.len());
}

fn fresh(story: Story, then: Turn) {
    cut(story, Turn::Resume, &|| story.begin(), then);
}

/// An update that is undone after it was done is cut off.
fn undone(story: Story) {
    let prepared = || {
        let machine = story.begin();
        assert_eq!(story.run(&machine, Turn::Resume), Outcome::Applied);
        machine.pass(REST);
        machine
    };
    cut(story, Turn::Undo, &prepared, Turn::Undo);
}

#[test]
fn an_update_is_resumed() {
    fresh(Story::to(NEW), Turn::Resume);
}

#[test]
fn an_update_is_undone() {
    fresh(Story::to(NEW), Turn::Undo);
}

#[test]
fn an_update_with_headroom_is_resumed() {
    fresh(Story::to(NEW).with_headroom(), Turn::Resume);
}

#[test]
fn an_update_with_headroom_is_undone() {
    fresh(Story::to(NEW).with_headroom(), Turn::Undo);
}

#[test]
fn an_update_whose_instances_fail_is_resumed() {
    fresh(Story::to(FAILING), Turn::Resume);
}

#[test]
fn an_update_whose_instances_fail_is_undone() {
    fresh(Story::to(FAILING), Turn::Undo);
}

#[test]
fn an_update_that_removes_a_variant_is_resumed() {
    fresh(Story::to(WITHOUT), Turn::Resume);
}

#[test]
fn an_update_that_removes_a_variant_is_undone() {
    fresh(Story::to(WITHOUT), Turn::Undo);
}

#[test]
fn undoing_what_was_done_goes_on() {
    undone(Story::to(NEW));
}

#[test]
fn undoing_a_removal_goes_on() {
    undone(Story::to(WITHOUT));
}
