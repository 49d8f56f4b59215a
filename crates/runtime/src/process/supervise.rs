//! `tidegate __supervise`: one small process per instance that outlives nobody. It ends the whole tree of its command
//! when the server is gone, when it is told to, and when the command itself has ended.
//!
//! It has one thread: a parent-death signal fires when the *thread* that spawned a child ends. It must stay tiny, for
//! there is one per instance, and must not read what the command writes.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid, kill_process};

use super::block::{self, Report};
use super::system::{self, Ended, OWN_EXE, Reaped, Wakeups};

/// Between looks at a tree that is being killed; it grows to the second one, for what does not die at once hangs in
/// the kernel and may do so for long.
const KILL_AGAIN_FIRST: Duration = Duration::from_millis(5);
const KILL_AGAIN_MAX: Duration = Duration::from_secs(1);

/// Runs `--grace-ms N -- COMMAND…` and exits as the command did, once nothing of its tree is left. Standard input is a
/// socket to the server: the environment comes first, then a byte that asks to stop, or the end; a report goes back.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let Ok(channel) = io::stdin().as_fd().try_clone_to_owned() else { return ExitCode::FAILURE };
    let mut channel = UnixStream::from(channel);
    let report =
        supervise(args, &mut channel).unwrap_or_else(|error| Report::Launch(error.to_string()));
    // The server may be gone; then nobody wants to know.
    let _ = report.write(&mut channel);
    match report {
        Report::Launch(_) => ExitCode::FAILURE,
        Report::Exit(status) => u8::try_from(status).map_or(ExitCode::FAILURE, ExitCode::from),
        Report::Signal(number) => {
            u8::try_from(number + 128).map_or(ExitCode::FAILURE, ExitCode::from)
        }
    }
}

fn supervise(args: impl Iterator<Item = OsString>, channel: &mut UnixStream) -> io::Result<Report> {
    let usage = || io::Error::other("usage: tidegate __supervise --grace-ms N -- COMMAND");
    let (grace, command) = parse(args).ok_or_else(usage)?;
    system::adopt_orphans()?;
    let wakeups = Wakeups::new()?;
    let environment = block::read(channel)?;
    let tree = match start(&command, &environment)? {
        Ok(main) => Tree::new(main, grace),
        Err(failure) => return Ok(Report::Launch(failure)),
    };
    channel.set_nonblocking(true)?;
    tree.watch(channel, &wakeups)
}

fn parse(mut args: impl Iterator<Item = OsString>) -> Option<(Duration, Vec<OsString>)> {
    let grace_ms =
        (args.next()? == "--grace-ms").then(|| args.next()?.to_str()?.parse().ok())??;
    (args.next()? == "--").then(|| (Duration::from_millis(grace_ms), args.collect()))
}

/// Starts the command through `__exec`. The inner error says why there is no command now.
fn start(command: &[OsString], environment: &[u8]) -> io::Result<Result<Pid, String>> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let exe = if OWN_EXE.is_empty() { std::env::current_exe()? } else { OWN_EXE.into() };
    let child = Command::new(exe)
        .arg0("tidegate")
        .args(["__exec", "--parent", &getpid().as_raw_pid().to_string(), "--"])
        .args(command)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        // A group of its own: a server that signals its group must not hit its supervisor.
        .process_group(0)
        .spawn()?;
    // It may have ended already; then it has said why.
    let _ = ours.write_all(environment).and_then(|()| ours.shutdown(Shutdown::Write));
    let mut failure = String::new();
    (&mut ours).take(block::REPORT_BYTES_MAX as u64).read_to_string(&mut failure)?;
    let main = Pid::from_child(&child);
    if failure.is_empty() {
        return Ok(Ok(main));
    }
    Ok(Err(failure))
}

/// The processes of a command.
struct Tree {
    main: Pid,
    /// How the main process ended.
    ended: Option<Ended>,
    grace: Duration,
    /// When the grace is over, once it has begun.
    deadline: Option<Instant>,
    killing: Option<Duration>,
}

impl Tree {
    fn new(main: Pid, grace: Duration) -> Self {
        Self { main, ended: None, grace, deadline: None, killing: None }
    }

    /// Waits until nothing of the tree is left, ending it when it is time to.
    fn watch(mut self, channel: &mut UnixStream, wakeups: &Wakeups) -> io::Result<Report> {
        let mut connected = true;
        loop {
            let woken = wakeups.wait(connected.then(|| channel.as_fd()), self.timeout())?;
            if woken.told_to_end {
                self.terminate();
            }
            if connected && woken.channel {
                match read_order(channel) {
                    Order::Nothing => {}
                    Order::Stop => self.terminate(),
                    Order::Gone => {
                        connected = false;
                        self.kill();
                    }
                }
            }
            if self.deadline.is_some_and(|deadline| deadline <= now()) {
                self.kill();
            }
            if self.reap()? {
                return Ok(match self.ended {
                    Some(Ended::Exit(status)) => Report::Exit(status),
                    Some(Ended::Signal(number)) => Report::Signal(number),
                    None => Report::Launch("the command was lost".to_owned()),
                });
            }
        }
    }

    fn timeout(&self) -> Option<Duration> {
        self.killing
            .or_else(|| self.deadline.map(|deadline| deadline.saturating_duration_since(now())))
    }

    /// Asks the main process, and only it, as a container's is asked: it knows how to end its workers.
    fn terminate(&mut self) {
        if self.deadline.is_none() && self.ended.is_none() {
            self.deadline = Some(now() + self.grace);
            let _ = kill_process(self.main, Signal::TERM);
        }
    }

    fn kill(&mut self) {
        self.deadline = None;
        self.killing = self.killing.or(Some(KILL_AGAIN_FIRST));
    }

    /// Buries the dead, and kills the living if it is time to. Returns whether nobody is left.
    fn reap(&mut self) -> io::Result<bool> {
        if let Some(again) = &mut self.killing {
            system::kill_all(&system::descendants(getpid()));
            *again = (*again * 2).min(KILL_AGAIN_MAX);
        }
        loop {
            match system::reap()? {
                Reaped::Child(pid, ended) if pid == self.main => {
                    self.ended = ended;
                    self.kill();
                }
                Reaped::Child(..) => {}
                Reaped::NoneYet => return Ok(false),
                Reaped::NoneLeft => return Ok(true),
            }
        }
    }
}

enum Order {
    Nothing,
    Stop,
    /// The server has closed the channel, or is gone.
    Gone,
}

fn read_order(channel: &mut UnixStream) -> Order {
    let mut bytes = [0; 16];
    match channel.read(&mut bytes) {
        Ok(0) => Order::Gone,
        Ok(read) if bytes.iter().take(read).any(|byte| *byte == block::STOP) => Order::Stop,
        Ok(_) => Order::Nothing,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) =>
        {
            Order::Nothing
        }
        Err(_) => Order::Gone,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a supervisor has no runtime whose clock it could ask"
)]
fn now() -> Instant {
    Instant::now()
}
