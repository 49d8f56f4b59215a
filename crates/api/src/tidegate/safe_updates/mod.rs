//! Safe updates that the server carries out: planned, begun, watched, resumed and undone.
//!
//! An operation only looks, as its caller, and keeps a record; whoever carries it out is woken by the nudge that follows
//! every decision.

pub(super) mod describe;
pub(super) mod list;
pub(super) mod plan;
pub(super) mod resume;
pub(super) mod start;
pub(super) mod undo;

use std::sync::Arc;

use ::safe_update::shown::{self, Standing};
use ::safe_update::{Fault, Survey};
use domain::name::{EndpointConfigName, EndpointKey, EndpointName};
use domain::rollout::Guardrails;
use domain::safe_update::{Request, Run};
use http::StatusCode;
use store::record::{Lender, SafeUpdate};
use store::{Changes, State};

use wire::tidegate::DeploymentConfig;

use super::Refusal;
use crate::sagemaker::members::kept;
use crate::{Context, Error, Local};

/// What a request says of how the update is to be made; what it leaves out is as AWS users expect of a safe update.
#[derive(Debug)]
struct Choices {
    keep_counts: Option<bool>,
    keep_weights: Option<bool>,
    headroom_percent: Option<i32>,
    deployment_config: Option<DeploymentConfig>,
    retain_deployment_config: Option<bool>,
}

impl From<Choices> for Request {
    fn from(choices: Choices) -> Self {
        let usual = Self::default();
        let headroom = choices.headroom_percent.and_then(|percent| percent.try_into().ok());
        Self {
            keep_counts: choices.keep_counts.unwrap_or(usual.keep_counts),
            keep_weights: choices.keep_weights.unwrap_or(usual.keep_weights),
            headroom_percent: headroom.unwrap_or(usual.headroom_percent),
            deployment_config: choices.deployment_config.map(|config| kept(&config, &[])),
            retain_deployment_config: choices.retain_deployment_config.unwrap_or(false),
        }
    }
}

/// What is there, as far as the caller may see it.
async fn survey(
    cx: &Context,
    endpoint: &EndpointName,
    wanted: &EndpointConfigName,
) -> Result<Survey, Error> {
    let surveyed = ::safe_update::survey(&Local(cx.clone()), endpoint, wanted).await;
    surveyed.map_err(|fault| match fault {
        Fault::Refused { code, message, status } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            Refusal::Call { code, message, status }.into()
        }
        Fault::Lost(why) => Error::Internal(why),
    })
}

/// What `UpdateEndpoint` says of alarms that are to guard the update and are not there.
fn unknown_alarms(state: &State, arn: &str, request: &Request) -> Option<String> {
    let guardrails = Guardrails::read(request.deployment_config.as_ref()?).ok()?;
    let known = |name: &String| state.alarms.contains_key(name.as_str());
    let unknown: Vec<String> = guardrails.alarms.into_iter().filter(|name| !known(name)).collect();
    (!unknown.is_empty()).then(|| domain::endpoint::Refusal::NoSuchAlarms(unknown).in_words(arn))
}

fn found<'a>(state: &'a State, endpoint: &EndpointName) -> Result<&'a Arc<SafeUpdate>, Refusal> {
    let missing = || Refusal::NoSafeUpdate(endpoint.clone());
    state.safe_updates.get(&EndpointKey::from(endpoint)).ok_or_else(missing)
}

fn lender(cx: &Context) -> Lender {
    Lender {
        arn: cx.caller.arn.clone(),
        access_key_id: cx.asked.access_key_id.clone(),
        source_ip: cx.asked.source_ip,
        secure: cx.asked.secure,
        user_agent: cx.asked.user_agent.clone(),
    }
}

/// Gives a safe update another turn, with the caller's rights: `next` says which, and how its run goes on.
async fn turn(
    cx: &Context,
    next: impl FnOnce(&State) -> Result<(SafeUpdate, Run), Refusal> + Send + 'static,
) -> Result<wire::tidegate::SafeUpdate, Error> {
    let lender = lender(cx);
    let turned = cx.decide(move |state| {
        let (before, run) = next(state)?;
        let update = SafeUpdate { run, turn: before.turn + 1, paused: false, lender, ..before };
        Ok((Changes::none().put(update.clone()), update))
    });
    Ok(shown(cx, &turned.await?))
}

fn shown(cx: &Context, update: &SafeUpdate) -> wire::tidegate::SafeUpdate {
    let doing = cx.live.doing(&update.endpoint()).filter(|_| update.is_running());
    let standing = Standing {
        running: update.is_running(),
        doing: doing.as_deref(),
        started_by: Some(&update.started_by),
        carried_out_as: Some(&update.lender.arn),
    };
    shown::run(&update.run, standing)
}
