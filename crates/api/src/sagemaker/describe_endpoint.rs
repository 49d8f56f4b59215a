//! `DescribeEndpoint`: how the fields move is in `reference/sagemaker-hosting.md`, section 2.

use domain::endpoint::{Deployment, Endpoint, Fleet, Stage};
use domain::endpoint_config::EndpointConfig;
use domain::name::EndpointName;
use wire::sagemaker::{
    CaptureStatus, DataCaptureConfig, DataCaptureConfigSummary, DeployedImage,
    DescribeEndpointInput, DescribeEndpointOutput, EndpointStatus, PendingDeploymentSummary,
    PendingProductionVariantSummary, ProductionVariant, ProductionVariantStatus,
    ProductionVariantSummary, VariantStatus,
};

use super::members::{member, timestamp, whole};
use super::{lookup, members, update};
use crate::Error;
use crate::context::{Context, name};

pub(super) fn describe_endpoint(
    cx: &Context,
    input: &DescribeEndpointInput,
) -> Result<DescribeEndpointOutput, Error> {
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let state = cx.store.state();
    let endpoint = lookup::endpoint(&state, &cx.scope, &name)?;
    let live = endpoint.live.as_deref();
    let config = live.or(endpoint.pending.as_deref()).map(|deployment| &deployment.config.members);
    Ok(DescribeEndpointOutput {
        endpoint_name: endpoint.name.to_string(),
        endpoint_arn: cx.endpoint_arn(&endpoint.name),
        endpoint_config_name: Some(endpoint.config_name.to_string()),
        production_variants: live.map(|live| variants(endpoint, live, false)),
        data_capture_config: config
            .and_then(|config| member(config, "DataCaptureConfig"))
            .map(capture),
        endpoint_status: status(endpoint.stage),
        failure_reason: endpoint.failure_reason.clone(),
        creation_time: timestamp(endpoint.created_at),
        last_modified_time: timestamp(endpoint.modified_at),
        last_deployment_config: endpoint
            .deployment_config
            .as_ref()
            .and_then(|config| whole(config).ok()),
        async_inference_config: None,
        pending_deployment_summary: endpoint
            .pending
            .as_deref()
            .map(|deployment| pending(endpoint, deployment)),
        explainer_config: None,
        shadow_production_variants: live
            .map(|live| variants(endpoint, live, true))
            .filter(|shadows| !shadows.is_empty()),
        metrics_config: config.and_then(|config| member(config, "MetricsConfig")),
        cross_region_traffic_config: None,
    })
}

pub(super) const fn status(stage: Stage) -> EndpointStatus {
    match stage {
        Stage::Creating => EndpointStatus::Creating,
        Stage::InService => EndpointStatus::InService,
        Stage::Deploying | Stage::Retiring | Stage::Resizing => EndpointStatus::Updating,
        Stage::RollingBack => EndpointStatus::RollingBack,
        Stage::UpdateRollbackFailed => EndpointStatus::UpdateRollbackFailed,
        Stage::Failed => EndpointStatus::Failed,
        Stage::Deleting => EndpointStatus::Deleting,
    }
}

/// The live production variants, or the live shadow.
fn variants(endpoint: &Endpoint, live: &Deployment, shadow: bool) -> Vec<ProductionVariantSummary> {
    let fleets = live.fleets.iter().filter(|fleet| fleet.shadow == shadow);
    fleets.map(|fleet| shown(endpoint, live, fleet)).collect()
}

fn shown(endpoint: &Endpoint, live: &Deployment, fleet: &Fleet) -> ProductionVariantSummary {
    let given = given(&live.config, fleet);
    ProductionVariantSummary {
        variant_name: fleet.variant.to_string(),
        deployed_images: Some(vec![image(live, fleet)]),
        current_weight: Some(fleet.current_weight),
        desired_weight: Some(fleet.desired_weight),
        current_instance_count: Some(count(fleet.current_count)),
        desired_instance_count: Some(count(fleet.desired_count)),
        variant_status: moving(endpoint, live, fleet),
        routing_config: given.and_then(|variant| variant.routing_config),
        ..ProductionVariantSummary::default()
    }
}

