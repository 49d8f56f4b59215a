//! `tidegate clock`: the server's time beside the wall's. A client that asks for metrics must ask in the former.

use std::process::ExitCode;

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::client::{CALL_TIMEOUT, Client, Manner, Retry, Transport};
use crate::output::{Output, fields, instant};
use crate::target::Server;
use crate::{Environment, Error, Global, wall};

const OPERATION: &str = "clock";

/// What `GET /tidegate/clock` answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct ServerClock {
    pub(crate) now_epoch_seconds: f64,
    pub(crate) time_scale: f64,
}

impl ServerClock {
    pub(super) async fn read(server: Server) -> Result<Self, Error> {
        Self::of(&Transport::new(server.clone()), &server).await
    }

    /// The same over connections that are kept.
    pub(crate) async fn ask(client: &Client) -> Result<Self, Error> {
        Self::of(client.transport(), &client.target().server).await
    }

    /// Fails with [`Error::Answer`] if it is not a Tidegate server. AWS is not asked.
    async fn of(transport: &Transport, server: &Server) -> Result<Self, Error> {
        let no_clock = |problem: String| Error::Answer { operation: OPERATION, problem };
        let url = &server.url;
        if server.aws.is_some() {
            return Err(no_clock("AWS has no clock but the wall's".to_owned()));
        }
        let manner =
            Manner { operation: OPERATION, timeout: CALL_TIMEOUT, retry: Retry::Idempotent };
        let response = transport.get("/tidegate/clock", manner).await?;
        if response.status() != StatusCode::OK {
            return Err(no_clock(format!(
                "{url} does not tell a time (HTTP {}): it is not a Tidegate server",
                response.status()
            )));
        }
        serde_json::from_slice(response.body()).map_err(|error| no_clock(error.to_string()))
    }

    /// Milliseconds since the Unix epoch.
    pub(crate) fn now_millis(&self) -> i64 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float beyond the range becomes its end, which is what we want"
        )]
        let millis = (self.now_epoch_seconds * 1000.0) as i64;
        millis
    }
}

/// The time that ages are counted to: the server's, or the wall's for servers that have no other.
pub(super) async fn now_of(server: &Server) -> i64 {
    match ServerClock::read(server.clone()).await {
        Ok(clock) => clock.now_millis(),
        Err(_) => wall::now_millis(),
    }
}

pub(super) async fn run(
    global: &Global,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    if global.aws {
        return Err(Error::Usage("--aws: AWS has no clock but the wall's".to_owned()));
    }
    let server = Server::resolve(global, environment)?;
    let url = server.url.to_string();
    let clock = ServerClock::read(server).await?;
    let (now, wall) = (clock.now_millis(), wall::now_millis());
    if output.json {
        output.json(&json!({
            "now": instant(now),
            "now_epoch_seconds": clock.now_epoch_seconds,
            "time_scale": clock.time_scale,
            "wall": instant(wall),
            "endpoint_url": url,
        }))?;
    } else {
        let scale = clock.time_scale;
        let pace = if (scale - 1.0).abs() < f64::EPSILON {
            "1 (as fast as the wall clock)".to_owned()
        } else {
            format!("{scale} (a minute of the server takes {:.1} s)", 60.0 / scale)
        };
        output.data(fields([
            ("Server", url),
            ("Server time", instant(now)),
            ("Wall time", instant(wall)),
            ("Time scale", pace),
        ]))?;
    }
    Ok(ExitCode::SUCCESS)
}
