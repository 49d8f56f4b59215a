//! AWS itself: where its services answer, and what region they are signed for. Only `--aws` leads here.
//!
//! A region becomes part of a host's name, and a request that is signed goes to that host: what does not look like a
//! region of AWS's is refused.

mod chain;
mod web;

use crate::environment::{Environment, variable};
use crate::{Error, Global};

use super::{BaseUrl, files};

pub(crate) use chain::Chain;

/// The services that commands call, by the prefix of AWS's host names. What is not among them is Tidegate's own, or is
/// only done to a Tidegate server.
const SERVICES: &[&str] = &[
    "api.sagemaker",
    "runtime.sagemaker",
    "application-autoscaling",
    "monitoring",
    "logs",
    "sts",
    "iam",
];

/// Regions whose names begin alike, and what is common to them.
#[derive(Debug, PartialEq, Eq)]
struct Partition {
    prefix: &'static str,
    domain: &'static str,
    /// IAM's host and the region that it is signed for, where it has one for all regions.
    iam: Option<(&'static str, &'static str)>,
}

/// From botocore 1.44.5 (`partitions.json`, and the addresses that its clients come to); the first whose prefix fits.
const PARTITIONS: &[Partition] = &[
    Partition { prefix: "cn-", domain: "amazonaws.com.cn", iam: None },
    Partition {
        prefix: "us-gov-",
        domain: "amazonaws.com",
        iam: Some(("iam.us-gov.amazonaws.com", "us-gov-west-1")),
    },
    Partition { prefix: "us-iso-", domain: "c2s.ic.gov", iam: None },
    Partition { prefix: "us-isob-", domain: "sc2s.sgov.gov", iam: None },
    Partition { prefix: "us-isof-", domain: "csp.hci.ic.gov", iam: None },
    Partition { prefix: "eu-isoe-", domain: "cloud.adc-e.uk", iam: None },
    Partition { prefix: "eusc-", domain: "amazonaws.eu", iam: None },
    Partition {
        prefix: "",
        domain: "amazonaws.com",
        iam: Some(("iam.amazonaws.com", "us-east-1")),
    },
];

/// AWS in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aws {
    region: String,
    partition: &'static Partition,
}

impl Aws {
    /// The region of `--region`, else of the variables, else of the profile. There is none to fall back on: what is changed
    /// in the wrong region is changed for real.
    pub(super) fn resolve(global: &Global, environment: &Environment) -> Result<Self, Error> {
        if let Some(region) = &global.region {
            return Self::of(region);
        }
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let Some(region) = variable(environment, name) {
                return Self::of(region);
            }
        }
        let name = files::profile_name(global, environment);
        let profile = files::find_in_config(&name, environment)?;
        match profile.and_then(|(_, profile)| profile.region) {
            Some(region) => Self::of(&region),
            None => Err(Error::Usage(format!(
                "--aws needs a region: name it with --region or AWS_REGION, or in profile `{name}` of AWS's config file"
            ))),
        }
    }

    pub(crate) fn of(region: &str) -> Result<Self, Error> {
        let partition = PARTITIONS.iter().find(|partition| region.starts_with(partition.prefix));
        match partition {
            Some(partition) if is_region(region) => {
                Ok(Self { region: region.to_owned(), partition })
            }
            _ => Err(Error::Usage(format!(
                "`{region}` is no region of AWS's, which look like eu-central-1"
            ))),
        }
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// Where SageMaker is told what to do: the address that stands for AWS in messages and in the journal.
    pub(super) fn url(&self) -> BaseUrl {
        let host = format!("api.sagemaker.{}.{}", self.region, self.partition.domain);
        BaseUrl::of_aws(host)
    }

    /// Where a service answers, and the region that its requests are signed for.
    pub(super) fn address(&self, endpoint_prefix: &str) -> Result<(BaseUrl, &str), Error> {
        if !SERVICES.contains(&endpoint_prefix) {
            return Err(Error::Usage(format!(
                "--aws: this asks for what only a Tidegate server has ({endpoint_prefix})"
            )));
        }
        if let (Some((host, region)), "iam") = (self.partition.iam, endpoint_prefix) {
            return Ok((BaseUrl::of_aws(host.to_owned()), region));
        }
        let host = format!("{endpoint_prefix}.{}.{}", self.region, self.partition.domain);
        Ok((BaseUrl::of_aws(host), &self.region))
    }
}

