//! What an answer may say, given what was decided for it.

use domain::endpoint::Stage;
use domain::name::{EndpointConfigName, EndpointKey};
use serde_json::Value;
use store::State;

use crate::life::gate::Made;
use crate::life::server::Answered;
use crate::life::witness::Witness;

/// Operations that have changed something when they say that they have succeeded.
const WRITING: [&str; 5] = [
    "CreateEndpoint",
    "CreateEndpointConfig",
    "UpdateEndpoint",
    "UpdateEndpointWeightsAndCapacities",
    "DeleteEndpoint",
];

/// Looks at one answer.
pub(in crate::life) fn answered(answer: &Answered, witness: &Witness) {
    let Answered { asked, status, body, made, .. } = answer;
    let operation = asked.operation;
    let failed = made.iter().any(|made| made.failed);
    let own = made.iter().filter(|made| made.wrote && !notes_use(made));
    let (writes, status) = (own.count(), *status);
    let why = || format!("{operation} {}: {status} {body}", asked.input);
    if status >= 500 && !failed {
        witness.accuse("T6", format_args!("without a failure, {}", why()));
    }
    if writes > 1 {
        witness.accuse("torn", format_args!("{writes} changes of {}", why()));
    }
    if (400..500).contains(&status) && writes > 0 {
        witness.accuse("refusal", format_args!("a refused call has changed something: {}", why()));
    }
    if status == 200 && writes == 0 && WRITING.contains(&operation) {
        witness.accuse("acknowledged", format_args!("nothing was kept of {}", why()));
    }
    let limited = body.to_string().contains("ResourceLimitExceeded");
    if status == 400
        && !limited
        && made.last().is_some_and(|made| must_be_accepted(answer, &made.before))
    {
        witness.accuse("refused", format_args!("what is allowed was refused: {}", why()));
    }
    if status == 200 {
        described(answer, witness);
    }
}

/// The use of an access key is noted apart from what it is used for.
fn notes_use(made: &Made) -> bool {
    let times = |state: &State| {
        state.last_used.values().map(|used| format!("{used:?}")).collect::<Vec<_>>()
    };
    made.after.last_used.size() > 0 && times(&made.before) != times(&made.after)
}

/// Promises S3 and S8: what SageMaker accepts of an endpoint at rest is accepted.
fn must_be_accepted(answer: &Answered, before: &State) -> bool {
    let input = &answer.asked.input;
    let name = input["EndpointName"].as_str().and_then(|name| name.parse().ok());
    let Some(key) = name.map(|name| EndpointKey::from(&name)) else { return false };
    let Some(endpoint) = before.endpoints.get(&key) else { return false };
    let Some(live) = endpoint.live.as_ref().filter(|_| endpoint.stage == Stage::InService) else {
        return false;
    };
    match answer.asked.operation {
        "UpdateEndpoint" => {
            let config = input["EndpointConfigName"].as_str();
            let config = config.and_then(|name| name.parse::<EndpointConfigName>().ok());
            let Some(config) = config.and_then(|name| before.endpoint_configs.get(&name)) else {
                return false;
            };
            let same =
                |variant| config.instance_type(variant) == live.config.instance_type(variant);
            input["DeploymentConfig"].is_null()
                && input["RetainDeploymentConfig"].is_null()
                && before.targets_of(&key).all(|target| same(&target.resource.variant))
        }
        "UpdateEndpointWeightsAndCapacities" => {
            let changes = input["DesiredWeightsAndCapacities"].as_array();
            let mut changes = changes.into_iter().flatten();
            changes.all(|change| {
                let variant = change["VariantName"].as_str().and_then(|name| name.parse().ok());
                variant.is_some_and(|variant| live.fleet(&variant).is_some())
            })
        }
        "DeleteEndpoint" => !answer.asked.restricted || before.targets_of(&key).next().is_none(),
        _ => false,
    }
}

/// Promise S5.
fn described(answer: &Answered, witness: &Witness) {
    let Answered { asked, body, state, .. } = answer;
    match asked.operation {
        "DescribeEndpoint" => {
            let name = asked.input["EndpointName"].as_str().and_then(|name| name.parse().ok());
            let endpoint = name.and_then(|name| state.endpoints.get(&EndpointKey::from(&name)));
            let status = endpoint.map(|endpoint| endpoint.stage.status());
            if body["EndpointStatus"].as_str() != status {
                witness.accuse("S5", format_args!("{body} is told of {endpoint:?}"));
            }
        }
        "DescribeEndpointConfig" => {
            let name =
                asked.input["EndpointConfigName"].as_str().and_then(|name| name.parse().ok());
            let config =
                name.and_then(|name: EndpointConfigName| state.endpoint_configs.get(&name));
            let kept =
                config.and_then(|config| config.members.at(&["ProductionVariants"]).cloned());
            if kept.is_none_or(|kept| !contains(&body["ProductionVariants"], &kept)) {
                witness.accuse("S5", format_args!("{body} is told of {config:?}"));
            }
        }
        _ => {}
    }
}

/// Whether one value has everything that another one has; numbers by their worth.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part.iter().all(|(name, value)| {
            value.is_null() || whole.get(name).is_some_and(|found| contains(found, value))
        }),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len()
                && whole.iter().zip(part).all(|(one, other)| contains(one, other))
        }
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (one, other) => one == other,
    }
}
