//! The records of scaling, each with everything that it may hold.

use domain::alarm::{Alarm, Comparison, Config, HistoryItem, HistoryKind, TreatMissing, Watch};
use domain::members::Members;
use domain::metric::{MetricId, Stat, Statistic, Unit};
use domain::scaling::{
    Activity, ActivityStatus, InFlight, Memory, NotScaled, Noted, Plan, Policy, ResourceId,
    ScaledIn, ScaledOut, ScheduledAction, Suspended, Target, TargetKey, TargetTracking,
    TrackedMetric,
};
use domain::time::Timestamp;
use domain::uuid::Uuid;

use super::Place;
use crate::{Changes, State, decide};

/// The bits of a UUID that no number of JSON could hold.
const ENTROPY: u128 = u128::MAX / 3;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn resource(variant: &str) -> ResourceId {
    ResourceId { endpoint: "Chat".parse().unwrap(), variant: variant.parse().unwrap() }
}

fn target(variant: &str) -> Target {
    let id = Uuid::from_entropy(ENTROPY);
    let not_scaled = NotScaled::AlreadyAtDesiredCapacity { current: None };
    Target {
        resource: resource(variant),
        id,
        min: 0,
        max: u32::MAX,
        suspended: Suspended { dynamic_in: true, dynamic_out: false, scheduled: true },
        created_at: at(1),
        memory: Memory {
            scaled_out: Some(ScaledOut { at: at(2), base: 1, cooldown_secs: 300 }),
            scaled_in: Some(ScaledIn { at: at(3), cooldown_secs: 0 }),
            in_flight: Some(InFlight {
                activity: id,
                started_at: at(4),
                from: 1,
                to: 2,
                cooldown_secs: None,
            }),
            not_scaled: Some(Noted { policy: "p:/ü".into(), why: not_scaled }),
        },
    }
}

fn stat() -> Stat {
    let metric = MetricId::new("My/Space", "Depth", Vec::new());
    let (statistic, period) = (Statistic::Percentile(99.9), Some(60));
    Stat { metric, statistic, unit: Some(Unit::BytesPerSecond), period }
}

fn policy(name: &str) -> Policy {
    Policy {
        target: TargetKey::from(&resource("a")),
        name: name.into(),
        plan: Plan::TargetTracking(TargetTracking {
            target_value: 0.1,
            metric: TrackedMetric::Customized(stat()),
            scale_out_cooldown_secs: Some(0),
            scale_in_cooldown_secs: None,
            disable_scale_in: Some(false),
        }),
        created_at: at(5),
        created_by: Uuid::from_entropy(ENTROPY),
        alarms: vec!["high".into(), "low".into()],
    }
}

fn scheduled(name: &str) -> ScheduledAction {
    ScheduledAction {
        target: TargetKey::from(&resource("a")),
        name: name.into(),
        schedule: "rate(1 days)".into(),
        timezone: Some("Europe/Berlin".into()),
        start: Some(at(6)),
        end: None,
        min: Some(1),
        max: None,
        created_at: at(7),
        done_until: at(8),
    }
}

fn activity(started_at: i64, entropy: u128) -> Activity {
    Activity {
        resource: resource("a"),
        id: Uuid::from_entropy(entropy),
        description: "d".into(),
        cause: "c".into(),
        started_at: at(started_at),
        ended_at: None,
        status: ActivityStatus::InProgress,
        status_message: Some("m".into()),
        details: None,
        not_scaled: Some(NotScaled::AlreadyAtMaxCapacity { max: 4 }),
    }
}

fn alarm() -> Alarm {
    let config = Config {
        description: None,
        actions_enabled: true,
        ok_actions: Vec::new(),
        alarm_actions: vec!["arn:aws:sns:us-east-1:000000000000:t".into()],
        insufficient_data_actions: Vec::new(),
        watch: Watch::Metric(stat()),
        evaluation_periods: 3,
        datapoints_to_alarm: Some(2),
        threshold: -1e300,
        comparison: Comparison::LessThanThreshold,
        treat_missing: Some(TreatMissing::Ignore),
        evaluate_low_samples: None,
        kept: Members::default(),
    };
    Alarm::create("an alarm\u{2028}".into(), config, at(9))
}

fn item(sequence: u64) -> HistoryItem {
    HistoryItem {
        alarm: alarm().name,
        at: at(10),
        sequence,
        kind: HistoryKind::Action,
        summary: "s".into(),
        data: "{}".into(),
    }
}

pub(super) async fn every_record_of_scaling_outlives_a_restart(place: impl Place) {
    let store = place.open();
    let all = decide(&*store, |_: &State| -> Result<_, ()> {
        let changes = Changes::none().put(target("a")).put(policy("p")).put(scheduled("s"));
        Ok((changes.put(activity(20, 1)).put(alarm()).put(item(0)), ()))
    });
    all.await.unwrap();
    drop(store);
    let state = place.open().state();
    let key = TargetKey::from(&resource("a"));
    assert_eq!(**state.targets.get(&key).unwrap(), target("a"));
    assert_eq!(**state.policies_of(&key).next().unwrap(), policy("p"));
    assert_eq!(**state.scheduled_actions_of(&key).next().unwrap(), scheduled("s"));
    assert_eq!(**state.activities_of(&key).next().unwrap(), activity(20, 1));
    assert_eq!(**state.alarms.get(&alarm().name).unwrap(), alarm());
    assert_eq!(**state.history_of(&alarm().name).next().unwrap(), item(0));
}

pub(super) async fn what_belongs_to_a_target_is_found_in_its_order(place: impl Place) {
    let store = place.open();
    let all = decide(&*store, |_: &State| -> Result<_, ()> {
        let other = Activity { resource: resource("b"), ..activity(1, 9) };
        let changes = Changes::none().put(target("a")).put(target("Z9")).put(target("0"));
        let changes = changes.put(policy("p")).put(policy("A")).put(policy("p2"));
        let changes = changes.put(activity(20, 3)).put(activity(10, 7)).put(activity(20, 1));
        Ok((changes.put(other).put(item(2)).put(item(0)).put(item(1)), ()))
    });
    all.await.unwrap();
    let state = store.state();
    let key = TargetKey::from(&resource("a"));
    let of = state.targets_of(&key.endpoint).map(|one| one.resource.variant.to_string());
    assert_eq!(of.collect::<Vec<_>>(), ["0", "Z9", "a"]);
    let names = state.policies_of(&key).map(|one| one.name.clone());
    assert_eq!(names.collect::<Vec<_>>(), ["A", "p", "p2"]);
    let ids = state.activities_of(&key).map(|one| (one.started_at.as_millis(), one.id));
    let id = Uuid::from_entropy;
    assert_eq!(ids.collect::<Vec<_>>(), [(10, id(7)), (20, id(1)), (20, id(3))]);
    assert_eq!(state.next_history_sequence(&alarm().name), 3);
    assert_eq!(state.next_history_sequence(&"another".into()), 0);
    let nobody = TargetKey::from(&resource("c"));
    assert_eq!(state.policies_of(&nobody).count() + state.activities_of(&nobody).count(), 0);
}
