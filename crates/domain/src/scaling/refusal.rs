//! Why a request is refused, in AWS's words where they are known
//! (`reference/autoscaling-and-cloudwatch.md`, section 1.5). Nothing changes then.

use super::{AdjustmentType, PolicyType, ResourceId};

/// Targets per account and region, unless the server is told otherwise (section 1.8).
pub const TARGETS_MAX: usize = 500;
/// Policies per target (section 1.8).
pub const POLICIES_MAX: usize = 50;
/// Scheduled actions per target (section 1.8).
pub const SCHEDULED_ACTIONS_MAX: usize = 200;
/// Step adjustments per policy (section 1.8).
pub const STEPS_MAX: usize = 20;
/// The least and the greatest target value, as AWS prints them (section 1.5).
pub(super) const TARGET_VALUES: (f64, f64) = (8.51592E-109, 1.174_271E108);

/// The error of AWS's model that a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalKind {
    Validation,
    ObjectNotFound,
    LimitExceeded,
    ResourceNotFound,
    TooManyTags,
    InvalidNextToken,
    FailedResourceAccess,
    AccessDenied,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    // Any operation.
    #[error("Unsupported service namespace, resource type or scalable dimension")]
    Unsupported,
    /// A dimension of another namespace.
    #[error("Account is not authorized")]
    NotAuthorized,
    #[error("The NextToken value is not valid")]
    NextToken,
    #[error("MaxResults cannot be less than 0")]
    PageNegative,
    #[error("Scalable dimension cannot be specified without resource IDs")]
    DimensionWithoutResource,
    #[error("No scalable target registered for {}", of(.0))]
    NotRegistered(ResourceId),
    #[error("No scalable target found for {}", of(.0))]
    NoTarget(ResourceId),
    #[error("No scaling policy found for {}, policy name: {name}", of(.resource))]
    NoPolicy { resource: ResourceId, name: String },
    #[error("No scheduled action found for {}, scheduled action name: {name}", of(.resource))]
    NoScheduledAction { resource: ResourceId, name: String },

    // Registration.
    #[error("Minimum capacity must be specified")]
    MinimumMissing,
    #[error("Maximum capacity must be specified")]
    MaximumMissing,
    #[error("Minimum capacity cannot be less than 0")]
    MinimumNegative,
    #[error("Maximum capacity cannot be less than 0")]
    MaximumNegative,
    #[error("Maximum capacity cannot be less than minimum capacity")]
    MaximumBelowMinimum,
    #[error("'{0}' is not a valid ARN")]
    RoleNotArn(String),
    #[error(
        "The scalable target that you tried to tag already exists. To update tags on an existing scalable target, use \
         the TagResource API."
    )]
    TagsOnExisting,
    #[error("Could not find endpoint \"{0}\".")]
    NoEndpoint(String),
    #[error("Variant {} not found in endpoint {}", .0.variant, .0.endpoint)]
    NoVariant(ResourceId),
    #[error(
        "You cannot register a variant with {0} instance type as a scalable target. This is because the burstable \
         performance of these instances can lead to unpredictable behavior with Auto Scaling."
    )]
    Burstable(String),
    #[error(
        "The maximum number of scalable targets for service namespace sagemaker is {0} per account and region"
    )]
    TooManyTargets(usize),

    // Policies.
    #[error("Scaling policy type must be specified")]
    TypeMissing,
    #[error("{} policy configuration must be specified", .0.as_str())]
    ConfigurationMissing(PolicyType),
    #[error("You must specify PredictiveScalingConfiguration.")]
    PredictiveConfigurationMissing,
    #[error(
        "You must only provide a single scaling policy configuration, which must match the scaling policy type specified."
    )]
    ConfigurationMismatch,
    #[error("You cannot change a StepScaling policy to a non StepScaling policy, or vice versa.")]
    TypeChanged,
    #[error(
        "Predictive scaling is not supported for service namespace: sagemaker, scalable dimension: \
         sagemaker:variant:DesiredInstanceCount"
    )]
    Predictive,
    #[error("A scalable target has at most {POLICIES_MAX} scaling policies")]
    TooManyPolicies,
    #[error("Cooldown must be nonnegative")]
    CooldownNegative,
    #[error("Adjustment type must be specified")]
    AdjustmentTypeMissing,
    #[error("There must be at least one step adjustment")]
    NoSteps,
    #[error("A step scaling policy has at most {STEPS_MAX} step adjustments")]
    TooManySteps,
    #[error("A step adjustment must have an upper bound that is greater than its lower bound")]
    StepEmpty,
    #[error("A step adjustment must have a lower bound or an upper bound")]
    StepUnbounded,
    #[error("At most one StepAdjustment may have an unspecified lower bound")]
    TwoLowest,
    #[error("At most one StepAdjustment may have an unspecified upper bound")]
    TwoHighest,
    #[error("Step adjustment intervals cannot have gaps between them")]
    Gap,
    #[error("Step adjustment intervals cannot overlap")]
    Overlap,
    #[error(
        "There must be a StepAdjustment with an unspecified lower bound when one StepAdjustment has a negative lower bound"
    )]
    NoLowest,
    #[error(
        "There must be a StepAdjustment with an unspecified upper bound when one StepAdjustment has a positive upper bound"
    )]
    NoHighest,
    #[error("Scaling adjustment cannot be negative for adjustment type {}", .0.as_str())]
    AdjustmentNegative(AdjustmentType),
    #[error(
        "Minimum adjustment magnitude is only allowed for adjustment type PercentChangeInCapacity"
    )]
    MagnitudeOfOtherType,
    #[error("Minimum adjustment magnitude must be positive")]
    MagnitudeNotPositive,
    #[error(
        "For target tracking scaling, target value must be between '8.51592E-109' and '1.174271E108', but was '{0}'."
    )]
    TargetValue(String),
    #[error(
        "PredefinedMetricSpecification or CustomizedMetricSpecification must be set for target tracking scaling."
    )]
    MetricMissing,
    #[error(
        "Only one of PredefinedMetricSpecification or CustomizedMetricSpecification can be set for target tracking scaling."
    )]
    TwoMetrics,
    #[error(
        "CustomizedMetricSpecification must have either Metrics, or MetricName, Namespace and Statistic"
    )]
    CustomizedMetric,
    #[error(
        "Metrics of CustomizedMetricSpecification must have exactly one query with ReturnData true"
    )]
    ReturnData,
    #[error("Only one TargetTrackingScaling policy for a given metric specification is allowed.")]
    MetricTracked,
    #[error("Resource label should be specified for predefined metric type {0}")]
    LabelMissing(String),
    #[error(
        "Scalable dimension sagemaker:variant:DesiredInstanceCount only supports the following predefined metric types: \
         SageMakerVariantInvocationsPerInstance, SageMakerVariantConcurrentRequestsPerModelHighResolution"
    )]
    PredefinedMetric,
    /// CloudWatch would not have the alarm (section 1.9).
    #[error("Failed to put the alarms of the policy. Reason: {0}")]
    Alarm(String),

    // Scheduled actions.
    #[error("ScalableTargetAction must be set")]
    ActionMissing,
    #[error("At least one of minimum capacity and maximum capacity should be provided")]
    ActionEmpty,
    #[error("Schedule must be set")]
    ScheduleMissing,
    /// What `schedule` says of an expression or a zone.
    #[error("{0}")]
    Schedule(String),
    #[error("StartTime must be before EndTime")]
    StartNotBeforeEnd,
    #[error("A scalable target has at most {SCHEDULED_ACTIONS_MAX} scheduled actions")]
    TooManyScheduledActions,

    // Tags.
    /// The ARN that was asked for.
    #[error("Scalable Target not found")]
    NothingToTag(String),
    #[error("TagKeys cannot be null or empty")]
    NoTagKeys,
    /// The target's ARN.
    #[error("A scalable target has at most 50 tags")]
    TooManyTags(String),
    #[error("Tag keys that begin with aws: are reserved")]
    ReservedTag,
}

