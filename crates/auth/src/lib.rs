//! Who is calling, and whether they may: SigV4 signatures, the credentials they are made with and the files that hold
//! these; AWS's policies ([`policy`]).
//!
//! Bytes in, verdict out. Nothing here does I/O, reads a clock or draws a random number: time, entropy, the lookup of
//! credentials and the policies that apply are arguments.
//!
//! A server calls, in this order:
//! 1. [`sigv4::presence`] to tell unsigned requests apart, and [`Claim::parse`] for the scope that routes the request,
//! 2. [`Claim::admit`] before it reads the body: everything that can be refused without it is refused there,
//! 3. [`Admitted::verify`] with the hash of the body received; only its `Ok` makes the request anybody's.
//!
//! A client calls [`sign()`].

// Strangers' bytes are read here. Tests may index: there a panic is a finding.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod credential;
pub mod key;
pub mod policy;
pub mod sigv4;

pub use credential::{
    Credential, Credentials, Found, Holder, Principal, SecretKey, Session, SessionToken,
};
pub use sigv4::{
    Admitted, Answer, Claim, Dialect, Expectation, Payload, Presence, Problem, SignError, Signer,
    SigningKeys, presence, sign,
};
