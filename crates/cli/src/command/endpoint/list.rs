//! `tidegate endpoint ls`.

use std::process::ExitCode;

use serde_json::{Value as Json, json};
use wire::sagemaker::{
    DescribeEndpointOutput, EndpointSummary, ListEndpointsInput, ListEndpointsOutput,
};

use crate::Error;
use crate::client::Client;
use crate::command::clock;
use crate::output::{Output, Progress, age, json_of, table};

use super::describe;
use super::variants::{Row, running};

/// AWS's largest page.
const PAGE_SIZE: i32 = 100;

/// Pages that are asked for before a server counts as one that never ends: 100,000 endpoints.
const PAGES_MAX: usize = 1000;

pub(super) async fn run(client: &Client, output: &Output) -> Result<ExitCode, Error> {
    let progress = Progress::start(output, "reading endpoints");
    let mut endpoints = Vec::new();
    for summary in summaries(client).await? {
        // The list has no variants; one that is deleted between the two calls is not there any more.
        match describe(client, &summary.endpoint_name).await {
            Ok(endpoint) => endpoints.push(endpoint),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        progress.remark(format!("{}", endpoints.len()));
    }
    drop(progress);
    if output.json {
        let endpoints: Vec<Json> = endpoints.iter().map(json_of).collect();
        output.json(&json!({ "Endpoints": endpoints }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = clock::now_of(&client.target().server).await;
    output.data(table(
        ["NAME", "STATUS", "VARIANTS", "CONFIG", "AGE"],
        endpoints.iter().map(|endpoint| row(endpoint, now)),
    ))?;
    if endpoints.is_empty() {
        output.note("no endpoints yet; `tidegate demo` shows one at work");
    }
    Ok(ExitCode::SUCCESS)
}

pub(in crate::command) async fn summaries(client: &Client) -> Result<Vec<EndpointSummary>, Error> {
    let operation = "ListEndpoints";
    let mut found = Vec::new();
    let mut input =
        ListEndpointsInput { max_results: Some(PAGE_SIZE), ..ListEndpointsInput::default() };
    for _ in 0..PAGES_MAX {
        let page: ListEndpointsOutput = client.sagemaker(operation, &input).await?;
        found.extend(page.endpoints);
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            return Ok(found);
        }
    }
    Err(Error::Answer {
        operation,
        problem: format!("the list does not end after {PAGES_MAX} pages"),
    })
}

fn row(endpoint: &DescribeEndpointOutput, now: i64) -> [String; 5] {
    let variants = running(endpoint).map(|variant| Row::from(variant).short());
    let config = match &endpoint.pending_deployment_summary {
        Some(pending)
            if endpoint.endpoint_config_name.as_ref() != Some(&pending.endpoint_config_name) =>
        {
            format!(
                "{} → {}",
                endpoint.endpoint_config_name.as_deref().unwrap_or_default(),
                pending.endpoint_config_name
            )
        }
        _ => endpoint.endpoint_config_name.clone().unwrap_or_default(),
    };
    // What a table has no room for is at least announced: an endpoint can serve and still have failed to update.
    let status = match &endpoint.failure_reason {
        Some(_) if endpoint.endpoint_status.as_str() != "Failed" => {
            format!("{} (!)", endpoint.endpoint_status)
        }
        _ => endpoint.endpoint_status.to_string(),
    };
    [
        endpoint.endpoint_name.clone(),
        status,
        variants.collect::<Vec<_>>().join("\n"),
        config,
        age(endpoint.creation_time.0, now),
    ]
}
