//! `tidegate endpoint-config delete NAME`.

use std::process::ExitCode;

use domain::name::EndpointConfigName;
use serde_json::{Value as Json, json};
use wire::sagemaker::DeleteEndpointConfigInput;

use crate::client::Client;
use crate::command::clock;
use crate::command::endpoint::last_update;
use crate::output::{Output, Progress};
use crate::{Environment, Error};

use super::users::{User, users};

/// The exit code of a deletion that was not made because the config is in use.
const IN_USE: u8 = 10;

/// What to delete.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "SageMaker deletes a config although an endpoint serves with it; that endpoint cannot be updated safely any more. \
                  An update\nthat rolled back leaves the endpoint with the config that seems to be left over. So every endpoint \
                  is asked first,\nand with exit code 10 nothing was deleted."
)]
pub struct Arguments {
    /// The config's name
    #[arg(value_name = "NAME")]
    pub(super) name: EndpointConfigName,

    /// Delete it without asking whether an endpoint uses it
    #[arg(long)]
    pub(super) in_use_too: bool,
}

pub(super) async fn run(
    client: &Client,
    arguments: &Arguments,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    let name = arguments.name.as_str();
    if !arguments.in_use_too {
        let progress = Progress::start(output, "looking for endpoints that use it");
        let users = users(client, name, environment, &progress).await?;
        drop(progress);
        if !users.is_empty() {
            return refuse(client, name, &users, output).await;
        }
    }
    client.announce(output, &format!("deleting endpoint config {name}")).await?;
    let input = DeleteEndpointConfigInput { endpoint_config_name: name.to_owned() };
    client.sagemaker_order("DeleteEndpointConfig", &input).await?;
    if output.json {
        output.json(&json!({ "EndpointConfigName": name, "Deleted": true, "UsedBy": [] }))?;
    } else {
        output.note(format_args!("endpoint config {name} is gone"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Says who uses it, and what to do.
async fn refuse(
    client: &Client,
    name: &str,
    users: &[User],
    output: &Output,
) -> Result<ExitCode, Error> {
    if output.json {
        let used_by: Vec<Json> = users.iter().map(User::json).collect();
        output.json(&json!({ "EndpointConfigName": name, "Deleted": false, "UsedBy": used_by }))?;
    }
    let now = clock::now_of(&client.target().server).await;
    for user in users {
        let User { endpoint, status, serves, last_update } = user;
        let how = if *serves { "serves with" } else { "is on its way to" };
        output.note(format_args!("endpoint {endpoint} ({status}) {how} {name}"));
        if let Some(last) = last_update.as_ref().and_then(|last| last_update::told(last, now)) {
            output.note(format_args!("  its last update: {last}"));
        }
    }
    output.note(format_args!(
        "nothing was deleted; delete or update the endpoint first, or say --in-use-too"
    ));
    Ok(ExitCode::from(IN_USE))
}
