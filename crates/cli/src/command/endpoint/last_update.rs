//! What became of an endpoint's last update. SageMaker forgets it: an update that rolled back looks like one that was made,
//! and the config that serves like one that is left over.

use domain::safe_update::{Outcome, Phase, Run};
use wire::sagemaker::DescribeEndpointOutput;
use wire::tidegate::{self, DescribeLastUpdateInput, LastUpdate, LastUpdateOutcome};

use crate::client::Client;
use crate::command::scaling::ask;
use crate::output::{age, instant, visible};

/// What a Tidegate server knows. One that may not say so, or cannot, is no reason to fail.
pub(in crate::command) async fn of_server(client: &Client, name: &str) -> Option<LastUpdate> {
    let input = DescribeLastUpdateInput { endpoint_name: name.to_owned() };
    ask(client, &tidegate::SERVICE, "DescribeLastUpdate", &input).await.ok()
}

/// What the journal knows: of updates that this command has made.
pub(in crate::command) fn of_journal(run: &Run, endpoint: &DescribeEndpointOutput) -> LastUpdate {
    let outcome = match run.phase {
        Phase::Ended(Outcome::Applied) => LastUpdateOutcome::Applied,
        Phase::Ended(Outcome::Undone) => LastUpdateOutcome::RolledBack,
        _ => LastUpdateOutcome::InProgress,
    };
    let at = |time: domain::time::Timestamp| Some(wire::Timestamp(time.as_millis()));
    LastUpdate {
        endpoint_name: endpoint.endpoint_name.clone(),
        endpoint_config_in_use: endpoint.endpoint_config_name.clone().unwrap_or_default(),
        requested_endpoint_config_name: Some(run.facts.wanted.name.to_string()),
        replaced_endpoint_config_name: Some(run.facts.in_use.name.to_string()),
        requested_at: at(run.started_at),
        outcome: Some(outcome),
        reason: run.problem.clone(),
        ended_at: at(run.changed_at).filter(|_| matches!(run.phase, Phase::Ended(_))),
        rollout: None,
    }
}

/// In a line; nothing if the endpoint was never updated.
pub(in crate::command) fn told(last: &LastUpdate, now_millis: i64) -> Option<String> {
    let wanted = last.requested_endpoint_config_name.as_deref()?;
    let when = last
        .requested_at
        .map(|at| format!(", asked for at {} ({} ago)", instant(at.0), age(at.0, now_millis)));
    let became = match last.outcome? {
        LastUpdateOutcome::Applied => "applied".to_owned(),
        LastUpdateOutcome::InProgress => "in progress".to_owned(),
        LastUpdateOutcome::RolledBack => {
            format!("rolled back, so that {} is in use", last.endpoint_config_in_use)
        }
        LastUpdateOutcome::RollbackFailed => {
            "could not be rolled back: what there is of both serves".to_owned()
        }
    };
    let reason = last.reason.as_deref().map(|why| format!(": {}", visible(why)));
    Some(format!("to {wanted}{}: {became}{}", when.unwrap_or_default(), reason.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_it_fits_a_line() {
        let last = LastUpdate {
            endpoint_name: "tide".into(),
            endpoint_config_in_use: "one".into(),
            requested_endpoint_config_name: Some("two".into()),
            replaced_endpoint_config_name: Some("one".into()),
            requested_at: Some(wire::Timestamp(60_000)),
            outcome: Some(LastUpdateOutcome::RolledBack),
            reason: Some("It did\nnot start.".into()),
            ended_at: Some(wire::Timestamp(90_000)),
            rollout: None,
        };
        assert_eq!(
            told(&last, 120_000).unwrap(),
            "to two, asked for at 1970-01-01T00:01:00Z (1m ago): rolled back, so that one is in use: It did not start."
        );
        let applied = LastUpdate {
            endpoint_config_in_use: "two".into(),
            outcome: Some(LastUpdateOutcome::Applied),
            reason: None,
            requested_at: None,
            ..last.clone()
        };
        assert_eq!(told(&applied, 0).unwrap(), "to two: applied");
        let under_way = LastUpdate { outcome: Some(LastUpdateOutcome::InProgress), ..applied };
        assert_eq!(told(&under_way, 0).unwrap(), "to two: in progress");
        assert_eq!(told(&LastUpdate { outcome: None, ..last.clone() }, 0), None);
        assert_eq!(told(&LastUpdate { requested_endpoint_config_name: None, ..last }, 0), None);
    }
}
