//! `tidegate endpoint update NAME`: the seed's seven steps as one command, which plans, explains, applies and resumes.
//!
//! What is planned and how it is carried out is decided in `domain` and `safe_update`; here is what the user says and sees.

mod ended;
mod keeper;
mod page;
mod rehearse;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use domain::members::Members;
use domain::name::{EndpointConfigName, EndpointName};
use domain::rollout::Guardrails;
use domain::safe_update::{HEADROOM_PERCENT_MAX, Outcome, Phase, Request, Run, Verdict};
use safe_update::{Survey, carry_on, shown, survey};
use serde_json::Value;
use wire::sagemaker::DeploymentConfig;
use wire::{Document, Shape as _};

use crate::client::Client;
use crate::interruption::Interruption;
use crate::journal::Held;
use crate::output::{Ink, Output, json_of};
use crate::remote::ClientRemote;
use crate::{Environment, Error};

use super::{place_of, with_names};
use ended::Ended;
use keeper::Keeper;

/// The exit code of a plan whose plain UpdateEndpoint would not do.
const WOULD_NOT_DO: u8 = 10;

/// What to update to, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It never asks. The plan is printed first; --plan stops there, with exit code 0 if a plain UpdateEndpoint would be \
                  accepted,\n10 if it would be refused or lose scaling, and 1 for an error.\n\n\
                  Before anything is changed, all scaling of the endpoint is saved to a journal below \
                  $XDG_STATE_HOME/tidegate/journal.\nWhatever stops the command, --resume goes on and --undo restores what was \
                  there. docs/safe-updates.md says more."
)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["endpoint_config", "resume", "undo"]))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// The endpoint's name
    #[arg(value_name = "NAME")]
    pub(super) name: EndpointName,

    /// The endpoint config it is to use, which exists
    #[arg(long, value_name = "CONFIG")]
    pub(super) endpoint_config: Option<EndpointConfigName>,

    /// Print the plan and change nothing
    #[arg(long, conflicts_with_all = ["resume", "undo"])]
    pub(super) plan: bool,

    /// Run so many more instances of each variant while the update lasts, such as 50%
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "0%", hide_default_value = true, conflicts_with_all = ["resume", "undo"])]
    pub(super) headroom: u32,

    /// Take the weights of the new config instead of the present ones
    #[arg(long, conflicts_with_all = ["resume", "undo"])]
    pub(super) reset_weights: bool,

    /// End with the instance counts of the new config instead of those that scaling has reached
    #[arg(long, conflicts_with_all = ["resume", "undo"])]
    pub(super) reset_counts: bool,

    /// Shift traffic as this deployment config says, given as JSON or as the name of a file that holds it
    #[arg(long, value_name = "JSON|FILE", value_parser = deployment_config, conflicts_with_all = ["resume", "undo", "retain_deployment_config"])]
    pub(super) deployment_config: Option<Members>,

    /// Shift traffic by the deployment config of the last update
    #[arg(long, conflicts_with_all = ["resume", "undo"])]
    pub(super) retain_deployment_config: bool,

    /// Go on with an update that was interrupted, or begin one anew that has rolled back
    #[arg(long)]
    pub(super) resume: bool,

    /// Restore what was there before the update, finished or not
    #[arg(long)]
    pub(super) undo: bool,
}

impl Arguments {
    fn request(&self) -> Request {
        Request {
            keep_counts: !self.reset_counts,
            keep_weights: !self.reset_weights,
            headroom_percent: self.headroom,
            deployment_config: self.deployment_config.clone(),
            retain_deployment_config: self.retain_deployment_config,
        }
    }
}

/// `50%` or `50`.
fn percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    let whole = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let percent = number.parse().ok().filter(|percent| whole && *percent <= HEADROOM_PERCENT_MAX);
    percent.ok_or_else(|| {
        format!("a whole number of percent is wanted, 0% to {HEADROOM_PERCENT_MAX}%")
    })
}

/// A `DeploymentConfig` in AWS's JSON. A member that it does not have is refused: a guard that was misspelt would guard nothing.
fn deployment_config(text: &str) -> Result<Members, String> {
    let json = if text.trim_start().starts_with('{') {
        text.to_owned()
    } else {
        let file = text.strip_prefix("file://").unwrap_or(text);
        std::fs::read_to_string(file).map_err(|why| format!("{file}: {why}"))?
    };
    let given: Value =
        serde_json::from_str(&json).map_err(|why| format!("it is no JSON: {why}"))?;
    let schema = DeploymentConfig::schema();
    let read = Document::from_json(schema, &given).map_err(|why| why.to_string())?;
    let known = read.to_json(schema);
    if let Some(foreign) = foreign_member(&given, &known) {
        return Err(format!(
            "a DeploymentConfig has no {foreign}: its members are those of UpdateEndpoint"
        ));
    }
    match (known == given, given) {
        (true, Value::Object(members)) => {
            let config = Members(members);
            Guardrails::read(&config).map_err(|why| why.to_string())?;
            Ok(config)
        }
        _ => Err("it is not written as UpdateEndpoint takes it".to_owned()),
    }
}

