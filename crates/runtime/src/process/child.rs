//! A supervised command, as the server sees it: a socket to its supervisor, and two streams to read.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use domain::instance::{Address, ExitCause};
use logs::Output;
use rustix::process::Pid;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child as Process, Command};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use crate::instance::{Running, Tasks};

use super::block::{self, REPORT_BYTES_MAX, Report, Settings};
use super::environment::MARK;
use super::output::Sink;
use super::port::Port;
use super::share::Seats;
use super::sweep::sweep;

/// Wall time a supervisor may take beyond what it was given: it kills in milliseconds what can be killed.
pub(crate) const SUPERVISOR_TIMEOUT: Duration = Duration::from_secs(5);

/// Wall time to read the rest of the output. Nobody writes to it any more, so it ends as soon as it is read.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(5);

/// What to run and how.
pub(crate) struct Launch<'a> {
    pub(crate) exe: &'a Path,
    pub(crate) id: &'a str,
    pub(crate) command: &'a [String],
    pub(crate) settings: &'a Settings,
    pub(crate) folder: &'a Path,
    pub(crate) grace: Duration,
    pub(crate) address: Address,
    /// The port of `address`, if it has one.
    pub(crate) port: Option<Port>,
    /// The processors of `settings`, if they are bounded.
    pub(crate) seats: Option<Seats>,
}

/// A command that runs, with its supervisor.
#[derive(Debug)]
pub(crate) struct Child {
    id: String,
    address: Address,
    supervisor: Process,
    pid: Option<Pid>,
    channel: UnixStream,
    report: Vec<u8>,
    output: Option<JoinHandle<()>>,
    sink: Arc<Sink>,
    grace: Duration,
    stopping: bool,
    cause: Option<ExitCause>,
    _port: Option<Port>,
    _seats: Option<Seats>,
}

impl Child {
    /// Starts the supervisor and hands it the settings. Whether the command itself could be started is
    /// told by [`Running::ended`].
    pub(crate) async fn launch(
        launch: Launch<'_>,
        sink: Arc<Sink>,
        outputs: &Tasks,
    ) -> Result<Self, ExitCause> {
        let failed = |text: String| ExitCause::Launch(text);
        let block = block::encode(launch.settings).map_err(failed)?;
        let (supervisor, channel) = spawn(&launch).map_err(|error| {
            failed(format!("cannot start a supervisor with {}: {error}", launch.exe.display()))
        })?;
        let mut child = Self {
            id: launch.id.to_owned(),
            address: launch.address,
            pid: supervisor.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?)),
            supervisor,
            channel,
            report: Vec::new(),
            output: None,
            sink,
            grace: launch.grace,
            stopping: false,
            cause: None,
            _port: launch.port,
            _seats: launch.seats,
        };
        child.read_output(outputs)?;
        // If the supervisor is gone already, its end says more than this error.
        if timeout(SUPERVISOR_TIMEOUT, child.channel.write_all(&block)).await.is_err() {
            child.kill().await;
            return Err(failed("its supervisor took no orders".to_owned()));
        }
        Ok(child)
    }

    /// The process above all of the command's.
    pub(crate) fn supervisor(&self) -> Option<Pid> {
        self.pid
    }

    fn read_output(&mut self, outputs: &Tasks) -> Result<(), ExitCause> {
        let (out, err) = (self.supervisor.stdout.take(), self.supervisor.stderr.take());
        let sink = Arc::clone(&self.sink);
        let drain = async move {
            let out = async {
                if let Some(out) = out {
                    sink.drain(Output::Out, out).await;
                }
            };
            let err = async {
                if let Some(err) = err {
                    sink.drain(Output::Err, err).await;
                }
            };
            tokio::join!(out, err);
        };
        let task =
            outputs.spawn(&self.id, drain).map_err(|full| ExitCause::Launch(full.to_string()))?;
        self.output = Some(task);
        Ok(())
    }

    /// Reads what the supervisor has to say, until it is gone.
    async fn read_report(&mut self) -> ExitStatus {
        while self.report.len() < REPORT_BYTES_MAX {
            match self.channel.read_buf(&mut self.report).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => break,
            }
        }
        // An error means that someone else has reaped it; then there is nothing left to learn.
        self.supervisor.wait().await.unwrap_or_default()
    }

    async fn finish_output(&mut self) {
        if let Some(output) = &mut self.output {
            if timeout(OUTPUT_TIMEOUT, &mut *output).await.is_err() {
                output.abort();
            }
            self.output = None;
        }
        self.sink.flush().await;
    }

    /// Without a supervisor nobody has ended the command's workers.
    async fn sweep(&self) {
        let (pid, id) = (self.pid, self.id.clone());
        let swept = spawn_blocking(move || sweep(pid, &[id])).await;
        if !matches!(swept, Ok(true)) {
            tracing::error!(instance = self.id, "processes of an instance cannot be killed");
        }
    }
}

impl Running for Child {
    fn address(&self) -> &Address {
        &self.address
    }

    async fn ended(&mut self) -> ExitCause {
        if let Some(cause) = &self.cause {
            return cause.clone();
        }
        let supervisor = self.read_report().await;
        let report = Report::parse(&self.report);
        if report.is_none() {
            self.sweep().await;
        }
        self.finish_output().await;
        let status = match report {
            Some(Report::Launch(text)) => {
                return self.cause.insert(ExitCause::Launch(text)).clone();
            }
            Some(Report::Exit(status)) => format!("exit status {status}"),
            Some(Report::Signal(number)) => format!("signal {number}"),
            None => format!("its supervisor ended early, {supervisor}"),
        };
        self.cause.insert(ExitCause::Ended { status, last_words: self.sink.last_words() }).clone()
    }

    fn last_words(&self) -> String {
        self.sink.last_words()
    }

    async fn stop(&mut self) {
        if !self.stopping {
            self.stopping = true;
            let _ = self.channel.write_all(&[block::STOP]).await;
        }
        if timeout(self.grace.saturating_add(SUPERVISOR_TIMEOUT), self.ended()).await.is_err() {
            self.kill().await;
        }
    }

    async fn kill(&mut self) {
        let _ = self.channel.shutdown().await;
        if timeout(SUPERVISOR_TIMEOUT, self.ended()).await.is_err() {
            let _ = self.supervisor.start_kill();
            self.ended().await;
        }
    }
}

fn spawn(launch: &Launch<'_>) -> std::io::Result<(Process, UnixStream)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut command = Command::new(launch.exe);
    command
        .args(["__supervise", "--grace-ms", &launch.grace.as_millis().to_string(), "--"])
        .args(launch.command)
        .env_clear()
        .env(MARK, launch.id)
        .current_dir(launch.folder)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let supervisor = command.spawn()?;
    // `command` still holds the supervisor's end of the socket; it goes here, or its end would never be seen.
    drop(command);
    Ok((supervisor, UnixStream::from_std(ours)?))
}
