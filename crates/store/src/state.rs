//! The whole state in memory: immutable tables that share what has not changed with the image before.

use std::fmt;
use std::sync::Arc;

use domain::alarm::{Alarm, AlarmName, HistoryItem};
use domain::endpoint::{Endpoint, Exceeded, Limits};
use domain::endpoint_config::EndpointConfig;
use domain::iam::{AccessKey, DeletionTask, Group, LastUsed, ManagedPolicy, Role, Session, User};
use domain::model::Model;
use domain::name::{EndpointKey, VariantName};
use domain::scaling::{Activity, Policy, ScheduledAction, Target, TargetKey};
use domain::time::Timestamp;
use domain::uuid::Uuid;
use rpds::RedBlackTreeMapSync;

use crate::record::{
    self, ActivityKey, Counters, HistoryKey, Record, Row, SafeUpdate, ServerTime, Tagged,
};

/// Records of one kind by key, in the order of their keys. Cloning one costs nothing.
pub type Table<R> = RedBlackTreeMapSync<<R as Record>::Key, Arc<R>>;

/// Records of one kind in the order in which they were created, and of their keys where that was at once.
pub type Timeline<R> = RedBlackTreeMapSync<(Timestamp, <R as Record>::Key), Arc<R>>;

/// All that is kept.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub models: Table<Model>,
    pub endpoint_configs: Table<EndpointConfig>,
    pub endpoints: Table<Endpoint>,
    pub targets: Table<Target>,
    pub policies: Table<Policy>,
    pub scheduled_actions: Table<ScheduledAction>,
    pub activities: Table<Activity>,
    pub alarms: Table<Alarm>,
    pub alarm_history: Table<HistoryItem>,
    /// The latest of each endpoint that had one.
    pub safe_updates: Table<SafeUpdate>,
    pub tagged: Table<Tagged>,
    pub users: Table<User>,
    pub groups: Table<Group>,
    pub roles: Table<Role>,
    /// The account's own; AWS's are `domain::iam::aws_managed`.
    pub managed_policies: Table<ManagedPolicy>,
    pub access_keys: Table<AccessKey>,
    /// Those that end first come first.
    pub sessions: Table<Session>,
    pub last_used: Table<LastUsed>,
    pub deletion_tasks: Table<DeletionTask>,
    pub(crate) counters: Table<Counters>,
    pub(crate) time: Table<ServerTime>,
    // What lists are sorted by, so that a page costs the same however long the list is. Nothing of it is kept.
    pub(crate) models_in_time: Timeline<Model>,
    pub(crate) endpoint_configs_in_time: Timeline<EndpointConfig>,
    pub(crate) endpoints_in_time: Timeline<Endpoint>,
}

impl State {
    /// The number of the deployment that was made last; 0 before the first.
    pub fn last_deployment(&self) -> u64 {
        self.counters.get(&()).map_or(0, |counters| counters.last_deployment)
    }

    /// The scalable targets of an endpoint.
    pub fn targets_of(&self, endpoint: &EndpointKey) -> impl Iterator<Item = &Arc<Target>> {
        // No name sorts before "0", so that the endpoint's targets begin here.
        let first: Option<VariantName> = "0".parse().ok();
        let from = first.map(|variant| TargetKey { endpoint: endpoint.clone(), variant });
        let range = from.map(|from| self.targets.range(from..)).into_iter().flatten();
        let endpoint = endpoint.clone();
        range.take_while(move |(key, _)| key.endpoint == endpoint).map(|(_, target)| target)
    }

    /// Whether the fleet may grow from an endpoint as it is to the same endpoint as it is wanted.
    pub fn admit(
        &self,
        limits: &Limits,
        before: Option<&Endpoint>,
        after: &Endpoint,
    ) -> Result<(), Exceeded> {
        let own = EndpointKey::from(&after.name);
        let others = self.endpoints.iter().filter(|(key, _)| **key != own);
        limits.admit(others.map(|(_, endpoint)| &**endpoint), before, after)
    }

    /// The policies of a target.
    pub fn policies_of(&self, target: &TargetKey) -> impl Iterator<Item = &Arc<Policy>> {
        of(&self.policies, target)
    }

