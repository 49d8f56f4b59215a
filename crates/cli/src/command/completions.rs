//! `tidegate completions SHELL`.

use std::process::ExitCode;

use clap_complete::Shell;

use crate::Error;
use crate::output::Output;

/// What to complete for.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The shell that is to complete; for bash: source <(tidegate completions bash)
    shell: Shell,
}

pub(super) fn run(
    arguments: &Arguments,
    mut tree: clap::Command,
    output: &Output,
) -> Result<ExitCode, Error> {
    let name = tree.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut tree, name, &mut script);
    output.bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}
