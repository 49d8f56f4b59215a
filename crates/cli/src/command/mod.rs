//! The commands, one file each.

mod clock;
mod completions;
mod demo;
mod endpoint;
mod endpoint_config;
mod env;
mod explain;
mod logs;
mod scaling;
mod version;
mod watch;

use std::process::ExitCode;

pub(crate) use clock::ServerClock;

use crate::output::Output;
use crate::{Environment, Error, Global};

/// What talks to a server.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print the shell commands that point AWS clients at the local server
    Env(env::Arguments),
    /// Host a real model that scales with its load, update it meanwhile, and count the failed requests
    Demo(demo::Arguments),
    /// Show the server's time
    Clock,
    /// List, describe, update, invoke and delete endpoints
    Endpoint {
        #[command(subcommand)]
        command: endpoint::Command,
    },
    /// Delete endpoint configs that no endpoint uses
    EndpointConfig {
        #[command(subcommand)]
        command: endpoint_config::Command,
    },
    /// Say why a variant has as many instances as it has, and what would change that
    Explain(explain::Arguments),
    /// Watch an endpoint's instances, load, alarms and scaling as they change
    Watch(watch::Arguments),
    /// Show what the model servers of an endpoint write
    Logs(logs::Arguments),
    /// Print the program's version
    Version,
    /// Print the completion script for a shell
    Completions(completions::Arguments),
}

/// Runs a command to its end. `tree` is the program's whole command line, for completions.
///
/// It starts a runtime of its own, so it must not be called from within one. An `Err` is for `error: {error}` on stderr
/// and a non-zero exit; nothing has been printed about it yet.
pub fn run(
    command: Command,
    global: &Global,
    environment: &Environment,
    tree: clap::Command,
) -> Result<ExitCode, Error> {
    let output = Output::of_process(global.json);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::Failed(format!("cannot start the runtime: {cause}")))?;
    let done = match command {
        Command::Env(arguments) => env::run(&arguments, global, environment, &output),
        Command::Demo(arguments) => {
            runtime.block_on(demo::run(&arguments, global, environment, &output))
        }
        Command::Clock => runtime.block_on(clock::run(global, environment, &output)),
        Command::Endpoint { command } => {
            runtime.block_on(endpoint::run(command, global, environment, &output))
        }
        Command::EndpointConfig { command } => {
            runtime.block_on(endpoint_config::run(command, global, environment, &output))
        }
        Command::Explain(arguments) => {
            runtime.block_on(explain::run(&arguments, global, environment, &output))
        }
        Command::Watch(arguments) => {
            runtime.block_on(watch::run(&arguments, global, environment, &output))
        }
        Command::Logs(arguments) => {
            runtime.block_on(logs::run(&arguments, global, environment, &output))
        }
        Command::Version => version::run(&output),
        Command::Completions(arguments) => completions::run(&arguments, tree, &output),
    };
    match done {
        // Whoever closed the pipe has read what was wanted.
        Err(Error::ClosedPipe) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
        Ok(code) => Ok(code),
    }
}
