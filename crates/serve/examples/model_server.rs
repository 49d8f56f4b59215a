//! One of the built-in model servers as a program of its own: `model_server echo` or `model_server onnx`, told the rest by
//! its environment. For trying and testing them without the whole server.

use std::io::Write;
use std::process::ExitCode;

use serve::{Image, Settings, run};

fn main() -> ExitCode {
    let image = match std::env::args().nth(1).as_deref() {
        Some("echo") => Image::Echo,
        Some("onnx") => Image::Onnx,
        _ => return fail("usage: model_server echo|onnx"),
    };
    // A variable that is not text is none of ours; `std::env::vars` would panic on it.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    match Settings::from_environment(variables).and_then(|settings| run(image, settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(line: &str) -> ExitCode {
    // With stderr gone the exit code still tells.
    let _ = writeln!(std::io::stderr(), "{line}");
    ExitCode::FAILURE
}
