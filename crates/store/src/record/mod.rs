//! What is kept, and in which form: each record carries the version of its form and is brought up to date when read.

mod safe_update;

use std::fmt;
use std::sync::Arc;

use domain::alarm::{Alarm, AlarmName, HistoryItem};
use domain::arn::Kind;
use domain::endpoint::Endpoint;
use domain::endpoint_config::EndpointConfig;
use domain::iam::{
    AccessKey, DeletionTask, Group, LastUsed, ManagedPolicy, NameKey, Role, Session, User,
};
use domain::model::Model;
use domain::name::{EndpointConfigName, EndpointKey, ModelName};
use domain::scaling::{Activity, Policy, ScheduledAction, Target, TargetKey};
use domain::tag::Tags;
use domain::time::Timestamp;
use domain::uuid::Uuid;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::state::{State, Table, Timeline};

pub use safe_update::{Lender, SafeUpdate};

/// A record of one kind. `KIND` and the text of a key never change once released.
pub trait Record: Serialize + DeserializeOwned + Send + Sync + 'static {
    const KIND: &'static str;
    /// The version of the form that is written. Reading an older one is `upgrade`'s work.
    const VERSION: u32;
    type Key: Ord + Clone + Send + Sync + 'static;

    fn key(&self) -> Self::Key;
    fn key_text(key: &Self::Key) -> String;
    fn table_mut(state: &mut State) -> &mut Table<Self>;

    /// The timeline that such records have besides their table, and when this one was created.
    fn timeline_mut<'a>(
        &self,
        _state: &'a mut State,
    ) -> Option<(&'a mut Timeline<Self>, Timestamp)> {
        None
    }

    /// Brings the JSON form of an older version up to `VERSION`.
    fn upgrade(_from: u32, body: serde_json::Value) -> serde_json::Value {
        body
    }
}

/// A record of which lists are asked for in the order of creation.
pub trait Listed: Record {
    fn table(state: &State) -> &Table<Self>;
    fn timeline(state: &State) -> &Timeline<Self>;
    fn created_at(&self) -> Timestamp;
}

/// Puts a record into its table, and in its place in time.
pub(crate) fn put<R: Record>(state: &mut State, record: &Arc<R>) {
    let key = record.key();
    take_out_of_time::<R>(state, &key);
    if let Some((timeline, created_at)) = record.timeline_mut(state) {
        timeline.insert_mut((created_at, key.clone()), Arc::clone(record));
    }
    R::table_mut(state).insert_mut(key, Arc::clone(record));
}

/// Removes a record; one that is not there is no error.
pub(crate) fn delete<R: Record>(state: &mut State, key: &R::Key) {
    take_out_of_time::<R>(state, key);
    R::table_mut(state).remove_mut(key);
}

fn take_out_of_time<R: Record>(state: &mut State, key: &R::Key) {
    let Some(before) = R::table_mut(state).get(key).cloned() else { return };
    if let Some((timeline, created_at)) = before.timeline_mut(state) {
        timeline.remove_mut(&(created_at, key.clone()));
    }
}

/// The tags of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tagged {
    pub arn: String,
    pub tags: Tags,
}

impl Tagged {
    /// The key of a resource's tags. An endpoint's ARN may be spelled in any case.
    pub fn key_of(kind: Kind, arn: &str) -> String {
        if kind == Kind::Endpoint { arn.to_ascii_lowercase() } else { arn.to_owned() }
    }
}

/// An activity's place: those of one target together, in the order in which they began.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActivityKey {
    pub target: TargetKey,
    pub started_at: Timestamp,
    pub id: Uuid,
}

impl From<&Activity> for ActivityKey {
    fn from(activity: &Activity) -> Self {
        let target = TargetKey::from(&activity.resource);
        Self { target, started_at: activity.started_at, id: activity.id }
    }
}

impl fmt::Display for ActivityKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}\n{}\n{}", self.target, self.started_at.as_millis(), self.id)
    }
}

/// A history item's place: those of one alarm together, in the order in which they happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryKey {
    pub alarm: AlarmName,
    pub at: Timestamp,
    pub sequence: u64,
}

impl From<&HistoryItem> for HistoryKey {
    fn from(item: &HistoryItem) -> Self {
        Self { alarm: item.alarm.clone(), at: item.at, sequence: item.sequence }
    }
}

impl fmt::Display for HistoryKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}\n{}\n{}", self.alarm, self.at.as_millis(), self.sequence)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub(crate) last_deployment: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServerTime {
    pub(crate) reached: Timestamp,
}

