//! One row for each kind of change: verdict, steps, capacity.

use super::*;
use crate::safe_update::Verdict;

/// What a verdict is, in one letter and the variants that it names.
fn verdict(plan: &Plan) -> String {
    match &plan.verdict {
        Verdict::Accepted => "accepted".to_owned(),
        Verdict::LosesScaling(_) => "loses scaling".to_owned(),
        Verdict::Refused(words) => {
            let (_, rest) = words.split_once("\"[").unwrap();
            format!("refused {}", rest.split_once(']').unwrap().0)
        }
    }
}

/// What changes, in use, now, targets, wanted, choices; verdict, steps needed, capacity.
type Row<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, Request, &'a str, &'a [u8], &'a str);

/// Steps 4 and 6 are always needed, 5 never: the config is there. Sources: the seed's steps and note;
/// `reference/sagemaker-hosting.md`, sections 3.2 and 3.3.
#[rustfmt::skip]
fn table() -> Vec<Row<'static>> {
    let plain = Request::default();
    let weights = Request { keep_weights: false, ..plain.clone() };
    let headroom = with_headroom(50);
    vec![
        ("nothing", "a m large 2@1", "a 4@3", "a 1..8", "a m large 2@1",
         plain.clone(), "accepted", &[4, 6], "a 4/4/4"),
        ("count", "a m large 2@1", "a 4@3", "a 1..8", "a m large 9@1",
         plain.clone(), "accepted", &[4, 6], "a 4/4/4"),
        ("count, reset to fewer", "a m large 2@1", "a 4@3", "a 1..8", "a m large 3@1",
         resetting_counts(), "loses scaling", &[4, 6, 7], "a 4/4/3"),
        ("count, reset to as many", "a m large 2@1", "a 4@3", "a 1..8", "a m large 4@1",
         resetting_counts(), "accepted", &[4, 6], "a 4/4/4"),
        ("count, reset to more", "a m large 2@1", "a 4@3", "a 1..8", "a m large 6@1",
         resetting_counts(), "accepted", &[4, 6, 7], "a 4/4/6"),
        ("count, reset to fewer, not scaled", "a m large 2@1", "a 4@3", "", "a m large 3@1",
         resetting_counts(), "accepted", &[4, 6, 7], "a 4/4/3"),
        ("weight", "a m large 2@1", "a 4@3", "a 1..8", "a m large 2@7",
         weights, "accepted", &[4, 6], "a 4/4/4"),
        ("model", "a m large 2@1", "a 4@3", "a 1..8", "a n large 2@1",
         plain.clone(), "accepted", &[4, 6], "a 4/4/4"),
        ("type", "a m large 2@1", "a 4@3", "a 1..8", "a m xlarge 2@1",
         plain.clone(), "refused a", &[1, 4, 6, 7], "a 4/4/4"),
        ("type, not scaled", "a m large 2@1", "a 4@3", "", "a m xlarge 2@1",
         plain.clone(), "accepted", &[4, 6], "a 4/4/4"),
        ("type, counts reset", "a m large 2@1", "a 4@3", "a 1..8", "a m xlarge 2@1",
         resetting_counts(), "refused a", &[1, 4, 6, 7], "a 4/4/2"),
        ("type, counts reset below MinCapacity", "a m large 2@1", "a 4@3", "a 3..8", "a m xlarge 2@1",
         resetting_counts(), "refused a", &[1, 4, 6, 7], "a 4/4/3"),
        ("type, counts reset, headroom", "a m large 2@1", "a 4@3", "a 1..8", "a m xlarge 2@1",
         Request { headroom_percent: 50, ..resetting_counts() }, "refused a", &[1, 2, 3, 4, 6, 7], "a 4/6/2"),
        ("more variants", "a m large 2@1", "a 4@3", "a 1..8", "a m large 2@1, b m large 3@1",
         plain.clone(), "accepted", &[4, 6], "a 4/4/4, b 0/0/3"),
        ("fewer variants", "a m large 2@1, b m large 1@1", "a 4@3, b 2@1", "a 1..8, b 1..4", "a m large 2@1",
         plain.clone(), "refused b", &[1, 4, 6], "a 4/4/4, b 2/2/0"),
        ("fewer variants, not scaled", "a m large 2@1, b m large 1@1", "a 4@3, b 2@1", "a 1..8", "a m large 2@1",
         plain.clone(), "accepted", &[4, 6], "a 4/4/4, b 2/2/0"),
        ("renamed", "a m large 2@1", "a 4@3", "a 1..8", "c m large 2@1",
         plain.clone(), "refused a", &[1, 4, 6], "a 4/4/0, c 0/0/2"),
        ("renamed, not scaled", "a m large 2@1", "a 4@3", "", "c m large 2@1",
         plain.clone(), "accepted", &[4, 6], "a 4/4/0, c 0/0/2"),
        ("type of one, the other removed", "a m large 2@1, b m large 1@1", "a 4@3, b 2@1", "a 1..8, b 1..4", "a m xlarge 2@1",
         plain.clone(), "refused a, b", &[1, 4, 6, 7], "a 4/4/4, b 2/2/0"),
        ("to serverless", "a m large 2@1", "a 4@3", "a 1..8", "a m - 0@1",
         plain.clone(), "refused a", &[1, 4, 6], "a 4/4/0"),
        ("serverless, another model", "a m - 0@1", "a -@1", "a 1..8", "a n - 0@1",
         plain.clone(), "accepted", &[4, 6], ""),
        ("from serverless", "a m - 0@1", "a -@1", "", "a m large 3@1",
         plain.clone(), "accepted", &[4, 6], "a 0/0/3"),
        ("headroom, model", "a m large 2@1", "a 5@3", "a 1..8", "a n large 2@1",
         headroom.clone(), "accepted", &[2, 3, 4, 6, 7], "a 5/8/5"),
        ("headroom, type", "a m large 2@1", "a 5@3", "a 1..8", "a m xlarge 2@1",
         headroom.clone(), "refused a", &[1, 2, 3, 4, 6, 7], "a 5/8/5"),
        ("headroom, not scaled", "a m large 2@1", "a 5@3", "", "a n large 2@1",
         headroom.clone(), "accepted", &[2, 3, 4, 6, 7], "a 5/8/5"),
        ("headroom, one goes", "a m large 2@1, b m large 1@1", "a 4@3, b 2@1", "", "a m large 2@1",
         headroom.clone(), "accepted", &[2, 3, 4, 6, 7], "a 4/6/4, b 2/3/0"),
        ("headroom, only serverless", "a m - 0@1", "a -@1", "", "a n - 0@1",
         headroom.clone(), "accepted", &[4, 6], ""),
        ("above MaxCapacity, type", "a m large 2@1", "a 9@3", "a 1..8", "a m xlarge 2@1",
         plain.clone(), "refused a", &[1, 4, 6, 7], "a 9/9/8"),
        ("above MaxCapacity, model", "a m large 2@1", "a 9@3", "a 1..8", "a n large 2@1",
         plain.clone(), "accepted", &[4, 6], "a 9/9/9"),
        ("above MaxCapacity, headroom, model", "a m large 2@1", "a 9@3", "a 1..8", "a n large 2@1",
         headroom, "accepted", &[2, 3, 4, 6, 7], "a 9/14/8"),
        ("below MinCapacity, type", "a m large 2@1", "a 1@3", "a 2..8", "a m xlarge 2@1",
         plain.clone(), "refused a", &[1, 4, 6, 7], "a 1/1/2"),
        ("MinCapacity 0, type", "a m large 2@1", "a 1@3", "a 0..8", "a m xlarge 2@1",
         plain.clone(), "refused a", &[1, 4, 6, 7], "a 1/1/1"),
    ]
}

