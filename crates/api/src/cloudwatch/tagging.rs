//! Tags of alarms: kept by the alarm's ARN, and gone with the alarm.

use domain::alarm::AlarmName;
use domain::arn::Scope;
use domain::tag::Tags;
use store::State;
use wire::cloudwatch::Tag;

use super::Refusal;
use crate::{Context, Error};

/// The alarm that an ARN of this account and region names; whether it exists is another matter.
pub(super) fn named(cx: &Context, action: &'static str, arn: &str) -> Result<AlarmName, Error> {
    let strange =
        || Refusal::Value(format!("The value {arn} for parameter ResourceARN is invalid."));
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let &["arn", _partition, "cloudwatch", region, account, "alarm", name] = parts.as_slice()
    else {
        return Err(strange().into());
    };
    let Scope { region: ours, account: own } = &cx.scope;
    if region != ours || account != own {
        let caller = cx.caller.arn.clone();
        return Err(Error::ForeignResource { caller, action, arn: arn.to_owned() });
    }
    Ok(name.into())
}

pub(super) fn of(state: &State, arn: &str) -> Tags {
    state.tagged.get(arn).map(|tagged| tagged.tags.clone()).unwrap_or_default()
}

pub(super) fn with(tags: &Tags, more: impl IntoIterator<Item = Tag>) -> Result<Tags, Refusal> {
    let more = more.into_iter().map(|Tag { key, value }| (key, value));
    tags.with(more).map_err(|_| Refusal::TooManyTags)
}

pub(super) fn exists(state: &State, name: &AlarmName, arn: &str) -> Result<(), Refusal> {
    let found = state.alarms.contains_key(name);
    found.then_some(()).ok_or_else(|| Refusal::NoResource(arn.to_owned()))
}
