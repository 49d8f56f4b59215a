//! `FilterLogEvents`: the events of a whole group, by time. Its end time belongs to the range; that of
//! `GetLogEvents` does not.

use ::logs::{Direction, Pattern, Place, Query, StreamName};
use domain::name::EndpointName;
use wire::logs::{FilterLogEventsRequest, FilterLogEventsResponse, FilteredLogEvent};

use super::{EVENTS_MAX, Refusal, group, limit, token};
use crate::Context;

/// 2024-01-01: AWS reads older logs from their heads only.
const NEWEST_FIRST_SINCE: i64 = 1_704_067_200_000;

pub(super) async fn filter_log_events(
    cx: &Context,
    input: FilterLogEventsRequest,
) -> Result<FilterLogEventsResponse, Refusal> {
    let (name, identifier) = (&input.log_group_name, &input.log_group_identifier);
    let endpoint = group::asked(&cx.scope, name.as_deref(), identifier.as_deref())?;
    if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
        return Err(Refusal::Parameters(
            "You cannot specify both logStreamNames and logStreamNamePrefix.",
        ));
    }
    let pattern = Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default())?;
    let (direction, after) = place(&input, &endpoint)?;
    let names = named(cx, &endpoint, input.log_stream_names).await?;
    let query = Query {
        endpoint: endpoint.clone(),
        names,
        prefix: input.log_stream_name_prefix,
        from: input.start_time.unwrap_or(i64::MIN),
        until: input.end_time.map_or(i64::MAX, |end| end.saturating_add(1)),
        pattern,
        limit: limit(input.limit, EVENTS_MAX),
        direction,
        after,
    };
    let page = cx.logs.events(query).await?.ok_or(Refusal::NoGroup)?;
    let events = page.events.into_iter().map(|event| FilteredLogEvent {
        event_id: Some(event.id().to_string()),
        log_stream_name: Some(event.stream.to_string()),
        timestamp: Some(event.at.as_millis()),
        ingestion_time: Some(event.at.as_millis()),
        message: Some(event.message),
    });
    let next = page.next.map(|Place { at, stream, offset }| {
        token::write(&kind(direction, &endpoint), (at, stream.as_str(), offset))
    });
    Ok(FilterLogEventsResponse {
        events: Some(events.collect()),
        // AWS has told nothing here since 2020.
        searched_log_streams: Some(Vec::new()),
        next_token: next,
    })
}

/// Which way to read, and from where. A token keeps the direction that it was made in.
fn place(
    input: &FilterLogEventsRequest,
    endpoint: &EndpointName,
) -> Result<(Direction, Option<Place>), Refusal> {
    if let Some(token) = input.next_token.as_deref() {
        let read = |direction| token::read::<(i64, String, u64)>(&kind(direction, endpoint), token);
        let (direction, (at, stream, offset)) = match read(Direction::Ascending) {
            Ok(place) => (Direction::Ascending, place),
            Err(_) => (Direction::Descending, read(Direction::Descending)?),
        };
        let stream = StreamName::from_text(&stream);
        return Ok((direction, Some(Place { at, stream, offset })));
    }
    if input.start_from_head != Some(false) {
        return Ok((Direction::Ascending, None));
    }
    if input.start_time.is_some_and(|start| start < NEWEST_FIRST_SINCE) {
        return Err(Refusal::Parameters(
            "startFromHead can only be false if startTime is on or after Jan 1, 2024 00:00:00 UTC.",
        ));
    }
    Ok((Direction::Descending, None))
}

fn kind(direction: Direction, endpoint: &EndpointName) -> String {
    format!("events {direction:?} {endpoint}")
}

/// The streams that are asked for, all of which must exist.
async fn named(
    cx: &Context,
    endpoint: &EndpointName,
    names: Option<Vec<String>>,
) -> Result<Option<Vec<StreamName>>, Refusal> {
    let Some(names) = names else { return Ok(None) };
    let known = cx.logs.streams(endpoint.clone()).await?.ok_or(Refusal::NoGroup)?;
    let wanted: Vec<_> = names.iter().map(|name| StreamName::from_text(name)).collect();
    let exists = |name: &StreamName| known.iter().any(|stream| stream.name == *name);
    if wanted.iter().all(exists) { Ok(Some(wanted)) } else { Err(Refusal::NoStream) }
}
