//! Why a text is no policy, in the words of `MalformedPolicyDocument`.
//!
//! Sources: `reference/autoscaling-and-cloudwatch.md`, section 8.5; answers of AWS that emulators' tests and issues record
//! (moto's `test_iam_policies.py`; `docs/decisions/0005-policies.md` lists them). Only the words are AWS's; which of two
//! faults in one document is named first follows the same records.

/// A text that is not stored as a policy. `Display` is AWS's message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("JSON strings must not have leading spaces")]
    LeadingSpace,
    #[error("Syntax errors in policy.")]
    Syntax,
    #[error("Policy document must be version 2012-10-17 or greater.")]
    Version,
    #[error("The policy failed legacy parsing")]
    Legacy,
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    DuplicateSid,
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    )]
    Sid,
    #[error("Policy statement must contain actions.")]
    NoActions,
    #[error("Policy statement must contain resources.")]
    NoResources,
    #[error("Policy document should not specify a principal.")]
    Principal,
    #[error("Resource {0} must be in ARN format or \"*\".")]
    NotAnArn(Box<str>),
    #[error("Partition \"{partition}\" is not valid for resource \"{resource}\".")]
    Partition { partition: Box<str>, resource: Box<str> },
    #[error("Resource vendor must be fully qualified and cannot contain regexes.")]
    ResourceVendor,
    #[error("IAM resource {0} cannot contain region information.")]
    IamRegion(Box<str>),
    #[error("Resource {0} can not contain region information.")]
    S3Region(Box<str>),
    #[error(
        "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, \
         instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, \
         access-report/."
    )]
    IamPath,
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    NoVendor,
    #[error("Actions/Condition can contain only one colon.")]
    Colons,
    #[error("Vendor {0} is not valid")]
    Vendor(Box<str>),
    #[error("This policy contains invalid Json")]
    TrustJson,
    #[error("The policy must contain a valid version string")]
    TrustVersion,
    #[error("Could not parse the policy: Statement is empty!")]
    TrustEmpty,
    #[error("The Statement Ids in the policy are not unique")]
    TrustDuplicateSid,
    #[error("Syntax error in policy.")]
    TrustSyntax,
    #[error("Missing required field {0}")]
    TrustMissing(&'static str),
    #[error("Invalid effect: {0}")]
    TrustEffect(Box<str>),
    #[error("Missing required field Principal cannot be empty!")]
    TrustNoPrincipal,
    #[error("Allow with NotPrincipal is not allowed.")]
    TrustAllowNotPrincipal,
    #[error("AssumeRole policy must not contain NotPrincipal field.")]
    TrustNotPrincipal,
    #[error("AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\".")]
    TrustStar,
    #[error("Invalid principal in policy: \"{kind}\":\"{value}\"")]
    TrustPrincipal { kind: Box<str>, value: Box<str> },
    #[error("AssumeRole policy may only specify STS AssumeRole actions.")]
    TrustActions,
    #[error("Has prohibited field Resource")]
    TrustResource,
    #[error("AssumeRole policy must not contain resources.")]
    TrustNotResource,
}
