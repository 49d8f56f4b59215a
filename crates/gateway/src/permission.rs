//! May this caller invoke that endpoint? Whoever runs the gateway answers.

use std::net::IpAddr;

use auth::Found;
use domain::name::EndpointName;
use http::HeaderMap;

/// How a request came, which policies may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Came<'a> {
    pub from: IpAddr,
    /// Whether over TLS.
    pub secure: bool,
    pub headers: &'a HeaderMap,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forbidden {
    /// In the words of the policies.
    Denied(String),
    /// The key went away while the body arrived.
    UnknownKey,
}

/// Asked once per request, after its signature was found good and before anything of it goes further; so it answers
/// from memory. The caller's key is as [`auth::Admitted::verify`] gave it just now.
pub trait Permission: Send + Sync {
    fn invoke(
        &self,
        caller: &Found,
        endpoint: &EndpointName,
        came: Came<'_>,
    ) -> Result<(), Forbidden>;
}

/// Whoever has a key may invoke every endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Everybody;

impl Permission for Everybody {
    fn invoke(&self, _: &Found, _: &EndpointName, _: Came<'_>) -> Result<(), Forbidden> {
        Ok(())
    }
}
