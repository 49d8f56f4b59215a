//! Commands about endpoints, their instances and single requests, and what is shown of them.

use std::collections::BTreeMap;
use std::fmt::Write;

use domain::endpoint::Deployment;
use domain::instance::Phase;
use runtime::fake::Behaviour;
use serde_json::{Value, json};
use wire::sagemaker::SERVICE;

use super::Session;
use super::words::{duration, pair};
use crate::world::Fault;

impl Session {
    /// Performs a command, if it is one of these.
    pub(super) fn hosting(
        &mut self,
        command: &str,
        words: &[&str],
    ) -> Result<Option<String>, Fault> {
        match (command, words) {
            ("image", [image, rest @ ..]) => {
                self.world.script(image, behaviour(rest)?);
                Ok(String::new())
            }
            ("model", [name, image]) => {
                let container = json!({"Image": image});
                let input = json!({"ModelName": name, "PrimaryContainer": container});
                self.call(&SERVICE, "CreateModel", &input)
            }
            ("config", [name, model, variants @ ..]) => {
                let variants: Result<Vec<Value>, Fault> =
                    variants.iter().map(|one| variant(model, one)).collect();
                let input = json!({"EndpointConfigName": name, "ProductionVariants": variants?});
                self.call(&SERVICE, "CreateEndpointConfig", &input)
            }
            ("create", [name, config]) => {
                let input = json!({"EndpointName": name, "EndpointConfigName": config});
                self.call(&SERVICE, "CreateEndpoint", &input)
            }
            ("update", [name, config, rest @ ..]) => {
                let input = json!({"EndpointName": name, "EndpointConfigName": config,
                                   "RetainAllVariantProperties": rest.contains(&"retain")});
                self.call(&SERVICE, "UpdateEndpoint", &input)
            }
            ("resize", [name, variants @ ..]) => {
                let changes: Result<Vec<Value>, Fault> =
                    variants.iter().map(|one| change(one)).collect();
                let input = json!({"EndpointName": name, "DesiredWeightsAndCapacities": changes?});
                self.call(&SERVICE, "UpdateEndpointWeightsAndCapacities", &input)
            }
            ("delete", [name]) => {
                self.call(&SERVICE, "DeleteEndpoint", &json!({"EndpointName": name}))
            }
            ("request", [name]) => self.request(name),
            ("finish", []) => {
                for id in self.requests.drain(..) {
                    self.world.traffic.end(&id);
                }
                Ok(String::new())
            }
            ("crash", [name]) => self.crash(name),
            _ => return Ok(None),
        }
        .map(Some)
    }

    fn request(&mut self, name: &str) -> Result<String, Fault> {
        let name = name.parse().map_err(Fault::of)?;
        match self.world.traffic.begin(&name) {
            Some(id) => {
                let answer = format!("goes to {id}\n");
                self.requests.push(id);
                Ok(answer)
            }
            None => Ok("waits: no instance is ready\n".into()),
        }
    }

    fn crash(&mut self, name: &str) -> Result<String, Fault> {
        let ready = |one: &domain::instance::Observed| {
            one.fleet.endpoint.as_str() == name && one.phase.is_ready()
        };
        let id = self.world.instances().into_iter().find(ready).map(|one| one.id);
        let id = id.ok_or_else(|| Fault("no instance is ready".into()))?;
        self.world.crash(&id);
        Ok(format!("{id} dies\n"))
    }

    /// Endpoints and instances that look different than when they were last shown.
    pub(super) fn changes(&mut self) -> String {
        let mut now = BTreeMap::new();
        for endpoint in self.world.endpoints() {
            let mut line = format!("{} config={}", endpoint.stage.status(), endpoint.config_name);
            for (label, deployment) in [("live", &endpoint.live), ("pending", &endpoint.pending)] {
                if let Some(deployment) = deployment {
                    let _ = write!(line, " {label}[{}]", fleets(deployment));
                }
            }
            if let Some(reason) = &endpoint.failure_reason {
                let _ = write!(line, " because {reason:?}");
            }
            now.insert(format!("endpoint {}", endpoint.name), line);
        }
        for one in self.world.instances() {
            let phase = match one.phase {
                Phase::Ready { .. } => "Ready".to_owned(),
                Phase::Exited(exit) => format!("Exited {:?}", exit.cause),
                other => format!("{other:?}"),
            };
            now.insert(format!("{} {}", one.id, one.fleet.variant), phase);
        }
        let mut out = String::new();
        for (subject, line) in &now {
            if self.shown.get(subject) != Some(line) {
                let _ = writeln!(out, "  {subject}: {line}");
            }
        }
        for subject in self.shown.keys().filter(|subject| !now.contains_key(*subject)) {
            let _ = writeln!(out, "  {subject}: gone");
        }
        self.shown = now;
        out
    }
}

fn fleets(deployment: &Deployment) -> String {
    let shown: Vec<String> = deployment
        .fleets
        .iter()
        .map(|fleet| {
            let (current, desired) = (fleet.current_count, fleet.desired_count);
            format!("{} {current}/{desired} x{:?}", fleet.variant, fleet.current_weight)
        })
        .collect();
    shown.join(", ")
}

fn behaviour(words: &[&str]) -> Result<Behaviour, Fault> {
    match words {
        ["ready", after] => Ok(Behaviour::ready_after(duration(after)?)),
        ["never"] => Ok(Behaviour::never_ready()),
        ["exits", after] => Ok(Behaviour::ends_after(duration(after)?, "exit status 1")),
        ["missing"] => Ok(Behaviour::artifact_fails("the artefact is not there")),
        _ => Err(Fault("an image is ready N, never, exits N or missing".into())),
    }
}

fn variant(model: &str, word: &str) -> Result<Value, Fault> {
    let (name, count) = pair(word)?;
    Ok(
        json!({"VariantName": name, "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": count}),
    )
}

fn change(word: &str) -> Result<Value, Fault> {
    let (name, count) = pair(word)?;
    Ok(json!({"VariantName": name, "DesiredInstanceCount": count}))
}
