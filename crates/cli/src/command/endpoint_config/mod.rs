//! `tidegate endpoint-config …`: what endpoints are made from.

mod delete;
#[cfg(test)]
mod tests;
mod users;

use std::process::ExitCode;

use crate::client::Client;
use crate::output::Output;
use crate::target::Target;
use crate::{Environment, Error, Global};

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Delete an endpoint config, unless an endpoint still uses it
    Delete(delete::Arguments),
}

pub(super) async fn run(
    command: Command,
    global: &Global,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    let client = Client::new(Target::resolve(global, environment)?);
    match command {
        Command::Delete(arguments) => delete::run(&client, &arguments, environment, output).await,
    }
}
