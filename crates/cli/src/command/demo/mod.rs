//! `tidegate demo`: hosts a real model, puts it under load, updates and scales it, and counts the failed requests.
//!
//! By default on a server of its own, whose time runs sixty times as fast and which is gone afterwards. On a server
//! that is named it makes things under names of its own and removes them.

mod artifact;
mod belongings;
mod load;
mod own_server;
mod report;
mod story;
mod tide;

use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use crate::client::Client;
use crate::output::{Output, Progress};
use crate::target::Target;
use crate::{Environment, Error, Global};

use belongings::Belongings;
use own_server::{OwnServer, TIME_SCALE};
use report::{Report, Step};
use story::Story;

/// The exit code of a program that was interrupted, as shells have it.
const INTERRUPTED: u8 = 130;

/// How to end.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It starts a server of its own, at --time-scale 60 and with a data directory that is removed at the end.\n\
                        With --endpoint-url it uses that server instead, and removes what it made there.\n\
                        The exit code is 0 only if no request failed."
)]
pub struct Arguments {
    /// Leave the server and the endpoint running at the end
    #[arg(long)]
    keep: bool,
}

/// How the telling ended.
enum End {
    Told,
    Interrupted,
    Failed(Error),
}

pub(super) async fn run(
    arguments: &Arguments,
    global: &Global,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    let mut interruption = Interruption::listen()?;
    let started = Instant::now();
    let mut report = Report::default();
    // Only the flag means a server of the user's: a variable that lies about must not turn a demonstration into work on it.
    let own = if global.endpoint_url.is_some() {
        None
    } else {
        let progress = Progress::start(output, "start a server");
        let server = tokio::select! {
            server = OwnServer::start(environment) => server?,
            () = interruption.comes() => return Ok(ExitCode::from(INTERRUPTED)),
        };
        report.steps.push(Step { name: "start a server", took: progress.elapsed(), tally: None });
        progress.done(format!("its time runs {TIME_SCALE} times as fast"));
        Some(server)
    };
    let (target, name) = match &own {
        Some(server) => (server.target()?, "tide".to_owned()),
        None => (
            Target::resolve(global, environment)?,
            format!("tide-demo-{:06x}", fastrand::u32(..1 << 24)),
        ),
    };
    let client = Arc::new(Client::new(target));
    let belongings = Belongings::named(name);
    let mut story = Story { client: Arc::clone(&client), output, belongings: &belongings, report };
    client.announce(output, &format!("hosting endpoint {}", belongings.endpoint())).await?;
    let end = tokio::select! {
        told = Box::pin(story.tell()) => told.map_or_else(End::Failed, |()| End::Told),
        () = interruption.comes() => End::Interrupted,
    };
    let mut report = story.report;

    let keep = arguments.keep && matches!(end, End::Told);
    let tidied = if keep {
        Ok(())
    } else {
        tidy(
            &client,
            &belongings,
            own.is_some() && !matches!(end, End::Told),
            output,
            &mut interruption,
            &mut report,
        )
        .await
    };
    let closed = close(own, keep, &client, &belongings, &end, output).await;
    match end {
        End::Failed(error) => Err(error),
        End::Interrupted => Ok(ExitCode::from(INTERRUPTED)),
        End::Told => {
            let code = conclude(&report, started, &client, output)?;
            tidied.and(closed).map(|()| code)
        }
    }
}

/// Removes what was made. A server that goes away itself after a failure takes everything with it.
async fn tidy(
    client: &Client,
    belongings: &Belongings,
    goes_anyway: bool,
    output: &Output,
    interruption: &mut Interruption,
    report: &mut Report,
) -> Result<(), Error> {
    if goes_anyway {
        return Ok(());
    }
    let name = "delete everything";
    let progress = Progress::start(output, name);
    let removed = tokio::select! {
        removed = belongings.remove(client, output, &progress) => removed,
        () = interruption.comes() => {
            output.note(format_args!("left behind: {}", belongings.left().join(", ")));
            return Ok(());
        }
    };
    report.steps.push(Step { name, took: progress.elapsed(), tally: None });
    if removed.is_ok() {
        progress.done("");
    }
    removed
}

/// Stops the own server, or says how to talk to what stays.
async fn close(
    own: Option<OwnServer>,
    keep: bool,
    client: &Client,
    belongings: &Belongings,
    end: &End,
    output: &Output,
) -> Result<(), Error> {
    let name = belongings.endpoint();
    match own {
        Some(server) if keep => {
            let url = &client.target().server.url;
            let (data_dir, id) = server.keep();
            let (data_dir, id) = (data_dir.display(), id.unwrap_or_default());
            output.note(format_args!(
                "the server goes on at {url} (process {id}, data in {data_dir})\n  \
                 talk to it:  eval \"$(tidegate env --data-dir {data_dir})\"\n  \
                 look at it:  tidegate endpoint describe {name} --data-dir {data_dir}\n  \
                 stop it:     kill {id}"
            ));
            Ok(())
        }
        Some(server) => {
            if matches!(end, End::Failed(_)) {
                output.note(format_args!("the end of the server's log:\n{}", server.log_tail()));
            }
            server.stop().await
        }
        None if keep => {
            output.note(format_args!("left in place: {}", belongings.left().join(", ")));
            Ok(())
        }
        None => Ok(()),
    }
}

/// Says what came of it, and whether that is good.
fn conclude(
    report: &Report,
    started: Instant,
    client: &Client,
    output: &Output,
) -> Result<ExitCode, Error> {
    let took = started.elapsed();
    let total = report.total();
    if output.json {
        output.json(&report.json(took, &client.target().server.url.to_string()))?;
    } else {
        output.data(format_args!("\n{}", report.table(took)))?;
    }
    for failure in &total.first_failures {
        output.note(format_args!("failed: {failure}"));
    }
    if total.failures == 0 {
        output.note(format_args!(
            "\n{} requests through an update and two changes of scale, and none failed.",
            total.requests
        ));
        Ok(ExitCode::SUCCESS)
    } else {
        output.note(format_args!("\n{} of {} requests failed.", total.failures, total.requests));
        Ok(ExitCode::FAILURE)
    }
}

/// The user, or the system, wants it to end.
struct Interruption {
    signals: [Signal; 3],
}

impl Interruption {
    fn listen() -> Result<Self, Error> {
        let listen = |kind| {
            signal(kind)
                .map_err(|cause| Error::Failed(format!("cannot listen for signals: {cause}")))
        };
        let signals = [
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ];
        Ok(Self { signals })
    }

    async fn comes(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
