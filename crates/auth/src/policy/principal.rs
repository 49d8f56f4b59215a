//! Whom a trust policy trusts.

use super::context::{Caller, CallerKind};
use super::element::texts;
use super::json::Node;
use super::malformed::Malformed;

/// One principal that a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trusted {
    /// `"AWS": "*"`
    Everyone,
    /// An account, by its digits or its root's ARN: it decides by its own policies who of it may.
    Account(Box<str>),
    /// A user, a role or a session of a role, by ARN.
    Arn(Box<str>),
    /// The same by unique id, which IAM puts in place of the ARN of somebody deleted.
    Id(Box<str>),
    /// A service, `sagemaker.amazonaws.com` for example.
    Service(Box<str>),
    /// An identity provider. Nobody comes by one here; kept so that such policies are stored as they are on AWS.
    Federated(Box<str>),
}

/// What is trusted, in the words of the grammar.
pub(super) fn parse(node: Node) -> Result<Box<[Trusted]>, Malformed> {
    let kinds = match node {
        Node::Object(kinds) => kinds,
        Node::Text(text) if text == "*" => return Err(Malformed::TrustStar),
        Node::Text(value) => {
            return Err(Malformed::TrustPrincipal { kind: "STAR".into(), value: value.into() });
        }
        Node::Null | Node::Bare(_) | Node::List(_) => return Err(Malformed::TrustSyntax),
    };
    let mut trusted = Vec::new();
    for (kind, values) in kinds {
        for value in texts(values).map_err(|_| Malformed::TrustSyntax)? {
            let parsed = one(&kind, &value);
            trusted.push(parsed.ok_or_else(|| Malformed::TrustPrincipal {
                kind: kind.as_str().into(),
                value: value.into(),
            })?);
        }
    }
    if trusted.is_empty() { Err(Malformed::TrustNoPrincipal) } else { Ok(trusted.into()) }
}

fn one(kind: &str, value: &str) -> Option<Trusted> {
    match kind {
        "AWS" if value == "*" => Some(Trusted::Everyone),
        "AWS" if is_account(value) => Some(Trusted::Account(value.into())),
        "AWS" if is_unique_id(value) => Some(Trusted::Id(value.into())),
        "AWS" => by_arn(value),
        "Service" if is_service(value) => Some(Trusted::Service(value.into())),
        "Federated" if !value.is_empty() => Some(Trusted::Federated(value.into())),
        _ => None,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `AIDA…` for a user, `AROA…` for a role.
fn is_unique_id(text: &str) -> bool {
    let alphabet = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (text.starts_with("AIDA") || text.starts_with("AROA"))
        && (16..=128).contains(&text.len())
        && text.bytes().all(alphabet)
}

fn is_service(text: &str) -> bool {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    text.contains('.') && text.bytes().all(alphabet)
}

/// No wildcards: an ARN names one principal.
fn by_arn(value: &str) -> Option<Trusted> {
    let mut parts = value.splitn(6, ':');
    let (arn, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let in_form = arn == "arn" && region.is_empty() && is_account(account);
    let kind = resource.split_once('/').map_or(resource, |(kind, _)| kind);
    match (service, kind) {
        _ if !in_form || value.contains(['*', '?']) || resource.ends_with('/') => None,
        ("iam", "root") if resource == "root" => Some(Trusted::Account(account.into())),
        ("iam", "user" | "role") | ("sts", "assumed-role") if resource != kind => {
            Some(Trusted::Arn(value.into()))
        }
        _ => None,
    }
}

/// How a principal covers a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cover {
    /// By its account only: policies of the account must allow as well.
    Account,
    /// By the role whose session it is: what bounds the session bounds this too.
    Role,
    Itself,
}

impl Trusted {
    pub(super) fn covers(&self, caller: &Caller<'_>) -> Option<Cover> {
        let is_service = caller.kind == CallerKind::Service;
        // A role is named, and its session asks.
        let of_role = matches!(caller.kind, CallerKind::Session { .. }).then_some(Cover::Role);
        let (covers, how) = match self {
            Self::Everyone => (!is_service, Cover::Itself),
            Self::Service(name) => (is_service && **name == *caller.arn, Cover::Itself),
            Self::Arn(arn) => match caller.kind {
                CallerKind::Session { role_arn } if **arn == *role_arn => (true, Cover::Role),
                CallerKind::Root | CallerKind::User { .. } | CallerKind::Session { .. } => {
                    (**arn == *caller.arn, Cover::Itself)
                }
                CallerKind::Service => (false, Cover::Itself),
            },
            Self::Id(id) => {
                let is_it = !is_service && caller.user_id.split(':').next() == Some(id);
                (is_it, of_role.unwrap_or(Cover::Itself))
            }
            Self::Account(account) => (!is_service && **account == *caller.account, Cover::Account),
            Self::Federated(_) => (false, Cover::Itself),
        };
        covers.then_some(how)
    }
}

/// The widest way in which one of them covers the caller.
pub(super) fn cover(trusted: &[Trusted], caller: &Caller<'_>) -> Option<Cover> {
    trusted.iter().filter_map(|trusted| trusted.covers(caller)).max()
}
