//! Waiting until an endpoint is done with what it is doing.

use std::time::Duration;

use tokio::time::Instant;
use wire::sagemaker::{DescribeEndpointOutput, EndpointStatus};

use crate::Error;
use crate::client::Client;
use crate::output::Progress;

use super::describe;
use super::variants::{coming, instances, running};

/// How long a wait lasts at most: as long as the waiters of AWS's SDKs wait for an endpoint.
pub(crate) const SETTLE_TIMEOUT: Duration = Duration::from_hours(1);

/// Between two looks. A look costs the server less than a millisecond.
const INTERVAL: Duration = Duration::from_millis(250);

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is there, and nothing is under way any more.
    Settled(Box<DescribeEndpointOutput>),
    Gone,
}

/// Waits until nothing is under way on the endpoint, with what is going on as the step's remark.
pub(crate) async fn settle(
    client: &Client,
    name: &str,
    progress: &Progress<'_>,
) -> Result<Fate, Error> {
    let deadline = Instant::now() + SETTLE_TIMEOUT;
    loop {
        let endpoint = match describe(client, name).await {
            Ok(endpoint) => endpoint,
            Err(error) if error.is_not_found() => return Ok(Fate::Gone),
            Err(error) => return Err(error),
        };
        if !is_under_way(endpoint.endpoint_status) {
            return Ok(Fate::Settled(Box::new(endpoint)));
        }
        if Instant::now() >= deadline {
            return Err(Error::Failed(format!(
                "{name} is still {} after {} minutes; see `tidegate endpoint describe {name}`",
                endpoint.endpoint_status,
                SETTLE_TIMEOUT.as_secs() / 60
            )));
        }
        progress.remark(remark(&endpoint));
        tokio::time::sleep(INTERVAL).await;
    }
}

fn is_under_way(status: EndpointStatus) -> bool {
    match status {
        EndpointStatus::Creating
        | EndpointStatus::Updating
        | EndpointStatus::SystemUpdating
        | EndpointStatus::RollingBack
        | EndpointStatus::Deleting => true,
        EndpointStatus::InService
        | EndpointStatus::OutOfService
        | EndpointStatus::Failed
        | EndpointStatus::UpdateRollbackFailed => false,
    }
}

/// `Updating · AllTraffic 1/1, new 0/1`.
fn remark(endpoint: &DescribeEndpointOutput) -> String {
    let live = running(endpoint).map(|variant| {
        format!(
            "{} {}",
            variant.variant_name,
            instances(variant.current_instance_count, variant.desired_instance_count)
        )
    });
    let pending = endpoint.pending_deployment_summary.iter().flat_map(coming);
    let coming = pending.map(|variant| {
        let counts = instances(variant.current_instance_count, variant.desired_instance_count);
        format!("new {} {counts}", variant.variant_name)
    });
    let variants = live.chain(coming).collect::<Vec<_>>().join(", ");
    if variants.is_empty() {
        endpoint.endpoint_status.to_string()
    } else {
        format!("{} · {variants}", endpoint.endpoint_status)
    }
}