/// The path of a member that was given and is not known.
fn foreign_member(given: &Value, known: &Value) -> Option<String> {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            given.iter().find_map(|(name, value)| match known.get(name) {
                None => Some(name.clone()),
                Some(known) => foreign_member(value, known).map(|inner| format!("{name}.{inner}")),
            })
        }
        (Value::Array(given), Value::Array(known)) => {
            given.iter().zip(known).find_map(|(given, known)| foreign_member(given, known))
        }
        _ => None,
    }
}

/// What all ways through the command have in common.
struct Job<'a> {
    remote: ClientRemote<'a>,
    name: &'a EndpointName,
    ink: Ink,
    output: &'a Output,
}

pub(super) async fn run(
    client: &Client,
    arguments: &Arguments,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    let name = &arguments.name;
    let remote = ClientRemote::meet(client).await?;
    let job = Job { remote, name, ink: Ink::of_data(output, environment), output };
    let place = place_of(client, name, environment).await?;
    match &arguments.endpoint_config {
        Some(config) if arguments.plan => {
            if let Some(run) = place.read()?.filter(is_under_way) {
                output.note(job.unfinished(&run));
            }
            job.plan(config, arguments.request()).await
        }
        Some(config) => {
            let held = place.hold()?;
            if let Some(run) = held.place().read()?.filter(is_under_way) {
                return Err(Error::Usage(job.unfinished(&run)));
            }
            job.begin(held, config, arguments.request()).await
        }
        None => job.go_on(place.hold()?, arguments.undo).await,
    }
}

fn is_under_way(run: &Run) -> bool {
    !matches!(run.phase, Phase::Ended(_))
}

impl Job<'_> {
    /// Only says what would be done.
    async fn plan(&self, config: &EndpointConfigName, request: Request) -> Result<ExitCode, Error> {
        let Survey { facts, .. } = self.survey(config).await?;
        let mut plan = domain::safe_update::plan(&facts, &request);
        plan.verdict = rehearse::verdict(&self.remote, &facts, &request, plan.verdict).await?;
        if self.output.json {
            self.output.json(&json_of(&shown::plan(&facts, &request, &plan)))?;
        } else {
            self.output.data(page::page(&facts, &plan, self.ink))?;
        }
        Ok(match plan.verdict {
            Verdict::Accepted => ExitCode::SUCCESS,
            Verdict::Refused(_) | Verdict::LosesScaling(_) => ExitCode::from(WOULD_NOT_DO),
        })
    }

    async fn begin(
        &self,
        held: Held,
        config: &EndpointConfigName,
        request: Request,
    ) -> Result<ExitCode, Error> {
        let Survey { facts, saved } = self.survey(config).await?;
        if facts.endpoint != *self.name {
            // The journal lies under the name as it was given.
            return Err(Error::Usage(format!(
                "the server calls this endpoint {}; say that name",
                facts.endpoint
            )));
        }
        let run = Run::begin(facts, saved, request, safe_update::Remote::now(&self.remote).await)
            .map_err(Error::Failed)?;
        if !self.output.json {
            self.output.data(page::page(&run.facts, &run.plan, self.ink))?;
        }
        self.carry_on(held, run, &format!("updating endpoint {}", self.name)).await
    }

    /// Takes up what the journal has.
    async fn go_on(&self, held: Held, undo: bool) -> Result<ExitCode, Error> {
        let now = safe_update::Remote::now(&self.remote).await;
        let Some(run) = held.place().read()? else {
            return Err(Error::Usage(format!(
                "no update of {} has been made here: there is no {}",
                self.name,
                held.place().path().display()
            )));
        };
        match run.phase {
            Phase::Ended(Outcome::Undone) if !undo && run.problem.is_some() => {
                self.begin(held, &run.facts.wanted.name, run.request.clone()).await
            }
            Phase::Ended(Outcome::Undone) => self.nothing_to_do(&run),
            Phase::Ended(Outcome::Applied) if !undo => self.nothing_to_do(&run),
            _ if undo => {
                let what = format!("undoing the update of endpoint {}", self.name);
                self.carry_on(held, run.undoing(now), &what).await
            }
            _ => {
                let what = format!("going on with the update of endpoint {}", self.name);
                self.carry_on(held, run.resumed(now), &what).await
            }
        }
    }

    async fn survey(&self, config: &EndpointConfigName) -> Result<Survey, Error> {
        match survey(&self.remote, self.name, config).await {
            Ok(survey) => Ok(survey),
            Err(fault) => {
                let error = self.remote.explained(&fault);
                Err(with_names(self.remote.client(), self.name.as_str(), error).await)
            }
        }
    }

    /// Carries a run on until it has ended, stands still, or the user wants it to.
    async fn carry_on(&self, held: Held, run: Run, what: &str) -> Result<ExitCode, Error> {
        self.remote.client().announce(self.output, what).await?;
        let mut interruption = Interruption::listen()?;
        let mut keeper = Keeper::new(held, run.clone(), self.output);
        let ended = tokio::select! {
            biased;
            ended = carry_on(&self.remote, &mut keeper, run) => match ended {
                Ok(outcome) => Ended::With(outcome),
                Err(stopped) => Ended::Stopped(stopped.0),
            },
            () = self.remote.gate().closes(&mut interruption) => Ended::Interrupted,
        };
        self.tell(&keeper, ended)
    }
}
