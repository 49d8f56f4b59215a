//! `DescribeInstances`: what runs behind an endpoint, one by one.

use domain::instance::Phase;
use domain::name::EndpointName;
use wire::tidegate::{
    DescribeInstancesInput, DescribeInstancesOutput, EndpointInstance, InstancePhase,
};

use super::lookup;
use crate::context::{Context, name};
use crate::{Error, Running};

pub(super) fn describe_instances(
    cx: &Context,
    input: &DescribeInstancesInput,
) -> Result<DescribeInstancesOutput, Error> {
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let state = cx.store.state();
    let endpoint = lookup::endpoint(&state, &name)?;
    let mut running = cx.live.instances(&endpoint.name);
    running.sort_by(|one, other| key(one).cmp(&key(other)));
    Ok(DescribeInstancesOutput { instances: running.iter().map(shown).collect() })
}

fn key(running: &Running) -> (&str, &str) {
    (running.observed.fleet.variant.as_str(), running.observed.id.as_str())
}

fn shown(running: &Running) -> EndpointInstance {
    let observed = &running.observed;
    EndpointInstance {
        instance_id: observed.id.to_string(),
        variant_name: observed.fleet.variant.to_string(),
        phase: match observed.phase {
            Phase::Preparing => InstancePhase::Preparing,
            Phase::Starting => InstancePhase::Starting,
            Phase::Ready { .. } => InstancePhase::Ready,
            Phase::Stopping => InstancePhase::Stopping,
            Phase::Exited(_) => InstancePhase::Exited,
        },
        in_flight: i32::try_from(running.in_flight).unwrap_or(i32::MAX),
        cpu_seconds: running.cpu.map(|spent| spent.as_secs_f64()),
        memory_bytes: running.memory_bytes.and_then(|bytes| i64::try_from(bytes).ok()),
    }
}
