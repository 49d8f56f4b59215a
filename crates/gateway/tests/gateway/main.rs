//! The whole data plane, over sockets: real clients in front, scripted model servers behind.

mod control;
mod invoke;
mod model_errors;
mod refuse;
mod routing;
mod shutdown;
mod support;
