//! The demonstration's own server: this program again, on a port and a data directory of its own.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::target::Target;
use crate::{Environment, Error, Global};

/// How fast its time runs: what takes a minute on AWS takes a second here.
pub(super) const TIME_SCALE: u32 = 60;

/// A server with an empty data directory is up in well under a second; a machine that swaps may take longer.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A server drains its requests when it is told to stop. The demonstration has none left by then.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// Between two looks for the line that says it is ready.
const LOOK: Duration = Duration::from_millis(20);

/// How it says so.
const READY: &str = "tidegate is ready at ";

/// Lines of its log that are shown when it fails.
const LOG_LINES_SHOWN: usize = 15;

/// A running server. Dropping it kills it; [`OwnServer::stop`] asks first.
#[derive(Debug)]
pub(super) struct OwnServer {
    child: Child,
    folder: TempDir,
}

impl OwnServer {
    /// Starts it and waits until it is ready.
    pub(super) async fn start(
        region: Option<&str>,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let failed = |cause: io::Error| Error::Failed(format!("cannot start a server: {cause}"));
        let folder = tempfile::Builder::new().prefix("tidegate-demo-").tempdir().map_err(failed)?;
        let log = File::create(log_path(folder.path())).map_err(failed)?;
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command
            .arg("up")
            .arg("--data-dir")
            .arg(data_dir(folder.path()))
            .args(["--listen", "127.0.0.1:0", "--time-scale", &TIME_SCALE.to_string()])
            .args(region.into_iter().flat_map(|region| ["--region", region]))
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            // Ctrl-C is for the demonstration, which then stops the server in good order.
            .process_group(0)
            .kill_on_drop(true);
        // What the user set for a server of theirs is not meant for this one.
        for name in environment.keys().filter(|name| name.starts_with("TIDEGATE_")) {
            command.env_remove(name);
        }
        let child = command.spawn().map_err(failed)?;
        let mut server = Self { child, folder };
        server.wait_until_ready().await?;
        Ok(server)
    }

    async fn wait_until_ready(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            // The whole line: its end says that the server has written all of it.
            if self.log().lines().any(|line| line.contains(READY)) && self.log().ends_with('\n') {
                return Ok(());
            }
            let exit = self
                .child
                .try_wait()
                .map_err(|cause| Error::Failed(format!("cannot watch the server: {cause}")))?;
            if let Some(status) = exit {
                return Err(Error::Failed(format!(
                    "the server ended with {status}; its log:\n{}",
                    self.log_tail()
                )));
            }
            if Instant::now() >= deadline {
                let secs = START_TIMEOUT.as_secs();
                return Err(Error::Failed(format!(
                    "the server is not ready after {secs} s; its log:\n{}",
                    self.log_tail()
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Where it answers, and the root key.
    pub(super) fn target(&self) -> Result<Target, Error> {
        let global = Global { data_dir: Some(self.data_dir()), ..Global::default() };
        Target::resolve(&global, &Environment::new())
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        data_dir(self.folder.path())
    }

    /// The end of what it said.
    pub(super) fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines
            .iter()
            .skip(lines.len().saturating_sub(LOG_LINES_SHOWN))
            .map(|line| format!("  {line}"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn log(&self) -> String {
        std::fs::read(log_path(self.folder.path()))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Asks it to stop, and kills it if it does not. Its data go with it.
    pub(super) async fn stop(mut self) -> Result<(), Error> {
        let failed = |cause: io::Error| Error::Failed(format!("cannot stop the server: {cause}"));
        if let Some(pid) = self.pid() {
            kill_process(pid, Signal::TERM).map_err(|error| failed(error.into()))?;
        }
        if let Ok(ended) = tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await {
            let status = ended.map_err(failed)?;
            if !status.success() {
                return Err(Error::Failed(format!(
                    "the server ended with {status}; its log:\n{}",
                    self.log_tail()
                )));
            }
            return Ok(());
        }
        self.child.kill().await.map_err(failed)?;
        let secs = STOP_TIMEOUT.as_secs();
        Err(Error::Failed(format!(
            "the server did not stop within {secs} s and was killed; its log:\n{}",
            self.log_tail()
        )))
    }

    /// Leaves it running: its data directory and its process id.
    pub(super) fn keep(self) -> (PathBuf, Option<u32>) {
        let (path, id) = (self.data_dir(), self.child.id());
        let _ = self.folder.keep();
        // Dropped, the child would be killed; nothing of it needs closing, its output goes to a file.
        std::mem::forget(self.child);
        (path, id)
    }

    fn pid(&self) -> Option<Pid> {
        self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }
}

fn data_dir(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("server.log")
}