/// The variant as the config gives it.
fn given(config: &EndpointConfig, fleet: &Fleet) -> Option<ProductionVariant> {
    let named = EndpointConfig::listed(&config.members)
        .find(|one| one.get("VariantName").is_some_and(|name| *name == *fleet.variant.as_str()));
    members::whole(&domain::members::Members(named?.as_object()?.clone())).ok()
}

/// An image is what its tag names: there is no registry whose digest could be told.
fn image(deployment: &Deployment, fleet: &Fleet) -> DeployedImage {
    let image = fleet.model.container().ok().map(|container| container.image);
    DeployedImage {
        specified_image: image.clone(),
        resolved_image: image,
        resolution_time: Some(timestamp(deployment.started_at)),
    }
}

/// `VariantStatus` of the live fleet: absent at rest.
fn moving(
    endpoint: &Endpoint,
    live: &Deployment,
    fleet: &Fleet,
) -> Option<Vec<ProductionVariantStatus>> {
    let (status, message) = match endpoint.stage {
        Stage::Resizing if fleet.desired_count > fleet.settled_count => (
            VariantStatus::Updating,
            format!("Scaling out desired instance count to {}.", fleet.desired_count),
        ),
        Stage::Resizing if fleet.desired_count < fleet.settled_count => (
            VariantStatus::Updating,
            format!("Scaling in desired instance count to {}.", fleet.desired_count),
        ),
        Stage::Deleting => {
            (VariantStatus::Deleting, format!("Terminating {} instance(s).", fleet.current_count))
        }
        Stage::Retiring => {
            (VariantStatus::Updating, "Terminating the instances of the previous fleet.".to_owned())
        }
        Stage::Deploying | Stage::RollingBack => {
            return update::of_live(endpoint, fleet).map(|one| vec![one]);
        }
        Stage::Resizing
        | Stage::InService
        | Stage::Creating
        | Stage::UpdateRollbackFailed
        | Stage::Failed => {
            return None;
        }
    };
    let start_time =
        if endpoint.stage == Stage::Retiring { live.started_at } else { endpoint.modified_at };
    Some(vec![ProductionVariantStatus {
        status,
        status_message: Some(message),
        start_time: Some(timestamp(start_time)),
    }])
}

fn pending(endpoint: &Endpoint, pending: &Deployment) -> PendingDeploymentSummary {
    let shown = |fleet: &Fleet| PendingProductionVariantSummary {
        variant_name: fleet.variant.to_string(),
        deployed_images: Some(vec![image(pending, fleet)]),
        current_weight: Some(update::active_weight(endpoint, fleet)),
        desired_weight: Some(fleet.desired_weight),
        current_instance_count: Some(count(fleet.current_count)),
        desired_instance_count: Some(count(fleet.desired_count)),
        instance_type: pending.config.instance_type(&fleet.variant).map(str::to_owned),
        variant_status: Some(vec![update::of_pending(endpoint, pending, fleet)]),
        ..PendingProductionVariantSummary::default()
    };
    let (shadows, production): (Vec<_>, Vec<_>) =
        pending.fleets.iter().partition(|fleet| fleet.shadow);
    let shadows: Vec<_> = shadows.into_iter().map(shown).collect();
    PendingDeploymentSummary {
        endpoint_config_name: pending.config.name.to_string(),
        production_variants: Some(production.into_iter().map(shown).collect()),
        start_time: Some(timestamp(pending.started_at)),
        shadow_production_variants: (!shadows.is_empty()).then_some(shadows),
    }
}

/// Only configs that do not capture are deployed, so that capturing never runs.
fn capture(config: DataCaptureConfig) -> DataCaptureConfigSummary {
    DataCaptureConfigSummary {
        enable_capture: false,
        capture_status: CaptureStatus::Stopped,
        current_sampling_percentage: config.initial_sampling_percentage,
        destination_s3_uri: config.destination_s3_uri,
        kms_key_id: config.kms_key_id.unwrap_or_default(),
    }
}

fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
