//! `DescribeLogGroups`.

use wire::logs::{DescribeLogGroupsRequest, DescribeLogGroupsResponse, LogGroup, LogGroupClass};

use super::{DESCRIBED_MAX, Refusal, group, limit, token};
use crate::Context;

const TOKEN: &str = "groups";

pub(super) async fn describe_log_groups(
    cx: &Context,
    input: DescribeLogGroupsRequest,
) -> Result<DescribeLogGroupsResponse, Refusal> {
    let (prefix, pattern) = (input.log_group_name_prefix, input.log_group_name_pattern);
    if prefix.is_some() && pattern.is_some() {
        return Err(Refusal::Parameters(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    let named = input.log_group_identifiers;
    if named.is_some() && (prefix.is_some() || pattern.is_some() || input.log_group_class.is_some())
    {
        return Err(Refusal::Parameters(
            "logGroupIdentifiers cannot be combined with other filters.",
        ));
    }
    let named: Option<Vec<_>> = named.map(|identifiers| {
        identifiers.iter().filter_map(|one| group::of_identifier(&cx.scope, one)).collect()
    });
    let after: Option<String> =
        input.next_token.as_deref().map(|token| token::read(TOKEN, token)).transpose()?;
    // All groups are of one class, and in one account.
    let linked = input.include_linked_accounts == Some(true);
    let elsewhere = input.account_identifiers.filter(|_| linked);
    let none = input.log_group_class.is_some_and(|class| class != LogGroupClass::Standard)
        || elsewhere.is_some_and(|accounts| !accounts.contains(&cx.scope.account));

    let mut groups = cx.logs.groups().await?;
    groups.retain(|one| {
        let name = group::name(&one.endpoint);
        !none
            && named.as_ref().is_none_or(|named| named.contains(&one.endpoint))
            && prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && pattern.as_deref().is_none_or(|pattern| name.contains(pattern))
            && after.as_ref().is_none_or(|after| name > *after)
    });
    let size = limit(input.limit, DESCRIBED_MAX);
    let more = groups.len() > size;
    groups.truncate(size);
    let last = groups.last().filter(|_| more).map(|last| group::name(&last.endpoint));
    let shown = groups.iter().map(|one| show(cx, one, pattern.is_some()));
    Ok(DescribeLogGroupsResponse {
        log_groups: Some(shown.collect()),
        next_token: last.map(|last| token::write(TOKEN, last)),
    })
}

/// A search by pattern shows less, as on AWS.
fn show(cx: &Context, one: &::logs::Group, briefly: bool) -> LogGroup {
    let arn = group::arn(&cx.scope, &one.endpoint);
    let brief = LogGroup {
        log_group_name: Some(group::name(&one.endpoint)),
        creation_time: Some(one.created.as_millis()),
        arn: Some(format!("{arn}:*")),
        ..LogGroup::default()
    };
    if briefly {
        return brief;
    }
    LogGroup {
        metric_filter_count: Some(0),
        stored_bytes: Some(i64::try_from(one.bytes).unwrap_or(i64::MAX)),
        log_group_class: Some(LogGroupClass::Standard),
        log_group_arn: Some(arn),
        ..brief
    }
}
