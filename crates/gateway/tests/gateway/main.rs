//! The whole data plane, over sockets: real clients in front, scripted model servers behind.

#[cfg(test)]
mod control;
#[cfg(test)]
mod http2;
#[cfg(test)]
mod invoke;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod model_errors;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod permission;
#[cfg(test)]
mod refuse;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod shadow;
#[cfg(test)]
mod shutdown;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