/// `us-east-1`, `us-gov-west-1`: words of letters, and a number.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    words.len() >= 2
        && words
            .iter()
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Region, prefix of the service, and what botocore 1.44.5 makes of them.
    const ADDRESSES: &[[&str; 4]] = &[
        ["us-east-1", "api.sagemaker", "https://api.sagemaker.us-east-1.amazonaws.com", ""],
        ["eu-central-1", "api.sagemaker", "https://api.sagemaker.eu-central-1.amazonaws.com", ""],
        [
            "eu-central-1",
            "runtime.sagemaker",
            "https://runtime.sagemaker.eu-central-1.amazonaws.com",
            "",
        ],
        [
            "eu-central-1",
            "application-autoscaling",
            "https://application-autoscaling.eu-central-1.amazonaws.com",
            "",
        ],
        ["eu-central-1", "monitoring", "https://monitoring.eu-central-1.amazonaws.com", ""],
        ["eu-central-1", "logs", "https://logs.eu-central-1.amazonaws.com", ""],
        ["eu-central-1", "sts", "https://sts.eu-central-1.amazonaws.com", ""],
        ["eu-central-1", "iam", "https://iam.amazonaws.com", "us-east-1"],
        ["cn-north-1", "api.sagemaker", "https://api.sagemaker.cn-north-1.amazonaws.com.cn", ""],
        ["cn-north-1", "iam", "https://iam.cn-north-1.amazonaws.com.cn", ""],
        ["us-gov-east-1", "sts", "https://sts.us-gov-east-1.amazonaws.com", ""],
        ["us-gov-east-1", "iam", "https://iam.us-gov.amazonaws.com", "us-gov-west-1"],
        ["us-iso-east-1", "monitoring", "https://monitoring.us-iso-east-1.c2s.ic.gov", ""],
        ["us-isob-east-1", "iam", "https://iam.us-isob-east-1.sc2s.sgov.gov", ""],
        ["eu-isoe-west-1", "sts", "https://sts.eu-isoe-west-1.cloud.adc-e.uk", ""],
        ["us-isof-south-1", "logs", "https://logs.us-isof-south-1.csp.hci.ic.gov", ""],
        [
            "eusc-de-east-1",
            "api.sagemaker",
            "https://api.sagemaker.eusc-de-east-1.amazonaws.eu",
            "",
        ],
    ];

    #[test]
    fn services_answer_where_botocore_has_them() {
        for [region, prefix, url, signed_for] in ADDRESSES {
            let aws = Aws::of(region).unwrap();
            let (found, scope) = aws.address(prefix).unwrap();
            assert_eq!(found.to_string(), *url);
            let signed_for = if signed_for.is_empty() { region } else { signed_for };
            assert_eq!(scope, *signed_for, "{url}");
        }
        assert_eq!(
            Aws::of("eu-west-1").unwrap().url().to_string(),
            "https://api.sagemaker.eu-west-1.amazonaws.com"
        );
    }

    /// With any of these in a host's name, a signed request would go to somebody else.
    #[test]
    fn what_is_no_region_gets_no_address() {
        for region in [
            "",
            "-",
            "local",
            "us-east",
            "us--1",
            "us-east-",
            "US-EAST-1",
            "us-east-1.example.org/",
            "us-east-1@example.org",
            "us-east-1#-1",
            "us-east-1 ",
            "us-éast-1",
        ] {
            let why = Aws::of(region).unwrap_err().to_string();
            assert!(why.contains("is no region of AWS's"), "{region}: {why}");
        }
    }

    #[test]
    fn what_only_tidegate_has_is_not_asked_of_aws() {
        let aws = Aws::of("us-east-1").unwrap();
        for prefix in ["tidegate", "s3", "evil.example/"] {
            let why = aws.address(prefix).unwrap_err().to_string();
            assert!(why.contains("only a Tidegate server has"), "{why}");
        }
    }
}
