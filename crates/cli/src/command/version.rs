//! `tidegate version`.

use std::process::ExitCode;

use serde_json::json;

use crate::Error;
use crate::output::Output;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn run(output: &Output) -> Result<ExitCode, Error> {
    if output.json {
        output.json(&json!({ "version": VERSION }))?;
    } else {
        output.data(format_args!("tidegate {VERSION}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
