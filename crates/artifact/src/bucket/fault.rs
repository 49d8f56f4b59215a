//! The steps at which a process can die, named so that tests can make each of them fail.
//!
//! Outside tests this is nothing: [`Faults::at`] is always `Ok`.

use std::io;

/// In the order in which an upload passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    CreateBlob,
    WriteBlob,
    SyncBlob,
    NameBlob,
    SyncFolder,
    Commit,
    Committed,
    DiscardBlob,
}

#[cfg(test)]
impl Step {
    pub(super) const ALL: [Self; 8] = [
        Self::CreateBlob,
        Self::WriteBlob,
        Self::SyncBlob,
        Self::NameBlob,
        Self::SyncFolder,
        Self::Commit,
        Self::Committed,
        Self::DiscardBlob,
    ];
}

/// What goes wrong, if anything.
#[derive(Debug, Default)]
pub(super) struct Faults {
    #[cfg(test)]
    planned: std::sync::Mutex<Option<(Step, Fault)>>,
    #[cfg(test)]
    dead: std::sync::atomic::AtomicBool,
}

/// How a step fails.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The call fails; the process lives and cleans up.
    Error(io::ErrorKind),
    /// The process is gone: nothing more happens, no clean-up either.
    Death,
}

#[cfg(not(test))]
#[expect(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "the test build fails here on demand"
)]
impl Faults {
    pub(super) fn at(&self, _step: Step) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn dead(&self) -> bool {
        false
    }
}

#[cfg(test)]
impl Faults {
    pub(super) fn plan(&self, step: Step, fault: Fault) {
        *self.planned.lock().unwrap() = Some((step, fault));
    }

    pub(super) fn clear(&self) {
        *self.planned.lock().unwrap() = None;
    }

    pub(super) fn at(&self, step: Step) -> io::Result<()> {
        if self.dead() {
            return Err(io::Error::other("dead"));
        }
        match *self.planned.lock().unwrap() {
            Some((planned, Fault::Error(kind))) if planned == step => Err(kind.into()),
            Some((planned, Fault::Death)) if planned == step => {
                self.dead.store(true, std::sync::atomic::Ordering::SeqCst);
                Err(io::Error::other("dead"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn dead(&self) -> bool {
        self.dead.load(std::sync::atomic::Ordering::SeqCst)
    }
}
