//! The steps of the demonstration, in the order they are told.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wire::sagemaker::{DescribeEndpointOutput, EndpointStatus};
use wire::tidegate::ExplainScalingOutput;

use crate::Error;
use crate::client::Client;
use crate::command::endpoint::{Fate, invoke, settle};
use crate::command::scaling::explain;
use crate::output::{Output, Progress, duration, wrapped};

use super::autoscale::{self, MAX_CAPACITY, MIN_CAPACITY, Pace, Way};
use super::belongings::{Belongings, VARIANT};
use super::load::{CLIENTS, Load, Tally};
use super::report::{Report, Step};
use super::safely;
use super::tide::{self, Forecast};

/// How long the clients work before and after a change, so that there is something to compare with.
const AROUND: Duration = Duration::from_secs(1);

/// How long the load is measured: long enough that its pace has settled.
const MEASURED: Duration = Duration::from_secs(2);

/// Between two looks at an endpoint that is to scale.
const LOOK: Duration = Duration::from_millis(250);

/// The width of what is told in words.
const WIDTH: usize = 100;

/// One telling.
#[derive(Debug)]
pub(super) struct Story<'a> {
    pub(super) client: Arc<Client>,
    pub(super) output: &'a Output,
    pub(super) belongings: &'a Belongings,
    pub(super) report: Report,
    /// Whether the endpoint was seen to scale.
    pub(super) told_whole: bool,
}

