//! What clients do in a life, drawn by lot.

mod hosting;
mod scaling;

use serde_json::{Value, json};
use wire::Service;

use super::Life;
use super::server::Asked;

/// The endpoints of a life: one that most happens to, and another one.
pub(super) const ENDPOINTS: [&str; 2] = ["e", "f"];
pub(super) const VARIANTS: [&str; 2] = ["a", "b"];

impl Life {
    /// A call that somebody makes now.
    pub(super) fn draw(&mut self) -> Asked {
        let endpoint = self.endpoint();
        if self.dice.percent(45) {
            self.draw_hosting(endpoint)
        } else {
            self.draw_scaling(endpoint)
        }
    }

    fn endpoint(&mut self) -> &'static str {
        if self.dice.percent(60) { ENDPOINTS[0] } else { ENDPOINTS[1] }
    }

    fn variant(&mut self) -> &'static str {
        if self.dice.percent(75) { VARIANTS[0] } else { VARIANTS[1] }
    }

    pub(super) fn asked(
        &self,
        service: &'static Service,
        operation: &'static str,
        input: Value,
    ) -> Asked {
        Asked { by: self.root.clone(), restricted: false, service, operation, input }
    }
}

fn with(mut one: Value, more: &Value) -> Value {
    if let (Some(one), Some(more)) = (one.as_object_mut(), more.as_object()) {
        one.extend(more.clone());
    }
    one
}

/// The target that a call of Application Auto Scaling is about.
fn of_target(endpoint: &str, variant: &str, more: &Value) -> Value {
    let target = json!({
        "ServiceNamespace": domain::scaling::NAMESPACE,
        "ScalableDimension": domain::scaling::DIMENSION,
        "ResourceId": format!("endpoint/{endpoint}/variant/{variant}"),
    });
    with(target, more)
}
