//! What a model server reads from its environment, parsed once.
//!
//! The environment is handed in: nothing below here looks at the process's own, so that tests and embedding need none.

use std::path::PathBuf;
use std::time::Duration;

use crate::Error;

/// SageMaker's containers listen here when nothing else is said (`reference/sagemaker-hosting.md`, section 6).
const PORT_DEFAULT: u16 = 8080;

/// SageMaker unpacks a model here when nothing else is said (the same section).
const MODEL_DIR_DEFAULT: &str = "/opt/ml/model";

/// Longest delay that an echo server takes: an hour is beyond every limit of the gateway, so more proves nothing.
const ECHO_WAIT_MAX_MS: u64 = 3_600_000;

/// Where a model server listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Listen {
    /// A Unix socket that only this user may connect to.
    Socket(PathBuf),
    /// A port on 127.0.0.1.
    Port(u16),
}

/// What the built-in model servers can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `TIDEGATE_BIND_TO_SOCKET`, else `SAGEMAKER_BIND_TO_PORT`, else port 8080.
    pub listen: Listen,
    /// `SM_MODEL_DIR`, else `$SAGEMAKER_BASE_DIR/model`, else `/opt/ml/model`.
    pub model_dir: PathBuf,
    /// How the echo server misbehaves.
    pub echo: EchoSettings,
}

/// How the echo server misbehaves; by default it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EchoSettings {
    /// `TIDEGATE_ECHO_DELAY_MS`: wait before each answer.
    pub delay: Duration,
    /// `TIDEGATE_ECHO_STARTUP_MS`: time before the first good `/ping`.
    pub startup: Duration,
    /// `TIDEGATE_ECHO_FAILURE_RATE`: share of requests answered 500, 0 to 1.
    pub failure_rate: f64,
    /// `TIDEGATE_ECHO_CRASH_RATE`: share of requests in the middle of which the process exits, 0 to 1.
    pub crash_rate: f64,
    /// `TIDEGATE_ECHO_NEVER_READY=1`: `/ping` is never good.
    pub never_ready: bool,
}

impl Settings {
    /// Reads the settings out of an environment; variables of others are left alone.
    ///
    /// # Errors
    /// [`Error::Setting`] for the first variable whose value breaks its rule.
    pub fn from_environment(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let mut socket = None;
        let mut port = PORT_DEFAULT;
        let mut model_dir = None;
        let mut base_dir = None;
        let mut echo = EchoSettings::default();
        for (name, value) in variables {
            match name.as_str() {
                "TIDEGATE_BIND_TO_SOCKET" => socket = Some(path("TIDEGATE_BIND_TO_SOCKET", value)?),
                "SAGEMAKER_BIND_TO_PORT" => port = parse_port(value)?,
                "SM_MODEL_DIR" => model_dir = Some(path("SM_MODEL_DIR", value)?),
                "SAGEMAKER_BASE_DIR" => base_dir = Some(path("SAGEMAKER_BASE_DIR", value)?),
                "TIDEGATE_ECHO_DELAY_MS" => echo.delay = wait("TIDEGATE_ECHO_DELAY_MS", value)?,
                "TIDEGATE_ECHO_STARTUP_MS" => {
                    echo.startup = wait("TIDEGATE_ECHO_STARTUP_MS", value)?;
                }
                "TIDEGATE_ECHO_FAILURE_RATE" => {
                    echo.failure_rate = rate("TIDEGATE_ECHO_FAILURE_RATE", value)?;
                }
                "TIDEGATE_ECHO_CRASH_RATE" => {
                    echo.crash_rate = rate("TIDEGATE_ECHO_CRASH_RATE", value)?;
                }
                "TIDEGATE_ECHO_NEVER_READY" => {
                    echo.never_ready = switch("TIDEGATE_ECHO_NEVER_READY", value)?;
                }
                _ => {}
            }
        }
        let model_dir = model_dir
            .or_else(|| base_dir.map(|base| base.join("model")))
            .unwrap_or_else(|| MODEL_DIR_DEFAULT.into());
        Ok(Self { listen: socket.map_or(Listen::Port(port), Listen::Socket), model_dir, echo })
    }
}

fn path(variable: &'static str, value: String) -> Result<PathBuf, Error> {
    if value.starts_with('/') {
        return Ok(value.into());
    }
    Err(Error::Setting { variable, value, rule: "an absolute path" })
}

