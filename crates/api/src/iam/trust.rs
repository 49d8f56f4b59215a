//! Trust policies that name users and roles by ARN, as these are renamed or deleted.
//!
//! IAM keeps unique ids in place of the ARNs. Here the ARNs are kept, and the texts follow.

use std::collections::BTreeSet;

use domain::iam::{NameKey, Role};
use store::{Changes, State};

/// Roles that trust an ARN trust another one then: the same user under its new name.
pub(super) fn renamed(changes: Changes, state: &State, from: &str, to: &str) -> Changes {
    replaced(changes, state, &BTreeSet::new(), from, to)
}

/// Roles that trust somebody deleted trust the unique id then, which nobody has: whoever is made anew under the ARN is
/// not trusted. `gone` are roles that are deleted themselves.
pub(super) fn forgotten(
    changes: Changes,
    state: &State,
    gone: &BTreeSet<NameKey>,
    arn: &str,
    id: &str,
) -> Changes {
    replaced(changes, state, gone, arn, id)
}

fn replaced(
    changes: Changes,
    state: &State,
    gone: &BTreeSet<NameKey>,
    from: &str,
    to: &str,
) -> Changes {
    if from == to {
        return changes;
    }
    let (from, to) = (format!("\"{from}\""), format!("\"{to}\""));
    let roles =
        state.roles.iter().filter(|(key, role)| !gone.contains(*key) && role.trust.contains(&from));
    roles.fold(changes, |changes, (_, role)| {
        changes.put(Role { trust: role.trust.replace(&from, &to), ..(**role).clone() })
    })
}