macro_rules! records {
    ($($record:ty: $kind:literal version $version:literal in $table:ident $(and $timeline:ident)? by $key:ty, |$it:ident| $of:expr, |$text:ident| $as_text:expr;)+) => {
        $(impl Record for $record {
            const KIND: &'static str = $kind;
            const VERSION: u32 = $version;
            type Key = $key;

            fn key(&self) -> $key {
                let $it = self;
                $of
            }

            fn key_text($text: &$key) -> String {
                $as_text
            }

            fn table_mut(state: &mut State) -> &mut Table<Self> {
                &mut state.$table
            }

            $(fn timeline_mut<'a>(&self, state: &'a mut State) -> Option<(&'a mut Timeline<Self>, Timestamp)> {
                Some((&mut state.$timeline, self.created_at))
            })?
        }

        $(impl Listed for $record {
            fn table(state: &State) -> &Table<Self> {
                &state.$table
            }

            fn timeline(state: &State) -> &Timeline<Self> {
                &state.$timeline
            }

            fn created_at(&self) -> Timestamp {
                self.created_at
            }
        })?)+

        /// Puts a stored row into the state.
        pub(crate) fn load(state: &mut State, kind: &str, version: u32, body: &[u8]) -> Result<(), Error> {
            match kind {
                $($kind => load_as::<$record>(state, version, body),)+
                _ => Err(Error::Read(format!("a record of the unknown kind {kind:?}; was it written by a newer tidegate?"))),
            }
        }
    };
}

records! {
    Model: "model" version 1 in models and models_in_time by ModelName, |it| it.name.clone(), |key| key.to_string();
    EndpointConfig: "endpoint-config" version 1 in endpoint_configs and endpoint_configs_in_time by EndpointConfigName, |it| it.name.clone(), |key| key.to_string();
    Endpoint: "endpoint" version 1 in endpoints and endpoints_in_time by EndpointKey, |it| EndpointKey::from(&it.name), |key| key.as_str().to_owned();
    Target: "scalable-target" version 1 in targets by TargetKey, |it| TargetKey::from(&it.resource), |key| key.to_string();
    Policy: "scaling-policy" version 1 in policies by (TargetKey, String), |it| (it.target.clone(), it.name.clone()), |key| format!("{}\n{}", key.0, key.1);
    ScheduledAction: "scheduled-action" version 1 in scheduled_actions by (TargetKey, String), |it| (it.target.clone(), it.name.clone()), |key| format!("{}\n{}", key.0, key.1);
    Activity: "scaling-activity" version 1 in activities by ActivityKey, |it| ActivityKey::from(it), |key| key.to_string();
    Alarm: "alarm" version 1 in alarms by AlarmName, |it| it.name.clone(), |key| key.to_string();
    HistoryItem: "alarm-history" version 1 in alarm_history by HistoryKey, |it| HistoryKey::from(it), |key| key.to_string();
    SafeUpdate: "safe-update" version 1 in safe_updates by EndpointKey, |it| it.endpoint(), |key| key.as_str().to_owned();
    Tagged: "tags" version 1 in tagged by String, |it| it.arn.clone(), |key| key.clone();
    User: "iam-user" version 1 in users by NameKey, |it| it.key(), |key| key.to_string();
    Group: "iam-group" version 1 in groups by NameKey, |it| it.key(), |key| key.to_string();
    Role: "iam-role" version 1 in roles by NameKey, |it| it.key(), |key| key.to_string();
    ManagedPolicy: "iam-policy" version 1 in managed_policies by NameKey, |it| it.key(), |key| key.to_string();
    AccessKey: "iam-access-key" version 1 in access_keys by String, |it| it.id.clone(), |key| key.clone();
    Session: "iam-session" version 1 in sessions by String, |it| it.access_key_id.clone(), |key| key.clone();
    LastUsed: "iam-last-used" version 1 in last_used by String, |it| it.of.clone(), |key| key.clone();
    DeletionTask: "iam-deletion-task" version 1 in deletion_tasks by Uuid, |it| it.id, |key| key.to_string();
    Counters: "counters" version 1 in counters by (), |_it| (), |_key| String::new();
    ServerTime: "server-time" version 1 in time by (), |_it| (), |_key| String::new();
}

fn load_as<R: Record>(state: &mut State, version: u32, body: &[u8]) -> Result<(), Error> {
    let unreadable = |why: String| Error::Read(format!("a record of kind {}: {why}", R::KIND));
    if version > R::VERSION {
        return Err(unreadable(format!("version {version} was written by a newer tidegate")));
    }
    let body = serde_json::from_slice(body).map_err(|why| unreadable(why.to_string()))?;
    let body = if version < R::VERSION { R::upgrade(version, body) } else { body };
    let record: R = serde_json::from_value(body).map_err(|why| unreadable(why.to_string()))?;
    put(state, &Arc::new(record));
    Ok(())
}

/// A change of one record as a journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub kind: &'static str,
    pub key: String,
    /// Version and JSON; none removes the record.
    pub body: Option<(u32, Vec<u8>)>,
}

impl Row {
    pub(crate) fn put<R: Record>(record: &R) -> Result<Self, serde_json::Error> {
        Ok(Self {
            kind: R::KIND,
            key: R::key_text(&record.key()),
            body: Some((R::VERSION, serde_json::to_vec(record)?)),
        })
    }
}
