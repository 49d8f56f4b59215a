//! The AWS-managed policies that this account has. Their names are AWS's, so that what attaches them works; their
//! texts are ours, and speak of the services that there are here.

use std::sync::{Arc, LazyLock};

use super::service_linked::POLICY_NAME;
use super::{ManagedPolicy, SERVICE_ROLE_PATH, unique_id};
use crate::time::Timestamp;

/// One policy as it is written below.
struct Written {
    path: &'static str,
    name: &'static str,
    description: &'static str,
    document: &'static str,
}

const WRITTEN: &[Written] = &[
    Written {
        path: "/",
        name: "AdministratorAccess",
        description: "Provides full access to AWS services and resources.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*"}
]}"#,
    },
    Written {
        path: "/",
        name: "AmazonS3FullAccess",
        description: "Provides full access to all buckets.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
]}"#,
    },
    Written {
        path: "/",
        name: "AmazonS3ReadOnlyAccess",
        description: "Provides read only access to all buckets.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}
]}"#,
    },
    Written {
        path: "/",
        name: "AmazonSageMakerFullAccess",
        description: "Provides full access to Amazon SageMaker and to what it needs beside it.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["sagemaker:*"], "Resource": "*"},
  {"Effect": "Allow", "Action": ["application-autoscaling:*"], "Resource": "*"},
  {"Effect": "Allow", "Action": [
    "cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmsForMetric",
    "cloudwatch:DescribeAlarmHistory", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics",
    "cloudwatch:ListMetrics", "cloudwatch:PutMetricAlarm", "cloudwatch:PutMetricData"], "Resource": "*"},
  {"Effect": "Allow", "Action": [
    "logs:Describe*", "logs:FilterLogEvents", "logs:GetLogEvents"], "Resource": "*"},
  {"Effect": "Allow", "Action": ["iam:GetRole", "iam:ListRoles"], "Resource": "*"},
  {"Effect": "Allow", "Action": [
    "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], "Resource": [
    "arn:aws:s3:::*SageMaker*", "arn:aws:s3:::*Sagemaker*", "arn:aws:s3:::*sagemaker*"]},
  {"Effect": "Allow", "Action": [
    "s3:CreateBucket", "s3:GetBucketLocation", "s3:ListBucket", "s3:ListAllMyBuckets"], "Resource": "*"},
  {"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole",
   "Resource": "arn:aws:iam::*:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
   "Condition": {"StringLike": {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}}},
  {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/*",
   "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}}
]}"#,
    },
    Written {
        path: "/",
        name: "AmazonSageMakerReadOnly",
        description: "Provides read only access to Amazon SageMaker.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["sagemaker:Describe*", "sagemaker:Get*", "sagemaker:List*"],
   "Resource": "*"},
  {"Effect": "Allow", "Action": [
    "application-autoscaling:Describe*", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetric*",
    "cloudwatch:ListMetrics", "logs:Describe*", "logs:FilterLogEvents", "logs:GetLogEvents"],
   "Resource": "*"}
]}"#,
    },
    Written {
        path: "/",
        name: "CloudWatchFullAccess",
        description: "Provides full access to CloudWatch.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["cloudwatch:*", "logs:*"], "Resource": "*"}
]}"#,
    },
    Written {
        path: "/",
        name: "CloudWatchReadOnlyAccess",
        description: "Provides read only access to CloudWatch.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": [
    "cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*", "logs:Describe*",
    "logs:FilterLogEvents", "logs:GetLogEvents"], "Resource": "*"}
]}"#,
    },
    Written {
        path: "/",
        name: "IAMFullAccess",
        description: "Provides full access to IAM.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}
]}"#,
    },
    Written {
        path: "/",
        name: "IAMReadOnlyAccess",
        description: "Provides read only access to IAM.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*", "iam:Simulate*"], "Resource": "*"}
]}"#,
    },
    Written {
        path: "/",
        name: "PowerUserAccess",
        description: "Provides full access to AWS services and resources, but does not allow management of users and \
                      groups.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"},
  {"Effect": "Allow", "Action": [
    "iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles"], "Resource": "*"}
]}"#,
    },
    Written {
        path: "/",
        name: "ReadOnlyAccess",
        description: "Provides read-only access to AWS services and resources.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": [
    "application-autoscaling:Describe*", "application-autoscaling:Get*",
    "application-autoscaling:List*", "cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*",
    "iam:Get*", "iam:List*", "iam:Simulate*", "logs:Describe*", "logs:FilterLogEvents", "logs:Get*",
    "s3:Get*", "s3:List*", "sagemaker:Describe*", "sagemaker:Get*", "sagemaker:List*",
    "sts:GetAccessKeyInfo", "sts:GetCallerIdentity", "sts:GetSessionToken", "tidegate:Describe*",
    "tidegate:Explain*", "tidegate:Get*", "tidegate:List*"], "Resource": "*"}
]}"#,
    },
    Written {
        path: SERVICE_ROLE_PATH,
        name: POLICY_NAME,
        description: "Lets Application Auto Scaling scale endpoints.",
        document: r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": [
    "sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig",
    "sagemaker:UpdateEndpointWeightsAndCapacities", "sagemaker:DescribeInferenceComponent",
    "sagemaker:UpdateInferenceComponentRuntimeConfig", "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"], "Resource": "*"}
]}"#,
    },
];

/// 2015-02-06T18:39:00Z, when AWS made most of its own.
const MADE_AT: Timestamp = Timestamp::from_millis(1_423_247_940_000);

static POLICIES: LazyLock<Vec<Arc<ManagedPolicy>>> = LazyLock::new(|| {
    let made = WRITTEN.iter().zip(1..).map(|(written, number)| {
        let (name, path) = (written.name.to_owned(), written.path.to_owned());
        // Each is shorter than the limit, as a test makes sure.
        let policy =
            ManagedPolicy::new(name, path, written.document.to_owned(), 0, MADE_AT).ok()?;
        Some(Arc::new(ManagedPolicy {
            id: unique_id("ANPA", number),
            description: Some(written.description.to_owned()),
            aws: true,
            ..policy
        }))
    });
    made.flatten().collect()
});

/// All of them, by name.
pub fn aws_managed_policies() -> &'static [Arc<ManagedPolicy>] {
    &POLICIES
}

/// The one of this path and name. Case counts, as in every ARN.
pub fn aws_managed(path: &str, name: &str) -> Option<&'static Arc<ManagedPolicy>> {
    POLICIES.iter().find(|policy| policy.path == path && policy.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_that_is_written_is_there_and_is_json() {
        assert_eq!(POLICIES.len(), WRITTEN.len());
        for policy in aws_managed_policies() {
            let json: serde_json::Value = serde_json::from_str(policy.document()).unwrap();
            assert_eq!(json["Version"], "2012-10-17", "{}", policy.name);
            assert!(policy.description.as_ref().is_some_and(|text| text.ends_with('.')));
            assert_eq!(
                aws_managed(&policy.path, &policy.name).map(|found| &found.id),
                Some(&policy.id)
            );
        }
    }
}
