//! Names and ARNs: names are unique without regard to case, and keep the case that they were given.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::arn::Scope;

/// The name of a user, group, role or policy as it counts: two that differ only by case are one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NameKey(Arc<str>);

impl NameKey {
    pub fn new(name: &str) -> Self {
        Self(name.to_ascii_lowercase().into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for NameKey {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for NameKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for NameKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), out)
    }
}

/// `arn:aws:iam::{account}:{kind}{path}{name}`; a path begins and ends with a slash.
pub fn arn(account: &str, kind: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:{kind}{path}{name}")
}

/// A policy as its ARN names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyArn<'a> {
    /// Whether it is AWS's and not the account's.
    pub aws: bool,
    pub path: &'a str,
    pub name: &'a str,
}

/// Why an ARN names no policy of this account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Astray {
    /// It is no policy's ARN.
    Malformed,
    /// It is another account's.
    Elsewhere,
}

impl<'a> PolicyArn<'a> {
    pub fn parse(scope: &Scope, arn: &'a str) -> Result<Self, Astray> {
        let rest = arn.strip_prefix("arn:aws:iam::").ok_or(Astray::Malformed)?;
        let (account, rest) = rest.split_once(':').ok_or(Astray::Malformed)?;
        let full = rest.strip_prefix("policy").ok_or(Astray::Malformed)?;
        let slash = full.rfind('/').filter(|_| full.starts_with('/')).ok_or(Astray::Malformed)?;
        let (path, name) = full.split_at(slash + 1);
        match account {
            _ if name.is_empty() => Err(Astray::Malformed),
            "aws" => Ok(Self { aws: true, path, name }),
            own if own == scope.account => Ok(Self { aws: false, path, name }),
            _ => Err(Astray::Elsewhere),
        }
    }
}

/// The characters of a policy that count towards its limits: all but white space.
pub fn characters(document: &str) -> usize {
    document.chars().filter(|character| !character.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policys_arn_reads_back_and_others_are_told_apart() {
        let scope = Scope { region: "us-east-1".into(), account: "000000000000".into() };
        for (path, name) in [("/", "p"), ("/a/b/", "P-1")] {
            let own = arn("000000000000", "policy", path, name);
            assert_eq!(PolicyArn::parse(&scope, &own), Ok(PolicyArn { aws: false, path, name }));
            let aws = arn("aws", "policy", path, name);
            assert_eq!(PolicyArn::parse(&scope, &aws), Ok(PolicyArn { aws: true, path, name }));
        }
        for (bad, why) in [
            ("arn:aws:iam::111111111111:policy/p", Astray::Elsewhere),
            ("arn:aws:iam::000000000000:policy/", Astray::Malformed),
            ("arn:aws:iam::000000000000:policyp/x", Astray::Malformed),
            ("arn:aws:iam::000000000000:role/p", Astray::Malformed),
            ("arn:aws:s3:::policy/p", Astray::Malformed),
            ("policy/p", Astray::Malformed),
        ] {
            assert_eq!(PolicyArn::parse(&scope, bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn white_space_does_not_count() {
        assert_eq!(characters(" {\n\t\"é\" : 1 }\r\n"), 7);
    }
}
