//! What the demonstration did and what came of it.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::output::{duration, table};

use super::load::Tally;

/// One step that was done.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) took: Duration,
    /// The requests that were made meanwhile, if any were meant to be.
    pub(super) tally: Option<Tally>,
}

/// All of them, in order.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) steps: Vec<Step>,
}

impl Report {
    pub(super) fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.steps.iter().filter_map(|step| step.tally.as_ref()) {
            total.add(tally);
        }
        total
    }

    /// For people.
    pub(super) fn table(&self, took: Duration) -> String {
        let total = self.total();
        let steps = self.steps.iter().map(|step| row(step.name, step.took, step.tally.as_ref()));
        table(
            ["STEP", "TOOK", "REQUESTS", "FAILED", "P50", "P99"],
            steps.chain([row("in all", took, Some(&total))]),
        )
    }

    /// For programs.
    pub(super) fn json(&self, took: Duration, endpoint_url: &str) -> Json {
        let total = self.total();
        let steps = self.steps.iter().map(|step| {
            json!({
                "name": step.name,
                "seconds": step.took.as_secs_f64(),
                "requests": step.tally.as_ref().map(|tally| tally.requests),
                "failures": step.tally.as_ref().map(|tally| tally.failures),
            })
        });
        json!({
            "endpoint_url": endpoint_url,
            "steps": steps.collect::<Vec<_>>(),
            "requests": total.requests,
            "failures": total.failures,
            "first_failures": total.first_failures,
            "p50_milliseconds": total.percentile(50).map(millis),
            "p99_milliseconds": total.percentile(99).map(millis),
            "seconds": took.as_secs_f64(),
        })
    }
}

fn row(name: &str, took: Duration, tally: Option<&Tally>) -> [String; 6] {
    let count =
        |count: fn(&Tally) -> u64| tally.map_or_else(String::new, |tally| count(tally).to_string());
    let percentile = |percent| {
        tally.and_then(|tally| tally.percentile(percent)).map_or_else(String::new, duration)
    };
    [
        name.to_owned(),
        duration(took),
        count(|tally| tally.requests),
        count(|tally| tally.failures),
        percentile(50),
        percentile(99),
    ]
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut tally = Tally::default();
        tally.count(Ok(Duration::from_millis(2)));
        tally.count(Err("lost".into()));
        Report {
            steps: vec![
                Step { name: "start a server", took: Duration::from_millis(300), tally: None },
                Step { name: "update", took: Duration::from_secs(2), tally: Some(tally) },
            ],
        }
    }

    #[test]
    fn people_see_each_step_and_the_sum() {
        let wanted = "\
STEP            TOOK    REQUESTS  FAILED  P50     P99
start a server  300 ms
update          2.0 s   2         1       2.0 ms  2.0 ms
in all          3.0 s   2         1       2.0 ms  2.0 ms";
        assert_eq!(report().table(Duration::from_secs(3)), wanted);
    }

    #[test]
    fn programs_see_the_same() {
        let shown = report().json(Duration::from_secs(3), "http://h:1");
        assert_eq!(shown["requests"], 2);
        assert_eq!(shown["failures"], 1);
        assert_eq!(shown["first_failures"], json!(["lost"]));
        assert_eq!(shown["steps"][0]["requests"], Json::Null);
        assert_eq!(shown["steps"][1]["failures"], 1);
        assert_eq!(shown["p99_milliseconds"], 2.0);
    }
}
