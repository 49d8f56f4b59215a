//! The checks of trust policies, which IAM words differently.
//!
//! Texts: answers of AWS that issues and other implementations record (`docs/decisions/0005-policies.md`).

use std::collections::BTreeSet;

use super::super::element::Elements;
use super::super::malformed::Malformed;

/// Whether each statement says `Allow` or `Deny`; comes before conditions are looked at.
pub(in super::super) fn check_effects(statements: &[Elements]) -> Result<(), Malformed> {
    statements.iter().try_for_each(|statement| match statement.effect.as_deref() {
        Some("Allow" | "Deny") => Ok(()),
        Some(other) => Err(Malformed::TrustEffect(other.into())),
        None => Err(Malformed::TrustMissing("Effect")),
    })
}

/// Everything but effects, principals and conditions.
pub(in super::super) fn check(statements: &[Elements]) -> Result<(), Malformed> {
    let mut seen = BTreeSet::new();
    for statement in statements {
        check_statement(statement)?;
        let sid = statement.sid.as_deref().filter(|sid| !sid.is_empty());
        if sid.is_some_and(|sid| !seen.insert(sid)) {
            return Err(Malformed::TrustDuplicateSid);
        }
    }
    Ok(())
}

fn check_statement(statement: &Elements) -> Result<(), Malformed> {
    if statement.not_principal {
        let allows = statement.effect.as_deref() == Some("Allow");
        return Err(if allows {
            Malformed::TrustAllowNotPrincipal
        } else {
            Malformed::TrustNotPrincipal
        });
    }
    if statement.principal.is_none() {
        return Err(Malformed::TrustMissing("Principal"));
    }
    if statement.actions().is_empty() {
        return Err(Malformed::TrustMissing("Action"));
    }
    let is_sts = |action: &String| {
        action.split_once(':').is_some_and(|(service, name)| {
            service.eq_ignore_ascii_case("sts") && !name.contains(':')
        })
    };
    if !statement.actions().iter().all(is_sts) {
        return Err(Malformed::TrustActions);
    }
    match (&statement.resource, &statement.not_resource) {
        (Some(_), _) => Err(Malformed::TrustResource),
        (None, Some(_)) => Err(Malformed::TrustNotResource),
        (None, None) => Ok(()),
    }
}