impl Story<'_> {
    /// Everything up to the point where only the clean-up is left.
    pub(super) async fn tell(&mut self) -> Result<(), Error> {
        self.deploy().await?;
        let answer = self.first_forecast().await?;
        let pace = Pace::of(&self.client).await?;
        let load = Load::start(&self.client, &tide::question(self.belongings.endpoint()), &answer);
        self.let_it_scale(&load, pace).await?;
        if let Some(why) = pace.too_slow() {
            self.update(&load).await?;
            let last = load.finish().await;
            let step = self.report.steps.last_mut();
            step.and_then(|step| step.tally.as_mut())
                .into_iter()
                .for_each(|tally| tally.add(&last));
            self.told_whole = false;
            self.output.note(why);
            return Ok(());
        }
        self.scale_out(&load, pace).await?;
        self.update(&load).await?;
        let last = load.finish().await;
        self.scale_in(last, pace).await
    }

    async fn deploy(&mut self) -> Result<(), Error> {
        let name = "deploy the tide forecaster";
        let progress = Progress::start(self.output, name);
        self.belongings.upload(&self.client).await?;
        self.belongings.create_model(&self.client, 1).await?;
        self.belongings.create_config(&self.client, 1).await?;
        self.belongings.create_endpoint(&self.client).await?;
        let endpoint = self.settled(&progress).await?;
        self.finish(
            name,
            progress,
            None,
            &format!("endpoint {} is {}", endpoint.endpoint_name, endpoint.endpoint_status),
        );
        Ok(())
    }

    async fn first_forecast(&mut self) -> Result<Forecast, Error> {
        let name = "ask it for a forecast";
        let progress = Progress::start(self.output, name);
        let (answer, took) =
            invoke(&self.client, &tide::question(self.belongings.endpoint())).await?;
        let forecast = Forecast::read(&answer).map_err(Error::Failed)?;
        let mut tally = Tally::default();
        tally.count(Ok(took));
        self.finish(name, progress, Some(tally), "");
        let (error, naive) = forecast.errors();
        let words = format!(
            "{}\n         off by {error:.0} cm on average; the last level held constant would be off by {naive:.0} cm",
            forecast.chart()
        );
        if self.output.json {
            self.output.note(words);
        } else {
            self.output.data(words)?;
        }
        Ok(forecast)
    }

    /// Gives the variant that scales another instance type: refused by hand, and then done.
    async fn update(&mut self, load: &Load) -> Result<(), Error> {
        self.belongings.create_model(&self.client, 2).await?;
        self.belongings.create_config(&self.client, 2).await?;
        let before = self.policies().await?;
        self.refused_by_hand().await?;

        let name = "update it safely under load";
        let progress = Progress::start(self.output, name);
        progress.remark(format!("{CLIENTS} clients at work"));
        tokio::time::sleep(AROUND).await;
        let (from, to) = (self.belongings.version(1), self.belongings.version(2));
        safely::update(&self.client, self.belongings.endpoint(), &to, &progress).await?;
        let endpoint = self.settled(&progress).await?;
        if endpoint.endpoint_config_name.as_deref() != Some(&to) {
            return Err(Error::Failed(format!("the update to {to} did not come about")));
        }
        let after = self.policies().await?;
        if after != before {
            let lost = format!("what scaled it was {before:?}, and is {after:?}");
            return Err(Error::Failed(lost));
        }
        tokio::time::sleep(AROUND).await;
        let variants = endpoint.production_variants.iter().flatten();
        let kept: i32 = variants.filter_map(|variant| variant.current_instance_count).sum();
        let result =
            format!("{from} → {to}, {kept} instances kept, policy {} is back", after.join(", "));
        self.finish(name, progress, Some(load.take()), &result);
        Ok(())
    }

    async fn refused_by_hand(&mut self) -> Result<(), Error> {
        let name = "give it another instance type";
        let progress = Progress::start(self.output, name);
        let (endpoint, config) = (self.belongings.endpoint(), self.belongings.version(2));
        let words = safely::refused(&self.client, endpoint, &config).await?;
        let (from, to) = (Belongings::instance_type(1), Belongings::instance_type(2));
        self.finish(name, progress, None, &format!("{from} → {to}: refused, because it scales"));
        self.output.note(wrapped("    ", &words, WIDTH));
        let command = format!(
            "What it asks for, and putting everything back afterwards, is one command: tidegate endpoint update \
             {endpoint} --endpoint-config {config}"
        );
        self.output.note(wrapped("    ", &command, WIDTH));
        Ok(())
    }

    /// The names of the policies that scale the variant.
    async fn policies(&self) -> Result<Vec<String>, Error> {
        let explained = explain(&self.client, self.belongings.endpoint(), VARIANT).await?;
        Ok(explained.policies.into_iter().map(|policy| policy.policy_name).collect())
    }

    /// Registers the variant with a policy that the load at hand is too much for.
    async fn let_it_scale(&mut self, load: &Load, pace: Pace) -> Result<(), Error> {
        let name = "let it scale with its load";
        let progress = Progress::start(self.output, name);
        progress.remark(format!("{CLIENTS} clients at work; measuring their load"));
        // What the first requests take to warm up does not count.
        tokio::time::sleep(AROUND).await;
        let mut tally = load.take();
        let started = Instant::now();
        tokio::time::sleep(MEASURED).await;
        let measured = load.take();
        let rate = pace.per_minute(measured.requests, started.elapsed());
        tally.add(&measured);
        let target = autoscale::target_value(rate);
        let endpoint = self.belongings.endpoint();
        self.belongings.register(&self.client).await?;
        autoscale::track(&self.client, endpoint, target).await?;
        let result = format!(
            "{MIN_CAPACITY} to {MAX_CAPACITY} instances at {target:.0} requests/min each; the load is {rate:.0}/min"
        );
        self.finish(name, progress, Some(tally), &result);
        Ok(())
    }

    async fn scale_out(&mut self, load: &Load, pace: Pace) -> Result<(), Error> {
        let name = "scale out under load";
        let progress = Progress::start(self.output, name);
        let reached = self.scaled(Way::Out, MIN_CAPACITY, &progress, pace).await?;
        tokio::time::sleep(AROUND).await;
        let result = format!("{MIN_CAPACITY} → {} instances", reached.current_instance_count);
        self.finish(name, progress, Some(load.take()), &result);
        self.quote(&reached);
        Ok(())
    }

    /// `last` is what the clients saw since the last step, before they stopped.
    async fn scale_in(&mut self, last: Tally, pace: Pace) -> Result<(), Error> {
        let name = "scale in without load";
        let progress = Progress::start(self.output, name);
        let before = explain(&self.client, self.belongings.endpoint(), VARIANT).await?;
        let from = before.desired_instance_count;
        let reached = self.scaled(Way::In, from, &progress, pace).await?;
        let result = format!("{from} → {} instances", reached.current_instance_count);
        self.finish(name, progress, Some(last), &result);
        self.quote(&reached);
        Ok(())
    }

    /// Waits until the endpoint has scaled by itself.
    async fn scaled(
        &self,
        way: Way,
        from: i32,
        progress: &Progress<'_>,
        pace: Pace,
    ) -> Result<ExplainScalingOutput, Error> {
        let endpoint = self.belongings.endpoint();
        let deadline = Instant::now() + pace.deadline(way.span());
        loop {
            let explained = explain(&self.client, endpoint, VARIANT).await?;
            if way.is_done(from, &explained) {
                return Ok(explained);
            }
            let awaited = way.awaited(&explained);
            if Instant::now() >= deadline {
                let told = format!("{endpoint} has not scaled: {awaited}. {}", explained.summary);
                return Err(Error::Failed(told));
            }
            progress.remark(awaited);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The server's own words for what it did.
    fn quote(&self, explained: &ExplainScalingOutput) {
        let did = |to: &Option<i32>| to.is_some();
        if let Some(decision) = explained.decisions.iter().find(|decision| did(&decision.to)) {
            self.output.note(wrapped("    ", &decision.summary, WIDTH));
        }
    }

    /// Waits until the endpoint is `InService` without a failure.
    async fn settled(&self, progress: &Progress<'_>) -> Result<DescribeEndpointOutput, Error> {
        let name = self.belongings.endpoint();
        let Fate::Settled(endpoint) = settle(&self.client, name, progress).await? else {
            return Err(Error::Failed(format!("endpoint {name} is gone")));
        };
        match (&endpoint.endpoint_status, &endpoint.failure_reason) {
            (EndpointStatus::InService, None) => Ok(*endpoint),
            (status, reason) => {
                let reason = reason.as_deref().unwrap_or("no reason given");
                Err(Error::Failed(format!("endpoint {name} is {status}: {reason}")))
            }
        }
    }

    fn finish(
        &mut self,
        name: &'static str,
        progress: Progress<'_>,
        tally: Option<Tally>,
        result: &str,
    ) {
        let took = progress.elapsed();
        let counted = tally.as_ref().map(|tally| match tally.percentile(50) {
            Some(median) if tally.requests == 1 => format!("answered in {}", duration(median)),
            _ => format!("{} requests, {} failed", tally.requests, tally.failures),
        });
        let result = [(!result.is_empty()).then(|| result.to_owned()), counted];
        progress.done(result.into_iter().flatten().collect::<Vec<_>>().join("; "));
        self.report.steps.push(Step { name, took, tally });
    }
}
