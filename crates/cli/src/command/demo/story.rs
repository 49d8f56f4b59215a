//! The steps of the demonstration, in the order they are told.

use std::sync::Arc;
use std::time::Duration;

use wire::sagemaker::{
    DescribeEndpointOutput, DesiredWeightAndCapacity, EndpointStatus, UpdateEndpointInput,
    UpdateEndpointWeightsAndCapacitiesInput,
};

use crate::Error;
use crate::client::Client;
use crate::command::endpoint::{Fate, invoke, settle};
use crate::output::{Output, Progress, duration};

use super::belongings::{Belongings, VARIANT};
use super::load::{CLIENTS, Load, Tally};
use super::report::{Report, Step};
use super::tide::{self, Forecast};

/// How long the clients work before and after each change, so that there is something to compare with.
const AROUND: Duration = Duration::from_secs(1);

/// One telling.
#[derive(Debug)]
pub(super) struct Story<'a> {
    pub(super) client: Arc<Client>,
    pub(super) output: &'a Output,
    pub(super) belongings: &'a Belongings,
    pub(super) report: Report,
}

impl<'a> Story<'a> {
    /// Everything up to the point where only the clean-up is left.
    pub(super) async fn tell(&mut self) -> Result<(), Error> {
        self.deploy().await?;
        let answer = self.first_forecast().await?;
        let load = Load::start(&self.client, &tide::question(self.belongings.endpoint()), &answer);
        self.update(&load).await?;
        let name = "scale out 1 → 2 under load";
        let progress = self.scale(name, 2).await?;
        self.finish(name, progress, Some(load.take()), "");
        let name = "scale in 2 → 1 under load";
        let progress = self.scale(name, 1).await?;
        self.finish(name, progress, Some(load.finish().await), "");
        Ok(())
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

    async fn update(&mut self, load: &Load) -> Result<(), Error> {
        let name = "update it under load";
        let progress = Progress::start(self.output, name);
        progress.remark(format!("{CLIENTS} clients at work"));
        tokio::time::sleep(AROUND).await;
        self.belongings.create_model(&self.client, 2).await?;
        self.belongings.create_config(&self.client, 2).await?;
        let input = UpdateEndpointInput {
            endpoint_name: self.belongings.endpoint().to_owned(),
            endpoint_config_name: self.belongings.version(2),
            ..UpdateEndpointInput::default()
        };
        self.client.sagemaker_order("UpdateEndpoint", &input).await?;
        let endpoint = self.settled(&progress).await?;
        if endpoint.endpoint_config_name.as_ref() != Some(&input.endpoint_config_name) {
            let reason = endpoint.failure_reason.as_deref().unwrap_or("no reason given");
            return Err(Error::Failed(format!("the update did not come about: {reason}")));
        }
        tokio::time::sleep(AROUND).await;
        let result =
            format!("{} → {}, blue/green", self.belongings.version(1), self.belongings.version(2));
        self.finish(name, progress, Some(load.take()), &result);
        Ok(())
    }

    /// Changes the count of instances and waits until that many serve.
    async fn scale(&self, name: &'static str, wanted: i32) -> Result<Progress<'a>, Error> {
        let progress = Progress::start(self.output, name);
        let input = UpdateEndpointWeightsAndCapacitiesInput {
            endpoint_name: self.belongings.endpoint().to_owned(),
            desired_weights_and_capacities: vec![DesiredWeightAndCapacity {
                variant_name: VARIANT.to_owned(),
                desired_instance_count: Some(wanted),
                ..DesiredWeightAndCapacity::default()
            }],
        };
        self.client.sagemaker_order("UpdateEndpointWeightsAndCapacities", &input).await?;
        let endpoint = self.settled(&progress).await?;
        let variant = endpoint
            .production_variants
            .iter()
            .flatten()
            .find(|variant| variant.variant_name == VARIANT);
        let count = variant.and_then(|variant| variant.current_instance_count);
        if count != Some(wanted) {
            return Err(Error::Failed(format!(
                "{VARIANT} should have {wanted} instances and has {}",
                count.unwrap_or(0)
            )));
        }
        tokio::time::sleep(AROUND).await;
        Ok(progress)
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
