//! Tasks of the repository: `cargo xtask codegen | models | tidy`.

mod codegen;
mod failure;
mod files;
mod model;
mod models;
mod services;
mod tidy;

use std::io::{Write as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::failure::{Failure, Outcome};

const USAGE: &str = "usage: cargo xtask <task>

  codegen           write crates/wire/src/shape from models/
  codegen --check   fail, naming the files, if that would change anything
  models            write models/*.json from botocore (needs pip)
  tidy              check crate edges, file sizes, lints, generated code and stray paths";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&root(), &arguments) {
        Ok(code) => code,
        Err(failure) => {
            let _ = writeln!(stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(root: &Path, arguments: &[&str]) -> Outcome<ExitCode> {
    match arguments {
        ["codegen"] => codegen::write(root).map(|paths| told(&paths, ExitCode::SUCCESS)),
        ["codegen", "--check"] => codegen::check(root).map(|findings| found(&findings)),
        ["tidy"] => tidy::run(root).map(|findings| {
            let warnings: Vec<String> =
                findings.warnings.iter().map(|line| format!("warning: {line}")).collect();
            told(&warnings, ExitCode::SUCCESS);
            found(&findings.errors)
        }),
        ["models"] => models::run(root).map(|paths| told(&paths, ExitCode::SUCCESS)),
        _ => Err(Failure::new(USAGE)),
    }
}

/// One line per finding; any finding is a failure.
fn found(findings: &[String]) -> ExitCode {
    told(findings, if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(lines: &[String], code: ExitCode) -> ExitCode {
    for line in lines {
        let _ = writeln!(stdout(), "{line}");
    }
    code
}

/// The workspace that cargo runs this in. Where it was built may be another one that shares its target directory.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR");
    let package = package.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.ancestors().nth(2).unwrap_or_else(|| Path::new(".")).to_path_buf()
}
