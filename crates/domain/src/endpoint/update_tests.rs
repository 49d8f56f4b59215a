//! What `UpdateEndpoint` makes of every kind of change, with every choice of what is retained, and of variants that are
//! registered as scalable targets or not (promises S1, S2, S3 and S6).

use super::testing::{at, parts, words};
use super::{
    Capacity, Endpoint, Event, LastUpdate, Refusal, Retain, Stage, UpdateOutcome, UpdateRequest,
};
use crate::scaling::ResourceId;
use crate::time::Timestamp;

/// An endpoint in service whose counts and weights have been changed since, `a 4@3`.
fn endpoint(config: &str, now: &str) -> Endpoint {
    let created = Endpoint::create("e".parse().unwrap(), &parts(1, "old", config), None, at(0));
    let live = created.unwrap().after(Event::Deployed, at(1)).unwrap();
    let capacity = |text: &str| {
        let (variant, rest) = text.split_once(' ').unwrap();
        let (count, weight) = rest.split_once('@').unwrap();
        Capacity {
            variant: variant.parse().unwrap(),
            count: Some(count.parse().unwrap()),
            weight: Some(weight.parse().unwrap()),
        }
    };
    let changes: Vec<Capacity> = now.split(", ").map(capacity).collect();
    live.request_capacity(&changes, at(2)).unwrap().after(Event::Resized, at(3)).unwrap()
}

fn resource(variant: &str) -> ResourceId {
    ResourceId { endpoint: "e".parse().unwrap(), variant: variant.parse().unwrap() }
}

fn names(text: &str) -> Vec<ResourceId> {
    text.split_whitespace().map(resource).collect()
}

fn request(wanted: &str, retain: Retain, registered: &str) -> UpdateRequest {
    UpdateRequest {
        parts: parts(2, "new", wanted),
        retain,
        deployment_config: None,
        retain_deployment_config: false,
        registered: names(registered),
    }
}

/// `RetainAllVariantProperties` with `ExcludeRetainedVariantProperties`, in the order of the columns.
const RETAINS: [Retain; 4] = [
    // false; or true, and both are excluded.
    Retain { counts: false, weights: false },
    Retain { counts: true, weights: true },
    // DesiredWeight is excluded.
    Retain { counts: true, weights: false },
    // DesiredInstanceCount is excluded.
    Retain { counts: false, weights: true },
];

