//! What became of an update, for the user and for whoever called the program.

use std::process::ExitCode;

use domain::safe_update::{Goal, Outcome, Phase, Run};
use safe_update::shown::{self, Standing};

use crate::Error;
use crate::interruption::INTERRUPTED;
use crate::output::{json_of, visible};
use crate::target::{Origin, Target};

use super::Job;
use super::keeper::Keeper;

/// How the run was left.
pub(super) enum Ended {
    With(Outcome),
    /// It stands still: why.
    Stopped(String),
    Interrupted,
}

impl Job<'_> {
    /// An update that could not be made is an error although all is as it was.
    pub(super) fn tell(&self, keeper: &Keeper<'_>, ended: Ended) -> Result<ExitCode, Error> {
        let (run, name) = (keeper.run(), self.name);
        if self.output.json {
            self.output.json(&json_of(&shown::run(run, Standing::default())))?;
        }
        let (wanted, in_use) = (&run.facts.wanted.name, &run.facts.in_use.name);
        match ended {
            Ended::With(Outcome::Applied) if run.problem.is_some() => Err(Error::Failed(format!(
                "{name} uses {wanted}{}: {}",
                scaling(run),
                visible(run.problem.as_deref().unwrap_or_default())
            ))),
            Ended::With(Outcome::Applied) => {
                self.output.note(format_args!("{name} uses {wanted}{}", scaling(run)));
                Ok(ExitCode::SUCCESS)
            }
            Ended::With(Outcome::Undone) => match &run.problem {
                None => {
                    self.output.note(format_args!("{name} uses {in_use} again{}", scaling(run)));
                    Ok(ExitCode::SUCCESS)
                }
                Some(why) => Err(Error::Failed(format!(
                    "{name} could not be updated to {wanted}: {}\nit uses {in_use} as before{}; to try once more: {}",
                    visible(why),
                    scaling(run),
                    self.command("--resume")
                ))),
            },
            Ended::Stopped(why) => Err(Error::Failed(format!(
                "the update of {name} stands still: {}\n{}",
                visible(&why),
                self.how_to_go_on(run, &keeper.path())
            ))),
            Ended::Interrupted => {
                self.output.note(format_args!(
                    "interrupted; the update of {name} is not finished\n{}",
                    self.how_to_go_on(run, &keeper.path())
                ));
                Ok(ExitCode::from(INTERRUPTED))
            }
        }
    }

    /// The journal has an update that has ended.
    pub(super) fn nothing_to_do(&self, run: &Run) -> Result<ExitCode, Error> {
        let (wanted, in_use) = (&run.facts.wanted.name, &run.facts.in_use.name);
        let became = match run.phase {
            Phase::Ended(Outcome::Undone) => format!("was undone, and it uses {in_use} as before"),
            _ => "is finished".to_owned(),
        };
        if self.output.json {
            self.output.json(&json_of(&shown::run(run, Standing::default())))?;
        }
        self.output.note(format_args!(
            "there is nothing to do: the last update of {} to {wanted} {became}",
            self.name
        ));
        Ok(ExitCode::SUCCESS)
    }

    /// Why another update does not begin.
    pub(super) fn unfinished(&self, run: &Run) -> String {
        let (resume, undo) = (self.command("--resume"), self.command("--undo"));
        let problem = run.problem.as_deref().map(|why| format!(" ({})", visible(why)));
        let problem = problem.unwrap_or_default();
        let what = format!("an update of {} to {}", self.name, run.facts.wanted.name);
        match run.goal {
            Goal::Apply => format!(
                "{what} is not finished{problem}; finish it with `{resume}`, or restore what was there with `{undo}`"
            ),
            Goal::Undo => format!(
                "{what} is being undone{problem}; finish that with `{undo}`, or update all the same with `{resume}`"
            ),
        }
    }

    fn how_to_go_on(&self, run: &Run, path: &str) -> String {
        let until_then = if run.saved.targets.is_empty() {
            ""
        } else {
            "until then, its scaling may be missing in part\n"
        };
        let forward = match run.goal {
            Goal::Apply => "to go on:",
            Goal::Undo => "to update all the same:",
        };
        format!(
            "{until_then}{forward:<29}{}\n{:<29}{}\n{:<29}{path}",
            self.command("--resume"),
            "to restore what was there:",
            self.command("--undo"),
            "what was there is saved in:",
        )
    }

    /// The command about the same endpoint of the same server.
    fn command(&self, flag: &str) -> String {
        let Target { server, .. } = self.remote.client().target();
        let name = self.name;
        match &server.origin {
            Origin::Aws => format!("tidegate endpoint update {name} {flag} --aws"),
            Origin::Flag => {
                format!("tidegate endpoint update {name} {flag} --endpoint-url {}", server.url)
            }
            _ => format!("tidegate endpoint update {name} {flag}"),
        }
    }
}

/// What can be said of scaling, if there was any.
fn scaling(run: &Run) -> &'static str {
    if run.saved.targets.is_empty() { "" } else { ", and its scaling is in place" }
}
