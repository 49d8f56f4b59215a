//! `tidegate demo`: hosts a real model that scales with its load, updates it meanwhile, and counts the failed requests.
//!
//! By default on a server of its own, whose time runs sixty times as fast and which is gone afterwards. On a server
//! that is named it makes things under names of its own and removes them.

mod artifact;
mod autoscale;
mod belongings;
mod load;
mod own_server;
mod report;
mod safely;
mod stage;
mod story;
mod tide;

use std::process::ExitCode;
use std::sync::Arc;

use tokio::time::Instant;

use crate::interruption::{INTERRUPTED, Interruption};
use crate::output::Output;
use crate::{Environment, Error, Global};

use report::Report;
use stage::Stage;
use story::Story;

/// What requests went through, all in all.
const WHOLE: &str = "a scale-out, an update and a scale-in";
const IN_PART: &str = "an update";

/// How to end.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It starts a server of its own, at --time-scale 60 and with a data directory that is removed at the end.\n\
                        With --endpoint-url or --data-dir it uses that server instead, and removes what it made there; where \
                        time runs as on the wall,\nit does not wait for the endpoint to scale.\n\
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
    if global.aws {
        return Err(Error::Usage(
            "--aws: the demonstration is not for AWS, where it would cost money".to_owned(),
        ));
    }
    let mut interruption = Interruption::listen()?;
    let started = Instant::now();
    let mut report = Report::default();
    let stage = tokio::select! {
        stage = Stage::set(global, environment, output, &mut report) => stage?,
        () = interruption.comes() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let url = stage.client.target().server.url.to_string();
    let client = Arc::clone(&stage.client);
    let mut story =
        Story { client, output, belongings: &stage.belongings, report, told_whole: true };
    let end = tokio::select! {
        told = Box::pin(story.tell()) => told.map_or_else(End::Failed, |()| End::Told),
        () = interruption.comes() => End::Interrupted,
    };
    let told = if story.told_whole { WHOLE } else { IN_PART };
    let mut report = story.report;
    match end {
        End::Told if arguments.keep => {
            let code = conclude(&report, told, started, &url, output)?;
            stage.leave();
            Ok(code)
        }
        End::Told => {
            let cleared = stage.clear(&mut interruption, &mut report).await;
            let code = conclude(&report, told, started, &url, output)?;
            cleared.map(|()| code)
        }
        End::Interrupted => {
            output.note("interrupted; cleaning up");
            stage.abandon(&mut interruption, &mut report).await?;
            Ok(ExitCode::from(INTERRUPTED))
        }
        End::Failed(error) => {
            if let Some(log) = stage.log_tail() {
                output.note(format_args!("the end of the server's log:\n{log}"));
            }
            if let Err(problem) = stage.abandon(&mut interruption, &mut report).await {
                output.note(format_args!("while cleaning up: {problem}"));
            }
            Err(error)
        }
    }
}

/// Says what came of it, and whether that is good.
fn conclude(
    report: &Report,
    told: &str,
    started: Instant,
    endpoint_url: &str,
    output: &Output,
) -> Result<ExitCode, Error> {
    let took = started.elapsed();
    let total = report.total();
    let shown = if output.json {
        output.json(&report.json(took, endpoint_url))
    } else {
        output.data(format_args!("\n{}", report.table(took)))
    };
    for failure in &total.first_failures {
        output.note(format_args!("failed: {failure}"));
    }
    if total.failures > 0 {
        // Said even to those who do not read the report.
        output.note(format_args!("\n{} of {} requests failed.", total.failures, total.requests));
        return Ok(ExitCode::FAILURE);
    }
    output.note(format_args!("\n{} requests through {told}, and none failed.", total.requests));
    shown.map(|()| ExitCode::SUCCESS)
}
