//! `tidegate endpoint …`: what there is to see and do about one endpoint or all of them.

mod delete;
mod describe;
mod hint;
mod invoke;
mod list;
mod settle;
mod stream;
mod variants;

use std::process::ExitCode;

use domain::name::EndpointName;
use wire::sagemaker::{DescribeEndpointInput, DescribeEndpointOutput};

pub(super) use hint::with_names;
pub(super) use invoke::invoke;
pub(super) use settle::{Fate, settle};

use crate::client::Client;
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
        Command::Describe { name } => describe::run(&client, &name, output).await,
        Command::Delete(arguments) => delete::run(&client, &arguments, output).await,
        Command::Invoke(arguments) => invoke::run(&client, &arguments, output).await,
    }
}

/// One DescribeEndpoint.
pub(super) async fn describe(client: &Client, name: &str) -> Result<DescribeEndpointOutput, Error> {
    let input = DescribeEndpointInput { endpoint_name: name.to_owned() };
    client.sagemaker("DescribeEndpoint", &input).await
}

#[cfg(test)]
mod tests;
