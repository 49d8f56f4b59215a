//! S3's rules for the names of general-purpose buckets.

use s3s::validation::{AwsNameValidation, NameValidation};

/// Beginnings and ends that S3 keeps for itself.
const RESERVED_PREFIXES: [&str; 2] = ["xn--", "sthree-"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Length, alphabet, dots, IP addresses (checked by `s3s`) and the reserved affixes (checked here).
#[derive(Clone, Copy, Debug)]
pub(super) struct BucketNames;

impl NameValidation for BucketNames {
    fn validate_bucket_name(&self, name: &str) -> bool {
        AwsNameValidation::new().validate_bucket_name(name)
            && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_s3s_rules() {
        let long = "a".repeat(63);
        for good in ["models", "a.b-c", "0ab", "console", "metrics", long.as_str()] {
            assert!(BucketNames.validate_bucket_name(good), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in [
            "",
            "ab",
            "Models",
            "a_b",
            "-ab",
            "ab-",
            ".ab",
            "a..b",
            "192.168.0.1",
            "xn--a",
            "sthree-x",
            "ab-s3alias",
            "ab--ol-s3",
            "../etc",
            "a/b",
            "a b",
            "mödels",
            too_long.as_str(),
        ] {
            assert!(!BucketNames.validate_bucket_name(bad), "{bad}");
        }
    }
}
