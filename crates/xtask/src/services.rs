//! Which services and operations Tidegate serves: the one table that codegen starts from.

/// The version of the Python package botocore whose models are trimmed.
pub(crate) const BOTOCORE_VERSION: &str = "1.44.5";

/// One served service. Adding a service, or an operation, means changing this table only.
#[derive(Debug)]
pub(crate) struct Service {
    /// File below `models/` (or `models/own/`) and folder below `crates/wire/src/shape/` (with underscores).
    pub(crate) id: &'static str,
    pub(crate) origin: Origin,
    /// The error of a request that breaks the model's constraints; most models do not name it.
    pub(crate) validation_code: &'static str,
    pub(crate) habits: Habits,
}

/// Where a service's model comes from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// AWS's: trimmed from `botocore/data/<folder>/<api version>` to what we serve.
    Botocore {
        folder: &'static str,
        api_version: &'static str,
        operations: &'static [&'static str],
    },
    /// Ours: written by hand, with documentation, and served whole.
    Own,
}

/// What a service does that its model does not say.
#[derive(Debug)]
pub(crate) struct Habits {
    /// Prints its patterns with a leading `^` that the published model has lost.
    pub(crate) prints_anchor: bool,
    /// Prints the values of an enum in alphabetical order, not in the model's.
    pub(crate) sorts_values: bool,
    /// Spells an error's `message` or `Message` as its model does; of the others that is not known.
    pub(crate) spells_as_modelled: bool,
}

/// Of a service of which nothing else is known.
const PLAIN: Habits =
    Habits { prints_anchor: false, sorts_values: false, spells_as_modelled: false };

