//! Linux: child subreapers, parent-death signals, signalfd and `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal as SignalNumber};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags};
use rustix::process::{
    Pid, Signal, getpid, getppid, set_child_subreaper, set_parent_process_death_signal, setsid,
};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::{Woken, poll_for};

/// The running binary, also after the file has been replaced or removed.
pub(crate) const OWN_EXE: &str = "/proc/self/exe";

/// Makes the caller the leader of a session and the parent of every orphan among its descendants.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    // It fails for a leader of a process group, which a child that was just spawned is only when started by hand.
    let _ = setsid();
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// From now on the kernel kills the caller when its parent ends, however that happens. Fails if `parent` is not the
/// parent (any more).
pub(crate) fn die_with_parent(parent: i32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have ended before the line above; then someone else is the parent, and nobody will tell.
    if getppid().map(Pid::as_raw_pid) == Some(parent) {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::NotFound, "the supervising process is gone"))
    }
}

/// Blocks no signal: a mask survives `exec`, and a model server must get its SIGTERM.
pub(crate) fn clear_signal_mask() -> io::Result<()> {
    Ok(SigSet::empty().thread_set_mask()?)
}

/// Numbers of the processors that the caller may run on.
pub(crate) fn processors() -> io::Result<Vec<usize>> {
    let allowed = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|number| allowed.is_set(*number)).collect())
}

/// Runs the calling thread, and all that it starts, on these processors and no other. Numbers come from [`processors`].
pub(crate) fn run_on(processors: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for number in processors.iter().filter(|number| **number < CpuSet::MAX_CPU) {
        set.set(*number);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// What a supervisor sleeps on: its channel, the end of a child, and signals to itself.
#[derive(Debug)]
pub(crate) struct Wakeups {
    signals: SignalFd,
}

impl Wakeups {
    /// From now on the signals are read and no longer delivered.
    pub(crate) fn new() -> io::Result<Self> {
        let told = [SignalNumber::SIGTERM, SignalNumber::SIGINT, SignalNumber::SIGHUP];
        let set: SigSet = told.into_iter().chain([SignalNumber::SIGCHLD]).collect();
        set.thread_block()?;
        let signals = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { signals })
    }

    /// Sleeps until something is to be done, or for `timeout`.
    pub(crate) fn wait(
        &self,
        channel: Option<BorrowedFd<'_>>,
        timeout: Option<Duration>,
    ) -> io::Result<Woken> {
        let mut fds = vec![PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN)];
        fds.extend(channel.map(|channel| PollFd::from_borrowed_fd(channel, PollFlags::IN)));
        poll_for(&mut fds, timeout)?;
        let channel = fds.get(1).is_some_and(|channel| !channel.revents().is_empty());
        let mut told_to_end = false;
        while let Some(signal) = self.signals.read_signal()? {
            told_to_end |= i32::try_from(signal.ssi_signo) != Ok(SignalNumber::SIGCHLD as i32);
        }
        Ok(Woken { channel, told_to_end })
    }
}

/// A line of `/proc/PID/stat`.
struct Stat {
    pid: Pid,
    parent: i32,
    session: i32,
    zombie: bool,
}

/// Every process, but for those that are only waiting to be reaped.
fn processes() -> Vec<Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| stat(name.parse().ok()?)).filter(|stat| !stat.zombie).collect()
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    // The name stands in parentheses and may itself hold spaces and parentheses.
    let (_, fields) = text.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let zombie = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    Some(Stat { pid: Pid::from_raw(pid)?, parent, session, zombie })
}

/// The living descendants of `root`, without itself.
pub(crate) fn descendants(root: Pid) -> Vec<Pid> {
    let processes = processes();
    let mut family = BTreeSet::from([root.as_raw_pid()]);
    let mut found = Vec::new();
    // A child may stand before its parent in the list, hence again until a pass adds nothing.
    loop {
        let known = found.len();
        for process in &processes {
            if family.contains(&process.parent) && family.insert(process.pid.as_raw_pid()) {
                found.push(process.pid);
            }
        }
        if found.len() == known {
            return found;
        }
    }
}

/// The living processes of the session that `leader` led, and those started with one of the lines `marks` (of the form
/// `NAME=value`) in their environment. The caller is not among them.
pub(crate) fn session_or_marked(leader: Option<Pid>, marks: &[String]) -> Vec<Pid> {
    // While a leader lives its number may be someone else's by now.
    let leader = leader.filter(|leader| stat(leader.as_raw_pid()).is_none());
    let own = getpid();
    let ours = |stat: &Stat| {
        stat.pid != own
            && (leader.is_some_and(|leader| leader.as_raw_pid() == stat.session)
                || is_marked(stat.pid, marks))
    };
    processes().into_iter().filter(ours).map(|stat| stat.pid).collect()
}

fn is_marked(pid: Pid, marks: &[String]) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    environment
        .split(|byte| *byte == 0)
        .any(|line| marks.iter().any(|mark| mark.as_bytes() == line))
}
