//! Which services and operations Tidegate serves: the one table that codegen starts from.

/// The version of the Python package botocore whose models are trimmed.
pub(crate) const BOTOCORE_VERSION: &str = "1.44.5";

/// One served service. Adding a service, or an operation, means changing this table only.
#[derive(Debug)]
pub(crate) struct Service {
    /// File below `models/` and folder below `crates/wire/src/shape/` (with underscores).
    pub(crate) id: &'static str,
    /// Folder below `botocore/data/`.
    pub(crate) published_as: &'static str,
    pub(crate) api_version: &'static str,
    /// Whether the service prints its patterns with a leading `^` that the published model has lost.
    pub(crate) prints_anchor: bool,
    /// The error of a request that breaks the model's constraints; most models do not name it.
    pub(crate) validation_code: &'static str,
    pub(crate) operations: &'static [&'static str],
}

pub(crate) const SERVICES: &[Service] = &[
    Service {
        id: "logs",
        published_as: "logs",
        api_version: "2014-03-28",
        prints_anchor: false,
        validation_code: "InvalidParameterException",
        operations: &["DescribeLogGroups", "DescribeLogStreams", "FilterLogEvents", "GetLogEvents"],
    },
    Service {
        id: "sagemaker",
        published_as: "sagemaker",
        api_version: "2017-07-24",
        prints_anchor: true,
        validation_code: "ValidationException",
        operations: &[
            "AddTags",
            "CreateEndpoint",
            "CreateEndpointConfig",
            "CreateModel",
            "DeleteEndpoint",
            "DeleteEndpointConfig",
            "DeleteModel",
            "DeleteTags",
            "DescribeEndpoint",
            "DescribeEndpointConfig",
            "DescribeModel",
            "ListEndpointConfigs",
            "ListEndpoints",
            "ListModels",
            "ListTags",
            "UpdateEndpoint",
            "UpdateEndpointWeightsAndCapacities",
        ],
    },
    Service {
        id: "sagemaker-runtime",
        published_as: "sagemaker-runtime",
        api_version: "2017-05-13",
        prints_anchor: false,
        validation_code: "ValidationError",
        operations: &["InvokeEndpoint", "InvokeEndpointWithResponseStream"],
    },
    Service {
        id: "sts",
        published_as: "sts",
        api_version: "2011-06-15",
        prints_anchor: false,
        validation_code: "ValidationError",
        operations: &["GetCallerIdentity"],
    },
];

impl Service {
    /// The folder and module below `crates/wire/src/shape/`.
    pub(crate) fn module(&self) -> String {
        self.id.replace('-', "_")
    }
}
