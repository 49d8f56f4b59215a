//! Which endpoints use a config: SageMaker does not say, so each is asked.

use serde_json::{Value as Json, json};
use wire::tidegate::LastUpdate;

use crate::client::Client;
use crate::command::ServerClock;
use crate::command::endpoint::{self, journal_of, last_update};
use crate::output::{Progress, json_of};
use crate::{Environment, Error};

/// Endpoints that are asked before it is said that there are too many. A region of AWS's has room for a hundred unless more
/// were asked for.
const ENDPOINTS_MAX: usize = 2000;

/// An endpoint that uses the config, or is on its way to it.
#[derive(Debug)]
pub(super) struct User {
    pub(super) endpoint: String,
    pub(super) status: String,
    /// Whether it serves with it already.
    pub(super) serves: bool,
    pub(super) last_update: Option<LastUpdate>,
}

impl User {
    /// For programs.
    pub(super) fn json(&self) -> Json {
        json!({
            "EndpointName": self.endpoint,
            "EndpointStatus": self.status,
            "InService": self.serves,
            "LastUpdate": self.last_update.as_ref().map(json_of),
        })
    }
}

pub(super) async fn users(
    client: &Client,
    config: &str,
    environment: &Environment,
    progress: &Progress<'_>,
) -> Result<Vec<User>, Error> {
    let summaries = endpoint::summaries(client).await?;
    if summaries.len() > ENDPOINTS_MAX {
        return Err(Error::Failed(format!(
            "there are {} endpoints, more than the {ENDPOINTS_MAX} that are asked whether they use {config}; with \
             --in-use-too none is asked",
            summaries.len()
        )));
    }
    let mut users = Vec::new();
    for (asked, summary) in (1_usize..).zip(&summaries) {
        progress.remark(format!("{asked} of {}", summaries.len()));
        let name = &summary.endpoint_name;
        let described = match endpoint::describe(client, name).await {
            Ok(described) => described,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error),
        };
        let pending = described.pending_deployment_summary.as_ref();
        let serves = described.endpoint_config_name.as_deref() == Some(config);
        if !serves && pending.is_none_or(|pending| pending.endpoint_config_name != config) {
            continue;
        }
        let last_update = if ServerClock::ask(client).await.is_ok() {
            last_update::of_server(client, name).await
        } else {
            let kept = journal_of(client, name, environment).await;
            kept.map(|run| last_update::of_journal(&run, &described))
        };
        let status = described.endpoint_status.to_string();
        users.push(User { endpoint: name.clone(), status, serves, last_update });
    }
    Ok(users)
}
