//! `PutMetricAlarm` as it was sent, and what an alarm's configuration becomes of it.

#[cfg(test)]
mod tests;

use super::{AlarmName, Comparison, Config, LowSamples, Refusal, TreatMissing, Watch};
use crate::members::Members;
use crate::metric::{Dimension, MetricId, Query, Stat, Statistic, Unit};

/// The members of `PutMetricAlarm`, absent where they were not given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    pub name: String,
    pub description: Option<String>,
    pub actions_enabled: Option<bool>,
    pub ok_actions: Vec<String>,
    pub alarm_actions: Vec<String>,
    pub insufficient_data_actions: Vec<String>,
    pub metric_name: Option<String>,
    pub namespace: Option<String>,
    pub statistic: Option<String>,
    pub extended_statistic: Option<String>,
    /// None where the member is absent, and not where the list is empty.
    pub dimensions: Option<Vec<Dimension>>,
    /// Seconds.
    pub period: Option<u32>,
    pub unit: Option<Unit>,
    pub evaluation_periods: Option<u32>,
    pub datapoints_to_alarm: Option<u32>,
    pub threshold: Option<f64>,
    pub threshold_metric_id: Option<String>,
    pub comparison: Option<String>,
    pub treat_missing: Option<String>,
    pub evaluate_low_samples: Option<String>,
    /// Of `Metrics`; empty where that is absent.
    pub metrics: Vec<Query>,
    /// Members that are only kept and given back.
    pub kept: Members,
}

impl Request {
    /// What is asked for, if it is allowed.
    pub fn accept(self) -> Result<(AlarmName, Config), Refusal> {
        let name = AlarmName::parse(&self.name)?;
        self.refuse_lacking()?;
        let comparison =
            self.comparison.as_deref().and_then(Comparison::read).ok_or(Refusal::NoComparison)?;
        let threshold = self.threshold.ok_or(Refusal::NoThreshold)?;
        let evaluation_periods = self.evaluation_periods.ok_or(Refusal::NoEvaluationPeriods)?;
        let treat_missing = self.treat_missing.as_deref().map(|raw| {
            TreatMissing::read(raw).ok_or_else(|| Refusal::TreatMissing(raw.to_owned()))
        });
        let low_samples = self
            .evaluate_low_samples
            .as_deref()
            .map(|raw| LowSamples::read(raw).ok_or_else(|| Refusal::LowSamples(raw.to_owned())));
        let config = Config {
            watch: self.watch()?,
            description: self.description,
            actions_enabled: self.actions_enabled.unwrap_or(true),
            ok_actions: self.ok_actions,
            alarm_actions: self.alarm_actions,
            insufficient_data_actions: self.insufficient_data_actions,
            evaluation_periods,
            datapoints_to_alarm: self.datapoints_to_alarm,
            threshold,
            comparison,
            treat_missing: treat_missing.transpose()?,
            evaluate_low_samples: low_samples.transpose()?,
            kept: self.kept,
        };
        config.check()?;
        Ok((name, config))
    }

    /// What would be stored and then not be acted upon.
    fn refuse_lacking(&self) -> Result<(), Refusal> {
        if self.threshold.is_some() && self.threshold_metric_id.is_some() {
            return Err(Refusal::TwoThresholds);
        }
        let band = [
            "LessThanLowerOrGreaterThanUpperThreshold",
            "LessThanLowerThreshold",
            "GreaterThanUpperThreshold",
        ];
        if self.threshold_metric_id.is_some()
            || self.comparison.as_deref().is_some_and(|one| band.contains(&one))
        {
            return Err(Refusal::Lacking("anomaly detection bands"));
        }
        if self.kept.at(&["EvaluationCriteria"]).is_some() {
            return Err(Refusal::Lacking("EvaluationCriteria"));
        }
        Ok(())
    }

    fn watch(&self) -> Result<Watch, Refusal> {
        if !self.metrics.is_empty() {
            let scalar = [
                ("MetricName", self.metric_name.is_some()),
                ("Namespace", self.namespace.is_some()),
                ("Dimensions", self.dimensions.is_some()),
                ("Period", self.period.is_some()),
                ("Unit", self.unit.is_some()),
                ("Statistic", self.statistic.is_some()),
                ("ExtendedStatistic", self.extended_statistic.is_some()),
            ];
            return match scalar.iter().find(|(_, given)| *given) {
                Some((member, _)) => Err(Refusal::BesideMetrics(member)),
                None => Ok(Watch::Math(self.metrics.clone())),
            };
        }
        let name = self.metric_name.as_deref().ok_or(Refusal::Absent("MetricName"))?;
        let namespace = self.namespace.as_deref().ok_or(Refusal::Absent("Namespace"))?;
        Ok(Watch::Metric(Stat {
            metric: MetricId::new(namespace, name, self.dimensions.clone().unwrap_or_default()),
            statistic: self.read_statistic()?,
            unit: self.unit,
            period: Some(self.period.ok_or(Refusal::NoPeriod)?),
        }))
    }

    fn read_statistic(&self) -> Result<Statistic, Refusal> {
        match (self.statistic.as_deref(), self.extended_statistic.as_deref()) {
            (Some(_), Some(_)) => Err(Refusal::TwoStatistics),
            (None, None) => Err(Refusal::NoStatistic),
            (Some(raw), None) => raw.parse().map_err(|_| Refusal::Stat(raw.to_owned())),
            (None, Some(raw)) => {
                let read = raw.parse::<Statistic>().ok().filter(|one| one.is_extended());
                read.ok_or_else(|| Refusal::ExtendedStatistic(raw.to_owned()))
            }
        }
    }
}
