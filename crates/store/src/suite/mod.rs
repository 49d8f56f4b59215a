//! What every store promises, run against each.

mod scaling;

use std::sync::Arc;

use domain::arn::Kind;
use domain::endpoint::{Endpoint, Parts};
use domain::endpoint_config::EndpointConfig;
use domain::instance::DeploymentId;
use domain::model::Model;
use domain::name::EndpointKey;
use domain::safe_update::{Config, Facts, Request, Run, Running, Saved, Variant};
use domain::tag::Tags;
use domain::time::Timestamp;
use serde_json::json;

use scaling::{
    every_record_of_scaling_outlives_a_restart, what_belongs_to_a_target_is_found_in_its_order,
};

use crate::memory::Disk;
use crate::record::{Lender, Listed, SafeUpdate, Tagged};
use crate::{Changes, Error, MemoryStore, SqliteStore, State, Store, Undecided, decide};

/// Opens a store, again and again, on what it kept before.
trait Place {
    fn open(&self) -> Box<dyn Store>;
}

impl Place for Disk {
    fn open(&self) -> Box<dyn Store> {
        Box::new(MemoryStore::open(self.clone()).unwrap())
    }
}

impl Place for tempfile::TempDir {
    fn open(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(&self.path().join("state.db")).unwrap())
    }
}

fn model(name: &str) -> Model {
    let members =
        serde_json::from_value(json!({"PrimaryContainer": {"Image": "tidegate/echo"}})).unwrap();
    Model { name: name.parse().unwrap(), created_at: Timestamp::from_millis(1), members }
}

fn config(name: &str) -> EndpointConfig {
    let variant = json!({"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large",
                         "InitialInstanceCount": 1, "InitialVariantWeight": 0.1});
    let members = serde_json::from_value(json!({"ProductionVariants": [variant]})).unwrap();
    EndpointConfig { name: name.parse().unwrap(), created_at: Timestamp::from_millis(2), members }
}

fn endpoint(name: &str) -> Endpoint {
    let parts = Parts {
        id: DeploymentId(1),
        config: Arc::new(config("c")),
        models: vec![Arc::new(model("m"))],
    };
    Endpoint::create(name.parse().unwrap(), &parts, None, Timestamp::from_millis(3)).unwrap()
}

async fn put_model(store: &dyn Store, name: &str) -> Result<(), Undecided<&'static str>> {
    let model = model(name);
    decide(store, move |state| {
        if state.models.contains_key(&model.name) {
            return Err("it is there already");
        }
        Ok((Changes::none().put(model), ()))
    })
    .await
}

async fn a_decision_is_seen_by_the_next_read(place: impl Place) {
    let store = place.open();
    put_model(&*store, "m").await.unwrap();
    assert!(store.state().models.contains_key("m"));
}

async fn an_image_does_not_change_under_its_reader(place: impl Place) {
    let store = place.open();
    let before = store.state();
    put_model(&*store, "m").await.unwrap();
    assert_eq!(before.models.size(), 0);
}

async fn a_refused_decision_changes_nothing(place: impl Place) {
    let store = place.open();
    put_model(&*store, "m").await.unwrap();
    assert!(matches!(put_model(&*store, "m").await, Err(Undecided::Refused(_))));
    assert_eq!(store.state().models.size(), 1);
}

async fn check_and_write_are_one_for_concurrent_decisions(place: impl Place) {
    let store = place.open();
    let took = async || {
        let taken = decide(&*store, |state: &State| -> Result<_, ()> {
            Ok((Changes::none().count_deployment(state), state.last_deployment() + 1))
        });
        taken.await.unwrap()
    };
    let mut numbers = Vec::new();
    for _ in 0..25 {
        let (a, b, c, d) = tokio::join!(took(), took(), took(), took());
        numbers.extend([a, b, c, d]);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<u64>>());
}

async fn every_kind_of_record_outlives_a_restart(place: impl Place) {
    let arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e";
    let tags = Tags([("team".to_owned(), "tides".to_owned())].into());
    let tagged = Tagged { arn: Tagged::key_of(Kind::Endpoint, arn), tags };
    let (kept, store) = (tagged.clone(), place.open());
    let all = decide(&*store, move |state: &State| -> Result<_, ()> {
        let changes = Changes::none().put(model("m")).put(config("c")).put(endpoint("E")).put(kept);
        Ok((changes.count_deployment(state).keep_time(Timestamp::from_millis(77)), ()))
    });
    all.await.unwrap();
    drop(store);
    let state = place.open().state();
    assert_eq!(**state.models.get("m").unwrap(), model("m"));
    assert_eq!(**state.endpoint_configs.get("c").unwrap(), config("c"));
    assert_eq!(
        **state.endpoints.get(&EndpointKey::from(&endpoint("e").name)).unwrap(),
        endpoint("E")
    );
    assert_eq!(**state.tagged.get(arn).unwrap(), tagged);
    assert_eq!(
        (state.last_deployment(), state.server_time()),
        (1, Some(Timestamp::from_millis(77)))
    );
}

