//! What a request says of itself before anything is verified: who signed it, when, and for which region and service.
//!
//! Nothing in a claim may be believed; routing reads the service in its scope, and the checks start from it.

use std::borrow::Cow;
use std::fmt;

use http::request::Parts;

use super::parameters::{self, Parameters};
use super::problem::{ExpiresFault, Problem};
use super::{BasicTime, S3};

pub use super::parameters::presence;

/// Where a request carries a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    None,
    /// In the `Authorization` header.
    Header,
    /// In the query string: a presigned URL.
    Query,
    /// In both places, which is refused.
    Both,
}

/// The longest life of a presigned URL in seconds, AWS's limit of a week.
pub(super) const EXPIRES_SECS_MAX: u32 = 604_800;

/// A signature's parameters, read and well-formed, not verified. It borrows the head of the request it was read from.
#[derive(Clone)]
#[non_exhaustive]
pub struct Claim<'a> {
    pub access_key_id: Cow<'a, str>,
    /// The scope's date, `YYYYMMDD` in a scope that will be accepted.
    pub date: Cow<'a, str>,
    pub region: Cow<'a, str>,
    /// The service's signing name; requests are routed by it.
    pub service: Cow<'a, str>,
    /// `aws4_request` in a scope that will be accepted.
    pub terminator: Cow<'a, str>,
    /// Names joined by semicolons, as sent.
    pub signed_headers: Cow<'a, str>,
    /// 64 hexadecimal digits in a signature that will be accepted.
    pub signature: Cow<'a, str>,
    /// When it was signed.
    pub timestamp: BasicTime,
    pub security_token: Option<Cow<'a, str>>,
    /// How long a presigned URL lives.
    pub expires_secs: Option<u32>,
    /// Whether the signature lies in the query string.
    pub presigned: bool,
    pub(super) parts: &'a Parts,
}

/// Without the session token, which the head holds as well.
impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("access_key_id", &self.access_key_id)
            .field("date", &self.date)
            .field("region", &self.region)
            .field("service", &self.service)
            .field("timestamp", &self.timestamp.as_str())
            .field("signed_headers", &self.signed_headers)
            .field("presigned", &self.presigned)
            .finish_non_exhaustive()
    }
}

impl<'a> Claim<'a> {
    /// Reads the claim: conditions 1 to 6 of section 8.4, in this order.
    pub fn parse(parts: &'a Parts) -> Result<Self, Problem> {
        let presigned = match presence(parts) {
            Presence::Both => return Err(Problem::BothPresent),
            Presence::None => return Err(Problem::Missing),
            Presence::Header => false,
            Presence::Query => true,
        };
        let read = if presigned {
            parameters::from_query(parts.uri.query().unwrap_or_default(), &parts.headers)?
        } else {
            parameters::from_header(&parts.headers)?
        };
        Self::judge(parts, presigned, read)
    }

    fn judge(parts: &'a Parts, presigned: bool, read: Parameters<'a>) -> Result<Self, Problem> {
        let timestamp = BasicTime::parse(&read.date)
            .or_else(|| if presigned { None } else { BasicTime::parse_http(&read.date) })
            .ok_or_else(|| Problem::MalformedDate { date: read.date.clone().into_owned() })?;
        let [access_key_id, date, region, service, terminator] = elements(&read.credential)
            .ok_or_else(|| Problem::MalformedCredential {
                credential: read.credential.clone().into_owned(),
            })?;
        if !parameters::acceptable(&read.signed_headers) {
            return Err(Problem::MalformedSignedHeaders);
        }
        let expires_secs = read.expires.as_deref().map(expires).transpose()?;
        if presigned && expires_secs.is_none() && service == S3 {
            return Err(Problem::MissingQueryParts { missing: vec!["X-Amz-Expires"] });
        }
        Ok(Self {
            access_key_id,
            date,
            region,
            service,
            terminator,
            signed_headers: read.signed_headers,
            signature: read.signature,
            timestamp,
            security_token: read.security_token,
            expires_secs,
            presigned,
            parts,
        })
    }
}

/// The five elements of a credential. AWS ignores slashes at its end.
fn elements<'a>(credential: &Cow<'a, str>) -> Option<[Cow<'a, str>; 5]> {
    match credential {
        Cow::Borrowed(text) => five(text).map(|elements| elements.map(Cow::Borrowed)),
        Cow::Owned(text) => {
            five(text).map(|elements| elements.map(|element| Cow::Owned(element.to_owned())))
        }
    }
}

fn five(credential: &str) -> Option<[&str; 5]> {
    let mut rest = credential.trim_end_matches('/').split('/');
    let elements = [rest.next()?, rest.next()?, rest.next()?, rest.next()?, rest.next()?];
    rest.next().is_none().then_some(elements)
}

fn expires(text: &str) -> Result<u32, Problem> {
    let secs: i64 =
        text.parse().map_err(|_| Problem::MalformedExpires(ExpiresFault::NotANumber))?;
    match u32::try_from(secs) {
        Ok(0) => Err(Problem::MalformedExpires(ExpiresFault::Zero)),
        Ok(secs) if secs <= EXPIRES_SECS_MAX => Ok(secs),
        _ if secs < 0 => Err(Problem::MalformedExpires(ExpiresFault::Negative)),
        _ => Err(Problem::MalformedExpires(ExpiresFault::TooLong)),
    }
}
