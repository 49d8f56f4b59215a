//! The demonstration's subject: a harbour's water levels, the question to the model, and its answer as a chart.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use wire::sagemaker_runtime::{InvokeEndpointInput, InvokeEndpointOutput};

/// Hours the model sees, and hours it tells ahead (`demo/README.md`).
pub(super) const HOURS_SEEN: usize = 24;
pub(super) const HOURS_AHEAD: usize = 6;

/// The harbour's mean level in metres.
const MEAN: f64 = 3.2;

/// What moves its water: period in hours, amplitude in metres, phase. Moon and sun, twice a day and once.
const CONSTITUENTS: [(f64, f64, f64); 5] = [
    (12.420_601_2, 1.55, 0.4),
    (12.0, 0.5, 1.1),
    (12.658_347_51, 0.25, 2.0),
    (23.934_472_13, 0.2, 0.7),
    (25.819_338_71, 0.15, 2.9),
];

/// Rows of the chart: enough to see the curve, few enough to leave the story on the screen.
const CHART_ROWS: usize = 9;

/// How far two answers to the same question may differ, in metres: the model counts in 32 bits.
const TOLERANCE: f64 = 1e-3;

#[expect(clippy::cast_precision_loss, reason = "thirty hours")]
fn level(hour: usize) -> f64 {
    let waves = CONSTITUENTS.iter().map(|(period, amplitude, phase)| {
        amplitude * (std::f64::consts::TAU * hour as f64 / period + phase).cos()
    });
    // A gauge reads centimetres.
    ((MEAN + waves.sum::<f64>()) * 100.0).round() / 100.0
}

/// What the gauge read.
pub(super) fn levels() -> Vec<f64> {
    (0..HOURS_SEEN).map(level).collect()
}

/// What it will read.
pub(super) fn truth() -> Vec<f64> {
    (HOURS_SEEN..HOURS_SEEN + HOURS_AHEAD).map(level).collect()
}

/// The question, in the Open Inference Protocol.
pub(super) fn question(endpoint_name: &str) -> InvokeEndpointInput {
    let input =
        json!({ "name": "levels", "shape": [1, HOURS_SEEN], "datatype": "FP32", "data": levels() });
    InvokeEndpointInput {
        endpoint_name: endpoint_name.to_owned(),
        body: Bytes::from(json!({ "inputs": [input] }).to_string()),
        content_type: Some("application/json".to_owned()),
        ..InvokeEndpointInput::default()
    }
}

/// The model's six levels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Forecast(Vec<f64>);

impl Forecast {
    /// Reads the answer, or says what is wrong with it.
    pub(super) fn read(answer: &InvokeEndpointOutput) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Answer {
            outputs: Vec<Tensor>,
        }
        #[derive(Deserialize)]
        struct Tensor {
            name: String,
            data: Vec<f64>,
        }
        let read: Answer = serde_json::from_slice(&answer.body)
            .map_err(|error| format!("the answer is no forecast: {error}"))?;
        let tensor = read.outputs.into_iter().find(|tensor| tensor.name == "forecast");
        let data = tensor.ok_or("the answer has no output `forecast`")?.data;
        if data.len() != HOURS_AHEAD || !data.iter().all(|level| level.is_finite()) {
            return Err(format!("the forecast is not {HOURS_AHEAD} levels: {data:?}"));
        }
        Ok(Self(data))
    }

    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, another)| (one - another).abs() <= TOLERANCE)
    }

    /// How far it is off on average, and how far the last level held constant would be, in centimetres.
    pub(super) fn errors(&self) -> (f64, f64) {
        let truth = truth();
        let last = level(HOURS_SEEN - 1);
        (mean_distance(&self.0, &truth), mean_distance(&[last; HOURS_AHEAD], &truth))
    }

    /// The levels seen and foretold over the hours.
    pub(super) fn chart(&self) -> String {
        let levels: Vec<f64> = levels().into_iter().chain(self.0.iter().copied()).collect();
        let (low, high) = levels
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), level| (low.min(*level), high.max(*level)));
        let rows: Vec<usize> = levels.iter().map(|level| row_of(*level, low, high)).collect();
        let mut lines: Vec<String> =
            (0..CHART_ROWS).map(|row| line(row, &rows, low, high)).collect();
        lines.push(format!(
            "        └{}┴{}",
            "─".repeat(2 * HOURS_SEEN - 1),
            "─".repeat(2 * HOURS_AHEAD)
        ));
        lines.push(format!(
            "         {:<width$}{}",
            "24 h ago",
            "now     + 6 h",
            width = 2 * HOURS_SEEN - 2
        ));
        lines.push("         ● measured   ○ forecast".to_owned());
        lines.join("\n")
    }
}

