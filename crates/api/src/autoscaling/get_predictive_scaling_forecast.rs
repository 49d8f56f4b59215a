//! `GetPredictiveScalingForecast`: AWS offers predictive scaling for ECS alone, so that no variant has a forecast
//! (`reference/autoscaling-and-cloudwatch.md`, section 1.4).

use domain::scaling::Refusal;
use wire::application_autoscaling::{
    GetPredictiveScalingForecastRequest, GetPredictiveScalingForecastResponse,
};

use super::lookup::resource;
use crate::Error;

pub(super) fn get_predictive_scaling_forecast(
    input: &GetPredictiveScalingForecastRequest,
) -> Result<GetPredictiveScalingForecastResponse, Error> {
    resource!(input)?;
    Err(Refusal::Predictive.into())
}
