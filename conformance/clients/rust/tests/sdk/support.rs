//! What the clients are given. Nothing but where the server is, the key, and that they try once, so that no failure
//! hides behind a second attempt.

use std::env;

use aws_sdk_sagemakerruntime::config::retry::RetryConfig;
use aws_sdk_sagemakerruntime::config::{Credentials, Region, SharedHttpClient};
use aws_smithy_http_client::Builder;

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) region: Region,
    pub(crate) credentials: Credentials,
}

/// The server under test, as the AWS variables of the environment name it.
pub(crate) fn server() -> Server {
    let key = Credentials::new(
        named("AWS_ACCESS_KEY_ID"),
        named("AWS_SECRET_ACCESS_KEY"),
        None,
        None,
        "test",
    );
    Server {
        url: named("AWS_ENDPOINT_URL"),
        region: Region::new(named("AWS_REGION")),
        credentials: key,
    }
}

/// The value of a variable that the test's starter sets.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment is how a client is told of its server"
)]
pub(crate) fn named(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run this through pytest"))
}

pub(crate) fn once() -> RetryConfig {
    RetryConfig::disabled()
}

/// The SDK's own client without its TLS.
pub(crate) fn http() -> SharedHttpClient {
    Builder::new().build_http()
}