#[test]
fn every_change_has_its_verdict_steps_and_capacity() {
    for (what, in_use, now, targets, wanted, request, expected, steps, counts) in table() {
        let plan = plan(&facts(in_use, now, targets, wanted), &request);
        let numbers: Vec<u8> = plan.steps.iter().map(|step| step.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7], "{what}");
        assert_eq!(
            (verdict(&plan).as_str(), &*needed(&plan), capacity(&plan).as_str()),
            (expected, steps, counts),
            "{what}"
        );
        for step in &plan.steps {
            assert_eq!(step.needed, !step.calls.is_empty(), "{what}, step {}", step.number);
            assert!(step.needed || step.why.starts_with("Not "), "{what}: {}", step.why);
        }
    }
}

/// `reference/sagemaker-hosting.md`, sections 1.1 and 2.
#[test]
fn a_status_that_takes_no_update_refuses_in_the_words_of_sagemaker() {
    let in_progress = format!("Cannot update in-progress endpoint \"{ARN}\".");
    let failed = format!(
        "Cannot update endpoint \"{ARN}\" because its creation failed. Delete it and create it again."
    );
    for (status, words) in [
        ("Creating", Some(&in_progress)),
        ("Updating", Some(&in_progress)),
        ("SystemUpdating", Some(&in_progress)),
        ("RollingBack", Some(&in_progress)),
        ("OutOfService", Some(&in_progress)),
        ("Deleting", Some(&in_progress)),
        ("Failed", Some(&failed)),
        // An update heals it: section 2.
        ("UpdateRollbackFailed", None),
        ("InService", None),
    ] {
        let mut facts = facts("a m large 2@1", "a 4@3", "a 1..8", "a n large 2@1");
        facts.status = status.to_owned();
        let plan = plan(&facts, &Request::default());
        let expected = words.map_or(Verdict::Accepted, |words| Verdict::Refused(words.clone()));
        assert_eq!(plan.verdict, expected, "{status}");
        assert_eq!(plan.obstacles.is_empty(), status == "InService", "{status}");
    }
}

