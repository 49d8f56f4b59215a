//! Operations through the wire: what comes back, and AWS's words where something does not go.

mod access_keys;
mod holders;
mod policies;
mod refusals;
mod roles;
mod simulate;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use auth::{Credentials, Principal};
use domain::arn::Scope;
use domain::endpoint::Limits;
use domain::time::{Clock, Timestamp};
use serde_json::{Value, json};
use store::memory::Disk;
use store::{MemoryStore, Store};
use wire::{Document, Service};

use crate::{Asked, Authority, Context};

pub(crate) const ACCOUNT: &str = "000000000000";

/// A clock that stands still until it is moved.
#[derive(Debug)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }
}

/// An account whose root user calls, unless it is said who does.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    authority: Authority,
    hands: Arc<Hands>,
    scope: Scope,
    drawn: Arc<AtomicU64>,
}

impl World {
    pub(crate) fn new() -> Self {
        let hands = Arc::new(Hands(AtomicI64::new(1_767_225_600_000)));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::open(Disk::default()).unwrap());
        let scope = Scope { region: "us-east-1".into(), account: ACCOUNT.into() };
        let root = auth::key::AccessKey {
            access_key_id: "AKIAROOT".into(),
            secret: auth::SecretKey::new("root"),
        };
        let clock: Arc<dyn Clock> = Arc::clone(&hands) as Arc<dyn Clock>;
        let authority = Authority::new(root, Arc::clone(&store), clock, scope.clone());
        Self { store, authority, hands, scope, drawn: Arc::default() }
    }

    pub(crate) fn pass(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.hands.0.fetch_add(millis, Ordering::Relaxed);
    }

    pub(crate) fn principal(&self, key_id: &str) -> Option<Principal> {
        self.authority.find(key_id).map(|credential| credential.principal.clone())
    }

    fn context(&self, key_id: &str) -> Context {
        let drawn = Arc::clone(&self.drawn);
        let clock = || Arc::clone(&self.hands) as Arc<dyn Clock>;
        Context {
            store: Arc::clone(&self.store),
            clock: clock(),
            scope: self.scope.clone(),
            caller: self.principal(key_id).expect("the key is somebody's"),
            asked: Asked { access_key_id: key_id.into(), ..Asked::default() },
            grant: None,
            limits: Arc::new(Limits { instances: 8, by_type: BTreeMap::new() }),
            logs: Arc::new(logs::Empty),
            metrics: Arc::new(metrics::Metrics::in_memory(clock()).unwrap()),
            live: Arc::new(crate::Still),
            entropy: Arc::new(move || drawn.fetch_add(1, Ordering::Relaxed).into()),
            nudge: Arc::new(|| ()),
        }
    }

    /// What the owner of a key is answered: the output, or code and text.
    pub(crate) async fn call(
        &self,
        (service, key_id): (&'static Service, &str),
        operation: &str,
        input: Value,
    ) -> Result<Value, String> {
        let model = service.operation(operation).unwrap();
        let input = match model.input {
            Some(schema) => Document::from_json(schema, &input).unwrap(),
            None => Document::empty(),
        };
        let (parts, body) = wire::encode_request(service, model, &input).unwrap().into_parts();
        let response = match wire::route(service, &parts, &body) {
            Ok(call) => crate::serve(&self.context(key_id), &call, "id").await,
            Err(rejection) => rejection.respond("id"),
        };
        let status = response.status();
        let decoded =
            wire::decode_response(service, model, status, response.headers(), response.body());
        match decoded {
            Ok(output) => {
                Ok(model.output.map_or_else(|| json!({}), |schema| output.to_json(schema)))
            }
            Err(_) => Err(told(status.as_u16(), response.body())),
        }
    }

    /// The root user's call, which goes well.
    pub(crate) async fn good(&self, operation: &str, input: Value) -> Value {
        let answer = self.call((&wire::iam::SERVICE, "AKIAROOT"), operation, input).await;
        answer.unwrap_or_else(|why| panic!("{operation}: {why}"))
    }

    /// The root user's call, which is refused.
    pub(crate) async fn bad(&self, operation: &str, input: Value) -> String {
        let answer = self.call((&wire::iam::SERVICE, "AKIAROOT"), operation, input).await;
        answer.err().unwrap_or_else(|| panic!("{operation} went well"))
    }

    /// A user with a key, and its id.
    pub(crate) async fn user(&self, name: &str) -> String {
        self.good("CreateUser", json!({"UserName": name})).await;
        let key = self.good("CreateAccessKey", json!({"UserName": name})).await;
        key["AccessKey"]["AccessKeyId"].as_str().unwrap().to_owned()
    }

    /// What an owner of a key is answered by IAM.
    pub(crate) async fn iam(
        &self,
        key_id: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, String> {
        self.call((&wire::iam::SERVICE, key_id), operation, input).await
    }
}

/// `status code: text`
fn told(status: u16, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let inside = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>")).unwrap_or_default();
        let text = rest.split_once(&format!("</{name}>")).unwrap_or_default().0;
        text.replace("&apos;", "'")
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
    };
    format!("{status} {}: {}", inside("Code"), inside("Message"))
}

pub(crate) fn allow(action: &str, resource: &str) -> String {
    json!({"Version": "2012-10-17",
           "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}})
    .to_string()
}

pub(crate) fn trust(principal: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:TagSession"]}]})
    .to_string()
}

/// As documents come back: every byte but letters, digits and `-._~` is escaped.
fn plain(encoded: &Value) -> String {
    let encoded = encoded.as_str().unwrap();
    assert!(!encoded.contains(['{', '"', ' ', ':', '/', '*']), "{encoded}");
    percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap().into_owned()
}
