//! `tidegate endpoint rollback NAME`: takes back the update that is under way.

use std::process::ExitCode;

use domain::name::EndpointName;
use wire::sagemaker::EndpointStatus;
use wire::tidegate::{self, LastUpdate, RollBackUpdateInput};

use crate::Error;
use crate::client::Client;
use crate::command::scaling::ask;
use crate::output::{Output, Progress, json_of};

use super::{Fate, settle};

/// What to roll back.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The previous instances get their traffic back at once, as far as they still stand; those that had left come back \
                  first.\nAn update whose old instances are already leaving cannot be rolled back any more: update again."
)]
pub struct Arguments {
    /// The endpoint's name
    #[arg(value_name = "NAME")]
    name: EndpointName,

    /// Return only when the endpoint is where it was before the update
    #[arg(long)]
    wait: bool,
}

pub(super) async fn run(
    client: &Client,
    arguments: &Arguments,
    output: &Output,
) -> Result<ExitCode, Error> {
    let name = arguments.name.as_str();
    client.announce(output, &format!("rolling back the update of endpoint {name}")).await?;
    let input = RollBackUpdateInput { endpoint_name: name.to_owned() };
    let rolling: LastUpdate = ask(client, &tidegate::SERVICE, "RollBackUpdate", &input).await?;
    if arguments.wait {
        let progress = Progress::start(output, format!("waiting until {name} is as it was"));
        match settle(client, name, &progress).await? {
            Fate::Settled(endpoint) if endpoint.endpoint_status == EndpointStatus::InService => {}
            Fate::Settled(endpoint) => {
                let reason = endpoint.failure_reason.as_deref().unwrap_or("no reason given");
                let status = endpoint.endpoint_status;
                return Err(Error::Failed(format!("{name} is {status} ({reason})")));
            }
            Fate::Gone => return Err(Error::Failed(format!("{name} is gone"))),
        }
    }
    let config = &rolling.endpoint_config_in_use;
    if output.json {
        output.json(&json_of(&rolling))?;
    } else if arguments.wait {
        output.note(format_args!("{name} is as it was, with {config}"));
    } else {
        output.note(format_args!("{name} goes back to {config}; --wait would have waited for it"));
    }
    Ok(ExitCode::SUCCESS)
}
