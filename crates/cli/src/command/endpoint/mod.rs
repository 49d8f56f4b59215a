//! `tidegate endpoint …`: what there is to see and do about one endpoint or all of them.

mod delete;
mod describe;
mod dry_run;
mod hint;
mod invoke;
pub(in crate::command) mod last_update;
mod list;
mod rollback;
mod rollout;
mod settle;
mod stream;
mod update;
mod variants;

use std::process::ExitCode;

use domain::name::EndpointName;
use domain::safe_update::Run;
use safe_update::journal::Whose;
use wire::Document;
use wire::sagemaker::{self, DescribeEndpointInput, DescribeEndpointOutput};
use wire::value::Value as _;

pub(super) use hint::with_names;
pub(super) use invoke::invoke;
pub(super) use list::summaries;
pub(super) use settle::{Fate, settle};
pub(super) use variants::{coming, running};

use crate::client::Client;
use crate::journal::Place;
use crate::output::Output;
use crate::target::Target;
use crate::{Environment, Error, Global};

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the endpoints with their variants
    Ls,
    /// Show everything about an endpoint
    Describe {
        /// The endpoint's name
        #[arg(value_name = "NAME")]
        name: EndpointName,
    },
    /// Give an endpoint another config without losing capacity or scaling; resume or undo such an update
    Update(Box<update::Arguments>),
    /// Take back the update that is under way
    Rollback(rollback::Arguments),
    /// Delete an endpoint; its config and its models stay
    Delete(delete::Arguments),
    /// Send a request to an endpoint's model and print the answer
    Invoke(invoke::Arguments),
}

pub(super) async fn run(
    command: Command,
    global: &Global,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    let client = Client::new(Target::resolve(global, environment)?);
    match command {
        Command::Ls => list::run(&client, output).await,
        Command::Describe { name } => describe::run(&client, &name, environment, output).await,
        Command::Update(arguments) => update::run(&client, &arguments, environment, output).await,
        Command::Rollback(arguments) => rollback::run(&client, &arguments, output).await,
        Command::Delete(arguments) => delete::run(&client, &arguments, environment, output).await,
        Command::Invoke(arguments) => invoke::run(&client, &arguments, output).await,
    }
}

/// One DescribeEndpoint.
pub(super) async fn describe(client: &Client, name: &str) -> Result<DescribeEndpointOutput, Error> {
    let operation = "DescribeEndpoint";
    let input = DescribeEndpointInput { endpoint_name: name.to_owned() };
    let mut found = client.call(&sagemaker::SERVICE, operation, &input.to_document()).await?;
    if let Document::Map(members) = &mut found {
        // moto has empty structures where AWS has none, and their own members are required.
        members.retain(|(_, value)| !matches!(value, Document::Map(inner) if inner.is_empty()));
    }
    DescribeEndpointOutput::from_document(&found)
        .map_err(|error| Error::Answer { operation, problem: error.to_string() })
}

/// Where the safe updates of an endpoint are kept.
async fn place_of(
    client: &Client,
    name: &EndpointName,
    environment: &Environment,
) -> Result<Place, Error> {
    let whose = Whose {
        url: client.target().server.url.to_string(),
        account: client.account().await?,
        region: client.target().region.clone(),
        endpoint: name.clone(),
    };
    Place::of(whose, environment)
}

/// The last safe update that was made from here. That it cannot be read is no reason to fail for whoever only shows it.
pub(super) async fn journal_of(
    client: &Client,
    name: &str,
    environment: &Environment,
) -> Option<Run> {
    let place = place_of(client, &name.parse().ok()?, environment).await.ok()?;
    place.read().ok()?
}

#[cfg(test)]
mod tests;