    /// The scheduled actions of a target.
    pub fn scheduled_actions_of(
        &self,
        target: &TargetKey,
    ) -> impl Iterator<Item = &Arc<ScheduledAction>> {
        of(&self.scheduled_actions, target)
    }

    /// The scaling activities of a target, the oldest first.
    pub fn activities_of(
        &self,
        target: &TargetKey,
    ) -> impl DoubleEndedIterator<Item = &Arc<Activity>> {
        let key = |at, bits| ActivityKey { target: target.clone(), started_at: at, id: bits };
        let (first, last) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        self.activities.range(key(first, Uuid::MIN)..=key(last, Uuid::MAX)).map(|(_, one)| one)
    }

    /// What has happened to an alarm, the oldest first.
    pub fn history_of(
        &self,
        alarm: &AlarmName,
    ) -> impl DoubleEndedIterator<Item = &Arc<HistoryItem>> {
        let key = |at, sequence| HistoryKey { alarm: alarm.clone(), at, sequence };
        let (first, last) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        self.alarm_history.range(key(first, 0)..=key(last, u64::MAX)).map(|(_, one)| one)
    }

    /// The sequence number of the next item in an alarm's history.
    pub fn next_history_sequence(&self, alarm: &AlarmName) -> u64 {
        self.history_of(alarm).next_back().map_or(0, |last| last.sequence + 1)
    }

    /// Server time up to which clocks may have been read, if any was kept.
    pub fn server_time(&self) -> Option<Timestamp> {
        self.time.get(&()).map(|time| time.reached)
    }
}

/// What belongs to a target, of a table that is sorted by target and name.
fn of<'a, R>(
    table: &'a RedBlackTreeMapSync<(TargetKey, String), Arc<R>>,
    target: &TargetKey,
) -> impl Iterator<Item = &'a Arc<R>> + use<'a, R> {
    let target = target.clone();
    table
        .range((target.clone(), String::new())..)
        .take_while(move |((key, _), _)| *key == target)
        .map(|(_, record)| record)
}

/// What a decision changes: all of it, or nothing.
#[derive(Default)]
pub struct Changes(Vec<Box<dyn Edit>>);

impl Changes {
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds a record, or replaces the one of the same key.
    #[must_use]
    pub fn put<R: Record>(mut self, record: R) -> Self {
        self.0.push(Box::new(Put(Arc::new(record))));
        self
    }

    /// Removes a record; one that is not there is no error.
    #[must_use]
    pub fn delete<R: Record>(mut self, key: R::Key) -> Self {
        self.0.push(Box::new(Delete::<R>(key)));
        self
    }

    /// Takes the next deployment's number, which is `State::last_deployment` + 1.
    #[must_use]
    pub fn count_deployment(self, state: &State) -> Self {
        self.put(Counters { last_deployment: state.last_deployment() + 1 })
    }

    /// Keeps the server time that clocks may have reached.
    #[must_use]
    pub fn keep_time(self, reached: Timestamp) -> Self {
        self.put(ServerTime { reached })
    }

    pub(crate) fn apply(&self, state: &mut State) {
        for edit in &self.0 {
            edit.apply(state);
        }
    }

    pub(crate) fn rows(&self) -> Result<Vec<Row>, serde_json::Error> {
        self.0.iter().map(|edit| edit.row()).collect()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} changes", self.0.len())
    }
}

trait Edit: Send {
    fn apply(&self, state: &mut State);
    fn row(&self) -> Result<Row, serde_json::Error>;
}

struct Put<R: Record>(Arc<R>);

impl<R: Record> Edit for Put<R> {
    fn apply(&self, state: &mut State) {
        record::put(state, &self.0);
    }

    fn row(&self) -> Result<Row, serde_json::Error> {
        Row::put(&*self.0)
    }
}

struct Delete<R: Record>(R::Key);

impl<R: Record> Edit for Delete<R> {
    fn apply(&self, state: &mut State) {
        record::delete::<R>(state, &self.0);
    }

    fn row(&self) -> Result<Row, serde_json::Error> {
        Ok(Row { kind: R::KIND, key: R::key_text(&self.0), body: None })
    }
}