#[derive(Debug)]
enum Expected<'a> {
    /// What the pending fleet is to be, by column.
    Accepted([&'a str; 4]),
    /// Whatever is retained: the variants that must be deregistered.
    Refused(&'a str),
}
use Expected::{Accepted, Refused};

/// What changes, the config before, counts and weights now, what is registered, the config wanted, what becomes of it.
type Row<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, Expected<'a>);

/// Sources: the seed's rule with its exception and its note, and step 6; `reference/sagemaker-hosting.md`, sections 3.2
/// and 3.3.
#[rustfmt::skip]
const TABLE: &[Row<'_>] = &[
    ("nothing", "a m large 2@1", "a 4@3", "a", "a m large 2@1",
     Accepted(["a m large 2@1", "a m large 4@3", "a m large 4@1", "a m large 2@3"])),
    ("count", "a m large 2@1", "a 4@3", "a", "a m large 9@1",
     Accepted(["a m large 9@1", "a m large 4@3", "a m large 4@1", "a m large 9@3"])),
    ("weight", "a m large 2@1", "a 4@3", "a", "a m large 2@0.5",
     Accepted(["a m large 2@0.5", "a m large 4@3", "a m large 4@0.5", "a m large 2@3"])),
    ("count and weight", "a m large 2@1", "a 4@3", "a", "a m large 1@0",
     Accepted(["a m large 1@0", "a m large 4@3", "a m large 4@0", "a m large 1@3"])),
    ("model, scaled", "a m large 2@1", "a 4@3", "a", "a n large 2@1",
     Accepted(["a n large 2@1", "a n large 4@3", "a n large 4@1", "a n large 2@3"])),
    ("model, not scaled", "a m large 2@1", "a 4@3", "", "a n large 2@1",
     Accepted(["a n large 2@1", "a n large 4@3", "a n large 4@1", "a n large 2@3"])),
    ("type, scaled", "a m large 2@1", "a 4@3", "a", "a m xlarge 2@1", Refused("a")),
    ("type, not scaled", "a m large 2@1", "a 4@3", "", "a m xlarge 2@1",
     Accepted(["a m xlarge 2@1", "a m xlarge 4@3", "a m xlarge 4@1", "a m xlarge 2@3"])),
    ("type and model, scaled", "a m large 2@1", "a 4@3", "a", "a n xlarge 2@1", Refused("a")),
    ("type and count, scaled", "a m large 2@1", "a 4@3", "a", "a m xlarge 4@1", Refused("a")),
    ("type of the one that is not scaled", "a m large 2@1, b m large 1@1", "a 4@3, b 2@2", "a",
     "a m large 2@1, b m xlarge 1@1",
     Accepted(["a m large 2@1, b m xlarge 1@1", "a m large 4@3, b m xlarge 2@2",
               "a m large 4@1, b m xlarge 2@1", "a m large 2@3, b m xlarge 1@2"])),
    ("type of one of two scaled", "a m large 2@1, b m large 1@1", "a 4@3, b 2@2", "a b",
     "a m large 2@1, b m xlarge 1@1", Refused("b")),
    ("more variants", "a m large 2@1", "a 4@3", "a", "a m large 2@1, b n xlarge 3@2",
     Accepted(["a m large 2@1, b n xlarge 3@2", "a m large 4@3, b n xlarge 3@2",
               "a m large 4@1, b n xlarge 3@2", "a m large 2@3, b n xlarge 3@2"])),
    ("fewer, not scaled", "a m large 2@1, b m large 1@1", "a 4@3, b 2@2", "a", "a m large 2@1",
     Accepted(["a m large 2@1", "a m large 4@3", "a m large 4@1", "a m large 2@3"])),
    ("fewer, scaled", "a m large 2@1, b m large 1@1", "a 4@3, b 2@2", "a b", "a m large 2@1", Refused("b")),
    ("renamed, not scaled", "a m large 2@1", "a 4@3", "", "c m large 2@1",
     Accepted(["c m large 2@1", "c m large 2@1", "c m large 2@1", "c m large 2@1"])),
    ("renamed, scaled", "a m large 2@1", "a 4@3", "a", "c m large 2@1", Refused("a")),
    ("one of two renamed, the other scaled", "a m large 2@1, b m large 1@1", "a 4@3, b 2@2", "a",
     "a m large 2@1, c m large 5@1",
     Accepted(["a m large 2@1, c m large 5@1", "a m large 4@3, c m large 5@1",
               "a m large 4@1, c m large 5@1", "a m large 2@3, c m large 5@1"])),
    ("names swapped, types alike", "a m large 2@1, b n large 1@1", "a 4@3, b 2@2", "a b",
     "b m large 2@1, a n large 1@1",
     Accepted(["b m large 2@1, a n large 1@1", "b m large 2@2, a n large 4@3",
               "b m large 2@1, a n large 4@1", "b m large 2@2, a n large 1@3"])),
    ("names swapped, types not alike", "a m large 2@1, b m xlarge 1@1", "a 4@3, b 2@2", "b",
     "b m large 2@1, a m xlarge 1@1", Refused("b")),
    ("model, count, weight and one more, scaled", "a m large 2@1", "a 4@3", "a", "b m xlarge 1@1, a n large 7@9",
     Accepted(["b m xlarge 1@1, a n large 7@9", "b m xlarge 1@1, a n large 4@3",
               "b m xlarge 1@1, a n large 4@9", "b m xlarge 1@1, a n large 7@3"])),
    ("one removed, the other's type", "a m large 2@1, b m large 1@1", "a 4@3, b 2@2", "a b",
     "a m xlarge 2@1", Refused("a b")),
    ("all of it, and only one scaled", "a m large 2@1, b m large 1@1", "a 4@3, b 2@2", "b",
     "a n xlarge 9@9, c m large 1@1", Refused("b")),
    ("all of it, none scaled", "a m large 2@1, b m large 1@1", "a 4@3, b 2@2", "", "a n xlarge 9@9, c m large 1@1",
     Accepted(["a n xlarge 9@9, c m large 1@1", "a n xlarge 4@3, c m large 1@1",
               "a n xlarge 4@9, c m large 1@1", "a n xlarge 9@3, c m large 1@1"])),
    ("registered for a variant that does not run", "a m large 2@1", "a 4@3", "z", "a m xlarge 2@1",
     Accepted(["a m xlarge 2@1", "a m xlarge 4@3", "a m xlarge 4@1", "a m xlarge 2@3"])),
    ("registered for a variant that comes", "a m large 2@1", "a 4@3", "z", "a m large 2@1, z m xlarge 1@1",
     Accepted(["a m large 2@1, z m xlarge 1@1", "a m large 4@3, z m xlarge 1@1",
               "a m large 4@1, z m xlarge 1@1", "a m large 2@3, z m xlarge 1@1"])),
];

#[test]
fn every_change_with_every_choice_of_what_is_retained() {
    for (what, before, now, registered, wanted, expected) in TABLE {
        let live = endpoint(before, now);
        for (column, retain) in RETAINS.into_iter().enumerate() {
            let outcome = live.request_update(&request(wanted, retain, registered), at(4));
            match (expected, outcome) {
                (Accepted(fleets), Ok(after)) => {
                    let pending = words(after.pending.as_deref().unwrap());
                    assert_eq!(pending, fleets[column], "{what}, {retain:?}");
                    assert_eq!((after.stage, &after.live), (Stage::Deploying, &live.live));
                }
                (Refused(bound), Err(refusal)) => {
                    assert_eq!(refusal, Refusal::Registered(names(bound)), "{what}, {retain:?}");
                }
                (_, outcome) => panic!("{what}, {retain:?}: {outcome:?}"),
            }
        }
    }
}

#[test]
fn an_endpoint_that_is_not_in_service_is_not_updated_whatever_is_asked() {
    let live = endpoint("a m large 2@1", "a 4@3");
    let open = [Stage::InService, Stage::UpdateRollbackFailed];
    for stage in Stage::ALL.into_iter().filter(|stage| !open.contains(stage)) {
        let busy = Endpoint { stage, ..live.clone() };
        let refusal = busy.request_update(&request("a n large 2@1", RETAINS[1], "a"), at(4));
        let expected = match stage {
            Stage::Failed => Refusal::Failed(live.name.clone()),
            _ => Refusal::InProgress(live.name.clone()),
        };
        assert_eq!(refusal, Err(expected), "{stage:?}");
    }
}

fn updating(live: &Endpoint, now: Timestamp) -> Endpoint {
    live.request_update(&request("a n large 2@1", RETAINS[1], ""), now).unwrap()
}

#[test]
fn what_became_of_an_update_outlives_all_but_the_next_one() {
    let live = endpoint("a m large 2@1", "a 4@3");
    assert_eq!(live.last_update, None);
    let under_way = updating(&live, at(10));
    let asked = LastUpdate {
        requested: "new".parse().unwrap(),
        replacing: "old".parse().unwrap(),
        requested_at: at(10),
        outcome: UpdateOutcome::InProgress,
        ended_at: None,
    };
    assert_eq!(under_way.last_update, Some(asked.clone()));

    let reason = || "the new model did not start".to_owned();
    let back = under_way.rollout().unwrap().rolled_back(&[], reason(), at(15));
    let rolling_back = under_way.after(Event::Moved(back), at(15)).unwrap();
    assert_eq!(
        (rolling_back.stage, &rolling_back.last_update),
        (Stage::RollingBack, &Some(asked.clone()))
    );
    let rolled_back = rolling_back.after(Event::RolledBack { reason: reason() }, at(20)).unwrap();
    let outcome = UpdateOutcome::RolledBack { reason: reason() };
    let ended = LastUpdate { outcome, ended_at: Some(at(20)), ..asked.clone() };
    assert_eq!(rolled_back.last_update, Some(ended.clone()));
    assert_eq!((rolled_back.config_name.as_str(), rolled_back.stage), ("old", Stage::InService));

    // A change of capacity clears AWS's own field when it succeeds, and fills it when it fails.
    let more = Capacity { variant: "a".parse().unwrap(), weight: None, count: Some(5) };
    let resizing = rolled_back.request_capacity(&[more], at(30)).unwrap();
    let resized = resizing.after(Event::Resized, at(31)).unwrap();
    assert_eq!((resized.failure_reason, resized.last_update), (None, Some(ended.clone())));
    let failed = Event::ResizeFailed { reason: "no room".to_owned() };
    let not_resized = resizing.after(failed, at(31)).unwrap();
    assert_eq!(not_resized.last_update, Some(ended));

    // The next one takes its place, and is over when the old instances are gone.
    let again = updating(&not_resized, at(40));
    let asked = LastUpdate { requested_at: at(40), ..asked };
    assert_eq!(again.last_update, Some(asked.clone()));
    let retiring = again.after(Event::Deployed, at(50)).unwrap();
    assert_eq!(
        (retiring.config_name.as_str(), &retiring.last_update),
        ("new", &Some(asked.clone()))
    );
    let applied = retiring.after(Event::Retired, at(60)).unwrap();
    let ended = LastUpdate { outcome: UpdateOutcome::Applied, ended_at: Some(at(60)), ..asked };
    assert_eq!(applied.last_update, Some(ended));
}

#[test]
fn a_refused_update_is_no_last_update() {
    let live = endpoint("a m large 2@1", "a 4@3");
    assert!(live.request_update(&request("a m xlarge 2@1", RETAINS[1], "a"), at(10)).is_err());
    assert_eq!(live.last_update, None);
}

#[test]
fn a_record_from_before_there_were_guarded_updates_is_read() {
    let live = endpoint("a m large 2@1", "a 4@3");
    let mut record = serde_json::to_value(&live).unwrap();
    for later in ["last_update", "rollout", "stranded"] {
        record.as_object_mut().unwrap().remove(later).unwrap();
    }
    assert_eq!(serde_json::from_value::<Endpoint>(record).unwrap(), live);
    let under_way = updating(&live, at(10));
    let record = serde_json::to_value(&under_way).unwrap();
    assert_eq!(serde_json::from_value::<Endpoint>(record).unwrap(), under_way);
}
