//! Anything but Linux: POSIX has no subreapers and no parent-death signals. An orphan that made a session of its own is
//! lost, and when server and supervisor are both killed nothing ends the command.

use std::collections::BTreeSet;
use std::io;
use std::num::NonZero;
use std::os::fd::BorrowedFd;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::SigSet;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, getpid, getppid, getsid, setsid};

use super::{Woken, poll_for};
use crate::driver::Usage;
use crate::process::confine::Grant;

/// The running binary; found when it is used.
pub(crate) const OWN_EXE: &str = "";

/// How often a supervisor looks after its children, for want of something to wait on.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Linux")]
pub(crate) fn adopt_orphans() -> io::Result<()> {
    let _ = setsid();
    Ok(())
}

pub(crate) fn die_with_parent(parent: i32) -> io::Result<()> {
    if getppid().map(Pid::as_raw_pid) == Some(parent) {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::NotFound, "the supervising process is gone"))
    }
}

pub(crate) fn clear_signal_mask() -> io::Result<()> {
    Ok(SigSet::empty().thread_set_mask()?)
}

/// Numbers for as many processors as there are.
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Linux")]
pub(crate) fn processors() -> io::Result<Vec<usize>> {
    Ok((0..std::thread::available_parallelism().map_or(1, NonZero::get)).collect())
}

/// Not every system binds processes to processors: an instance runs on all.
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Linux")]
pub(crate) fn run_on(_: &[usize]) -> io::Result<()> {
    Ok(())
}

#[derive(Debug)]
pub(crate) struct Wakeups;

impl Wakeups {
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as on Linux")]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "the same signature as on Linux")]
    pub(crate) fn wait(
        &self,
        channel: Option<BorrowedFd<'_>>,
        timeout: Option<Duration>,
    ) -> io::Result<Woken> {
        let mut fds: Vec<_> = channel
            .map(|channel| PollFd::from_borrowed_fd(channel, PollFlags::IN))
            .into_iter()
            .collect();
        poll_for(&mut fds, Some(timeout.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)))?;
        Ok(Woken {
            channel: fds.first().is_some_and(|fd| !fd.revents().is_empty()),
            told_to_end: false,
        })
    }
}

/// Process and parent of everything that runs, as `ps` tells.
fn processes() -> Vec<(Pid, i32)> {
    let Ok(listed) = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output() else {
        return Vec::new();
    };
    let line = |line: &str| {
        let mut fields = line.split_whitespace().filter_map(|field| field.parse().ok());
        Some((Pid::from_raw(fields.next()?)?, fields.next()?))
    };
    String::from_utf8_lossy(&listed.stdout).lines().filter_map(line).collect()
}

/// What processes use is told by no call that POSIX has.
#[derive(Debug)]
pub(crate) struct Processes;

impl Processes {
    pub(crate) fn now() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the same signature as on Linux")]
    pub(crate) fn below(&self, _: Pid) -> Option<Usage> {
        None
    }
}

/// Nothing but a container could confine a process here.
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Linux")]
pub(crate) fn confine(_: &[Grant]) -> io::Result<()> {
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Linux")]
pub(crate) fn not_confined() -> Option<&'static str> {
    Some(
        "this is not Linux: model servers may read and write all that you may, the data directory with its root access key included",
    )
}

/// Besides the descendants those orphans that are still in the session of `root`.
pub(crate) fn descendants(root: Pid) -> Vec<Pid> {
    let processes = processes();
    let mut family = BTreeSet::from([root.as_raw_pid()]);
    let mut found = Vec::new();
    loop {
        let known = found.len();
        for (pid, parent) in &processes {
            let related = family.contains(parent) || getsid(Some(*pid)).ok() == Some(root);
            if related && family.insert(pid.as_raw_pid()) {
                found.push(*pid);
            }
        }
        if found.len() == known {
            return found;
        }
    }
}

pub(crate) fn session_or_marked(leader: Option<Pid>, _marks: &[String]) -> Vec<Pid> {
    let Some(leader) = leader else { return Vec::new() };
    let of_session = |pid: &Pid| *pid != getpid() && getsid(Some(*pid)).ok() == Some(leader);
    processes().into_iter().map(|(pid, _)| pid).filter(of_session).collect()
}
