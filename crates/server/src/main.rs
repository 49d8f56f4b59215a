//! The program `tidegate`: the server, the commands that talk to one, and the processes that it runs itself as.

mod assemble;
mod clock;
mod config;
mod core;
mod data_dir;
mod entropy;
mod front;
mod instance_type;
mod pace;
mod real_s3;
mod safe_update;
mod shutdown;
mod view;

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use cli::{Environment, Global};
use tracing_subscriber::EnvFilter;

use crate::assemble::Server;
use crate::config::{Config, UpArgs};
use crate::data_dir::{DataDirError, has_no_room};

/// Requests make and drop many small things, and bodies of megabytes: it keeps both at hand, where the C library's gives the
/// large ones back to the kernel each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Threads of the control plane's runtime: it mostly waits for the store and the disk.
const CONTROL_THREADS: usize = 2;

/// SageMaker hosting on your own machine: run models behind AWS's API, scale and update them safely.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, propagate_version = true, max_term_width = 100)]
struct Program {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Start the server
    Up(UpArgs),
    #[command(flatten)]
    Client(cli::Command),
}

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next().as_ref().and_then(|first| first.to_str()) {
        Some("__supervise") => return runtime::process::supervise::main(args),
        Some("__exec") => return runtime::process::exec::main(args),
        Some("__serve") => return serve(args.next().as_ref().and_then(|image| image.to_str())),
        _ => {}
    }
    let environment: Environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let Program { global, command } = Program::parse();
    match command {
        Command::Up(args) => up(args, &global, &environment),
        Command::Client(command) => cli::run(command, &global, &environment, Program::command())
            .unwrap_or_else(|error| failed(&error)),
    }
}

/// One of the built-in model servers, as a child process of a server.
fn serve(image: Option<&str>) -> ExitCode {
    let image = match image {
        Some("onnx") => serve::Image::Onnx,
        Some("echo") => serve::Image::Echo,
        _ => return failed(&"__serve wants onnx or echo"),
    };
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    match serve::Settings::from_environment(variables)
        .and_then(|settings| serve::run(image, settings))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn up(args: UpArgs, global: &Global, environment: &Environment) -> ExitCode {
    start_log(environment.get("TIDEGATE_LOG").map(String::as_str));
    // Whatever the server writes is its user's alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let named = environment.get(cli::DATA_DIR_VARIABLE).filter(|path| !path.is_empty());
    let data_dir = global.data_dir.clone().or_else(|| named.map(Into::into));
    let default = match cli::default_data_dir(environment) {
        Ok(default) => default,
        Err(_) if data_dir.is_some() => std::path::PathBuf::new(),
        Err(error) => return failed(&error),
    };
    let config = match Config::gather(args, data_dir, default) {
        Ok(config) => config,
        Err(error) => return failed(&error),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run(&config, environment)),
        Err(error) => failed(&error),
    }
}

async fn run(config: &Config, environment: &Environment) -> ExitCode {
    let server = match Server::start(config, environment).await {
        Ok(server) => server,
        Err(error) if error.is_of_the_disk() && has_no_room(&config.data_dir) => {
            return failed(&DataDirError::NoRoom { path: config.data_dir.clone() });
        }
        Err(error) => return failed(&error),
    };
    // Whoever started the server may have closed its output; it serves all the same.
    drop(writeln!(std::io::stdout(), "tidegate is ready at {}", server.url()));
    match shutdown::asked().await {
        Ok(()) => {
            server.shut_down().await;
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

/// What is logged unless told otherwise. The S3 library logs every refusal as a fault of its own.
const LOG_FILTER: &str = "info,s3s=off";

fn start_log(filter: Option<&str>) {
    let filter = EnvFilter::try_new(filter.unwrap_or(LOG_FILTER))
        .unwrap_or_else(|_| EnvFilter::new(LOG_FILTER));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

/// One line on stderr and a bad exit. A stderr that is closed changes nothing about the exit.
fn failed(error: &dyn Display) -> ExitCode {
    drop(writeln!(std::io::stderr(), "error: {error}"));
    ExitCode::FAILURE
}
