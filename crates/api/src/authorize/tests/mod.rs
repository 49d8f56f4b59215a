//! The table has a case for everything, and a change counts with the first image that has it.

mod change;
mod deletion;
mod dry_run;
mod memory;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use auth::Credentials;
use domain::arn::Scope;
use domain::endpoint::Limits;
use domain::iam::{AccessKey, NameKey, Owner, Status, User};
use domain::time::{Clock, Timestamp};
use store::memory::Disk;
use store::{Changes, MemoryStore, Store, decide};

use super::{Asked, Authority};
use crate::Context;

const ACCOUNT: &str = "000000000000";
const ENDPOINT: &str = "arn:aws:sagemaker:us-east-1:000000000000:endpoint";

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

fn scope() -> Scope {
    Scope { region: "us-east-1".into(), account: ACCOUNT.into() }
}

/// A policy of one statement.
fn policy(effect: &str, action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"}}]}}"#
    )
}

fn user(name: &str, policies: &[String]) -> User {
    let mut user = User::new(name.into(), "/".into(), 1, Still.now());
    let named = policies.iter().enumerate().map(|(at, text)| (format!("p{at}"), text.clone()));
    user.grants.inline = named.collect();
    user.access_keys.insert(key_id(name));
    user
}

fn key_id(user: &str) -> String {
    format!("AKIA{}", user.to_ascii_uppercase())
}

fn key(user: &str, status: Status) -> AccessKey {
    AccessKey {
        id: key_id(user),
        secret: "secret".into(),
        owner: Owner::User(NameKey::new(user)),
        status,
        created_at: Still.now(),
    }
}

struct World {
    store: Arc<dyn Store>,
    authority: Authority,
}

impl World {
    fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::open(Disk::default()).unwrap());
        let root = auth::key::AccessKey {
            access_key_id: "AKIAROOT".into(),
            secret: auth::SecretKey::new("root"),
        };
        let authority = Authority::new(root, Arc::clone(&store), Arc::new(Still), scope());
        Self { store, authority }
    }

    /// With the user `ann`, whose key is active.
    async fn of_ann(policies: &[String]) -> Self {
        let world = Self::new();
        let ann = Changes::none().put(user("ann", policies)).put(key("ann", Status::Active));
        world.change(ann).await;
        world
    }

    async fn change(&self, changes: Changes) {
        let done: Result<(), store::Undecided<()>> =
            decide(&*self.store, |_| Ok((changes, ()))).await;
        done.unwrap();
    }

    /// Whether the owner of a key may invoke the endpoint `e`; the words of the refusal.
    fn invoke(&self, key_id: &str) -> Result<(), String> {
        let credential = self.authority.find(key_id).ok_or("unknown key")?;
        let asked = || Asked { access_key_id: key_id.into(), ..Asked::default() };
        self.authority.invoke(&credential, "e", asked).map_err(|denied| denied.to_string())
    }

    /// The control plane, called with this key.
    fn context(&self, key_id: &str) -> Context {
        let credential = self.authority.find(key_id).unwrap();
        Context {
            store: Arc::clone(&self.store),
            clock: Arc::new(Still),
            scope: scope(),
            caller: credential.principal.clone(),
            asked: Asked { access_key_id: key_id.into(), ..Asked::default() },
            grant: None,
            limits: Arc::new(Limits { instances: 8, by_type: BTreeMap::new() }),
            logs: Arc::new(logs::Empty),
            metrics: Arc::new(metrics::Metrics::in_memory(Arc::new(Still)).unwrap()),
            live: Arc::new(crate::Still),
            entropy: Arc::new(|| 0),
            nudge: Arc::new(|| ()),
        }
    }
}