pub(crate) const SERVICES: &[Service] = &[
    Service {
        id: "application-autoscaling",
        origin: Origin::Botocore {
            folder: "application-autoscaling",
            api_version: "2016-02-06",
            operations: &[
                "DeleteScalingPolicy",
                "DeleteScheduledAction",
                "DeregisterScalableTarget",
                "DescribeScalableTargets",
                "DescribeScalingActivities",
                "DescribeScalingPolicies",
                "DescribeScheduledActions",
                "GetPredictiveScalingForecast",
                "ListTagsForResource",
                "PutScalingPolicy",
                "PutScheduledAction",
                "RegisterScalableTarget",
                "TagResource",
                "UntagResource",
            ],
        },
        validation_code: "ValidationException",
        habits: Habits { sorts_values: true, spells_as_modelled: true, ..PLAIN },
    },
    Service {
        id: "cloudwatch",
        origin: Origin::Botocore {
            folder: "cloudwatch",
            api_version: "2010-08-01",
            operations: &[
                "DeleteAlarms",
                "DescribeAlarmHistory",
                "DescribeAlarms",
                "DescribeAlarmsForMetric",
                "DisableAlarmActions",
                "EnableAlarmActions",
                "GetMetricData",
                "GetMetricStatistics",
                "ListMetrics",
                "ListTagsForResource",
                "PutMetricAlarm",
                "PutMetricData",
                "SetAlarmState",
                "TagResource",
                "UntagResource",
            ],
        },
        validation_code: "ValidationException",
        habits: Habits { spells_as_modelled: true, ..PLAIN },
    },
    Service {
        id: "iam",
        origin: Origin::Botocore {
            folder: "iam",
            api_version: "2010-05-08",
            operations: &[
                "AddUserToGroup",
                "AttachGroupPolicy",
                "AttachRolePolicy",
                "AttachUserPolicy",
                "CreateAccessKey",
                "CreateGroup",
                "CreatePolicy",
                "CreatePolicyVersion",
                "CreateRole",
                "CreateServiceLinkedRole",
                "CreateUser",
                "DeleteAccessKey",
                "DeleteGroup",
                "DeleteGroupPolicy",
                "DeletePolicy",
                "DeletePolicyVersion",
                "DeleteRole",
                "DeleteRolePermissionsBoundary",
                "DeleteRolePolicy",
                "DeleteServiceLinkedRole",
                "DeleteUser",
                "DeleteUserPermissionsBoundary",
                "DeleteUserPolicy",
                "DetachGroupPolicy",
                "DetachRolePolicy",
                "DetachUserPolicy",
                "GetAccessKeyLastUsed",
                "GetAccountAuthorizationDetails",
                "GetAccountSummary",
                "GetGroup",
                "GetGroupPolicy",
                "GetPolicy",
                "GetPolicyVersion",
                "GetRole",
                "GetRolePolicy",
                "GetServiceLinkedRoleDeletionStatus",
                "GetUser",
                "GetUserPolicy",
                "ListAccessKeys",
                "ListAttachedGroupPolicies",
                "ListAttachedRolePolicies",
                "ListAttachedUserPolicies",
                "ListEntitiesForPolicy",
                "ListGroupPolicies",
                "ListGroups",
                "ListGroupsForUser",
                "ListPolicies",
                "ListPolicyTags",
                "ListPolicyVersions",
                "ListRolePolicies",
                "ListRoleTags",
                "ListRoles",
                "ListUserPolicies",
                "ListUserTags",
                "ListUsers",
                "PutGroupPolicy",
                "PutRolePermissionsBoundary",
                "PutRolePolicy",
                "PutUserPermissionsBoundary",
                "PutUserPolicy",
                "RemoveUserFromGroup",
                "SetDefaultPolicyVersion",
                "SimulateCustomPolicy",
                "SimulatePrincipalPolicy",
                "TagPolicy",
                "TagRole",
                "TagUser",
                "UntagPolicy",
                "UntagRole",
                "UntagUser",
                "UpdateAccessKey",
                "UpdateAssumeRolePolicy",
                "UpdateGroup",
                "UpdateRole",
                "UpdateRoleDescription",
                "UpdateUser",
            ],
        },
        validation_code: "ValidationError",
        habits: PLAIN,
    },
    Service {
        id: "logs",
        origin: Origin::Botocore {
            folder: "logs",
            api_version: "2014-03-28",
            operations: &[
                "DescribeLogGroups",
                "DescribeLogStreams",
                "FilterLogEvents",
                "GetLogEvents",
            ],
        },
        validation_code: "InvalidParameterException",
        habits: PLAIN,
    },
    Service {
        id: "sagemaker",
        origin: Origin::Botocore {
            folder: "sagemaker",
            api_version: "2017-07-24",
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
        validation_code: "ValidationException",
        habits: Habits { prints_anchor: true, ..PLAIN },
    },
    Service {
        id: "sagemaker-runtime",
        origin: Origin::Botocore {
            folder: "sagemaker-runtime",
            api_version: "2017-05-13",
            operations: &["InvokeEndpoint", "InvokeEndpointWithResponseStream"],
        },
        validation_code: "ValidationError",
        habits: PLAIN,
    },
    Service {
        id: "sts",
        origin: Origin::Botocore {
            folder: "sts",
            api_version: "2011-06-15",
            operations: &["AssumeRole", "GetCallerIdentity", "GetSessionToken"],
        },
        validation_code: "ValidationError",
        habits: PLAIN,
    },
    Service {
        id: "tidegate",
        origin: Origin::Own,
        validation_code: "ValidationException",
        habits: Habits { prints_anchor: false, sorts_values: true, spells_as_modelled: true },
    },
];

impl Service {
    /// The folder and module below `crates/wire/src/shape/`.
    pub(crate) fn module(&self) -> String {
        self.id.replace('-', "_")
    }

    /// The model, relative to the repository's root.
    pub(crate) fn path(&self) -> String {
        match self.origin {
            Origin::Botocore { .. } => format!("models/{}.json", self.id),
            Origin::Own => format!("models/own/{}.json", self.id),
        }
    }
}
