//! The loops decide at once with callers: they see, act and tell at different moments.

use crate::acts::{self, Act, By};
use crate::holds;
use crate::scene::{Scene, Setting};

/// The instances of an endpoint that is deleted go, its record goes, and the same name may be used again.
#[test]
fn a_name_is_used_again_while_the_loop_forgets_its_endpoint() {
    let scene = Scene::new(Setting::Leaving);
    for late in [acts::register(By::Root), acts::put_policy(By::Root), acts::tag_endpoint(&scene)] {
        let schedules = holds(
            &scene,
            &[
                vec![Act::Fleets(3)],
                vec![acts::create(By::Root), acts::register(By::Root)],
                vec![late],
            ],
        );
        assert!(schedules > 100, "{schedules} schedules");
    }
}

/// The new fleet takes over, and the old one's instances go.
#[test]
fn an_update_ends_while_others_call() {
    let scene = Scene::new(Setting::Updating);
    for pair in [
        [acts::delete(By::Ann), acts::deregister(By::Root)],
        [acts::update(By::Root, "without"), acts::deregister(By::Root)],
        [acts::update(By::Root, "larger"), acts::register_more(By::Ann)],
        [acts::capacity(By::Root), acts::register_more(By::Ann)],
        [acts::delete(By::Ann), acts::revoke("deregister")],
    ] {
        let [one, other] = pair;
        let schedules = holds(&scene, &[vec![Act::Fleets(3)], vec![one], vec![other]]);
        assert!(schedules > 20, "{schedules} schedules");
    }
}

/// A count changes, and the endpoint comes to rest again.
#[test]
fn a_change_of_capacity_ends_while_others_call() {
    let scene = Scene::new(Setting::Scaled);
    for pair in [
        [acts::capacity(By::Root), acts::delete(By::Ann)],
        [acts::register_more(By::Root), acts::deregister(By::Root)],
        [acts::capacity(By::Root), acts::update(By::Root, "without")],
    ] {
        let [one, other] = pair;
        let schedules = holds(&scene, &[vec![Act::Fleets(2)], vec![one], vec![other]]);
        assert!(schedules > 20, "{schedules} schedules");
    }
}

/// A scheduled action moves bounds and capacity.
#[test]
fn a_scheduled_action_runs_while_others_call() {
    let scene = Scene::new(Setting::Due);
    for one in [
        acts::delete(By::Ann),
        acts::deregister(By::Root),
        acts::delete_action(By::Root),
        acts::put_action(By::Root),
        acts::update(By::Root, "larger"),
        acts::update(By::Root, "model"),
        acts::capacity(By::Root),
        acts::register(By::Root),
    ] {
        let schedules = holds(&scene, &[vec![Act::Scaling(1)], vec![one]]);
        assert!(schedules > 3, "{schedules} schedules");
    }
}

/// An alarm calls a policy, which changes the capacity.
#[test]
fn a_policy_scales_while_others_call() {
    let scene = Scene::new(Setting::Scaled);
    for one in [
        acts::delete(By::Ann),
        acts::deregister(By::Root),
        acts::delete_policy(By::Root, "step"),
        acts::update(By::Root, "larger"),
        acts::capacity(By::Root),
    ] {
        let schedules = holds(&scene, &[vec![Act::Scaling(2)], vec![acts::ring()], vec![one]]);
        assert!(schedules > 20, "{schedules} schedules");
    }
}
