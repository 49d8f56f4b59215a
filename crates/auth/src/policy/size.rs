//! How long policies may be. Who attaches a policy checks these: several limits are sums over what is attached already.
//!
//! Source: `reference/autoscaling-and-cloudwatch.md`, section 8.5, and IAM's quotas; in characters, white space left out.

/// All inline policies of one user together.
pub const USER_INLINE_MAX: usize = 2_048;

/// All inline policies of one group together.
pub const GROUP_INLINE_MAX: usize = 5_120;

/// All inline policies of one role together.
pub const ROLE_INLINE_MAX: usize = 10_240;

/// One managed policy.
pub const MANAGED_MAX: usize = 6_144;

/// One role's trust policy (the quota `ACLSizePerRole`).
pub const TRUST_MAX: usize = 2_048;

/// One session policy; its white space counts, since the API limits the parameter's length.
pub const SESSION_MAX: usize = 2_048;

/// Characters that count against a limit: IAM leaves white space out, wherever it is.
pub fn counted_characters(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_does_not_count() {
        assert_eq!(
            counted_characters(" {\n\t\"a b\": \"é\" }\r\n"),
            "{\"ab\":\"é\"}".chars().count()
        );
    }
}