#[test]
fn what_only_a_human_can_resolve_is_an_obstacle() {
    let of = |in_use, wanted| {
        plan(&facts(in_use, "a 4@3", "a 1..8", wanted), &Request::default()).obstacles
    };
    assert!(of("a m large 2@1", "a m xlarge 2@1").is_empty());
    let burstable = of("a m large 2@1", "a m t2.medium 2@1");
    assert!(burstable[0].contains("SageMaker does not scale ml.t2.medium"), "{burstable:?}");
    let unknown = of("", "a m xlarge 2@1");
    assert!(unknown[0].contains("does not tell the instance type of a"), "{unknown:?}");
}

#[test]
fn notes_say_what_else_changes() {
    let of = |in_use, now, targets, wanted, request| {
        plan(&facts(in_use, now, targets, wanted), &request)
    };
    let plain = Request::default();
    let model = of("a m large 2@1", "a 4@3", "a 1..8", "a n large 2@1", plain.clone());
    assert!(
        note(&model, "The model of a changes from m to n.").contains("tuned for the old model")
    );
    let kind = of("a m large 2@1", "a 4@3", "a 1..8", "a m xlarge 2@1", plain.clone());
    assert!(
        note(&kind, "The policy track-a of a was tuned for ml.large.").contains("fits ml.xlarge")
    );
    assert!(!has_note(&kind, "model"));
    assert!(has_note(&kind, "8 at once (4 of ml.large and 4 of ml.xlarge)"));
    let unscaled = of("a m large 2@1", "a 4@3", "", "a n large 2@1", plain.clone());
    assert!(!has_note(&unscaled, "model"));

    let gone = of(
        "a m large 2@1, b m large 1@1",
        "a 4@3, b 2@1",
        "b 1..4",
        "a m large 2@1",
        plain.clone(),
    );
    assert!(note(&gone, "b is removed: ").contains("(policy track-b) is gone for good"));
    let serverless = of("a m large 2@1", "a 4@3", "a 1..8", "a m - 0@1", plain.clone());
    note(
        &serverless,
        "a becomes serverless: its automatic scaling (policy track-a) is gone for good.",
    );
    let renamed = of("a m large 2@1", "a 4@3", "", "c m large 2@1", plain.clone());
    assert!(
        note(&renamed, "Going: a. Coming: c.")
            .contains("neither count, weight nor automatic scaling")
    );

    let above = of("a m large 2@1", "a 9@3", "a 1..8", "a m xlarge 2@1", plain.clone());
    assert!(
        note(&above, "a has 9 instances, and its MaxCapacity is 8")
            .ends_with("brings the count to 8.")
    );
    let untouched = of("a m large 2@1", "a 9@3", "a 1..8", "a n large 2@1", plain.clone());
    assert!(!has_note(&untouched, "MaxCapacity"));
    let below = of("a m large 2@1", "a 1@3", "a 2..8", "a m xlarge 2@1", plain.clone());
    note(&below, "a has 1 instance, and its MinCapacity is 2");

    let headroom = of("a m large 2@1", "a 4@3", "a 1..8", "a n large 2@1", with_headroom(50));
    note(&headroom, "a stays registered. Its scale-in is suspended");
    let fallen = of("a m large 2@1", "a 4@3", "a 1..8", "a n large 2@1", resetting_counts());
    note(&fallen, "a has 4 instances and ends with 2");
    let Verdict::LosesScaling(why) = &fallen.verdict else { panic!("{:?}", fallen.verdict) };
    assert!(why.ends_with("a would fall from 4 instances to 2."), "{why}");

    let mut same = facts("a m large 2@1", "a 4@3", "a 1..8", "a m large 2@1");
    same.wanted.name = same.in_use.name.clone();
    let same = plan(&same, &plain);
    assert_eq!((&same.verdict, same.obstacles.len()), (&Verdict::Accepted, 1));
    note(&same, "old is in use already");
}

#[test]
fn scale_in_that_is_suspended_already_is_left_alone() {
    let mut facts = facts("a m large 2@1", "a 4@3", "a 1..8", "a n large 2@1");
    facts.scaled[0].scale_in_suspended = true;
    let plan = plan(&facts, &with_headroom(50));
    let registers =
        |call: &&crate::safe_update::Planned| call.operation == "RegisterScalableTarget";
    assert_eq!(plan.steps.iter().flat_map(|step| &step.calls).filter(registers).count(), 0);
}

#[test]
fn headroom_is_rounded_up() {
    for (count, percent, raised) in [
        (4, 0, 4),
        (4, 50, 6),
        (3, 50, 5),
        (1, 1, 2),
        (0, 50, 0),
        (10, 900, 100),
        (u32::MAX, 900, u32::MAX),
    ] {
        assert_eq!(with_headroom(percent).raised(count), raised, "{count} + {percent}%");
    }
}
