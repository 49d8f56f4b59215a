//! What changes make of the records (sections 2.6, 5.2 and 5.3).

use crate::endpoint::{Capacity, Endpoint, Event, Stage};
use crate::scaling::testing::{Scene, at, endpoint, resource, target, uuid};
use crate::scaling::{
    Activity, ActivityStatus, Begun, Cause, Change, FULFILMENT_TIMEOUT, NotScaled, Outcome,
    ScaledIn, ScaledOut, Target, abandon, begin, correction, finish, not_scaled,
};
use crate::time::Timestamp;

fn change(from: u32, to: u32) -> Change {
    let cause = Cause::Alarm { policy: "p".into(), alarm: "p-High".into() };
    Change { from, to, cause, cooldown_secs: Some(300) }
}

fn start(from: u32, to: u32) -> (Target, Endpoint, Activity) {
    let begun = admitted(&target(1, 9), &endpoint(from), &change(from, to));
    (begun.target, begun.endpoint.unwrap(), begun.activity)
}

fn admitted(target: &Target, endpoint: &Endpoint, change: &Change) -> Begun {
    begin(target, endpoint, change, uuid(3), at(0), |_| Ok::<(), String>(()))
}

fn set_count(endpoint: &Endpoint, count: u32, now: Timestamp) -> Endpoint {
    let capacity = Capacity { variant: resource().variant, weight: None, count: Some(count) };
    endpoint.request_capacity(&[capacity], now).unwrap().after(Event::Resized, now).unwrap()
}

fn said(activity: &Activity) -> (ActivityStatus, &str) {
    (activity.status, activity.status_message.as_deref().unwrap_or_default())
}

#[test]
fn a_change_is_told_from_its_beginning_to_its_end_in_aws_words() {
    let (target, resizing, activity) = start(2, 4);
    assert_eq!(resizing.stage, Stage::Resizing);
    assert_eq!(activity.description, "Setting desired instance count to 4.");
    assert_eq!(activity.cause, "monitor alarm p-High in state ALARM triggered policy p");
    assert_eq!(
        said(&activity),
        (
            ActivityStatus::InProgress,
            "Successfully set desired instance count to 4. Waiting for change to be fulfilled by sagemaker."
        )
    );
    assert_eq!(finish(&target, &activity, Some(&resizing), at(200)), None, "still on its way");
    let done = resizing.after(Event::Resized, at(240)).unwrap();
    let (target, activity) = finish(&target, &activity, Some(&done), at(240)).unwrap();
    assert_eq!(
        said(&activity),
        (
            ActivityStatus::Successful,
            "Successfully set desired instance count to 4. Change successfully fulfilled by sagemaker."
        )
    );
    assert_eq!(activity.ended_at, Some(at(240)));
    assert_eq!(target.memory.in_flight, None);
    // The cooldown starts when the change is completed, not when it began.
    let opened = ScaledOut { at: at(240), base: 2, cooldown_secs: 300 };
    assert_eq!(target.memory.scaled_out, Some(opened));
    assert_eq!(finish(&target, &activity, Some(&done), at(241)), None, "nothing is in flight");
}

#[test]
fn a_change_that_comes_to_another_end_says_which() {
    let (target, resizing, activity) = start(2, 4);
    let end = |endpoint: Option<&Endpoint>, now| finish(&target, &activity, endpoint, now).unwrap();
    let overridden = set_count(&resizing.after(Event::Resized, at(9)).unwrap(), 3, at(10));
    let failed = resizing.after(Event::ResizeFailed { reason: "No room.".into() }, at(10)).unwrap();
    let late = at(0).plus(FULFILMENT_TIMEOUT);
    for (endpoint, now, status, message) in [
        (
            Some(&overridden),
            at(10),
            ActivityStatus::Overridden,
            "Successfully set desired instance count to 4. Found it was later changed to 3.",
        ),
        (
            Some(&failed),
            at(10),
            ActivityStatus::Failed,
            "Failed to set desired instance count to 4. Reason: No room.",
        ),
        (
            Some(&resizing),
            late,
            ActivityStatus::Unfulfilled,
            "Successfully set desired instance count to 4. Change was not fulfilled by sagemaker within 60 minutes.",
        ),
        (
            None,
            at(10),
            ActivityStatus::Unfulfilled,
            "Successfully set desired instance count to 4. The endpoint was deleted before the change was fulfilled.",
        ),
    ] {
        let (target, activity) = end(endpoint, now);
        assert_eq!(said(&activity), (status, message));
        assert_eq!((target.memory.in_flight, target.memory.scaled_out), (None, None), "{status:?}");
    }
    assert_eq!(finish(&target, &activity, Some(&resizing), at(3599)), None);
    let abandoned = abandon(&target, &activity, at(10)).unwrap();
    assert_eq!((abandoned.status, abandoned.ended_at), (ActivityStatus::Unfulfilled, Some(at(10))));
}