async fn a_safe_update_outlives_a_restart(place: impl Place) {
    let now = Timestamp::from_millis(5);
    let variant = Variant {
        name: "v".parse().unwrap(),
        instance_type: Some("ml.m5.large".into()),
        model: Some("m".into()),
        initial_count: Some(1),
        initial_weight: 0.1,
    };
    let config =
        |name: &str| Config { name: name.parse().unwrap(), variants: vec![variant.clone()] };
    let facts = Facts {
        endpoint: "Chat".parse().unwrap(),
        arn: "arn".into(),
        status: "InService".into(),
        in_use: config("c"),
        wanted: config("d"),
        running: vec![Running {
            variant: "v".parse().unwrap(),
            current: Some(1),
            desired: Some(2),
            weight: 0.1,
        }],
        scaled: Vec::new(),
    };
    let update = SafeUpdate {
        run: Run::begin(facts, Saved::default(), Request::default(), now).unwrap(),
        turn: 3,
        paused: true,
        started_by: "someone".into(),
        lender: Lender {
            arn: "somebody".into(),
            access_key_id: "AKIA".into(),
            source_ip: Some([127, 0, 0, 1].into()),
            secure: true,
            user_agent: Some("tests".into()),
        },
    };
    let (kept, store) = (update.clone(), place.open());
    let put =
        decide(&*store, move |_: &State| -> Result<_, ()> { Ok((Changes::none().put(kept), ())) });
    put.await.unwrap();
    drop(store);
    let state = place.open().state();
    let found = state.safe_updates.get("chat").unwrap();
    assert_eq!(**found, update);
    assert!(!found.is_running() && !found.has_ended());
}

async fn records_are_found_in_the_order_of_their_creation(place: impl Place) {
    let named = |name: &str, at| Model { created_at: Timestamp::from_millis(at), ..model(name) };
    let all = [named("a", 3), named("b", 1), named("c", 2), named("d", 2)];
    let again = named("b", 4);
    let store = place.open();
    for changes in [
        all.into_iter().fold(Changes::none(), Changes::put),
        Changes::none().delete::<Model>("b".parse().unwrap()),
        Changes::none().put(again),
    ] {
        decide(&*store, |_: &State| -> Result<_, ()> { Ok((changes, ())) }).await.unwrap();
    }
    let in_time = |store: &dyn Store| -> Vec<String> {
        Model::timeline(&store.state()).values().map(|model| model.name.to_string()).collect()
    };
    assert_eq!(in_time(&*store), ["c", "d", "a", "b"]);
    drop(store);
    assert_eq!(in_time(&*place.open()), ["c", "d", "a", "b"], "after a restart");
}

async fn a_deleted_record_stays_away(place: impl Place) {
    let store = place.open();
    put_model(&*store, "m").await.unwrap();
    let gone = decide(&*store, |_: &State| -> Result<_, ()> {
        Ok((Changes::none().delete::<Model>("m".parse().unwrap()), ()))
    });
    gone.await.unwrap();
    drop(store);
    assert_eq!(place.open().state().models.size(), 0);
}

async fn a_decision_that_panics_fails_alone(place: impl Place) {
    let store = place.open();
    let broken = decide(&*store, |_: &State| -> Result<(Changes, ()), ()> {
        panic!("a fault of the decision")
    });
    assert!(matches!(broken.await, Err(Undecided::Store(Error::Commit(_)))));
    put_model(&*store, "m").await.unwrap();
}

macro_rules! store_suite {
    ($($place:ident = $make:expr),+ => $($test:ident),+ $(,)?) => { store_suite!(@ [$($place = $make),+] $($test)+); };
    (@ $places:tt $($test:ident)+) => { $(store_suite!(% $places $test);)+ };
    (% [$($place:ident = $make:expr),+] $test:ident) => {
        mod $test {
            $(#[tokio::test]
            async fn $place() {
                super::$test($make).await;
            })+
        }
    };
}

store_suite! {
    sqlite = tempfile::tempdir().unwrap(), memory = crate::memory::Disk::default() =>
    a_decision_is_seen_by_the_next_read,
    an_image_does_not_change_under_its_reader,
    a_refused_decision_changes_nothing,
    check_and_write_are_one_for_concurrent_decisions,
    every_kind_of_record_outlives_a_restart,
    every_record_of_scaling_outlives_a_restart,
    a_safe_update_outlives_a_restart,
    what_belongs_to_a_target_is_found_in_its_order,
    records_are_found_in_the_order_of_their_creation,
    a_deleted_record_stays_away,
    a_decision_that_panics_fails_alone,
}

#[tokio::test]
async fn a_commit_that_fails_leaves_everything_as_it_was() {
    let disk = Disk::default();
    let store = disk.open();
    disk.set_full(true);
    assert!(matches!(put_model(&*store, "m").await, Err(Undecided::Store(Error::Full))));
    assert_eq!(store.state().models.size(), 0);
    disk.set_full(false);
    put_model(&*store, "m").await.unwrap();
    assert_eq!(disk.open().state().models.size(), 1);
}
