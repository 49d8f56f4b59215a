//! Users, groups and roles as holders of policies: found by name, and changed in their policies only.

use std::sync::Arc;

use domain::iam::{Grants, Group, Holder, NameKey, Refusal, Role, User};
use store::{Changes, State};

pub(super) fn no(holder: Holder, name: &str) -> Refusal {
    Refusal::NoHolder { holder, name: name.to_owned() }
}

pub(super) fn user<'a>(state: &'a State, name: &str) -> Result<&'a Arc<User>, Refusal> {
    state.users.get(&NameKey::new(name)).ok_or_else(|| no(Holder::User, name))
}

pub(super) fn group<'a>(state: &'a State, name: &str) -> Result<&'a Arc<Group>, Refusal> {
    state.groups.get(&NameKey::new(name)).ok_or_else(|| no(Holder::Group, name))
}

pub(super) fn role<'a>(state: &'a State, name: &str) -> Result<&'a Arc<Role>, Refusal> {
    state.roles.get(&NameKey::new(name)).ok_or_else(|| no(Holder::Role, name))
}

/// A holder's name as it is spelled, and its policies.
pub(super) fn grants<'a>(
    state: &'a State,
    holder: Holder,
    name: &str,
) -> Result<(&'a str, &'a Grants), Refusal> {
    Ok(match holder {
        Holder::User => user(state, name).map(|user| (&*user.name, &user.grants))?,
        Holder::Group => group(state, name).map(|group| (&*group.name, &group.grants))?,
        Holder::Role => role(state, name).map(|role| (&*role.name, &role.grants))?,
    })
}

/// Changes a holder's policies. Those of a service-linked role are its service's.
pub(super) fn change(
    state: &State,
    holder: Holder,
    name: &str,
    change: impl FnOnce(&str, &Grants) -> Result<Grants, Refusal>,
) -> Result<Changes, Refusal> {
    let changes = Changes::none();
    Ok(match holder {
        Holder::User => {
            let user = user(state, name)?;
            changes.put(User { grants: change(&user.name, &user.grants)?, ..(**user).clone() })
        }
        Holder::Group => {
            let group = group(state, name)?;
            changes.put(Group { grants: change(&group.name, &group.grants)?, ..(**group).clone() })
        }
        Holder::Role => {
            let role = role(state, name)?;
            role.admit_change()?;
            changes.put(Role { grants: change(&role.name, &role.grants)?, ..(**role).clone() })
        }
    })
}
