//! A variant's line in the tables: counts and weights as they are and as they are wanted.

use wire::sagemaker::{
    DescribeEndpointOutput, PendingDeploymentSummary, PendingProductionVariantSummary,
    ProductionVariantStatus, ProductionVariantSummary,
};

/// What the summaries of live and of pending variants have in common.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) instances: String,
    pub(super) weight: String,
    pub(super) status: String,
    pub(super) image: String,
}

impl From<&ProductionVariantSummary> for Row {
    fn from(variant: &ProductionVariantSummary) -> Self {
        let images = variant
            .deployed_images
            .iter()
            .flatten()
            .filter_map(|image| image.specified_image.clone());
        Self {
            name: variant.variant_name.clone(),
            instances: instances(variant.current_instance_count, variant.desired_instance_count),
            weight: moving(variant.current_weight, variant.desired_weight),
            status: status(variant.variant_status.as_deref()),
            image: images.collect::<Vec<_>>().join("\n"),
        }
    }
}

impl From<&PendingProductionVariantSummary> for Row {
    fn from(variant: &PendingProductionVariantSummary) -> Self {
        let images = variant
            .deployed_images
            .iter()
            .flatten()
            .filter_map(|image| image.specified_image.clone());
        Self {
            name: variant.variant_name.clone(),
            instances: instances(variant.current_instance_count, variant.desired_instance_count),
            weight: moving(variant.current_weight, variant.desired_weight),
            status: status(variant.variant_status.as_deref()),
            image: images.collect::<Vec<_>>().join("\n"),
        }
    }
}

impl Row {
    /// `AllTraffic 1/2`, for lists.
    pub(super) fn short(&self) -> String {
        if self.instances.is_empty() {
            self.name.clone()
        } else {
            format!("{} {}", self.name, self.instances)
        }
    }

    pub(super) fn into_cells(self) -> [String; 5] {
        [self.name, self.instances, self.weight, self.status, self.image]
    }
}

/// The variants that run, the shadow last.
pub(in crate::command) fn running(
    endpoint: &DescribeEndpointOutput,
) -> impl Iterator<Item = &ProductionVariantSummary> {
    let shadows = &endpoint.shadow_production_variants;
    [&endpoint.production_variants, shadows].into_iter().flatten().flatten()
}

/// The variants that are being deployed, the shadow last.
pub(in crate::command) fn coming(
    pending: &PendingDeploymentSummary,
) -> impl Iterator<Item = &PendingProductionVariantSummary> {
    [&pending.production_variants, &pending.shadow_production_variants]
        .into_iter()
        .flatten()
        .flatten()
}

/// `1/2`: one runs, two are wanted. A serverless variant has neither.
pub(super) fn instances(current: Option<i32>, desired: Option<i32>) -> String {
    match (current, desired) {
        (None, None) => String::new(),
        (current, desired) => {
            format!("{}/{}", current.unwrap_or(0), desired.or(current).unwrap_or(0))
        }
    }
}

/// `1`, or `1 → 0.5` on the way.
fn moving(current: Option<f64>, desired: Option<f64>) -> String {
    match (current, desired) {
        (Some(current), Some(desired)) if (current - desired).abs() > f64::EPSILON => {
            format!("{current} → {desired}")
        }
        (current, desired) => {
            current.or(desired).map_or_else(String::new, |weight| weight.to_string())
        }
    }
}

fn status(statuses: Option<&[ProductionVariantStatus]>) -> String {
    let lines = statuses.unwrap_or_default().iter().map(|status| match &status.status_message {
        Some(message) => format!("{}: {message}", status.status),
        None => status.status.to_string(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_weights_show_where_they_are_going() {
        let variant = ProductionVariantSummary {
            variant_name: "a".into(),
            current_instance_count: Some(1),
            desired_instance_count: Some(2),
            current_weight: Some(1.0),
            desired_weight: Some(0.5),
            ..ProductionVariantSummary::default()
        };
        let row = Row::from(&variant);
        assert_eq!(row.short(), "a 1/2");
        assert_eq!(row.into_cells(), ["a", "1/2", "1 → 0.5", "", ""].map(str::to_owned));
    }

    #[test]
    fn a_serverless_variant_has_only_a_name() {
        let variant = ProductionVariantSummary {
            variant_name: "a".into(),
            ..ProductionVariantSummary::default()
        };
        assert_eq!(Row::from(&variant).short(), "a");
    }

    #[test]
    fn weights_come_back_as_they_were_given() {
        assert_eq!(moving(Some(0.1), Some(0.1)), "0.1");
        assert_eq!(moving(None, Some(3.0)), "3");
    }
}
