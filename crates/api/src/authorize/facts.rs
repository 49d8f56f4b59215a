//! The values of condition keys: of the request, of the caller, and of the resource
//! (`reference/autoscaling-and-cloudwatch.md`, sections 8.1 and 8.2).
//!
//! They are looked up only if a statement asks for one. It is noted whether one was asked for that may differ between
//! requests of one caller for one resource: a decision without such a key holds for all of them.

use std::cell::Cell;
use std::net::IpAddr;

use auth::policy::{Context, Values};
use domain::arn::Scope;
use domain::time::Timestamp;
use jiff::Timestamp as Instant;
use store::State;

use super::need::Need;
use super::records;
use super::standing::Standing;

/// How a request came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The key that it is signed with; empty for callers who sign nothing.
    pub access_key_id: String,
    /// `aws:SourceIp`: where it came from, as far as the server can see.
    pub source_ip: Option<IpAddr>,
    /// `aws:SecureTransport`: whether it came over TLS.
    pub secure: bool,
    /// `aws:UserAgent`.
    pub user_agent: Option<String>,
}

/// Everything that is known of one request.
pub(super) struct Facts<'a> {
    pub(super) standing: &'a Standing,
    pub(super) asked: &'a Asked,
    pub(super) need: &'a Need,
    pub(super) state: &'a State,
    pub(super) scope: &'a Scope,
    /// By the wall.
    pub(super) now: Timestamp,
    /// Whether a key was asked for that another request may have another value of.
    pub(super) varies: Cell<bool>,
}

impl Context for Facts<'_> {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        if let Some(values) = self.need.key(key) {
            return Some(values);
        }
        if let Some(tag) = key.strip_prefix("aws:principaltag/") {
            return tag_in(&self.standing.tags, tag);
        }
        match key {
            "aws:requestedregion" => return Some(Values::from(&*self.scope.region)),
            "aws:resourceaccount" => return Some(Values::from(&*self.scope.account)),
            "aws:viaawsservice" => return Some(Values::from("false")),
            "aws:sourceidentity" => {
                return self.standing.source_identity.as_deref().map(Values::from);
            }
            "aws:tokenissuetime" => {
                return self.standing.issued_at.and_then(date).map(Values::from);
            }
            // Whoever evaluates knows these of the caller.
            "aws:principalaccount"
            | "aws:principalarn"
            | "aws:principaltype"
            | "aws:userid"
            | "aws:username" => return None,
            _ => {}
        }
        // The rest differs between requests. Keys that nobody knows do not, but they are not worth the difference.
        self.varies.set(true);
        match key {
            "aws:currenttime" => date(self.now).map(Values::from),
            "aws:epochtime" => {
                Some(Values::from(self.now.as_millis().div_euclid(1000).to_string()))
            }
            "aws:sourceip" => {
                self.asked.source_ip.map(|ip| Values::from(ip.to_canonical().to_string()))
            }
            "aws:securetransport" => {
                Some(Values::from(if self.asked.secure { "true" } else { "false" }))
            }
            "aws:useragent" => self.asked.user_agent.as_deref().map(Values::from),
            _ => {
                let tag = key.split_once(":resourcetag/")?.1;
                tag_in(records::tags_of(self.state, self.scope, &self.need.resource)?, tag)
            }
        }
    }
}

/// A tag by its key in lower case: names of condition keys have no case.
fn tag_in<'a>(tags: &'a domain::tag::Tags, lower: &str) -> Option<Values<'a>> {
    let mut found = tags.0.iter().filter(|(key, _)| key.to_lowercase() == lower);
    found.next().map(|(_, value)| Values::from(value.as_str()))
}

fn date(at: Timestamp) -> Option<String> {
    Instant::from_millisecond(at.as_millis()).ok().map(|at| at.to_string())
}
