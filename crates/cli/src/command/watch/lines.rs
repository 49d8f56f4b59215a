//! A watch as plain lines, for pipes and logs: what has changed, and nothing else.

use crate::output::visible;

use super::picture::{clock, number};
use super::view::{Alarm, Variant, View};

/// What was said last, so that it is not said again.
#[derive(Debug, Default)]
pub(super) struct Lines {
    said: Vec<String>,
    /// Activities that have been told in the state that they were in.
    told: Vec<(String, String)>,
}

impl Lines {
    /// The lines to print after another look.
    pub(super) fn next(&mut self, view: &View) -> Vec<String> {
        let now = clock(view.now);
        let saying: Vec<String> =
            view.variants.iter().map(|variant| state(view, variant)).collect();
        let news = saying.iter().filter(|line| !self.said.contains(line));
        let mut lines: Vec<String> = news.map(|state| format!("{now}  {state}")).collect();
        self.said = saying;
        let mut told = Vec::new();
        for variant in &view.variants {
            for activity in variant.activities.iter().rev() {
                let key = (activity.id.clone(), activity.status.clone());
                if !self.told.contains(&key) {
                    let (status, text) = (&activity.status, activity.in_words());
                    let at = clock(activity.at);
                    let text = visible(&text);
                    lines.push(format!("{now}  {}  {at} {status}: {text}", variant.name));
                }
                told.push(key);
            }
        }
        self.told = told;
        lines
    }
}

fn state(view: &View, variant: &Variant) -> String {
    let value = |value: Option<f64>| value.map_or_else(|| "no data".to_owned(), number);
    let load = &variant.load;
    let wanted = load.wanted.map(|wanted| format!(" (target {})", number(wanted)));
    let alarm = |alarm: &Alarm| {
        let state = if alarm.state.is_empty() { "deleted" } else { &alarm.state };
        format!("  {} {state}", visible(alarm.short()))
    };
    let alarms: String = variant.alarms.iter().map(alarm).collect();
    format!(
        "{}  {}  {}/{} instances  {} requests/min  {} {}{}{alarms}",
        variant.name,
        view.status,
        variant.current,
        variant.desired,
        value(variant.requests_now()),
        value(load.now()),
        load.unit.in_words(),
        wanted.unwrap_or_default(),
    )
}
