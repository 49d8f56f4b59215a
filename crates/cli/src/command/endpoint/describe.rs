//! `tidegate endpoint describe NAME`.

use std::process::ExitCode;

use domain::name::EndpointName;
use domain::safe_update::{Phase, Run};
use wire::sagemaker::{DescribeEndpointOutput, PendingDeploymentSummary};

use crate::client::Client;
use crate::command::ServerClock;
use crate::output::{Output, age, fields, instant, json_of, table};
use crate::{Environment, Error, wall};

use super::variants::{Row, coming};
use super::{describe, hint, journal_of, last_update, rollout};

const HEADING: [&str; 5] = ["VARIANT", "INSTANCES", "WEIGHT", "STATUS", "IMAGE"];

pub(super) async fn run(
    client: &Client,
    name: &EndpointName,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    let endpoint = match describe(client, name.as_str()).await {
        Ok(endpoint) => endpoint,
        Err(error) => return Err(hint::with_names(client, name.as_str(), error).await),
    };
    let clock = ServerClock::ask(client).await.ok();
    let now = clock.as_ref().map_or_else(wall::now_millis, ServerClock::now_millis);
    let kept = journal_of(client, name.as_str(), environment).await;
    let last = match (&clock, &kept) {
        (Some(_), _) => last_update::of_server(client, name.as_str()).await,
        (None, Some(run)) => Some(last_update::of_journal(run, &endpoint)),
        (None, None) => None,
    };
    if output.json {
        let mut shown = json_of(&endpoint);
        if let Some(last) = &last {
            shown["LastUpdate"] = json_of(last);
        }
        output.json(&shown)?;
    } else {
        let rollout = last.as_ref().and_then(|last| last.rollout.as_ref());
        let rollout = rollout.map(|rollout| rollout::told(rollout, now));
        let last = last.and_then(|last| last_update::told(&last, now));
        let unfinished = kept.filter(|run| !matches!(run.phase, Phase::Ended(_)));
        let told = Told { last_update: last, rollout };
        output.data(page(&endpoint, told, unfinished.as_ref(), now))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What only Tidegate's own API says, in words.
#[derive(Debug, Default)]
struct Told {
    last_update: Option<String>,
    rollout: Option<String>,
}

/// Everything a person wants to know, the most urgent first.
fn page(
    endpoint: &DescribeEndpointOutput,
    told: Told,
    unfinished: Option<&Run>,
    now: i64,
) -> String {
    let when = |millis: i64| format!("{} ({} ago)", instant(millis), age(millis, now));
    let mut head = vec![
        ("Endpoint", endpoint.endpoint_name.clone()),
        ("Status", endpoint.endpoint_status.to_string()),
    ];
    if let Some(reason) = &endpoint.failure_reason {
        let name =
            if endpoint.endpoint_status.as_str() == "Failed" { "Failure" } else { "Last failure" };
        head.push((name, reason.clone()));
    }
    if let Some(config) = &endpoint.endpoint_config_name {
        head.push(("Config", config.clone()));
    }
    if let Some(last) = told.last_update {
        head.push(("Last update", last));
    }
    if let Some(rollout) = told.rollout {
        head.push(("Stage", rollout));
    }
    if let Some(run) = unfinished {
        let name = &run.facts.endpoint;
        head.push((
            "Safe update",
            format!(
                "to {} is not finished: tidegate endpoint update {name} --resume, or --undo",
                run.facts.wanted.name
            ),
        ));
    }
    head.push(("ARN", endpoint.endpoint_arn.clone()));
    head.push(("Created", when(endpoint.creation_time.0)));
    head.push(("Modified", when(endpoint.last_modified_time.0)));
    if let Some(deployment) = &endpoint.last_deployment_config {
        head.push(("Deployment", json_of(deployment).to_string()));
    }
    if let Some(capture) = &endpoint.data_capture_config {
        head.push(("Data capture", json_of(capture).to_string()));
    }

    let mut parts = vec![fields(head)];
    if let Some(variants) = &endpoint.production_variants {
        parts.push(table(HEADING, variants.iter().map(|variant| Row::from(variant).into_cells())));
    }
    if let Some(variants) = &endpoint.shadow_production_variants {
        let rows = variants.iter().map(|variant| Row::from(variant).into_cells());
        parts.push(format!("Shadow variants:\n{}", table(HEADING, rows)));
    }
    if let Some(pending) = &endpoint.pending_deployment_summary {
        parts.push(pending_part(pending, now));
    }
    parts.join("\n\n")
}

fn pending_part(pending: &PendingDeploymentSummary, now: i64) -> String {
    let since =
        pending.start_time.map(|start| format!(", for {}", age(start.0, now))).unwrap_or_default();
    let rows = coming(pending).map(|variant| Row::from(variant).into_cells());
    format!("Deploying {}{since}:\n{}", pending.endpoint_config_name, table(HEADING, rows))
}

#[cfg(test)]
mod tests {
    use wire::Timestamp;
    use wire::sagemaker::{
        EndpointStatus, PendingProductionVariantSummary, ProductionVariantStatus,
        ProductionVariantSummary, VariantStatus,
    };

    use super::*;

    fn endpoint() -> DescribeEndpointOutput {
        DescribeEndpointOutput {
            endpoint_name: "tide".into(),
            endpoint_arn: "arn:aws:sagemaker:us-east-1:000000000000:endpoint/tide".into(),
            endpoint_config_name: Some("one".into()),
            production_variants: Some(vec![ProductionVariantSummary {
                variant_name: "AllTraffic".into(),
                current_weight: Some(1.0),
                desired_weight: Some(1.0),
                current_instance_count: Some(1),
                desired_instance_count: Some(1),
                ..ProductionVariantSummary::default()
            }]),
            data_capture_config: None,
            endpoint_status: EndpointStatus::Updating,
            failure_reason: Some("It did not start.".into()),
            creation_time: Timestamp(1_000),
            last_modified_time: Timestamp(61_000),
            last_deployment_config: None,
            async_inference_config: None,
            pending_deployment_summary: Some(PendingDeploymentSummary {
                endpoint_config_name: "two".into(),
                production_variants: Some(vec![PendingProductionVariantSummary {
                    variant_name: "AllTraffic".into(),
                    current_instance_count: Some(0),
                    desired_instance_count: Some(3),
                    variant_status: Some(vec![ProductionVariantStatus {
                        status: VariantStatus::Creating,
                        status_message: Some("Launching 3 instance(s).".into()),
                        start_time: None,
                    }]),
                    ..PendingProductionVariantSummary::default()
                }]),
                start_time: Some(Timestamp(61_000)),
                shadow_production_variants: None,
            }),
            explainer_config: None,
            shadow_production_variants: None,
            metrics_config: None,
            cross_region_traffic_config: None,
        }
    }

    #[test]
    fn a_page_shows_the_endpoint_and_what_is_under_way() {
        let wanted = "\
Endpoint      tide
Status        Updating
Last failure  It did not start.
Config        one
Last update   to two: in progress
Stage         canary, step 1 of 2: baking
ARN           arn:aws:sagemaker:us-east-1:000000000000:endpoint/tide
Created       1970-01-01T00:00:01Z (2m1s ago)
Modified      1970-01-01T00:01:01Z (1m1s ago)

VARIANT     INSTANCES  WEIGHT  STATUS  IMAGE
AllTraffic  1/1        1

Deploying two, for 1m1s:
VARIANT     INSTANCES  WEIGHT  STATUS                              IMAGE
AllTraffic  0/3                Creating: Launching 3 instance(s).";
        let told = Told {
            last_update: Some("to two: in progress".into()),
            rollout: Some("canary, step 1 of 2: baking".into()),
        };
        assert_eq!(page(&endpoint(), told, None, 122_000), wanted);
    }
}
