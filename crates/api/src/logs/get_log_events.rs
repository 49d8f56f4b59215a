//! `GetLogEvents`: one stream. The token of the last page leads to itself.

use ::logs::{StreamKey, StreamName, StreamPosition, StreamQuery};
use wire::logs::{GetLogEventsRequest, GetLogEventsResponse, OutputLogEvent};

use super::token::{Way, read_place, write_place};
use super::{EVENTS_MAX, Refusal, group, limit};
use crate::Context;

pub(super) async fn get_log_events(
    cx: &Context,
    input: &GetLogEventsRequest,
) -> Result<GetLogEventsResponse, Refusal> {
    let (name, identifier) = (&input.log_group_name, &input.log_group_identifier);
    let endpoint = group::asked(&cx.scope, name.as_deref(), identifier.as_deref())?;
    let place = input.next_token.as_deref().map(read_place).transpose()?;
    let position = match (place, input.start_from_head == Some(true)) {
        (Some((Way::Forward, place)), _) => StreamPosition::From(place),
        (Some((Way::Backward, place)), _) => StreamPosition::Before(place),
        (None, true) => StreamPosition::Head,
        (None, false) => StreamPosition::Tail,
    };
    let stream = StreamName::from_text(&input.log_stream_name);
    let query = StreamQuery {
        key: StreamKey { endpoint: endpoint.clone(), stream },
        from: input.start_time.unwrap_or(i64::MIN),
        until: input.end_time.unwrap_or(i64::MAX),
        limit: limit(input.limit, EVENTS_MAX),
        position,
    };
    let Some(page) = cx.logs.stream(query).await? else {
        let group = cx.logs.streams(endpoint).await?;
        return Err(if group.is_some() { Refusal::NoStream } else { Refusal::NoGroup });
    };
    let events = page.events.into_iter().map(|event| OutputLogEvent {
        timestamp: Some(event.at.as_millis()),
        ingestion_time: Some(event.at.as_millis()),
        message: Some(event.message),
    });
    Ok(GetLogEventsResponse {
        events: Some(events.collect()),
        next_forward_token: Some(write_place(Way::Forward, page.forward)),
        next_backward_token: Some(write_place(Way::Backward, page.backward)),
    })
}
