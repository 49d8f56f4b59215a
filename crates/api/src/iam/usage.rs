//! Who uses which managed policy.

use std::collections::BTreeMap;

use domain::iam::Grants;
use store::State;

/// How often one policy is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) attached: i32,
    pub(super) boundaries: i32,
}

impl Usage {
    pub(super) const fn is_used(self) -> bool {
        self.attached > 0 || self.boundaries > 0
    }
}

/// The use of one policy.
pub(super) fn of(state: &State, arn: &str) -> Usage {
    let mut usage = Usage::default();
    walk(state, |used, is_boundary| {
        if used == arn {
            count(&mut usage, is_boundary);
        }
    });
    usage
}

/// The use of every policy that is used.
pub(super) fn of_all(state: &State) -> BTreeMap<&str, Usage> {
    let mut all: BTreeMap<&str, Usage> = BTreeMap::new();
    walk(state, |used, is_boundary| count(all.entry(used).or_default(), is_boundary));
    all
}

const fn count(usage: &mut Usage, is_boundary: bool) {
    if is_boundary {
        usage.boundaries += 1;
    } else {
        usage.attached += 1;
    }
}

fn walk<'a>(state: &'a State, mut see: impl FnMut(&'a str, bool)) {
    let mut holder = |grants: &'a Grants, boundary: Option<&'a String>| {
        for arn in &grants.attached {
            see(arn, false);
        }
        if let Some(arn) = boundary {
            see(arn, true);
        }
    };
    state.users.values().for_each(|user| holder(&user.grants, user.boundary.as_ref()));
    state.groups.values().for_each(|group| holder(&group.grants, None));
    state.roles.values().for_each(|role| holder(&role.grants, role.boundary.as_ref()));
}
