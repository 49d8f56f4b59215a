//! `PutMetricData`: answered when everything is kept, or nothing is (promise T2).

use wire::cloudwatch::PutMetricDataInput;

use super::apart::failed;
use super::datum;
use crate::{Context, Error};

pub(super) async fn put_metric_data(cx: &Context, input: &PutMetricDataInput) -> Result<(), Error> {
    let samples = datum::samples(input, cx.clock.now())?;
    cx.metrics.put(samples).await.map_err(failed)
}
