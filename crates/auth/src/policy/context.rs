//! Who asks, and what else is known of the request: the values of condition keys and policy variables.

use std::borrow::Cow;

use crate::Principal;

/// Where the values of condition keys come from. Asked lazily: only for keys that a statement whose action and
/// resource match mentions.
pub trait Context {
    /// The values of a key, which is in lower case as a whole (`aws:requesttag/team`); `None` if the request has no such
    /// key. Keys of the caller (`aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:userid`,
    /// `aws:username`) need not be known: what is not answered here is answered from [`Caller`].
    fn get(&self, key: &str) -> Option<Values<'_>>;
}

impl<F: Fn(&str) -> Option<Values<'static>>> Context for F {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        self(key)
    }
}

/// What a condition key holds: always text; dates in ISO 8601 or Unix seconds, binary values in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values<'a> {
    One(Cow<'a, str>),
    /// Of a key that may hold several, `aws:TagKeys` for example. Empty is the same as absent.
    Many(Vec<Cow<'a, str>>),
}

impl<'a> From<&'a str> for Values<'a> {
    fn from(value: &'a str) -> Self {
        Self::One(Cow::Borrowed(value))
    }
}

impl From<String> for Values<'_> {
    fn from(value: String) -> Self {
        Self::One(Cow::Owned(value))
    }
}

impl Values<'_> {
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Many(values) if values.is_empty())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let values = match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        };
        values.iter().map(|value| &**value)
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller<'a> {
    /// As in [`Principal::arn`]; a service's name for a service.
    pub arn: &'a str,
    /// The account's twelve digits; empty for a service.
    pub account: &'a str,
    /// As in [`Principal::user_id`]: `AIDA…`, or `AROA…:session`.
    pub user_id: &'a str,
    pub kind: CallerKind<'a>,
}

/// What kind of principal asks; decides `aws:PrincipalType`, `aws:PrincipalArn` and `aws:username`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind<'a> {
    /// The account's root user, whom no identity policy binds.
    Root,
    User {
        name: &'a str,
    },
    /// A session of a role, by whose ARN (with its path) policies and trust policies name it.
    Session {
        role_arn: &'a str,
    },
    /// A service that takes a role on, `sagemaker.amazonaws.com` for example.
    Service,
}

impl<'a> Caller<'a> {
    /// The caller behind a credential. `role_arn` is the role's, with its path, for a session of a role: the session's own
    /// ARN does not tell it. `None` if the principal's ARN is none of a caller.
    pub fn of(principal: &'a Principal, role_arn: Option<&'a str>) -> Option<Self> {
        let resource = principal.arn.splitn(6, ':').nth(5)?;
        let kind = match (resource.split_once('/'), role_arn) {
            (None, _) if resource == "root" => CallerKind::Root,
            (Some(("user", path)), _) => {
                CallerKind::User { name: path.rsplit('/').next().unwrap_or(path) }
            }
            (Some(("assumed-role", _)), Some(role_arn)) => CallerKind::Session { role_arn },
            _ => return None,
        };
        let Principal { account, arn, user_id } = principal;
        Some(Self { arn, account, user_id, kind })
    }

    /// A service that acts for itself.
    pub const fn service(name: &'a str) -> Self {
        Self { arn: name, account: "", user_id: "", kind: CallerKind::Service }
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        let is_service = self.kind == CallerKind::Service;
        match (key, self.kind) {
            ("aws:username", CallerKind::User { name }) => Some(name),
            ("aws:principaltype", CallerKind::Root) => Some("Account"),
            ("aws:principaltype", CallerKind::User { .. }) => Some("User"),
            ("aws:principaltype", CallerKind::Session { .. }) => Some("AssumedRole"),
            ("aws:principalarn", CallerKind::Session { role_arn }) => Some(role_arn),
            ("aws:principalarn", _) if !is_service => Some(self.arn),
            ("aws:principalaccount", _) if !is_service => Some(self.account),
            ("aws:userid", _) if !is_service => Some(self.user_id),
            _ => None,
        }
    }
}

/// Everything that can be asked of a request by key.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) caller: &'a Caller<'a>,
    pub(super) context: &'a dyn Context,
}

impl<'a> Facts<'a> {
    pub(super) fn get(&self, key: &str) -> Option<Values<'a>> {
        let given = self.context.get(key).filter(|values| !values.is_empty());
        given.or_else(|| self.caller.get(key).map(Values::from))
    }
}
