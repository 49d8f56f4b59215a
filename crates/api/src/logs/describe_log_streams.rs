//! `DescribeLogStreams`.

use ::logs::Stream;
use wire::logs::{DescribeLogStreamsRequest, DescribeLogStreamsResponse, LogStream, OrderBy};

use super::{DESCRIBED_MAX, Refusal, group, limit, token};
use crate::Context;

/// A place in the list: a time, if it is ordered by time, and a name.
type Place = (i64, String);

pub(super) async fn describe_log_streams(
    cx: &Context,
    input: DescribeLogStreamsRequest,
) -> Result<DescribeLogStreamsResponse, Refusal> {
    let (name, identifier) = (&input.log_group_name, &input.log_group_identifier);
    let endpoint = group::asked(&cx.scope, name.as_deref(), identifier.as_deref())?;
    let by_time = input.order_by == Some(OrderBy::LastEventTime);
    let prefix = input.log_stream_name_prefix.as_deref();
    if by_time && prefix.is_some() {
        return Err(Refusal::Parameters(
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        ));
    }
    let descending = input.descending == Some(true);
    let kind = format!("streams {by_time} {descending} {endpoint}");
    let after: Option<Place> =
        input.next_token.as_deref().map(|token| token::read(&kind, token)).transpose()?;

    let arn = group::arn(&cx.scope, &endpoint);
    let mut streams = cx.logs.streams(endpoint).await?.ok_or(Refusal::NoGroup)?;
    streams.retain(|one| prefix.is_none_or(|prefix| one.name.as_str().starts_with(prefix)));
    let mut placed: Vec<(Place, Stream)> =
        streams.into_iter().map(|one| (place(&one, by_time), one)).collect();
    placed.sort_unstable_by(|(a, _), (b, _)| if descending { b.cmp(a) } else { a.cmp(b) });
    placed.retain(|(place, _)| {
        after.as_ref().is_none_or(|after| if descending { place < after } else { place > after })
    });
    let size = limit(input.limit, DESCRIBED_MAX);
    let more = placed.len() > size;
    placed.truncate(size);
    let last = placed.last().filter(|_| more).map(|(place, _)| token::write(&kind, place));
    let shown = placed.iter().map(|(_, stream)| show(stream, &arn));
    Ok(DescribeLogStreamsResponse { log_streams: Some(shown.collect()), next_token: last })
}

fn place(stream: &Stream, by_time: bool) -> Place {
    let last = stream.span.map_or(stream.created, |(_, last)| last).as_millis();
    (if by_time { last } else { 0 }, stream.name.to_string())
}

fn show(stream: &Stream, group_arn: &str) -> LogStream {
    let (first, last) = stream.span.map(|(a, b)| (a.as_millis(), b.as_millis())).unzip();
    LogStream {
        log_stream_name: Some(stream.name.to_string()),
        creation_time: Some(stream.created.as_millis()),
        first_event_timestamp: first,
        last_event_timestamp: last,
        last_ingestion_time: last,
        arn: Some(format!("{group_arn}:log-stream:{}", stream.name)),
        // AWS gave up telling it in 2019.
        stored_bytes: Some(0),
        ..LogStream::default()
    }
}
