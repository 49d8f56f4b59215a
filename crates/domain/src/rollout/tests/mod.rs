mod guardrails;
mod stages;

use serde_json::Value;

use super::*;

/// The guardrails of a `DeploymentConfig`.
fn read(config: Value) -> Result<Guardrails, Refusal> {
    Guardrails::read(&serde_json::from_value(config).unwrap())
}
