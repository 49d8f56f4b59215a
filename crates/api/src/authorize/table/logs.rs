//! CloudWatch Logs: groups and streams, in the forms that AWS's refusals name.

use domain::arn::Scope;
use wire::logs::Operation;

use super::super::need::Need;
use super::Ask;

pub(super) fn needs(ask: &Ask<'_>, operation: Operation) -> Vec<Need> {
    let stream = |action, name| vec![Need::on("logs", action, stream_arn(ask, name))];
    match operation {
        Operation::DescribeLogGroups => stream("DescribeLogGroups", ""),
        Operation::DescribeLogStreams => stream("DescribeLogStreams", ""),
        Operation::FilterLogEvents => stream("FilterLogEvents", ""),
        Operation::GetLogEvents => stream("GetLogEvents", ask.text("logStreamName")),
    }
}

/// `arn:aws:logs:R:A:log-group:GROUP:log-stream:STREAM`; the parts that are not named stay empty.
fn stream_arn(ask: &Ask<'_>, stream: &str) -> String {
    let Scope { region, account } = ask.scope;
    // An identifier is a name or the ARN of a group, which may end in `:*`.
    let identifier = ask.text("logGroupIdentifier");
    let group = identifier.split_once(":log-group:").map_or(identifier, |(_, name)| name);
    let group = match ask.text("logGroupName") {
        "" => group.strip_suffix(":*").unwrap_or(group),
        name => name,
    };
    format!("arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:{stream}")
}