#[test]
fn what_the_endpoint_or_the_fleet_refuses_is_a_failed_activity() {
    let (busy, idle) = (start(2, 4).1, endpoint(2));
    let refused = admitted(&target(1, 9), &busy, &change(4, 5));
    assert_eq!(
        said(&refused.activity),
        (
            ActivityStatus::Failed,
            "Failed to set desired instance count to 5. Reason: Resource Id [endpoint/my-ep/variant/AllTraffic] is not \
             scalable. Reason: Endpoint is updating"
        )
    );
    let quota = "The account-level service limit 'ml.g5.xlarge for endpoint usage' is 4 Instances.";
    let full = begin(&target(1, 9), &idle, &change(2, 9), uuid(3), at(0), |_| Err(quota));
    let expected = format!("Failed to set desired instance count to 9. Reason: {quota}");
    assert_eq!(said(&full.activity), (ActivityStatus::Failed, expected.as_str()));
    for begun in [refused, full] {
        assert_eq!((begun.endpoint, begun.target.memory.in_flight), (None, None));
        assert_eq!(begun.activity.ended_at, Some(at(0)));
    }
}

#[test]
fn cooldowns_open_for_policies_alone_and_a_scale_out_ends_the_other() {
    let completed = |target: &Target, change: &Change| {
        let begun = admitted(target, &endpoint(change.from), change);
        let done = begun.endpoint.unwrap().after(Event::Resized, at(60)).unwrap();
        finish(&begun.target, &begun.activity, Some(&done), at(60)).unwrap().0.memory
    };
    let shrunk = completed(&target(1, 9), &change(4, 2));
    let opened = ScaledIn { at: at(60), cooldown_secs: 300 };
    assert_eq!((shrunk.scaled_in, shrunk.scaled_out), (Some(opened), None));
    let cooling = Target { memory: shrunk, ..target(1, 9) };
    let grown = completed(&cooling, &change(2, 4));
    assert_eq!(grown.scaled_in, None, "section 2.6");
    // Bounds open no cooldown, and end none.
    let bounds = correction(&Target { min: 3, ..cooling.clone() }, 2).unwrap();
    assert_eq!(bounds.cause.to_string(), "minimum capacity was set to 3");
    let corrected = completed(&cooling, &bounds);
    assert_eq!((corrected.scaled_in, corrected.scaled_out), (Some(opened), None));
}

#[test]
fn an_update_that_began_after_the_change_was_reached_tells_of_its_success() {
    let (target, resizing, activity) = start(2, 4);
    let reached = resizing.after(Event::Resized, at(60)).unwrap();
    let updating = Endpoint { stage: Stage::Deploying, ..reached };
    let (_, activity) = finish(&target, &activity, Some(&updating), at(61)).unwrap();
    assert_eq!(activity.status, ActivityStatus::Successful);
}

#[test]
fn a_trigger_that_comes_to_nothing_is_recorded_once_in_a_row() {
    let at_max = Scene::new(1, 4, 4).tracks("p", 10.0).high("p", &[20.0; 3]);
    let at_min = |target: Target| Scene {
        target,
        ..Scene::new(1, 4, 1).tracks("q", 10.0).low("q", &[0.0; 15])
    };
    let record = |scene: &Scene| not_scaled(&scene.target, &scene.decide(), uuid(4), at(0));
    let (first, activity) = record(&at_max).unwrap();
    assert_eq!(activity.description, "Attempting to scale due to alarm triggered");
    assert_eq!(activity.cause, "monitor alarm p-High in state ALARM triggered policy p");
    assert_eq!(activity.not_scaled, Some(NotScaled::AlreadyAtMaxCapacity { max: 4 }));
    assert_eq!((activity.status, activity.ended_at), (ActivityStatus::Failed, None));
    assert_eq!(activity.status_message, None);
    // The recorded sequence of section 5.3: a repeat is hidden, another reason is not, and lets the first be told again.
    let again = Scene { target: first.clone(), ..at_max.clone() };
    assert_eq!(record(&again), None);
    let other = Scene::new(1, 4, 4).tracks("q", 10.0).high("q", &[20.0; 3]);
    assert!(record(&Scene { target: first.clone(), ..other }).is_some(), "another policy");
    let (between, _) = record(&at_min(first)).unwrap();
    assert!(record(&Scene { target: between, ..at_max }).is_some());
}

#[test]
fn planning_again_from_what_a_decision_led_to_scales_no_further() {
    let scene = Scene::new(1, 9, 2).tracks("p", 10.0).high("p", &[20.0; 3]);
    let Outcome::ScaleTo { change, .. } = scene.decide().outcome else { panic!("no scale-out") };
    let begun = admitted(&scene.target, &endpoint(2), &change);
    let resource = crate::scaling::Resource::of(&begun.endpoint.unwrap(), &resource().variant);
    let again = Scene { target: begun.target, resource, ..scene };
    let decision = again.decide();
    let in_flight = NotScaled::AlreadyAtDesiredCapacity { current: None };
    assert!(matches!(decision.outcome, Outcome::NotScaled { why, .. } if why == in_flight));
    let (noted, activity) = not_scaled(&again.target, &decision, uuid(5), at(0)).unwrap();
    assert_eq!(activity.status, ActivityStatus::Successful, "section 5.3");
    let third = Scene { target: noted, ..again };
    assert_eq!(not_scaled(&third.target, &third.decide(), uuid(6), at(0)), None);
}

#[test]
fn no_change_begins_while_the_end_of_another_is_untold() {
    let (target, resizing, _) = start(2, 4);
    let reached = resizing.after(Event::Resized, at(60)).unwrap();
    let second = admitted(&target, &reached, &change(4, 6));
    assert_eq!((second.endpoint, second.activity.status), (None, ActivityStatus::Failed));
    assert_eq!(second.target.memory.in_flight, target.memory.in_flight);
}
