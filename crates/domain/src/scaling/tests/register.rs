//! Registration (sections 1.5 and 1.6).

use crate::endpoint::{Endpoint, Event, Stage};
use crate::scaling::testing::{at, creating, endpoint, resource, scope, target, uuid};
use crate::scaling::{
    Cause, NotScaled, Noted, Refusal, Registered, Registration, Registry, SuspendedChange,
    TARGETS_MAX, Target, register,
};

fn request(min: Option<i32>, max: Option<i32>) -> Registration {
    Registration {
        resource: resource(),
        min,
        max,
        suspended: SuspendedChange::default(),
        role_arn: None,
        tagged: false,
    }
}

fn put(
    existing: Option<&Target>,
    endpoint: Option<&Endpoint>,
    request: &Registration,
) -> Result<Registered, Refusal> {
    let scope = scope();
    let registry =
        Registry { scope: &scope, existing, endpoint, targets: 0, targets_max: TARGETS_MAX };
    register(&registry, request, uuid(9), at(5))
}

fn text(result: Result<Registered, Refusal>) -> String {
    result.err().map(|refusal| refusal.to_string()).unwrap_or_default()
}

#[test]
fn refusals_have_aws_texts_in_aws_order() {
    let live = endpoint(2);
    let (old, on) = (target(2, 4), Some(&live));
    let with = |change: fn(&mut Registration)| {
        let mut request = request(Some(1), Some(4));
        change(&mut request);
        request
    };
    for (existing, endpoint, request, expected) in [
        (None, on, request(None, None), "Minimum capacity must be specified"),
        (None, on, request(Some(-1), None), "Maximum capacity must be specified"),
        (None, on, request(Some(-1), Some(-2)), "Minimum capacity cannot be less than 0"),
        (
            None,
            on,
            request(Some(5), Some(4)),
            "Maximum capacity cannot be less than minimum capacity",
        ),
        (
            None,
            on,
            request(Some(0), Some(-1)),
            "Maximum capacity cannot be less than minimum capacity",
        ),
        // After the merge.
        (
            Some(&old),
            on,
            request(Some(5), None),
            "Maximum capacity cannot be less than minimum capacity",
        ),
        (
            None,
            on,
            with(|it| it.role_arn = Some("not-an-arn".into())),
            "'not-an-arn' is not a valid ARN",
        ),
        (
            Some(&old),
            on,
            with(|it| it.tagged = true),
            "The scalable target that you tried to tag already exists. To update tags on an existing scalable target, \
             use the TagResource API.",
        ),
        (
            None,
            None,
            request(Some(1), Some(4)),
            "Could not find endpoint \"arn:aws:sagemaker:us-east-1:111122223333:endpoint/my-ep\".",
        ),
        // The operation's own logic comes before the resource's existence.
        (None, None, request(None, Some(4)), "Minimum capacity must be specified"),
        (
            None,
            on,
            with(|it| it.resource = "endpoint/my-ep/variant/x".parse().unwrap()),
            "Variant x not found in endpoint my-ep",
        ),
    ] {
        assert_eq!(text(put(existing, endpoint, &request)), expected, "{request:?}");
    }
}

#[test]
fn burstable_instances_and_too_many_targets_are_refused() {
    let live = endpoint(2);
    let on = Some(&live);
    let burstable = creating("ml.t2.medium", 1);
    assert_eq!(
        text(put(None, Some(&burstable), &request(Some(1), Some(2)))),
        "You cannot register a variant with ml.t2.medium instance type as a scalable target. This is because the \
         burstable performance of these instances can lead to unpredictable behavior with Auto Scaling."
    );
    let full = Registry {
        scope: &scope(),
        existing: None,
        endpoint: on,
        targets: TARGETS_MAX,
        targets_max: TARGETS_MAX,
    };
    let refused = register(&full, &request(Some(1), Some(2)), uuid(9), at(5)).unwrap_err();
    assert_eq!(refused, Refusal::TooManyTargets(TARGETS_MAX));
}

#[test]
fn an_update_changes_only_what_it_names() {
    let live = endpoint(3);
    let mut old = target(2, 4);
    old.suspended.dynamic_in = true;
    let why = NotScaled::AlreadyAtMaxCapacity { max: 4 };
    old.memory.not_scaled = Some(Noted { policy: "p".into(), why });
    let after = |request: &Registration| put(Some(&old), Some(&live), request).unwrap().target;
    let untouched = after(&request(None, None));
    assert_eq!((untouched.min, untouched.max, untouched.suspended), (2, 4, old.suspended));
    assert_eq!((untouched.id, untouched.created_at), (old.id, old.created_at));
    // Section 5.3: the same reason is recorded once more after an update.
    assert_eq!(untouched.memory.not_scaled, None);
    assert_eq!(after(&request(None, Some(9))).max, 9);
    let mut flags = request(None, None);
    flags.suspended = SuspendedChange { scheduled: Some(true), ..SuspendedChange::default() };
    let suspended = after(&flags).suspended;
    assert_eq!(
        (suspended.dynamic_in, suspended.dynamic_out, suspended.scheduled),
        (true, false, true)
    );
}

#[test]
fn a_capacity_outside_the_bounds_is_corrected_where_the_endpoint_is_in_service() {
    let corrected = |count: u32, min: i32, max: i32| {
        let registered = put(None, Some(&endpoint(count)), &request(Some(min), Some(max))).unwrap();
        registered.correction.map(|change| (change.from, change.to, change.cause))
    };
    assert_eq!(corrected(1, 2, 4), Some((1, 2, Cause::MinimumSet(2))));
    assert_eq!(corrected(9, 2, 4), Some((9, 4, Cause::MaximumSet(4))));
    assert_eq!(corrected(3, 2, 4), None);
    // SageMaker runs no fewer than one.
    assert_eq!(corrected(2, 0, 0), Some((2, 1, Cause::MaximumSet(0))));
    assert_eq!(corrected(1, 0, 0), None);
    // Re-registration without any member corrects too.
    let again = put(Some(&target(2, 4)), Some(&endpoint(1)), &request(None, None)).unwrap();
    assert_eq!(again.correction.map(|change| change.to), Some(2));
}

#[test]
fn a_target_may_be_registered_whatever_the_endpoint_is_doing() {
    let being_made = creating("ml.m5.large", 1);
    let failed =
        being_made.after(Event::DeploymentFailed { reason: "no image".into() }, at(1)).unwrap();
    assert_eq!(failed.stage, Stage::Failed);
    for endpoint in [&being_made, &failed] {
        let registered = put(None, Some(endpoint), &request(Some(2), Some(4))).unwrap();
        assert_eq!(registered.correction, None, "section 1.6: not active, nothing is changed");
    }
    let leaving = endpoint(1).request_delete(at(1)).unwrap();
    assert!(put(None, Some(&leaving), &request(Some(2), Some(4))).is_err());
}
