//! What it costs a request to be authorised as well as signed: two gateways side by side, one whose only key may do
//! everything, and one that asks for a user's permission, to whom 100 policies are attached. `permission_cost --json`
//! tells it to programs; `--control` measures the first against itself, which shows how far a figure can be trusted.

#[path = "../../gateway/examples/measure/mod.rs"]
mod measure;

use std::io;
use std::sync::Arc;

use api::{Asked, Authority};
use auth::{Found, SecretKey, key};
use domain::arn::Scope;
use domain::iam::{AccessKey, Group, ManagedPolicy, NameKey, Owner, Status, User};
use domain::name::EndpointName;
use domain::time::Clock;
use gateway::{Came, Forbidden, Permission};
use measure::{CLIENTS, Compared, KEY_ID, REGION, SECRET, TURNS, Wall, Way, compare, say};
use store::memory::Disk;
use store::{Changes, MemoryStore, Store, decide};

/// As many as a user can have: ten groups with ten policies each.
const GROUPS: u128 = 10;
const POLICIES: u128 = 10;

/// Statements of one policy.
const STATEMENTS: u128 = 10;

/// As the server asks.
struct Asking(Authority);

impl Permission for Asking {
    fn invoke(
        &self,
        caller: &Found,
        endpoint: &EndpointName,
        came: Came<'_>,
    ) -> Result<(), Forbidden> {
        let asked = || Asked {
            access_key_id: caller.access_key_id.clone(),
            source_ip: Some(came.from),
            ..Asked::default()
        };
        let allowed = self.0.invoke(caller, endpoint.as_str(), asked);
        allowed.map_err(|denied| Forbidden::Denied(denied.to_string()))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let asked = |word: &str| std::env::args().any(|given| given == word);
    let second = if asked("--control") {
        Way::plain()
    } else {
        let authority = authority().await?;
        let permission = Arc::new(Asking(authority.clone()));
        Way { credentials: Arc::new(authority), permission, ..Way::plain() }
    };
    let Compared { requests, of_second, first_nanos, second_nanos, ratio } =
        compare(Way::plain(), second).await?;
    if asked("--json") {
        return say(&format!(
            "{{\"requests\": {requests}, \"cpu_ns_signed\": {first_nanos:.0}, \"cpu_ns_authorised\": {second_nanos:.0}, \
             \"ratio\": {ratio:.4}}}"
        ));
    }
    say(&format!(
        "{requests} requests over {CLIENTS} connections, {of_second} of them authorised, of one core each: {:.2} µs signed, {:.2} µs signed and authorised \
         with {} policies ({:+.1} %), medians of {TURNS} turns",
        first_nanos / 1e3,
        second_nanos / 1e3,
        GROUPS * POLICIES,
        (ratio - 1.0) * 100.0
    ))
}

/// Keys and permissions with one user, whose last policy is the one that allows.
async fn authority() -> io::Result<Authority> {
    let store: Arc<dyn Store> =
        Arc::new(MemoryStore::open(Disk::default()).map_err(io::Error::other)?);
    let scope = Scope { region: REGION.into(), account: "000000000000".into() };
    let (changes, now) = (changes(&scope)?, Wall.now());
    let key = AccessKey {
        id: KEY_ID.into(),
        secret: SECRET.into(),
        owner: Owner::User(NameKey::new("ann")),
        status: Status::Active,
        created_at: now,
    };
    let kept: Result<(), store::Undecided<io::Error>> =
        decide(&*store, move |_| Ok((changes.put(key), ()))).await;
    kept.map_err(io::Error::other)?;
    let root = key::AccessKey { access_key_id: "AKIAROOT".into(), secret: SecretKey::new("root") };
    Ok(Authority::new(root, store, Arc::new(Wall), scope))
}

fn changes(scope: &Scope) -> io::Result<Changes> {
    let now = Wall.now();
    let mut ann = User::new("ann".into(), "/".into(), 0, now);
    let mut changes = Changes::none();
    for group in 0..GROUPS {
        let mut made = Group::new(format!("group-{group}"), "/".into(), group, now);
        for number in 0..POLICIES {
            let (id, allows) =
                (group * POLICIES + number, group + 1 == GROUPS && number + 1 == POLICIES);
            let policy =
                ManagedPolicy::new(format!("p{id}"), "/".into(), text(id, allows), id, now);
            let policy = policy.map_err(|why| io::Error::other(format!("{why:?}")))?;
            made.grants.attached.insert(policy.arn(scope));
            changes = changes.put(policy);
        }
        ann.groups.insert(made.key());
        changes = changes.put(made);
    }
    Ok(changes.put(ann))
}

/// A policy about endpoints, none of which is `e` unless it `allows`.
fn text(id: u128, allows: bool) -> String {
    let one = |at| {
        let name = if allows && at + 1 == STATEMENTS {
            "e".to_owned()
        } else {
            format!("other-{id}-{at}-*")
        };
        format!(
            "{{\"Effect\":\"Allow\",\"Action\":\"sagemaker:Invoke*\",\"Resource\":\"arn:aws:sagemaker:*:*:endpoint/{name}\"}}"
        )
    };
    let statements: Vec<String> = (0..STATEMENTS).map(one).collect();
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", statements.join(","))
}
