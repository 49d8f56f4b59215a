//! Asking for events, each once.

use std::collections::BTreeSet;

use domain::name::EndpointName;
use wire::logs::{
    DescribeLogStreamsRequest, DescribeLogStreamsResponse, FilterLogEventsRequest,
    FilterLogEventsResponse, FilteredLogEvent,
};
use wire::value::Shape;
use wire::{Value, logs};

use crate::Error;
use crate::client::{CALL_TIMEOUT, Client, Manner, Retry};
use crate::command::endpoint::describe;
use crate::output::Output;

use super::line::line;

/// Pages that are asked for in one go before a server counts as one that never ends: everything that a server keeps,
/// at a mebibyte each, and as much again.
const PAGES_MAX: usize = 4096;

/// Which streams are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Streams {
    All,
    Prefix(String),
    One(String),
}

/// The events of an endpoint from some time on.
#[derive(Debug)]
pub(super) struct Source {
    endpoint: EndpointName,
    streams: Streams,
    /// The time of the newest event that was shown, and the events of that time that were.
    since: i64,
    shown: BTreeSet<String>,
}

impl Source {
    pub(super) fn new(endpoint: &EndpointName, streams: Streams, since: i64) -> Self {
        Self { endpoint: endpoint.clone(), streams, since, shown: BTreeSet::new() }
    }

    /// Shows what has not been shown yet. Returns how many events that was.
    pub(super) async fn show(&mut self, client: &Client, output: &Output) -> Result<usize, Error> {
        let mut input = self.request();
        let mut count = 0;
        for _ in 0..PAGES_MAX {
            let answer = call(client, "FilterLogEvents", &input).await;
            let page: FilterLogEventsResponse = match answer {
                Ok(page) => page,
                // No instance has been started yet, or there never was such an endpoint.
                Err(error) if is_missing(&error) => {
                    return describe(client, self.endpoint.as_str()).await.map(|_| 0);
                }
                Err(error) => return Err(error),
            };
            let mut text = String::new();
            for event in page.events.into_iter().flatten() {
                if self.is_new(&event) {
                    text.push_str(&line(&event, output));
                    count += 1;
                }
            }
            if !text.is_empty() {
                output.bytes(text.as_bytes())?;
            }
            input.next_token = page.next_token;
            if input.next_token.is_none() {
                return Ok(count);
            }
        }
        Err(Error::Answer {
            operation: "FilterLogEvents",
            problem: format!("the list does not end after {PAGES_MAX} pages"),
        })
    }

    fn request(&self) -> FilterLogEventsRequest {
        let (names, prefix) = match &self.streams {
            Streams::All => (None, None),
            Streams::Prefix(prefix) => (None, Some(prefix.clone())),
            Streams::One(name) => (Some(vec![name.clone()]), None),
        };
        FilterLogEventsRequest {
            log_group_name: Some(group(&self.endpoint)),
            log_stream_names: names,
            log_stream_name_prefix: prefix,
            start_time: Some(self.since),
            ..FilterLogEventsRequest::default()
        }
    }

    /// Whether an event was not shown before; from now on it was.
    fn is_new(&mut self, event: &FilteredLogEvent) -> bool {
        let at = event.timestamp.unwrap_or_default();
        if at > self.since {
            self.since = at;
            self.shown.clear();
        }
        self.shown.insert(event.event_id.clone().unwrap_or_default())
    }
}

fn group(endpoint: &EndpointName) -> String {
    format!("/aws/sagemaker/Endpoints/{endpoint}")
}

fn is_missing(error: &Error) -> bool {
    error.refusal().is_some_and(|refusal| {
        refusal.code == "ResourceNotFoundException" && refusal.message.contains("log group")
    })
}

async fn call<O: Value>(
    client: &Client,
    operation: &'static str,
    input: &impl Shape,
) -> Result<O, Error> {
    let manner = Manner { operation, timeout: CALL_TIMEOUT, retry: Retry::Idempotent };
    let document = client.call_in(&logs::SERVICE, &input.to_document(), manner).await?;
    O::from_document(&document)
        .map_err(|error| Error::Answer { operation, problem: error.to_string() })
}

/// The stream of an instance, whatever its variant.
pub(super) async fn stream_of(
    client: &Client,
    endpoint: &EndpointName,
    instance: &str,
) -> Result<String, Error> {
    let mut input = DescribeLogStreamsRequest {
        log_group_name: Some(group(endpoint)),
        ..DescribeLogStreamsRequest::default()
    };
    let mut names = Vec::new();
    for _ in 0..PAGES_MAX {
        let page: DescribeLogStreamsResponse = call(client, "DescribeLogStreams", &input).await?;
        let streams = page.log_streams.into_iter().flatten();
        names.extend(streams.filter_map(|stream| stream.log_stream_name));
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            break;
        }
    }
    let own = |name: &&String| name.split_once('/').is_some_and(|(_, id)| id == instance);
    names.iter().find(own).cloned().ok_or_else(|| {
        let newest = names.last().map_or_else(String::new, |name| format!("; there is {name}"));
        Error::Failed(format!("{endpoint} has no log of an instance {instance}{newest}"))
    })
}