#[expect(clippy::cast_precision_loss, reason = "six hours")]
fn mean_distance(one: &[f64], other: &[f64]) -> f64 {
    let sum: f64 = one.iter().zip(other).map(|(a, b)| (a - b).abs()).sum();
    100.0 * sum / one.len() as f64
}

/// The row, counted from the top, that a level falls into.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "nine rows"
)]
fn row_of(level: f64, low: f64, high: f64) -> usize {
    let share = if high > low { (high - level) / (high - low) } else { 0.5 };
    (share.clamp(0.0, 1.0) * (CHART_ROWS - 1) as f64).round() as usize
}

fn line(row: usize, rows: &[usize], low: f64, high: f64) -> String {
    let label = match row {
        0 => format!("{high:>5.1} m ┤"),
        row if row == CHART_ROWS - 1 => format!("{low:>5.1} m ┤"),
        row if row == CHART_ROWS / 2 => format!("{:>5.1} m ┤", f64::midpoint(low, high)),
        _ => format!("{:>8}│", ""),
    };
    let cells = rows.iter().enumerate().map(|(hour, at)| match (*at == row, hour < HOURS_SEEN) {
        (true, true) => " ●",
        (true, false) => " ○",
        _ => "  ",
    });
    format!("{label}{}", cells.collect::<String>()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> InvokeEndpointOutput {
        InvokeEndpointOutput {
            body: Bytes::from(body.to_owned()),
            ..InvokeEndpointOutput::default()
        }
    }

    fn forecast(levels: &[f64]) -> Forecast {
        let body = json!({ "outputs": [{ "name": "forecast", "shape": [1, 6], "datatype": "FP32", "data": levels }] });
        Forecast::read(&answer(&body.to_string())).unwrap()
    }

    #[test]
    fn the_truth_is_without_error() {
        let (error, naive) = forecast(&truth()).errors();
        assert!(error < 1e-9 && naive > 50.0, "{error} {naive}");
    }

    #[test]
    fn answers_that_are_no_forecast_are_refused() {
        for body in [
            "",
            "{}",
            r#"{"outputs":[]}"#,
            r#"{"outputs":[{"name":"other","data":[1,2,3,4,5,6]}]}"#,
            r#"{"outputs":[{"name":"forecast","data":[1,2,3,4,5]}]}"#,
            r#"{"outputs":[{"name":"forecast","data":[1,2,3,4,5,null]}]}"#,
        ] {
            assert!(Forecast::read(&answer(body)).is_err(), "{body}");
        }
    }

    #[test]
    fn forecasts_agree_within_the_models_precision() {
        let one = forecast(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert!(one.agrees_with(&forecast(&[1.0005, 2.0, 3.0, 4.0, 5.0, 6.0])));
        assert!(!one.agrees_with(&forecast(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.01])));
    }

    #[test]
    fn the_chart_has_one_mark_per_hour() {
        let chart = forecast(&truth()).chart();
        let above_axis: String = chart.lines().take(CHART_ROWS).collect();
        assert_eq!(above_axis.matches('●').count(), HOURS_SEEN);
        assert_eq!(above_axis.matches('○').count(), HOURS_AHEAD);
        let widest = chart.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(79), "{widest:?}");
    }
}
