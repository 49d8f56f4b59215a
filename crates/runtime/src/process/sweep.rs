//! Ends what supervisors could not: they may be killed too. Reads `/proc` and waits; not for a runtime's threads.

use std::time::Duration;

use rustix::process::Pid;

use super::environment::MARK;
use super::system;

/// Between two looks. What is killed is gone within it unless it hangs in the kernel.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks before giving up, five seconds in all.
const LOOKS_MAX: u32 = 250;

/// Kills every process of the instances `ids`: those that inherited their mark, and those in the session that `leader`,
/// a supervisor that is gone, led. Returns whether none is left.
pub(crate) fn sweep(leader: Option<Pid>, ids: &[String]) -> bool {
    if leader.is_none() && ids.is_empty() {
        return true;
    }
    let marks: Vec<_> = ids.iter().map(|id| format!("{MARK}={id}")).collect();
    for _ in 0..LOOKS_MAX {
        let left = system::session_or_marked(leader, &marks);
        if left.is_empty() {
            return true;
        }
        system::kill_all(&left);
        system::pause(LOOK_EVERY);
    }
    false
}
