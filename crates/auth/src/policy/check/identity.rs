//! The checks of policies that are attached to users, groups, roles and sessions, in the order of AWS's answers.
//!
//! The order and the texts follow what moto records of AWS (`tests/test_iam/test_iam_policies.py`).

use std::collections::BTreeSet;

use super::super::document::{Kind, Version};
use super::super::element::Elements;
use super::super::malformed::Malformed;

/// Whether each statement has an effect, in whatever letters, and none a principal.
pub(in super::super) fn check_elements(statements: &[Elements]) -> Result<(), Malformed> {
    let is_effect = |text: &str| EFFECTS.iter().any(|known| known.eq_ignore_ascii_case(text));
    for statement in statements {
        if !statement.effect.as_deref().is_some_and(is_effect) {
            return Err(Malformed::Syntax);
        }
        if statement.principal.is_some() || statement.not_principal {
            return Err(Malformed::Principal);
        }
    }
    Ok(())
}

/// An effect in other letters passes the first of AWS's parsers and stops at the second.
pub(in super::super) fn check_effects_case(statements: &[Elements]) -> Result<(), Malformed> {
    let mut effects = statements.iter().filter_map(|statement| statement.effect.as_deref());
    if effects.all(|effect| EFFECTS.contains(&effect)) { Ok(()) } else { Err(Malformed::Legacy) }
}

const EFFECTS: [&str; 2] = ["Allow", "Deny"];

/// Managed policies must be of the current version; older ones and none at all are left in inline policies.
pub(in super::super) fn check_version(
    kind: Kind,
    version: Option<Version>,
) -> Result<(), Malformed> {
    match (kind, version) {
        (Kind::Managed, None | Some(Version::V2008)) => Err(Malformed::Version),
        _ => Ok(()),
    }
}

/// Everything but what compiling the conditions finds, which comes before `check` in AWS's order.
pub(in super::super) fn check(statements: &[Elements]) -> Result<(), Malformed> {
    let resource_fault = resources(statements)?;
    sids(statements)?;
    if statements.iter().any(|statement| statement.actions().is_empty()) {
        return Err(Malformed::NoActions);
    }
    if statements.iter().any(|statement| statement.resources().is_empty()) {
        return Err(Malformed::NoResources);
    }
    if let Some(fault) = resource_fault {
        return Err(fault);
    }
    let listed = statements.iter().filter_map(|statement| statement.action.as_ref());
    let excluded = statements.iter().filter_map(|statement| statement.not_action.as_ref());
    listed.chain(excluded).flatten().try_for_each(|action| check_action(action))
}

fn sids(statements: &[Elements]) -> Result<(), Malformed> {
    let mut seen = BTreeSet::new();
    let sids = statements.iter().filter_map(|statement| statement.sid.as_deref());
    for sid in sids.filter(|sid| !sid.is_empty()) {
        if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Malformed::Sid);
        }
        if !seen.insert(sid) {
            return Err(Malformed::DuplicateSid);
        }
    }
    Ok(())
}

/// Faults of form are named only after other checks; of several, that of the first in order of the last statement. What
/// the older parser cannot read ends the check at once, unless a fault of form was there before.
fn resources(statements: &[Elements]) -> Result<Option<Malformed>, Malformed> {
    let mut fault = None;
    for statement in statements {
        let mut resources: Vec<&String> = statement.resources().iter().collect();
        resources.sort();
        if let Some(found) = resources.iter().find_map(|resource| resource_fault(resource)) {
            fault = Some(found);
        }
        if fault.is_none() && !resources.iter().all(|resource| is_legacy_readable(resource)) {
            return Err(Malformed::Legacy);
        }
    }
    Ok(fault)
}

fn is_legacy_readable(resource: &str) -> bool {
    let colons = resource.bytes().filter(|byte| *byte == b':').count();
    let has_service = resource.split(':').nth(2).is_none_or(|service| !service.is_empty());
    resource == "*" || ((colons >= 5 || !resource.contains("::")) && has_service)
}

/// What is wrong with the form of a resource, if something is. A bucket has no region; an access point has one, and an
/// account.
fn resource_fault(resource: &str) -> Option<Malformed> {
    if resource == "*" {
        return None;
    }
    let Some((prefix, after_prefix)) = resource.split_once(':') else {
        return Some(Malformed::NotAnArn(resource.into()));
    };
    let (partition, after_partition) = after_prefix.split_once(':').unwrap_or((after_prefix, ""));
    if partition != "aws" {
        return Some(Malformed::Partition {
            partition: partition.into(),
            resource: filled(partition, after_partition).into(),
        });
    }
    if prefix != "arn" {
        return Some(Malformed::NotAnArn(resource.into()));
    }
    let mut parts = after_partition.splitn(4, ':');
    let service = parts.next().filter(|_| after_prefix.contains(':'));
    let (region, account, name) = (parts.next(), parts.next(), parts.next());
    match (service, region, name) {
        (None, ..) => Some(Malformed::ResourceVendor),
        (Some(service), ..) if service.contains(['*', '?']) => Some(Malformed::ResourceVendor),
        (Some("iam"), region, _) if region != Some("") => {
            Some(Malformed::IamRegion(resource.into()))
        }
        (Some("s3"), region, _) if region != Some("") && account.is_none_or(str::is_empty) => {
            Some(Malformed::S3Region(resource.into()))
        }
        (Some("iam"), _, name) if !is_iam_path(name.unwrap_or("")) => Some(Malformed::IamPath),
        _ => None,
    }
}

/// The ARN that a text of another partition is taken for: absent parts are `*`.
fn filled(partition: &str, rest: &str) -> String {
    let mut parts = rest.splitn(4, ':');
    let first = parts.next().filter(|first| !first.is_empty() || rest.contains(':'));
    let mut part = || parts.next().unwrap_or("*");
    let (second, third, fourth) = (part(), part(), part());
    format!("arn:{partition}:{}:{second}:{third}:{fourth}", first.unwrap_or("*"))
}

/// Kinds of IAM's resources, in the order of AWS's message.
const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// A wildcard or variable within the kind makes it one that could be any.
fn is_iam_path(path: &str) -> bool {
    let kind = path.split('/').next().unwrap_or(path);
    IAM_PATHS.iter().any(|known| path.starts_with(known)) || kind.contains(['*', '?', '$'])
}

fn check_action(action: &str) -> Result<(), Malformed> {
    if action == "*" {
        return Ok(());
    }
    let (vendor, name) = action.split_once(':').ok_or(Malformed::NoVendor)?;
    if name.contains(':') {
        return Err(Malformed::Colons);
    }
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if vendor == "*" || vendor.bytes().all(is_valid) {
        return Ok(());
    }
    Err(Malformed::Vendor(vendor.into()))
}
