//! Promise T1: registering, deregistering, updating and deleting keep S1, S2 and S9 in whatever order the steps of calls
//! that run at once come to the store.
//!
//! Schedules are all enumerated, none is drawn. `planted` shows that what is looked for is found where it is.
//! `SIM_INTERLEAVINGS=all` also tries what takes minutes: with
//! any third call, and four clients at once.

#![expect(clippy::tests_outside_test_module, reason = "a file below tests/ is a test module")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod acts;
mod loops;
mod net;
mod planted;
mod scene;

use acts::{Act, By};
use net::cast;
use scene::{Scene, Setting};
use sim::interleave::Mode;

/// Calls that change who is scaled.
fn of_scaling() -> Vec<Act> {
    let root = By::Root;
    vec![acts::register(root), acts::deregister(root), acts::put_policy(root)]
}

/// Calls that scaling stands in the way of.
fn of_hosting() -> Vec<Act> {
    let root = By::Root;
    vec![acts::update(root, "larger"), acts::update(root, "without"), acts::delete(By::Ann)]
}

/// Calls that change what these decide from.
fn close(scene: &Scene) -> Vec<Act> {
    let root = By::Root;
    vec![
        acts::create(root),
        acts::delete(root),
        acts::capacity(root),
        acts::register_more(By::Ann),
        acts::put_action(root),
        acts::tag_endpoint(scene),
        acts::revoke("deregister"),
        acts::deny(),
    ]
}

/// Everything else that somebody can do to `e` at once with others.
fn others(scene: &Scene) -> Vec<Act> {
    let root = By::Root;
    let mut acts = vec![
        acts::update(root, "model"),
        acts::put_step(By::Ann),
        acts::delete_policy(root, "track"),
        acts::delete_policy(root, "step"),
        acts::delete_action(root),
        acts::revoke("policies"),
        acts::revoke("hosting"),
        acts::disable_key(scene),
    ];
    if scene.is_scaled() {
        acts.extend([acts::tag_target(scene), acts::put_alarm(scene)]);
    }
    acts
}

/// Explores these clients; nothing may be found. How many schedules there were.
fn holds(scene: &Scene, programs: &[Vec<Act>]) -> usize {
    let caught = cast(scene, programs, Mode::Free);
    assert!(caught.faults.is_empty(), "{:#?}", caught.faults);
    let loops = programs.iter().flatten().any(|act| !matches!(act, Act::Api { .. }));
    assert!(!loops || caught.moved > 0, "the loop does nothing about {programs:?}");
    caught.count.schedules
}

fn one_each(acts: &[&Act]) -> Vec<Vec<Act>> {
    acts.iter().map(|act| vec![Act::clone(act)]).collect()
}

/// Whether to try everything, which takes minutes.
fn thorough() -> bool {
    std::env::var_os("SIM_INTERLEAVINGS").is_some_and(|given| given == "all")
}

/// Tries every two calls; at least so many schedules must have differed, or steps are not told apart any more.
fn pairs(setting: Setting, least: usize) {
    let scene = Scene::new(setting);
    let acts = [of_scaling(), of_hosting(), close(&scene), others(&scene)].concat();
    let mut schedules = 0;
    for (at, one) in acts.iter().enumerate() {
        for other in &acts[at..] {
            schedules += holds(&scene, &one_each(&[one, other]));
        }
    }
    assert!(schedules >= least, "{schedules} schedules");
}

/// Tries every two calls that bind each other with a third that is close to them; or with any other.
fn triples(setting: Setting, least: usize) {
    let scene = Scene::new(setting);
    let mut thirds = [of_scaling(), of_hosting(), close(&scene)].concat();
    if thorough() {
        thirds.extend(others(&scene));
    }
    let mut schedules = 0;
    for scaling in &of_scaling() {
        for hosting in &of_hosting() {
            for third in &thirds {
                schedules += holds(&scene, &one_each(&[scaling, hosting, third]));
            }
        }
    }
    assert!(schedules >= least, "{schedules} schedules");
}

#[test]
fn any_two_calls_on_an_endpoint_without_scaling() {
    pairs(Setting::Plain, 800);
}

#[test]
fn any_two_calls_on_an_endpoint_that_scales() {
    pairs(Setting::Scaled, 800);
}

#[test]
fn any_two_calls_on_an_endpoint_that_is_being_updated() {
    pairs(Setting::Updating, 800);
}

#[test]
fn any_two_calls_on_an_endpoint_that_goes() {
    pairs(Setting::Leaving, 800);
}

#[test]
fn three_calls_on_an_endpoint_without_scaling() {
    triples(Setting::Plain, 5_000);
}

#[test]
fn three_calls_on_an_endpoint_that_scales() {
    triples(Setting::Scaled, 5_000);
}

/// Clients that make one call after another, and four at once.
#[test]
fn longer_stories_on_an_endpoint_without_scaling() {
    stories(&Scene::new(Setting::Plain), 3_000);
}

#[test]
fn longer_stories_on_an_endpoint_that_scales() {
    stories(&Scene::new(Setting::Scaled), 3_000);
}

fn stories(scene: &Scene, least: usize) {
    let root = By::Root;
    let delete = || vec![acts::delete(By::Ann)];
    let mut stories = vec![
        // The seed's steps 1, 6 and 7, against somebody who deletes.
        vec![
            vec![acts::deregister(root), acts::update(root, "larger"), acts::register(root)],
            delete(),
        ],
        vec![
            vec![acts::register(root), acts::put_policy(root), acts::put_action(root)],
            vec![acts::update(root, "without")],
            delete(),
        ],
        vec![
            vec![acts::revoke("deregister"), acts::register(root)],
            delete(),
            vec![acts::deregister(root)],
        ],
        vec![
            vec![acts::deregister(root), acts::revoke("policies"), acts::register(root)],
            vec![acts::delete(By::Ann), acts::create(By::Ann)],
        ],
    ];
    if thorough() {
        stories.extend([
            vec![
                vec![acts::register(root)],
                vec![acts::deregister(root)],
                vec![acts::update(root, "larger")],
                delete(),
            ],
            vec![
                vec![acts::register_more(By::Ann)],
                vec![acts::put_policy(root)],
                delete(),
                vec![acts::deny()],
            ],
        ]);
    }
    let schedules: usize = stories.iter().map(|story| holds(scene, story)).sum();
    assert!(schedules >= least, "{schedules} schedules");
}
