//! `tidegate watch ENDPOINT`: an endpoint's instances, load, alarms and scaling as they change.

mod lines;
mod look;
mod picture;
mod screen;
#[cfg(test)]
mod tests;
mod view;

use std::process::ExitCode;
use std::time::Duration;

use domain::name::EndpointName;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior};

use crate::client::Client;
use crate::command::endpoint::with_names;
use crate::interruption::{INTERRUPTED, Interruption};
use crate::output::{Ink, Output};
use crate::target::Target;
use crate::{Environment, Error, Global};

use lines::Lines;
use look::Looker;
use picture::{Size, picture};
use screen::{Key, Screen};
use view::View;

/// Between two looks, by the wall: at any time scale, people see no faster.
const INTERVAL: Duration = Duration::from_secs(1);

/// The width of a picture that no terminal bounds.
const COLUMNS: usize = 120;

/// What to watch.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "On a terminal it draws a picture each second, until q or Ctrl-C. Elsewhere it prints a line for whatever \
                  changes;\nwith --json, one object for each look. It ends when the endpoint is deleted.\n\
                  How to read it: docs/scaling.md."
)]
pub struct Arguments {
    /// The endpoint's name
    #[arg(value_name = "ENDPOINT")]
    endpoint: EndpointName,
    /// Look once, print what there is, and end
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(
    arguments: &Arguments,
    global: &Global,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    let client = Client::new(Target::resolve(global, environment)?);
    let ink = Ink::of_data(output, environment);
    watched(&client, arguments, ink, output).await
}

async fn watched(
    client: &Client,
    arguments: &Arguments,
    ink: Ink,
    output: &Output,
) -> Result<ExitCode, Error> {
    let name = arguments.endpoint.as_str();
    let mut looker = Looker::new(client);
    let first = match looker.look(name).await {
        Ok(view) => view,
        Err(error) => return Err(with_names(client, name, error).await),
    };
    if arguments.once {
        if output.json {
            output.json(&first.json())?;
        } else {
            let columns = if output.data_is_terminal { Screen::size().columns } else { COLUMNS };
            let size = Size { columns, rows: None };
            output.data(picture(&first, size, ink).join("\n"))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let ended = if output.data_is_terminal && !output.json {
        on_screen(&mut looker, name, first, ink).await
    } else {
        in_lines(&mut looker, name, first, output).await
    };
    // By now the terminal is what it was.
    match ended? {
        End::Quit => Ok(ExitCode::SUCCESS),
        End::Interrupted => Ok(ExitCode::from(INTERRUPTED)),
        End::Deleted => {
            output.note(format_args!("{name} is gone"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// How a watch ended, when nothing failed.
enum End {
    Quit,
    Interrupted,
    Deleted,
}

/// The next look, or none if the endpoint is gone.
async fn next(looker: &mut Looker<'_>, name: &str) -> Result<Option<View>, Error> {
    match looker.look(name).await {
        Ok(view) => Ok(Some(view)),
        // It may have gone between the calls of one look; then the first call of another look tells.
        Err(error) if error.is_not_found() => Ok(None),
        Err(Error::Refused(_)) => match looker.look(name).await {
            Ok(view) => Ok(Some(view)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    }
}

async fn in_lines(
    looker: &mut Looker<'_>,
    name: &str,
    first: View,
    output: &Output,
) -> Result<End, Error> {
    let mut lines = Lines::default();
    let mut ticks = ticks();
    let mut view = Some(first);
    while let Some(seen) = view {
        if output.json {
            output.json(&seen.json())?;
        } else {
            for line in lines.next(&seen) {
                output.data(line)?;
            }
        }
        ticks.tick().await;
        view = next(looker, name).await?;
    }
    Ok(End::Deleted)
}

async fn on_screen(
    looker: &mut Looker<'_>,
    name: &str,
    mut view: View,
    ink: Ink,
) -> Result<End, Error> {
    let mut interruption = Interruption::listen()?;
    let mut resized = resizing()?;
    let screen = Screen::enter()?;
    let mut keys = screen.keys();
    let mut ticks = ticks();
    // With no terminal to press keys on, the signals remain.
    let mut listens = true;
    screen.draw(&picture(&view, Screen::size(), ink))?;
    loop {
        // A look that takes long does not keep anybody from leaving.
        let update = async {
            ticks.tick().await;
            next(looker, name).await
        };
        tokio::pin!(update);
        let seen = loop {
            tokio::select! {
                seen = &mut update => break seen?,
                key = keys.recv(), if listens => match key {
                    Some(Key::Quit) => return Ok(End::Quit),
                    Some(Key::Interrupt) => return Ok(End::Interrupted),
                    Some(Key::Other) => {}
                    None => listens = false,
                },
                () = interruption.comes() => return Ok(End::Interrupted),
                _ = resized.recv() => screen.draw(&picture(&view, Screen::size(), ink))?,
            }
        };
        let Some(seen) = seen else { return Ok(End::Deleted) };
        view = seen;
        screen.draw(&picture(&view, Screen::size(), ink))?;
    }
}

fn ticks() -> Interval {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    ticks
}

/// The terminal has another size.
fn resizing() -> Result<Signal, Error> {
    signal(SignalKind::window_change())
        .map_err(|cause| Error::Failed(format!("cannot listen for signals: {cause}")))
}
