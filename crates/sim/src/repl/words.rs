//! How the words of a command are read.

use std::time::Duration;

use domain::time::Timestamp;
use serde_json::{Value, json};

use crate::world::Fault;

/// The words of a line; what stands between double quotes is one.
pub(super) fn split(line: &str) -> Result<Vec<String>, Fault> {
    let parts: Vec<&str> = line.split('"').collect();
    if parts.len().is_multiple_of(2) {
        return Err(Fault("a quote has no end".into()));
    }
    let words = parts.into_iter().enumerate().flat_map(|(index, part)| match index % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    Ok(words.collect())
}

/// `VARIANT=COUNT`.
pub(super) fn pair(word: &str) -> Result<(&str, u32), Fault> {
    let split = word.split_once('=').and_then(|(name, count)| Some((name, count.parse().ok()?)));
    split.ok_or_else(|| Fault(format!("{word} is not VARIANT=COUNT")))
}

/// `ENDPOINT/VARIANT`.
pub(super) fn variant(word: &str) -> Result<(&str, &str), Fault> {
    word.split_once('/').ok_or_else(|| Fault(format!("{word} is not ENDPOINT/VARIANT")))
}

pub(super) fn number<N: std::str::FromStr>(word: &str) -> Result<N, Fault> {
    word.parse().map_err(|_| Fault(format!("{word} is not a number")))
}

/// `MIN..MAX`, either of which may be absent.
pub(super) fn bounds(word: &str) -> Result<(Option<i32>, Option<i32>), Fault> {
    let (min, max) =
        word.split_once("..").ok_or_else(|| Fault(format!("{word} is not MIN..MAX")))?;
    let bound = |word: &str| if word.is_empty() { Ok(None) } else { number(word).map(Some) };
    Ok((bound(min)?, bound(max)?))
}

pub(super) fn duration(word: &str) -> Result<Duration, Fault> {
    let parsed = |suffix: &str, millis: u64| {
        let number: u64 = word.strip_suffix(suffix)?.parse().ok()?;
        Some(Duration::from_millis(number * millis))
    };
    let read = parsed("ms", 1)
        .or_else(|| parsed("s", 1000))
        .or_else(|| parsed("m", 60_000))
        .or_else(|| parsed("h", 3_600_000));
    read.ok_or_else(|| Fault(format!("{word} is not a time such as 250ms, 10s, 5m or 2h")))
}

/// A moment in UTC.
pub(super) fn moment(word: &str) -> Result<Timestamp, Fault> {
    let read: jiff::Timestamp =
        word.parse().map_err(|_| Fault(format!("{word} is not a moment")))?;
    Ok(Timestamp::from_millis(read.as_millisecond()))
}

/// `EndpointName` and `VariantName`, as metrics have them.
pub(super) fn dimensions(endpoint: &str, variant: &str) -> Value {
    json!([
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": variant},
    ])
}

/// The namespace of a variant's metric: SageMaker's for those it publishes, and one for what clients put.
pub(super) fn namespace(metric: &str) -> &'static str {
    match metric {
        "Invocations"
        | "InvocationsPerInstance"
        | "ConcurrentRequestsPerModel"
        | "ModelLatency"
        | "OverheadLatency"
        | "Invocation4XXErrors"
        | "Invocation5XXErrors"
        | "InvocationModelErrors" => domain::metric::INVOCATIONS,
        "CPUUtilization" | "MemoryUtilization" => domain::metric::UTILIZATION,
        _ => APP,
    }
}

/// The namespace of what scripts put.
pub(super) const APP: &str = "App";