fn parse_port(value: String) -> Result<u16, Error> {
    value.parse().ok().filter(|port| *port > 0).ok_or(Error::Setting {
        variable: "SAGEMAKER_BIND_TO_PORT",
        value,
        rule: "a port, 1 to 65535",
    })
}

fn wait(variable: &'static str, value: String) -> Result<Duration, Error> {
    match value.parse() {
        Ok(millis) if millis <= ECHO_WAIT_MAX_MS => Ok(Duration::from_millis(millis)),
        _ => Err(Error::Setting {
            variable,
            value,
            rule: "a whole number of milliseconds, 0 to 3600000",
        }),
    }
}

fn rate(variable: &'static str, value: String) -> Result<f64, Error> {
    match value.parse() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
        _ => Err(Error::Setting { variable, value, rule: "a number from 0 to 1" }),
    }
}

fn switch(variable: &'static str, value: String) -> Result<bool, Error> {
    match value.as_str() {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(Error::Setting { variable, value, rule: "0 or 1" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::from_environment(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn the_socket_wins_over_the_port_and_the_model_dir_over_the_base_dir() {
        let settings = read(&[
            ("SAGEMAKER_BASE_DIR", "/instance"),
            ("TIDEGATE_BIND_TO_SOCKET", "/instance/socket"),
            ("SAGEMAKER_BIND_TO_PORT", "9000"),
            ("PATH", "not ours"),
        ])
        .unwrap();
        assert_eq!(settings.listen, Listen::Socket("/instance/socket".into()));
        assert_eq!(settings.model_dir, PathBuf::from("/instance/model"));

        let settings = read(&[
            ("SAGEMAKER_BASE_DIR", "/instance"),
            ("SM_MODEL_DIR", "/models/m"),
            ("SAGEMAKER_BIND_TO_PORT", "9000"),
        ])
        .unwrap();
        assert_eq!(settings.listen, Listen::Port(9000));
        assert_eq!(settings.model_dir, PathBuf::from("/models/m"));
    }

    #[test]
    fn an_empty_environment_is_sagemakers_default() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.listen, Listen::Port(8080));
        assert_eq!(settings.model_dir, PathBuf::from("/opt/ml/model"));
        assert_eq!(settings.echo, EchoSettings::default());
    }

    #[test]
    fn every_echo_variable_is_read() {
        let settings = read(&[
            ("TIDEGATE_ECHO_DELAY_MS", "25"),
            ("TIDEGATE_ECHO_STARTUP_MS", "3600000"),
            ("TIDEGATE_ECHO_FAILURE_RATE", "0.25"),
            ("TIDEGATE_ECHO_CRASH_RATE", "1"),
            ("TIDEGATE_ECHO_NEVER_READY", "1"),
        ])
        .unwrap();
        assert_eq!(
            settings.echo,
            EchoSettings {
                delay: Duration::from_millis(25),
                startup: Duration::from_hours(1),
                failure_rate: 0.25,
                crash_rate: 1.0,
                never_ready: true,
            }
        );
    }

    #[test]
    fn a_malformed_value_names_variable_value_and_rule() {
        for (variable, value, rule) in [
            ("TIDEGATE_ECHO_DELAY_MS", "-1", "a whole number of milliseconds, 0 to 3600000"),
            ("TIDEGATE_ECHO_DELAY_MS", "1.5", "a whole number of milliseconds, 0 to 3600000"),
            ("TIDEGATE_ECHO_STARTUP_MS", "3600001", "a whole number of milliseconds, 0 to 3600000"),
            ("TIDEGATE_ECHO_STARTUP_MS", "", "a whole number of milliseconds, 0 to 3600000"),
            ("TIDEGATE_ECHO_FAILURE_RATE", "1.01", "a number from 0 to 1"),
            ("TIDEGATE_ECHO_FAILURE_RATE", "NaN", "a number from 0 to 1"),
            ("TIDEGATE_ECHO_CRASH_RATE", "-0.1", "a number from 0 to 1"),
            ("TIDEGATE_ECHO_NEVER_READY", "yes", "0 or 1"),
            ("SAGEMAKER_BIND_TO_PORT", "0", "a port, 1 to 65535"),
            ("SAGEMAKER_BIND_TO_PORT", "65536", "a port, 1 to 65535"),
            ("TIDEGATE_BIND_TO_SOCKET", "relative", "an absolute path"),
            ("SM_MODEL_DIR", "", "an absolute path"),
        ] {
            let text = read(&[(variable, value)]).unwrap_err().to_string();
            assert_eq!(text, format!("{variable} is {value:?}, but must be {rule}"));
        }
    }
}
