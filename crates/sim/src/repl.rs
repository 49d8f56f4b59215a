//! Scripts: what a person would type, and what the world answers. Reviewers read the diff of a recorded answer.
//!
//! ```text
//! > image slow ready 5s            how instances of an image behave: ready N, never, exits N, missing
//! > model m slow
//! > config c m a=2 [b=1]           variants and their counts
//! > create e c
//! > update e c2 [retain]
//! > resize e a=4
//! > delete e
//! > request e / finish             a request that lasts; all requests end
//! > crash e                        the endpoint's first ready instance dies
//! > advance 10s
//! > restart
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use domain::endpoint::Deployment;
use domain::instance::{InstanceId, Phase};
use runtime::fake::Behaviour;
use serde_json::{Value, json};

use crate::world::{Answer, Fault, World};

/// Runs a script and returns what there is to see: each command, and what changed by it.
pub fn run(script: &str) -> Result<String, Fault> {
    let mut session =
        Session { world: World::new()?, requests: Vec::new(), shown: BTreeMap::new() };
    let mut out = String::new();
    for line in script.lines() {
        let Some(command) = line.strip_prefix("> ") else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        out.push_str(line);
        out.push('\n');
        let answer =
            session.perform(command).map_err(|fault| Fault(format!("{command}: {fault}")))?;
        out.push_str(&answer);
        out.push_str(&session.changes());
    }
    Ok(out)
}

struct Session {
    world: World,
    requests: Vec<InstanceId>,
    shown: BTreeMap<String, String>,
}

impl Session {
    fn perform(&mut self, command: &str) -> Result<String, Fault> {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["image", image, rest @ ..] => {
                self.world.script(image, behaviour(rest)?);
                Ok(String::new())
            }
            ["model", name, image] => {
                let container = json!({"Image": image});
                self.call("CreateModel", &json!({"ModelName": name, "PrimaryContainer": container}))
            }
            ["config", name, model, variants @ ..] => {
                let variants: Result<Vec<Value>, Fault> =
                    variants.iter().map(|one| variant(model, one)).collect();
                self.call(
                    "CreateEndpointConfig",
                    &json!({"EndpointConfigName": name, "ProductionVariants": variants?}),
                )
            }
            ["create", name, config] => self.call(
                "CreateEndpoint",
                &json!({"EndpointName": name, "EndpointConfigName": config}),
            ),
            ["update", name, config, rest @ ..] => {
                let retain = rest.contains(&"retain");
                self.call(
                    "UpdateEndpoint",
                    &json!({"EndpointName": name, "EndpointConfigName": config, "RetainAllVariantProperties": retain}),
                )
            }
            ["resize", name, variants @ ..] => {
                let changes: Result<Vec<Value>, Fault> =
                    variants.iter().map(|one| change(one)).collect();
                self.call(
                    "UpdateEndpointWeightsAndCapacities",
                    &json!({"EndpointName": name, "DesiredWeightsAndCapacities": changes?}),
                )
            }
            ["delete", name] => self.call("DeleteEndpoint", &json!({"EndpointName": name})),
            ["request", name] => self.request(name),
            ["finish"] => {
                for id in self.requests.drain(..) {
                    self.world.traffic.end(&id);
                }
                Ok(String::new())
            }
            ["crash", name] => self.crash(name),
            ["advance", span] => self.world.advance(duration(span)?).map(|()| String::new()),
            ["restart"] => self.world.restart().map(|()| String::new()),
            _ => Err(Fault("not a command".into())),
        }
    }

    fn call(&mut self, operation: &str, input: &Value) -> Result<String, Fault> {
        let Answer { status, body } = self.world.call(operation, input)?;
        if status == 200 {
            return Ok(String::new());
        }
        let text =
            |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let message = if text("message").is_empty() { text("Message") } else { text("message") };
        Ok(format!("refused {status} {}: {message}\n", text("__type")))
    }

    fn request(&mut self, name: &str) -> Result<String, Fault> {
        let name = name.parse().map_err(|why| Fault(format!("{why}")))?;
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
    fn changes(&mut self) -> String {
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

fn pair(word: &str) -> Result<(&str, u32), Fault> {
    let split = word.split_once('=').and_then(|(name, count)| Some((name, count.parse().ok()?)));
    split.ok_or_else(|| Fault(format!("{word} is not VARIANT=COUNT")))
}

fn duration(word: &str) -> Result<Duration, Fault> {
    let parsed = |suffix: &str, millis: u64| {
        let number: u64 = word.strip_suffix(suffix)?.parse().ok()?;
        Some(Duration::from_millis(number * millis))
    };
    let read = parsed("ms", 1).or_else(|| parsed("s", 1000)).or_else(|| parsed("m", 60_000));
    read.ok_or_else(|| Fault(format!("{word} is not a time such as 250ms, 10s or 5m")))
}
