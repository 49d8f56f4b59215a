//! Linux: no new privileges, and Landlock, which any process may ask for and none can take off again.

use std::io;
use std::path::PathBuf;

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible as _, PathBeneath, PathFd,
    Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, Scope, path_beneath_rules,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_no_new_privs,
};

use crate::process::confine::{Access, Grant};

/// The newest version whose rights are asked for, that of Linux 6.12. What a kernel lacks of it is left out, as
/// [`not_confined`] tells. A right that is newer may break a model server and must be tried first.
const NEWEST: ABI = ABI::V6;

/// What root keeps: enough to own files, to become another user and to listen on any port, as model servers do that
/// were written for a container's root. With more it could read the memory of any process, Landlock or not.
const ROOT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::NET_BIND_SERVICE);

/// What is open to the caller from now on, and to all that it starts. Besides, no program gives it more rights than it
/// has (`setuid`), and it cannot signal or trace who is not its own.
///
/// Paths that are gone are left out. Without Landlock only the privileges are taken; any other failure is an error.
pub(crate) fn confine(grants: &[Grant]) -> io::Result<()> {
    set_no_new_privs(true)?;
    give_up_capabilities()?;
    restrict(grants).map_err(io::Error::other)
}

fn give_up_capabilities() -> io::Result<()> {
    let held = capabilities(None)?;
    if ROOT.contains(held.permitted) {
        return Ok(());
    }
    let (effective, permitted) = (held.effective & ROOT, held.permitted & ROOT);
    let inheritable = CapabilitySet::empty();
    // For good: without new privileges, root gets none back from a program that it becomes.
    Ok(set_capabilities(None, CapabilitySets { effective, permitted, inheritable })?)
}

fn restrict(grants: &[Grant]) -> Result<(), RulesetError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for access in [Access::Read, Access::Write, Access::Bind] {
        let paths = grants.iter().filter(|grant| grant.access == access).map(|grant| &grant.path);
        ruleset = ruleset.add_rules(rules(paths, rights(access)))?;
    }
    ruleset.restrict_self().map(drop)
}

fn rules<'a>(
    paths: impl Iterator<Item = &'a PathBuf>,
    rights: BitFlags<AccessFs>,
) -> impl Iterator<Item = Result<PathBeneath<PathFd>, RulesetError>> {
    path_beneath_rules(paths, rights)
}

fn rights(access: Access) -> BitFlags<AccessFs> {
    match access {
        Access::Read => AccessFs::from_read(NEWEST),
        // A device file of one's own making would be a way to the disk, for root at least.
        Access::Write => AccessFs::from_all(NEWEST) & !(AccessFs::MakeChar | AccessFs::MakeBlock),
        Access::Bind => AccessFs::MakeSock.into(),
    }
}

/// What this kernel will not keep model servers from, if there is something.
pub(crate) fn not_confined() -> Option<&'static str> {
    let lacks = |version: ABI| {
        let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        let files = ruleset.handle_access(AccessFs::from_all(version));
        let scope = Scope::from_all(version);
        files
            .and_then(|files| if scope.is_empty() { Ok(files) } else { files.scope(scope) })
            .is_err()
    };
    if lacks(ABI::V1) {
        Some(
            "this kernel offers no Landlock (Linux has it from 5.13 on, if it is built in and enabled): model servers \
             may read and write all that you may, the data directory with its root access key included",
        )
    } else if lacks(ABI::V3) {
        Some(
            "this kernel's Landlock is an old one (Linux 6.12 has what is needed): model servers cannot read or write \
             your files, but may cut them to nothing if they know the path, and end your processes",
        )
    } else if lacks(NEWEST) {
        Some(
            "this kernel's Landlock is an old one (Linux 6.12 has what is needed): model servers cannot read or write \
             your files, but may end your processes",
        )
    } else {
        None
    }
}
