//! Linux: child subreapers, parent-death signals, signalfd and `/proc`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal as SignalNumber};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags};
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{
    Pid, Signal, getpid, getppid, set_child_subreaper, set_parent_process_death_signal, setsid,
};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::{Woken, poll_for};
use crate::driver::Usage;

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
#[derive(Debug)]
struct Stat {
    pid: Pid,
    parent: i32,
    session: i32,
    zombie: bool,
    /// Of the process itself, and of its children that have ended and been waited for, and of theirs.
    ticks: u64,
    children_ticks: u64,
    resident_pages: u64,
}

/// Every process, those included that are only waiting to be reaped.
fn all_processes() -> impl Iterator<Item = Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| stat(name.parse().ok()?))
}

/// Every process, but for those that are only waiting to be reaped.
fn processes() -> Vec<Stat> {
    all_processes().filter(|stat| !stat.zombie).collect()
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    // The name stands in parentheses and may itself hold spaces and parentheses.
    let (_, fields) = text.rsplit_once(") ")?;
    // The state, which is the third of all fields, is the first of these.
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).copied();
    let number = |number: usize| field(number)?.parse::<u64>().ok();
    Some(Stat {
        pid: Pid::from_raw(pid)?,
        zombie: matches!(field(3)?, "Z" | "X"),
        parent: field(4)?.parse().ok()?,
        session: field(6)?.parse().ok()?,
        ticks: number(14)?.saturating_add(number(15)?),
        children_ticks: number(16)?.saturating_add(number(17)?),
        resident_pages: number(24)?,
    })
}

/// All processes at one moment, by their parents.
#[derive(Debug)]
pub(crate) struct Processes {
    of: BTreeMap<i32, Vec<Stat>>,
}

impl Processes {
    pub(crate) fn now() -> Self {
        let mut of = BTreeMap::<i32, Vec<Stat>>::new();
        for process in all_processes() {
            of.entry(process.parent).or_default().push(process);
        }
        Self { of }
    }

    /// What the descendants of `root` use, and have used. `root` itself only stands for those that it has reaped.
    pub(crate) fn below(&self, root: Pid) -> Option<Usage> {
        let mut ticks = self.of.values().flatten().find(|one| one.pid == root)?.children_ticks;
        let mut pages = 0_u64;
        // Parents are ancestors and no one's own, so it ends: a process is met once, under the parent it had.
        let mut left = vec![root];
        while let Some(parent) = left.pop() {
            for process in self.of.get(&parent.as_raw_pid()).into_iter().flatten() {
                ticks = ticks.saturating_add(process.ticks).saturating_add(process.children_ticks);
                pages = pages.saturating_add(process.resident_pages);
                left.push(process.pid);
            }
        }
        let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(clock_ticks_per_second());
        let page = u64::try_from(page_size()).unwrap_or(u64::MAX);
        Some(Usage {
            cpu: Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)),
            memory_bytes: pages.saturating_mul(page),
        })
    }
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
