//! What only the operating system can do. Everything that Linux alone offers is in `linux`; `portable` does as well as
//! POSIX allows, so that the rest of the crate never asks which system it runs on.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;
#[cfg(target_os = "linux")]
mod sandbox;

#[cfg(target_os = "linux")]
pub(crate) use linux::{
    OWN_EXE, Processes, Wakeups, adopt_orphans, clear_signal_mask, descendants, die_with_parent,
    processors, run_on, session_or_marked,
};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{
    OWN_EXE, Processes, Wakeups, adopt_orphans, clear_signal_mask, confine, descendants,
    die_with_parent, not_confined, processors, run_on, session_or_marked,
};
#[cfg(target_os = "linux")]
pub(crate) use sandbox::{confine, not_confined};

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

/// What woke a supervisor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Woken {
    /// The channel to the server can be read, or has been closed.
    pub(crate) channel: bool,
    /// A signal asks the supervisor to end.
    pub(crate) told_to_end: bool,
}

/// Waits for any of `fds`, for `timeout` at most. A signal that interrupts counts as a timeout.
fn poll_for(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    match poll(fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Does nothing for `span`. Only for threads that no runtime shares.
pub(crate) fn pause(span: Duration) {
    // An error means that it was no pause at all, and every caller counts its pauses.
    let _ = poll_for(&mut [], Some(span));
}

/// Kills processes; those that are gone meanwhile do not matter.
pub(crate) fn kill_all(processes: &[Pid]) {
    for process in processes {
        let _ = kill_process(*process, Signal::KILL);
    }
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Exit(i32),
    Signal(i32),
}

/// Takes note of children that have ended.
pub(crate) enum Reaped {
    Child(Pid, Option<Ended>),
    /// Children run, and none has ended.
    NoneYet,
    /// There are no children.
    NoneLeft,
}

/// Reaps one child, without waiting.
pub(crate) fn reap() -> io::Result<Reaped> {
    match wait(WaitOptions::NOHANG) {
        Ok(Some((pid, status))) => {
            let exit = status.exit_status().map(Ended::Exit);
            Ok(Reaped::Child(pid, exit.or_else(|| status.terminating_signal().map(Ended::Signal))))
        }
        Ok(None) => Ok(Reaped::NoneYet),
        Err(rustix::io::Errno::CHILD) => Ok(Reaped::NoneLeft),
        Err(error) => Err(error.into()),
    }
}
