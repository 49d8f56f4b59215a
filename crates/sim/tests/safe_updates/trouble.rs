//! The server throttles, breaks, or is not heard; or the machine dies again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::safe_update::Outcome;

use crate::machine::{Machine, Trouble, Turn};
use crate::setting::{FAILING, NEW};
use crate::{REST, Story, There};

/// An update that nothing happens to: how it ends, and how many calls and writes it takes.
fn undisturbed(story: Story) -> (Outcome, There, Vec<usize>) {
    let machine = story.begin();
    let outcome = story.run(&machine, Turn::Resume);
    let points = machine.points();
    let changing = (0..points.len()).filter(|at| points[*at].changes()).collect();
    machine.pass(REST);
    (outcome, There::at(&machine), changing)
}

fn ends_all_the_same(
    story: Story,
    machine: &Machine,
    (outcome, there): (Outcome, &There),
    what: &str,
) {
    assert_eq!(story.run(machine, Turn::Resume), outcome, "{what}");
    machine.pass(REST);
    let now = There::at(machine);
    assert!(now == *there, "{what}: {:#?}\n{}", there.differs(&now), machine.told());
}

/// Each call that changes something fails once, in each way.
#[test]
fn a_call_that_fails_once_does_no_harm() {
    for story in [Story::to(NEW).with_headroom(), Story::to(FAILING)] {
        let (outcome, there, changing) = undisturbed(story);
        for at in changing {
            for trouble in
                [Trouble::Throttled, Trouble::Breaks, Trouble::LostBefore, Trouble::LostAfter]
            {
                let machine = story.begin();
                machine.trouble(move |reached, _| (reached == at).then_some(trouble));
                let what = format!("{trouble:?} at {at}");
                ends_all_the_same(story, &machine, (outcome, &there), &what);
            }
        }
    }
}

/// On the way to the new config what the caller may not do turns the update round; elsewhere it stops it there. Somebody
/// who may goes on with it, or undoes it.
#[test]
fn what_is_denied_is_gone_on_with_later() {
    for story in [Story::to(NEW).with_headroom(), Story::to(FAILING)] {
        let before = There::at(&story.begin());
        let (outcome, there, changing) = undisturbed(story);
        let mut turned = 0;
        for at in changing {
            for (turn, outcome, there) in
                [(Turn::Resume, outcome, &there), (Turn::Undo, Outcome::Undone, &before)]
            {
                let machine = story.begin();
                machine.trouble(move |reached, _| (reached == at).then_some(Trouble::Denied));
                let ended = machine.update(story.wanted, story.request(), Turn::Resume);
                machine.trouble(|_, _| None);
                machine.pass(REST);
                let why = match ended.expect("it does not die") {
                    Err(stopped) => stopped.to_string(),
                    Ok(ended) => {
                        let now = There::at(&machine);
                        assert_eq!(ended, Outcome::Undone, "{at}");
                        assert!(now == before, "{at}: {:#?}", before.differs(&now));
                        turned += 1;
                        continue;
                    }
                };
                assert!(why.contains("AccessDeniedException"), "{at}: {why}");
                assert_eq!(story.run(&machine, turn), outcome, "denied at {at}");
                machine.pass(REST);
                let now = There::at(&machine);
                assert!(now == *there, "{at}: {:#?}\n{}", there.differs(&now), machine.told());
            }
        }
        assert!(turned > 0, "nothing turned it round");
    }
}

/// More instances than there may be: what was taken away is put back at once, by itself.
#[test]
fn without_room_for_the_update_everything_is_as_it_was() {
    for story in [Story::to(NEW), Story::to(NEW).with_headroom()] {
        for call in ["UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"] {
            let machine = story.begin();
            let before = There::at(&machine);
            machine.trouble(move |_, point| (point.what == call).then_some(Trouble::Limited));
            let ended = machine.update(story.wanted, story.request(), Turn::Resume);
            let reached = machine.points().iter().any(|point| point.what == call);
            let wanted = if reached { Outcome::Undone } else { Outcome::Applied };
            machine.trouble(|_, _| None);
            machine.pass(REST);
            let now = There::at(&machine);
            assert_eq!(ended, Some(Ok(wanted)), "{call}: {}", machine.told());
            if reached {
                assert!(now == before, "{call}: {:#?}\n{}", before.differs(&now), machine.told());
            }
        }
    }
}

/// Each operation fails three times in three ways before it goes through once; one of these times the server has acted.
#[test]
fn nothing_but_trouble_does_no_harm() {
    for story in [Story::to(NEW).with_headroom(), Story::to(FAILING)] {
        let (outcome, there, _) = undisturbed(story);
        let machine = story.begin();
        let mut calls: BTreeMap<&str, usize> = BTreeMap::new();
        machine.trouble(move |_, point| {
            let call = calls.entry(point.what).or_default();
            *call += 1;
            let troubles = [Trouble::Throttled, Trouble::LostAfter, Trouble::Breaks];
            troubles.get((*call - 1) % 4).filter(|_| point.what != "journal").copied()
        });
        ends_all_the_same(story, &machine, (outcome, &there), "nothing but trouble");
    }
}

/// A machine that dies after so many calls comes only so far, whenever it is started. Going on with an update whose
/// instances fail tries it once more, which may never end; so that one is undone.
#[test]
fn a_machine_that_dies_again_and_again_comes_to_the_end() {
    let (fine, failing) = (Story::to(NEW).with_headroom(), Story::to(FAILING));
    for (story, turn) in [(fine, Turn::Resume), (fine, Turn::Undo), (failing, Turn::Undo)] {
        let before = There::at(&story.begin());
        let (_, done, _) = undisturbed(story);
        let there = if turn == Turn::Resume { done } else { before };
        for (calls, death) in [(80, Trouble::DiesAfter), (97, Trouble::DiesBefore)] {
            let (machine, mut turns, mut deaths) = (story.begin(), Turn::Resume, 0);
            loop {
                machine.trouble(move |reached, _| (reached == calls).then_some(death));
                if machine.update(story.wanted, story.request(), turns).is_some() {
                    break;
                }
                (turns, deaths) = (turn, deaths + 1);
                machine.pass(Duration::from_secs(1));
                assert!(deaths < 50, "it gets nowhere: {}", machine.told());
            }
            assert!(deaths > 0, "it did not die");
            machine.pass(REST);
            let now = There::at(&machine);
            assert!(now == there, "{calls}: {:#?}\n{}", there.differs(&now), machine.told());
        }
    }
}
