//! `tidegate endpoint delete NAME`.

use std::process::ExitCode;

use domain::name::EndpointName;
use serde_json::json;
use wire::sagemaker::DeleteEndpointInput;

use crate::Error;
use crate::client::Client;
use crate::output::{Output, Progress};

use super::{Fate, hint, settle};

/// What to delete.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The endpoint's name
    #[arg(value_name = "NAME")]
    pub(super) name: EndpointName,

    /// Return only when the endpoint is gone
    #[arg(long)]
    pub(super) wait: bool,
}

pub(super) async fn run(
    client: &Client,
    arguments: &Arguments,
    output: &Output,
) -> Result<ExitCode, Error> {
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
