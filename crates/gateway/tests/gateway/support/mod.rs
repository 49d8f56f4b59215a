//! A gateway with its surroundings: `world` starts it, `client` speaks to it, `model` answers behind it.

mod client;
mod model;
mod world;

pub(crate) use client::{Answer, Client, Http2, invocation, raw, sign};
pub(crate) use model::{Behaviour, ModelServer};
pub(crate) use world::{ACCOUNT, REGION, World};
