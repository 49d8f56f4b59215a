//! The whole data plane, over sockets: real clients in front, scripted model servers behind.

#[cfg(test)]
mod control;
#[cfg(test)]
mod invoke;
#[cfg(test)]
mod model_errors;
#[cfg(test)]
mod refuse;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod shutdown;
#[cfg(test)]
mod support;
