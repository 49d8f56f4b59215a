//! `tidegate logs ENDPOINT`: what its model servers wrote, as CloudWatch Logs tells it.

mod line;
mod source;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use domain::name::{EndpointName, VariantName};

use crate::client::Client;
use crate::command::clock;
use crate::output::Output;
use crate::target::Target;
use crate::{Environment, Error, Global};

use source::{Source, Streams};

/// Between two looks for something new. Each costs the server well under a millisecond.
const POLL: Duration = Duration::from_secs(1);

/// The same while the server does not answer.
const POLL_FAILING: Duration = Duration::from_secs(2);

/// What to show.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The endpoint's name; the logs of one that was deleted are still there
    #[arg(value_name = "ENDPOINT")]
    pub(super) endpoint: EndpointName,

    /// Go on with what is written from now on, until Ctrl-C
    #[arg(long, short)]
    pub(super) follow: bool,

    /// Only this variant
    #[arg(long, value_name = "NAME")]
    pub(super) variant: Option<VariantName>,

    /// Only this instance, such as i-0123456789abcdef0
    #[arg(long, value_name = "ID")]
    pub(super) instance: Option<String>,

    /// Only what is not older than this, in server time: 30s, 10m, 3h or 7d [default: everything that is kept]
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<Span>,
}

/// A span of time such as `10m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    millis: i64,
}

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a number and a unit are wanted: 30s, 10m, 3h or 7d";
        let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
        let unit: i64 = match text.get(number.len()..) {
            Some("s") => 1,
            Some("m") => 60,
            Some("h") => 3600,
            Some("d") => 86_400,
            _ => return Err(wrong),
        };
        let number: u32 = number.parse().map_err(|_| wrong)?;
        Ok(Self { millis: i64::from(number) * unit * 1000 })
    }
}

pub(super) async fn run(
    arguments: &Arguments,
    global: &Global,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    let client = Client::new(Target::resolve(global, environment)?);
    let since = match arguments.since {
        Some(span) => clock::now_of(&client.target().server).await.saturating_sub(span.millis),
        None => 0,
    };
    let streams = streams(&client, arguments).await?;
    let mut source = Source::new(&arguments.endpoint, streams, since.max(0));
    if arguments.follow {
        // Where the server is, is asked anew when it does not answer: it may come back on another port.
        let find = || Target::resolve(global, environment).map(Client::new);
        tokio::select! {
            ended = follow(client, &mut source, find, output) => ended?,
            // The only way to end it is a good one.
            _ = tokio::signal::ctrl_c() => {}
        }
    } else {
        let shown = source.show(&client, output).await?;
        if shown == 0 {
            output.note(format_args!("{} has written nothing to show", arguments.endpoint));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows what is new again and again. Returns only with an error that waiting does not cure.
async fn follow(
    mut client: Client,
    source: &mut Source,
    find: impl Fn() -> Result<Client, Error>,
    output: &Output,
) -> Result<(), Error> {
    let mut failing = false;
    loop {
        match source.show(&client, output).await {
            Ok(_) => failing = false,
            Err(error) if may_pass(&error) => {
                if !failing {
                    output.note(format_args!("{error}; waiting for it"));
                }
                failing = true;
                if let Ok(found) = find() {
                    client = found;
                }
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(if failing { POLL_FAILING } else { POLL }).await;
    }
}

/// Whether a server that is restarted, or has much to do, explains it.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Unreachable { .. } | Error::TimedOut { .. } | Error::Transport { .. } => true,
        Error::Refused(refusal) => refusal.status >= 500 || refusal.code == "ThrottlingException",
        _ => false,
    }
}

async fn streams(client: &Client, arguments: &Arguments) -> Result<Streams, Error> {
    Ok(match (&arguments.variant, &arguments.instance) {
        (None, None) => Streams::All,
        (Some(variant), None) => Streams::Prefix(format!("{variant}/")),
        (Some(variant), Some(instance)) => Streams::One(format!("{variant}/{instance}")),
        (None, Some(instance)) => {
            Streams::One(source::stream_of(client, &arguments.endpoint, instance).await?)
        }
    })
}
