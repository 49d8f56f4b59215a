//! Safe updates through the API, carried out by the loop over the real operations. A task stands for the fleets: what an
//! endpoint is to become it becomes at once, unless it is held up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::safe_update::Fault;
use api::{Asked, Authority, Context, Lend};
use auth::{Credentials, SecretKey};
use bytes::Bytes;
use domain::arn::Scope;
use domain::endpoint::{Endpoint, Event, Limits, Stage};
use domain::iam::{AccessKey, NameKey, Owner, Session, Status, Subject, User};
use domain::tag::Tags;
use domain::time::{Clock, Timestamp};
use http::Request;
use serde_json::{Value, json};
use store::memory::Disk;
use store::record::Lender;
use store::{Changes, MemoryStore, State, Store, decide};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::lent::Lent;
use super::{Bell, Doing, Means, Rights, drive};

const ROOT: &str = "AKIAROOT";
const ANN: &str = "AKIAANN";

/// Longer than any of these takes, in the runtime's own time.
const PATIENCE: Duration = Duration::from_mins(10);

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}

struct World {
    means: Means,
    bell: Bell,
    /// While set, no update of an endpoint comes to an end.
    held: Arc<AtomicBool>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl World {
    /// With an endpoint `e` in service, its variant `v` registered with a policy, a config `next` that gives it another type,
    /// and the user ann, who may do everything.
    async fn new() -> Self {
        let scope = Scope { region: "us-east-1".into(), account: "000000000000".into() };
        let store: Arc<dyn Store> = Arc::new(MemoryStore::open(Disk::default()).unwrap());
        let root =
            auth::key::AccessKey { access_key_id: ROOT.into(), secret: SecretKey::new("root") };
        let clock: Arc<dyn Clock> = Arc::new(Still);
        let authority = Authority::new(root, Arc::clone(&store), Arc::clone(&clock), scope.clone());
        let metrics = Arc::new(metrics::Metrics::in_memory(Arc::clone(&clock)).unwrap());
        let (bell, doing) = (Bell::default(), Arc::<Doing>::default());
        let (rung, kept) = (bell.clone(), Arc::clone(&store));
        let as_caller = move |caller, asked| {
            let bell = rung.clone();
            Context {
                store: Arc::clone(&kept),
                clock: Arc::new(Still),
                scope: scope.clone(),
                caller,
                asked,
                grant: None,
                limits: Arc::new(Limits { instances: 8, by_type: BTreeMap::new() }),
                logs: Arc::new(logs::Empty),
                metrics: Arc::clone(&metrics),
                live: Arc::new(api::Still),
                entropy: Arc::new(crate::entropy::bits),
                nudge: Arc::new(move || bell.ring()),
            }
        };
        let rights = Rights { authority, clock, as_caller: Arc::new(as_caller) };
        let held = Arc::new(AtomicBool::new(false));
        let mut world = Self {
            means: Means { store, rights, doing },
            bell,
            held,
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
        };
        world.tasks.spawn(fleets(Arc::clone(&world.means.store), Arc::clone(&world.held)));
        world.change(ann(NOTHING_DENIED, Status::Active)).await;
        world.fill().await;
        world
    }

    async fn fill(&self) {
        let variant = |kind: &str| json!([{"VariantName": "v", "ModelName": "m", "InstanceType": kind, "InitialInstanceCount": 1}]);
        let model = json!({"ModelName": "m", "PrimaryContainer": {"Image": "tidegate/echo"}});
        let config = |name: &str, kind: &str| json!({"EndpointConfigName": name, "ProductionVariants": variant(kind)});
        for (operation, input) in [
            ("CreateModel", model),
            ("CreateEndpointConfig", config("now", "ml.m5.large")),
            ("CreateEndpointConfig", config("next", "ml.m5.xlarge")),
            ("CreateEndpoint", json!({"EndpointName": "e", "EndpointConfigName": "now"})),
        ] {
            self.aws(&wire::sagemaker::SERVICE, operation, input).await;
        }
        self.until(|state| endpoint(state).stage == Stage::InService).await;
        let with = |more: Value| {
            let mut all = json!({"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/v",
                                 "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"});
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        let metric = json!({"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"});
        let policy = json!({"PolicyName": "p", "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0, "PredefinedMetricSpecification": metric}});
        let scaling = &wire::application_autoscaling::SERVICE;
        let bounds = json!({"MinCapacity": 1, "MaxCapacity": 4});
        self.aws(scaling, "RegisterScalableTarget", with(bounds)).await;
        self.aws(scaling, "PutScalingPolicy", with(policy)).await;
    }

    /// Starts the loop, as a server does when it starts.
    fn serve(&mut self) {
        self.stop = CancellationToken::new();
        self.tasks.spawn(drive(self.means.clone(), self.bell.clone(), self.stop.clone()));
    }

    async fn change(&self, changes: Changes) {
        let done: Result<(), store::Undecided<()>> =
            decide(&*self.means.store, |_: &State| Ok((changes, ()))).await;
        done.unwrap();
    }

    fn context(&self, key: &str) -> Context {
        let caller = self.means.rights.authority.find(key).unwrap().principal.clone();
        (self.means.rights.as_caller)(
            caller,
            Asked { access_key_id: key.into(), ..Asked::default() },
        )
    }

    async fn aws(&self, service: &'static wire::Service, operation: &str, input: Value) {
        let request = Request::post("/")
            .header("x-amz-target", format!("{}.{operation}", service.target_prefix))
            .header("content-type", "application/x-amz-json-1.1");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let call = wire::route(service, &parts, &Bytes::from(input.to_string())).unwrap();
        let answer = api::serve(&self.context(ROOT), &call, "id").await;
        assert_eq!(answer.status(), 200, "{operation}: {:?}", answer.body());
    }

    /// One of the operations on safe updates: a method, and the path below the first part that all of them share.
    async fn ask(&self, key: &str, method: &str, path: &str, input: &Value) -> (u16, Value) {
        let uri = format!("/tidegate/v1/safe-updates{path}");
        let (parts, ()) = Request::builder().method(method).uri(uri).body(()).unwrap().into_parts();
        let body = if input.is_null() { Bytes::new() } else { input.to_string().into() };
        let call =
            wire::route(&wire::tidegate::SERVICE, &parts, &body).map_err(|no| no.error).unwrap();
        let answer = api::serve(&self.context(key), &call, "id").await;
        let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        (answer.status().as_u16(), body)
    }

    async fn start(&self, key: &str) -> (u16, Value) {
        self.ask(key, "POST", "", &json!({"EndpointName": "e", "EndpointConfigName": "next"})).await
    }

    async fn shown(&self) -> Value {
        self.ask(ROOT, "GET", "/E", &Value::Null).await.1
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) {
        let looked = async {
            while !holds(&self.means.store.state()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looked).await.expect("it never comes to that");
    }

    /// Waits until the safe update has come to rest, and gives back what is shown of it.
    async fn rested(&self) -> Value {
        self.until(|state| state.safe_updates.values().all(|update| !update.is_running())).await;
        self.shown().await
    }
}

fn endpoint(state: &State) -> &Arc<Endpoint> {
    state.endpoints.values().next().unwrap()
}

async fn fleets(store: Arc<dyn Store>, held: Arc<AtomicBool>) {
    loop {
        let held = held.load(Ordering::SeqCst);
        let moved: Result<(), store::Undecided<()>> = decide(&*store, move |state: &State| {
            let moved = state.endpoints.values().filter_map(|endpoint| {
                let event = match endpoint.stage {
                    Stage::Creating => Event::Deployed,
                    Stage::Deploying if !held => Event::Deployed,
                    Stage::Retiring => Event::Retired,
                    Stage::Resizing => Event::Resized,
                    _ => return None,
                };
                endpoint.after(event, Still.now()).ok()
            });
            Ok((moved.fold(Changes::none(), Changes::put), ()))
        })
        .await;
        moved.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The user ann, who may do everything but what is denied, and her key.
fn ann(denied: &str, status: Status) -> Changes {
    let mut user = User::new("ann".into(), "/".into(), 1, Still.now());
    let policy = json!({"Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"},
                                      {"Effect": "Deny", "Action": denied, "Resource": "*"}]});
    user.grants.inline = BTreeMap::from([("p".to_owned(), policy.to_string())]);
    user.access_keys.insert(ANN.into());
    let key = AccessKey {
        id: ANN.into(),
        secret: "secret".into(),
        owner: Owner::User(NameKey::new("ann")),
        status,
        created_at: Still.now(),
    };
    Changes::none().put(user).put(key)
}

/// The config in use, and how many targets and policies there are.
fn there(state: &State) -> (String, usize, usize) {
    (endpoint(state).config_name.to_string(), state.targets.size(), state.policies.size())
}

const NOTHING_DENIED: &str = "none:None";
const ANN_ARN: &str = "arn:aws:iam::000000000000:user/ann";
const ROOT_ARN: &str = "arn:aws:iam::000000000000:root";

#[tokio::test(start_paused = true)]
async fn one_is_planned_begun_and_brought_to_its_end() {
    let mut world = World::new().await;
    let input = json!({"EndpointName": "e", "EndpointConfigName": "next", "HeadroomPercent": 50});
    let before = world.means.store.state();
    let (status, plan) = world.ask(ANN, "POST", "/plan", &input).await;
    assert_eq!((status, &plan["Verdict"]), (200, &json!("Refused")), "{plan}");
    assert_eq!(plan["BoundVariants"][0]["ToInstanceType"], "ml.m5.xlarge");
    assert_eq!(there(&before), there(&world.means.store.state()));
    assert_eq!(world.ask(ANN, "GET", "/e", &Value::Null).await.0, 404);

    world.serve();
    let (status, begun) = world.start(ANN).await;
    assert_eq!((status, &begun["Status"]), (200, &json!("Running")), "{begun}");
    let ended = world.rested().await;
    assert_eq!(
        (&ended["Status"], &ended["Phase"]),
        (&json!("Applied"), &json!("Ended")),
        "{ended}"
    );
    assert_eq!((&ended["StartedBy"], &ended["Problem"]), (&json!(ANN_ARN), &Value::Null));
    assert_eq!(there(&world.means.store.state()), ("next".into(), 1, 1));
    let (_, listed) = world.ask(ANN, "GET", "", &Value::Null).await;
    assert_eq!(listed["SafeUpdates"][0]["Status"], "Applied");

    // It can still be turned round.
    assert_eq!(world.ask(ANN, "POST", "/e/resume", &Value::Null).await.0, 409);
    assert_eq!(world.ask(ROOT, "POST", "/e/undo", &Value::Null).await.0, 200);
    let ended = world.rested().await;
    assert_eq!((&ended["Status"], &ended["CarriedOutAs"]), (&json!("Undone"), &json!(ROOT_ARN)));
    assert_eq!(there(&world.means.store.state()), ("now".into(), 1, 1));
    assert_eq!(world.ask(ROOT, "POST", "/e/undo", &Value::Null).await.0, 409);

    // What was undone is begun anew, and everything that is kept of it goes with the endpoint.
    assert_eq!(world.ask(ANN, "POST", "/e/resume", &Value::Null).await.0, 200);
    assert_eq!(world.rested().await["Status"], "Applied");
    world.aws(&wire::sagemaker::SERVICE, "DeleteEndpoint", json!({"EndpointName": "E"})).await;
    assert_eq!(world.means.store.state().safe_updates.size(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_begun_is_refused_in_the_words_of_what_stands_in_its_way() {
    let world = World::new().await;
    let ask = async |path: &'static str, endpoint: &str, config: &str| {
        let input = json!({"EndpointName": endpoint, "EndpointConfigName": config});
        let (status, body) = world.ask(ANN, "POST", path, &input).await;
        (
            status,
            body["Message"]
                .as_str()
                .or_else(|| body["message"].as_str())
                .unwrap_or_default()
                .to_owned(),
        )
    };
    for (endpoint, config, words) in [
        ("e", "nowhere", "Could not find endpoint configuration"),
        ("nobody", "next", "Could not find endpoint"),
    ] {
        for path in ["", "/plan"] {
            let (status, told) = ask(path, endpoint, config).await;
            assert!(status == 400 && told.starts_with(words), "{status} {told}");
        }
    }
    let (status, told) = ask("", "e", "now").await;
    assert!(status == 400 && told.contains("uses the config now already"), "{status} {told}");
    world.change(ann("cloudwatch:DescribeAlarms", Status::Active)).await;
    let (status, told) = ask("/plan", "e", "next").await;
    assert!(status == 403 && told.contains("cloudwatch:DescribeAlarms"), "{status} {told}");
    world.change(ann("tidegate:StartSafeUpdate", Status::Active)).await;
    assert_eq!(ask("", "e", "next").await.0, 403);
    assert_eq!(world.means.store.state().safe_updates.size(), 0);
}

#[tokio::test(start_paused = true)]
async fn it_stands_still_where_its_lender_may_not_go_on_and_whoever_resumes_lends_anew() {
    let mut world = World::new().await;
    let denied = "application-autoscaling:RegisterScalableTarget";
    world.change(ann(denied, Status::Active)).await;
    world.serve();
    assert_eq!(world.start(ANN).await.0, 200);
    let paused = world.rested().await;
    assert_eq!((&paused["Status"], &paused["Phase"]), (&json!("Paused"), &json!("Registering")));
    let problem = paused["Problem"].as_str().unwrap();
    assert!(problem.contains("AccessDenied") && problem.contains(denied), "{problem}");
    assert_eq!(there(&world.means.store.state()), ("next".into(), 0, 0));
    let (status, refused) = world.start(ROOT).await;
    assert_eq!(status, 409, "{refused}");

    assert_eq!(world.ask(ROOT, "POST", "/e/resume", &Value::Null).await.0, 200);
    let ended = world.rested().await;
    assert_eq!(
        (&ended["Status"], &ended["StartedBy"], &ended["CarriedOutAs"]),
        (&json!("Applied"), &json!(ANN_ARN), &json!(ROOT_ARN))
    );
    assert_eq!(there(&world.means.store.state()), ("next".into(), 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_deactivated_lends_nothing_from_then_on() {
    let mut world = World::new().await;
    world.held.store(true, Ordering::SeqCst);
    world.serve();
    assert_eq!(world.start(ANN).await.0, 200);
    world.until(|state| endpoint(state).stage == Stage::Deploying).await;
    world.change(ann(NOTHING_DENIED, Status::Inactive)).await;
    let paused = world.rested().await;
    assert_eq!(paused["Status"], "Paused");
    assert!(paused["Problem"].as_str().unwrap().contains("not active any more"), "{paused}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_where_it_was_and_so_does_one_who_turns_it_round() {
    let mut world = World::new().await;
    world.held.store(true, Ordering::SeqCst);
    world.serve();
    assert_eq!(world.start(ANN).await.0, 200);
    world.until(|state| endpoint(state).stage == Stage::Deploying).await;
    // The server ends, and another starts on what it has kept.
    world.stop.cancel();
    world.serve();
    let (status, running) = world.ask(ANN, "POST", "/e/resume", &Value::Null).await;
    assert_eq!(status, 409, "{running}");
    // The turn that waits for the update is superseded by one that takes it back.
    assert_eq!(world.ask(ANN, "POST", "/e/undo", &Value::Null).await.0, 200);
    assert_eq!(world.ask(ANN, "POST", "/e/undo", &Value::Null).await.0, 409);
    world.held.store(false, Ordering::SeqCst);
    let ended = world.rested().await;
    assert_eq!((&ended["Status"], &ended["Goal"]), (&json!("Undone"), &json!("Undo")), "{ended}");
    assert_eq!(there(&world.means.store.state()), ("now".into(), 1, 1));
    let state = world.means.store.state();
    assert_eq!(state.safe_updates.values().next().map(|update| update.turn), Some(2));
}

#[tokio::test]
async fn rights_are_lent_as_long_as_they_are_there() {
    let world = World::new().await;
    let session = |id: &str, expires_at: i64| Session {
        access_key_id: id.into(),
        secret: "secret".into(),
        token: "token".into(),
        subject: Subject::Root,
        name: String::new(),
        policy: None,
        policy_arns: Vec::new(),
        tags: Tags::default(),
        transitive: std::collections::BTreeSet::default(),
        source_identity: None,
        issued_at: Timestamp::default(),
        expires_at: Timestamp::from_millis(expires_at),
    };
    let wall = Still.wall().as_millis();
    let sessions = Changes::none().put(session("ASIAOVER", wall)).put(session("ASIA", wall + 1000));
    world.change(sessions).await;
    let gone = Err("UnrecognizedClientException".to_owned());
    for (key, arn, expected) in [
        (ROOT, ROOT_ARN, Ok(())),
        (ANN, ANN_ARN, Ok(())),
        ("ASIA", ROOT_ARN, Ok(())),
        ("ASIAOVER", ROOT_ARN, Err("ExpiredTokenException".to_owned())),
        ("AKIANOBODY", ANN_ARN, gone.clone()),
        // A key that is somebody else's by now.
        (ANN, ROOT_ARN, gone),
    ] {
        let lender = Lender {
            arn: arn.into(),
            access_key_id: key.into(),
            source_ip: Some([127, 0, 0, 1].into()),
            secure: true,
            user_agent: Some("tests".into()),
        };
        let lent = Lent { rights: world.means.rights.clone(), lender };
        let found = lent.context().map(|cx| {
            assert_eq!(
                (&*cx.caller.arn, &*cx.asked.access_key_id, cx.asked.secure),
                (arn, key, true)
            );
        });
        let code = found.map_err(|fault| match fault {
            Fault::Refused { code, .. } => code,
            Fault::Lost(why) => why,
        });
        assert_eq!(code, expected, "{key} of {arn}");
    }
}
