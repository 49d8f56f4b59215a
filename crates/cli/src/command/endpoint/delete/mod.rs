//! `tidegate endpoint delete NAME`.

mod page;
mod permissions;
mod plan;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use domain::name::EndpointName;
use serde_json::json;
use wire::sagemaker::DeleteEndpointInput;

use crate::client::Client;
use crate::output::{Ink, Output, Progress};
use crate::{Environment, Error};

use super::{Fate, hint, settle};

/// What to delete.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What scales the endpoint goes with it, if you may deregister it; if not, nothing is deleted at all. --plan tells \
                  before,\nwith exit code 0 if nothing speaks against it, 10 if it would be refused, and 1 for an error."
)]
pub struct Arguments {
    /// The endpoint's name
    #[arg(value_name = "NAME")]
    pub(super) name: EndpointName,

    /// Return only when the endpoint is gone
    #[arg(long)]
    pub(super) wait: bool,

    /// Say what would go with it and which permission is missing, and delete nothing
    #[arg(long, conflicts_with = "wait")]
    pub(super) plan: bool,
}

pub(super) async fn run(
    client: &Client,
    arguments: &Arguments,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    if arguments.plan {
        let ink = Ink::of_data(output, environment);
        return plan::run(client, &arguments.name, ink, output).await;
    }
    let name = arguments.name.as_str();
    client.announce(output, &format!("deleting endpoint {name}")).await?;
    let input = DeleteEndpointInput { endpoint_name: name.to_owned() };
    if let Err(error) = client.sagemaker_order("DeleteEndpoint", &input).await {
        return Err(hint::with_names(client, name, error).await);
    }
    if arguments.wait {
        let progress = Progress::start(output, format!("waiting until {name} is gone"));
        match settle(client, name, &progress).await? {
            Fate::Gone => drop(progress),
            Fate::Settled(endpoint) => {
                let reason = endpoint.failure_reason.as_deref().unwrap_or("no reason given");
                return Err(Error::Failed(format!(
                    "{name} was not deleted: it is {} ({reason})",
                    endpoint.endpoint_status
                )));
            }
        }
    }
    let status = if arguments.wait { "Deleted" } else { "Deleting" };
    if output.json {
        output.json(&json!({ "EndpointName": name, "EndpointStatus": status }))?;
    } else if arguments.wait {
        output.note(format_args!("{name} is gone"));
    } else {
        output.note(format_args!("{name} is being deleted; --wait would have waited for it"));
    }
    Ok(ExitCode::SUCCESS)
}
