//! A gateway with its surroundings: `world` starts it, `client` speaks to it, `model` answers behind it.

mod client;
mod ledger;
mod model;
mod world;

pub(crate) use client::{
    Answer, Client, Http2, Streamed, invocation, raw, raw_and_finish, sign, streaming,
};
pub(crate) use ledger::Ledger;
pub(crate) use model::{Behaviour, ModelServer, Pen};
pub(crate) use world::{ACCOUNT, REGION, ScaledClock, World};

/// Looks until `done`, for long enough to be sure that it never will be.
pub(crate) async fn until(what: &str, done: impl Fn() -> bool) {
    let look = async {
        while !done() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    let looked = tokio::time::timeout(std::time::Duration::from_secs(20), look).await;
    assert!(looked.is_ok(), "waited in vain until {what}");
}
