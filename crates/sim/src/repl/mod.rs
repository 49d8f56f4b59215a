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
//! > stall 10s                      the same, while the task that scales does not run
//! > begin 2026-03-29T00:58:00Z     puts the clock forward to where the script begins
//! > restart [instances N] [at 2026-03-29T00:58:00Z]
//! ```
//!
//! What is scaled, and by what (`scaling`), and what is measured and watched (`watching`), have commands of their own.
//! What happens meanwhile is shown with the time since the beginning of the script (`happened`).

mod happened;
mod hosting;
mod scaling;
mod watching;
mod words;

use std::collections::BTreeMap;

use domain::instance::InstanceId;
use serde_json::Value;
use wire::Service;

use crate::world::{Answer, Fault, World};
use happened::Happened;

/// Runs a script and returns what there is to see: each command, and what changed by it.
pub fn run(script: &str) -> Result<String, Fault> {
    let mut session = Session {
        world: World::new()?,
        requests: Vec::new(),
        shown: BTreeMap::new(),
        happened: Happened::default(),
    };
    let mut out = String::new();
    for line in script.lines() {
        out.push_str(line);
        out.push('\n');
        let Some(command) = line.strip_prefix("> ") else { continue };
        let answer = words::split(command).and_then(|words| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            session.perform(&words)
        });
        out.push_str(&answer.map_err(|fault| Fault(format!("{command}: {fault}")))?);
        session.happened.look(&session.world, &mut out);
        out.push_str(&session.changes());
    }
    Ok(out)
}

struct Session {
    world: World,
    requests: Vec<InstanceId>,
    shown: BTreeMap<String, String>,
    happened: Happened,
}

impl Session {
    fn perform(&mut self, words: &[&str]) -> Result<String, Fault> {
        match words {
            ["advance", span] => {
                let (span, mut out) = (words::duration(span)?, String::new());
                let Self { world, happened, .. } = self;
                world.advance_seen(span, &mut |world| happened.look(world, &mut out))?;
                Ok(out)
            }
            ["stall", span] => self.world.stall(words::duration(span)?).map(|()| String::new()),
            ["begin", moment] => {
                self.world.begin(words::moment(moment)?);
                Ok(String::new())
            }
            ["restart"] => self.world.restart().map(|()| String::new()),
            ["restart", "instances", count] => {
                let count = words::number(count)?;
                self.world.restart_with(count).map(|()| String::new())
            }
            ["restart", "at", moment] => {
                let moment = words::moment(moment)?;
                self.world.restart_at(moment).map(|()| String::new())
            }
            [command, rest @ ..] => {
                let done = match self.hosting(command, rest)? {
                    None => match self.scaling(command, rest)? {
                        None => self.watching(command, rest)?,
                        done => done,
                    },
                    done => done,
                };
                done.ok_or_else(|| Fault("not a command".into()))
            }
            [] => Err(Fault("no command".into())),
        }
    }

    /// Calls an operation, whose output nobody wants to see.
    fn call(
        &mut self,
        service: &'static Service,
        operation: &str,
        input: &Value,
    ) -> Result<String, Fault> {
        self.ask(service, operation, input)
            .map(|answer| answer.map_or_else(|refused| refused, |_| String::new()))
    }

    /// Calls an operation: its output, or how it was refused.
    fn ask(
        &mut self,
        service: &'static Service,
        operation: &str,
        input: &Value,
    ) -> Result<Result<Value, String>, Fault> {
        let Answer { status, body } = self.world.call(service, operation, input)?;
        if status == 200 {
            return Ok(Ok(body));
        }
        let text =
            |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let message = if text("message").is_empty() { text("Message") } else { text("message") };
        Ok(Err(format!("refused {status} {}: {message}\n", text("__type"))))
    }
}