/// How AWS spells a target in its texts.
fn of(resource: &ResourceId) -> String {
    format!(
        "service namespace: {}, resource ID: {resource}, scalable dimension: {}",
        super::NAMESPACE,
        super::DIMENSION
    )
}

impl Refusal {
    /// `ResourceName` of the errors that have it (section 1.1): the resource that cannot be tagged so.
    pub fn resource_name(&self) -> Option<&str> {
        match self {
            Self::NothingToTag(arn) | Self::TooManyTags(arn) => Some(arn),
            _ => None,
        }
    }

    /// The error that `api` answers with.
    pub const fn kind(&self) -> RefusalKind {
        match self {
            Self::NotAuthorized => RefusalKind::AccessDenied,
            Self::NextToken => RefusalKind::InvalidNextToken,
            Self::NotRegistered(_)
            | Self::NoTarget(_)
            | Self::NoPolicy { .. }
            | Self::NoScheduledAction { .. } => RefusalKind::ObjectNotFound,
            Self::TooManyTargets(_)
            | Self::TooManyPolicies
            | Self::TooManySteps
            | Self::TooManyScheduledActions => RefusalKind::LimitExceeded,
            Self::NothingToTag(_) => RefusalKind::ResourceNotFound,
            Self::TooManyTags(_) => RefusalKind::TooManyTags,
            Self::Alarm(_) => RefusalKind::FailedResourceAccess,
            Self::Unsupported
            | Self::PageNegative
            | Self::DimensionWithoutResource
            | Self::MinimumMissing
            | Self::MaximumMissing
            | Self::MinimumNegative
            | Self::MaximumNegative
            | Self::MaximumBelowMinimum
            | Self::RoleNotArn(_)
            | Self::TagsOnExisting
            | Self::NoEndpoint(_)
            | Self::NoVariant(_)
            | Self::Burstable(_)
            | Self::TypeMissing
            | Self::ConfigurationMissing(_)
            | Self::PredictiveConfigurationMissing
            | Self::ConfigurationMismatch
            | Self::TypeChanged
            | Self::Predictive
            | Self::CooldownNegative
            | Self::AdjustmentTypeMissing
            | Self::NoSteps
            | Self::StepEmpty
            | Self::StepUnbounded
            | Self::TwoLowest
            | Self::TwoHighest
            | Self::Gap
            | Self::Overlap
            | Self::NoLowest
            | Self::NoHighest
            | Self::AdjustmentNegative(_)
            | Self::MagnitudeOfOtherType
            | Self::MagnitudeNotPositive
            | Self::TargetValue(_)
            | Self::MetricMissing
            | Self::TwoMetrics
            | Self::CustomizedMetric
            | Self::ReturnData
            | Self::MetricTracked
            | Self::LabelMissing(_)
            | Self::PredefinedMetric
            | Self::ActionMissing
            | Self::ActionEmpty
            | Self::ScheduleMissing
            | Self::Schedule(_)
            | Self::StartNotBeforeEnd
            | Self::NoTagKeys
            | Self::ReservedTag => RefusalKind::Validation,
        }
    }
}
