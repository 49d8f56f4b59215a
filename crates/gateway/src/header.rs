//! Names of SageMaker's headers (`reference/sagemaker-hosting.md`, section 5).

use http::HeaderName;

/// What the model server should answer in, in a streaming request.
pub(crate) const ACCEPT: HeaderName = HeaderName::from_static("x-amzn-sagemaker-accept");
/// What the model server has answered in, in a streamed answer.
pub(crate) const CONTENT_TYPE: HeaderName =
    HeaderName::from_static("x-amzn-sagemaker-content-type");
pub(crate) const CUSTOM_ATTRIBUTES: HeaderName =
    HeaderName::from_static("x-amzn-sagemaker-custom-attributes");
pub(crate) const INFERENCE_ID: HeaderName =
    HeaderName::from_static("x-amzn-sagemaker-inference-id");
pub(crate) const TARGET_VARIANT: HeaderName =
    HeaderName::from_static("x-amzn-sagemaker-target-variant");
pub(crate) const TARGET_MODEL: HeaderName =
    HeaderName::from_static("x-amzn-sagemaker-target-model");
pub(crate) const TARGET_CONTAINER_HOSTNAME: HeaderName =
    HeaderName::from_static("x-amzn-sagemaker-target-container-hostname");
pub(crate) const INFERENCE_COMPONENT: HeaderName =
    HeaderName::from_static("x-amzn-sagemaker-inference-component");
pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("x-amzn-sagemaker-session-id");
pub(crate) const ENABLE_EXPLANATIONS: HeaderName =
    HeaderName::from_static("x-amzn-sagemaker-enable-explanations");
pub(crate) const PREFIX_AWARE_ID: HeaderName =
    HeaderName::from_static("x-amzn-sagemaker-prefix-aware-id");
/// Asks for a dry run, which no invocation has.
pub(crate) const DRY_RUN: HeaderName = HeaderName::from_static("x-tidegate-dry-run");
pub(crate) const INVOKED_PRODUCTION_VARIANT: HeaderName =
    HeaderName::from_static("x-amzn-invoked-production-variant");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
