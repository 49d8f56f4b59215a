//! The situations that the IAM user guide explains policies with, each with requests on either side of its line. The guide's
//! page is named with each; names of users and resources are ours.

use super::*;

const INVOKE: &str = "sagemaker:InvokeEndpoint";

/// An action, a resource, the request's keys, and whether it is allowed.
type Asked<'a> = (&'a str, &'a str, &'a [(&'a str, &'a [&'a str])], bool);

fn check(page: &str, identity: &[Value], boundary: Option<&Value>, asked: &[Asked<'_>]) {
    let identity: Vec<_> = identity.iter().map(policy).collect();
    let boundary = boundary.map(policy);
    let policies =
        Policies { identity: &identity, boundary: boundary.as_ref(), ..Policies::default() };
    for (action, resource, keys, expected) in asked {
        let found = decide(&policies, alice(), (action, resource), &Keys::new(keys));
        assert_eq!(found.is_allowed(), *expected, "{page}: {action} on {resource} with {keys:?}");
    }
}

fn with(effect: &str, action: &Value, resource: &Value, condition: &Value) -> Value {
    json!({"Effect": effect, "Action": action, "Resource": resource, "Condition": condition})
}

#[test]
fn the_difference_between_explicit_and_implicit_denies() {
    let bucket = "arn:aws:s3:::hr";
    check(
        "The difference between explicit and implicit denies",
        &[json!([
            statement("Allow", "s3:*", "*"),
            json!({"Effect": "Deny", "Action": ["s3:PutObject", "s3:DeleteObject"],
                   "Resource": "arn:aws:s3:::hr/*"}),
        ])],
        None,
        &[
            ("s3:GetObject", "arn:aws:s3:::hr/a", &[], true),
            ("s3:PutObject", "arn:aws:s3:::hr/a", &[], false),
            ("s3:PutObject", "arn:aws:s3:::other/a", &[], true),
            ("s3:ListBucket", bucket, &[], true),
            ("iam:ListUsers", "*", &[], false),
        ],
    );
}

#[test]
fn not_action_and_not_resource() {
    check(
        "NotAction with Allow: everything but IAM",
        &[json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})],
        None,
        &[
            ("s3:GetObject", "arn:aws:s3:::a/b", &[], true),
            ("iam:CreateUser", "arn:aws:iam::000000000000:user/x", &[], false),
        ],
    );
    check(
        "NotAction with Deny: nothing but these without MFA",
        &[json!([
            statement("Allow", "*", "*"),
            json!({"Effect": "Deny", "NotAction": ["iam:CreateVirtualMFADevice", "iam:ListUsers"], "Resource": "*",
                   "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}),
        ])],
        None,
        &[
            ("iam:ListUsers", "*", &[], true),
            ("iam:CreateUser", "*", &[], false),
            ("iam:CreateUser", "*", &[("aws:MultiFactorAuthPresent", &["false"])], false),
            ("iam:CreateUser", "*", &[("aws:MultiFactorAuthPresent", &["true"])], true),
        ],
    );
    check(
        "NotResource with Deny: only one bucket and what is in it",
        &[json!([
            statement("Allow", "s3:*", "*"),
            json!({"Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::hr", "arn:aws:s3:::hr/*"]}),
        ])],
        None,
        &[
            ("s3:ListBucket", "arn:aws:s3:::hr", &[], true),
            ("s3:GetObject", "arn:aws:s3:::hr/a/b", &[], true),
            ("s3:GetObject", "arn:aws:s3:::hrx/a", &[], false),
            ("s3:ListAllMyBuckets", "*", &[], false),
        ],
    );
}

/// The page "Permissions boundaries for IAM entities": who may make users bounds them as they are bounded themselves.
#[test]
fn permissions_boundaries() {
    let boundary = json!([
        json!({"Effect": "Allow", "Action": ["s3:*", "cloudwatch:*", "sagemaker:*"], "Resource": "*"})
    ]);
    let user = "arn:aws:iam::000000000000:user/new";
    check(
        "a policy beyond the boundary",
        &[json!([
            statement("Allow", "iam:CreateUser", "*"),
            statement("Allow", "s3:GetObject", "*")
        ])],
        Some(&boundary),
        &[
            ("iam:CreateUser", user, &[], false),
            ("s3:GetObject", "arn:aws:s3:::a/b", &[], true),
            ("cloudwatch:ListMetrics", "*", &[], false),
        ],
    );
    let bounding = "arn:aws:iam::000000000000:policy/Bounds";
    check(
        "delegating to others",
        &[json!([
            with(
                "Allow",
                &json!([
                    "iam:CreateUser",
                    "iam:PutUserPermissionsBoundary",
                    "iam:AttachUserPolicy"
                ]),
                &json!("*"),
                &json!({"StringEquals": {"iam:PermissionsBoundary": bounding}}),
            ),
            statement("Deny", "iam:DeleteUserPermissionsBoundary", "*"),
            json!({"Effect": "Deny", "Action": ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"],
                   "Resource": bounding}),
        ])],
        Some(&json!([statement("Allow", "iam:*", "*")])),
        &[
            ("iam:CreateUser", user, &[("iam:PermissionsBoundary", &[bounding])], true),
            ("iam:CreateUser", user, &[], false),
            (
                "iam:CreateUser",
                user,
                &[("iam:PermissionsBoundary", &["arn:aws:iam::000000000000:policy/Wide"])],
                false,
            ),
            (
                "iam:DeleteUserPermissionsBoundary",
                user,
                &[("iam:PermissionsBoundary", &[bounding])],
                false,
            ),
            ("iam:CreatePolicyVersion", bounding, &[], false),
        ],
    );
}

#[test]
fn where_a_request_is_made() {
    let (frankfurt, ohio) = (["eu-central-1"], ["us-east-2"]);
    check(
        "Denies access based on the requested Region",
        &[json!([
            statement("Allow", "*", "*"),
            json!({"Effect": "Deny", "NotAction": ["iam:*", "s3:ListAllMyBuckets"], "Resource": "*",
                   "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}}),
        ])],
        None,
        &[
            ("sagemaker:ListModels", "*", &[("aws:RequestedRegion", &frankfurt)], true),
            ("sagemaker:ListModels", "*", &[("aws:RequestedRegion", &ohio)], false),
            ("iam:ListUsers", "*", &[("aws:RequestedRegion", &ohio)], true),
        ],
    );
    check(
        "Denies access based on the source IP",
        &[json!([
            statement("Allow", "*", "*"),
            with(
                "Deny",
                &json!("*"),
                &json!("*"),
                &json!({"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]},
                       "Bool": {"aws:ViaAWSService": "false"}}),
            ),
        ])],
        None,
        &[
            (
                INVOKE,
                ENDPOINT,
                &[("aws:SourceIp", &["203.0.113.9"]), ("aws:ViaAWSService", &["false"])],
                true,
            ),
            (
                INVOKE,
                ENDPOINT,
                &[("aws:SourceIp", &["198.51.100.9"]), ("aws:ViaAWSService", &["false"])],
                false,
            ),
            (
                INVOKE,
                ENDPOINT,
                &[("aws:SourceIp", &["198.51.100.9"]), ("aws:ViaAWSService", &["true"])],
                true,
            ),
        ],
    );
}

#[test]
fn when_a_request_is_made() {
    check(
        "Allows access within specific dates",
        &[with(
            "Allow",
            &json!(INVOKE),
            &json!("*"),
            &json!({"DateGreaterThan": {"aws:CurrentTime": "2026-04-01T00:00:00Z"},
                   "DateLessThan": {"aws:CurrentTime": "2026-06-30T23:59:59Z"}}),
        )],
        None,
        &[
            (INVOKE, ENDPOINT, &[("aws:CurrentTime", &["2026-05-01T00:00:00Z"])], true),
            (INVOKE, ENDPOINT, &[("aws:CurrentTime", &["2026-03-31T23:59:59Z"])], false),
            (INVOKE, ENDPOINT, &[("aws:CurrentTime", &["2026-07-01T00:00:00Z"])], false),
        ],
    );
    check(
        "Revoke IAM role temporary security credentials",
        &[json!([
            statement("Allow", "*", "*"),
            with(
                "Deny",
                &json!(["*"]),
                &json!(["*"]),
                &json!({"DateLessThan": {"aws:TokenIssueTime": "2026-11-23T12:00:00.000Z"}}),
            ),
        ])],
        None,
        &[
            (INVOKE, ENDPOINT, &[("aws:TokenIssueTime", &["2026-11-23T11:59:59Z"])], false),
            (INVOKE, ENDPOINT, &[("aws:TokenIssueTime", &["2026-11-23T12:00:00Z"])], true),
            (INVOKE, ENDPOINT, &[("aws:TokenIssueTime", &["2026-11-23T12:00:01Z"])], true),
            // a key of a user's own is no session, and was issued at no time
            (INVOKE, ENDPOINT, &[], true),
        ],
    );
}

#[test]
fn a_home_of_ones_own() {
    check(
        "Allows IAM users access to their own home directory in Amazon S3",
        &[json!([
            with(
                "Allow",
                &json!("s3:ListBucket"),
                &json!("arn:aws:s3:::bucket"),
                &json!({"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/*"]}}),
            ),
            json!({"Effect": "Allow", "Action": "s3:*", "Resource": [
                "arn:aws:s3:::bucket/home/${aws:username}", "arn:aws:s3:::bucket/home/${aws:username}/*"]}),
        ])],
        None,
        &[
            ("s3:ListBucket", "arn:aws:s3:::bucket", &[("s3:prefix", &[""])], true),
            ("s3:ListBucket", "arn:aws:s3:::bucket", &[("s3:prefix", &["home/alice/x"])], true),
            ("s3:ListBucket", "arn:aws:s3:::bucket", &[("s3:prefix", &["home/bob/"])], false),
            ("s3:ListBucket", "arn:aws:s3:::bucket", &[], false),
            ("s3:PutObject", "arn:aws:s3:::bucket/home/alice/notes/1", &[], true),
            ("s3:PutObject", "arn:aws:s3:::bucket/home/alicex/1", &[], false),
        ],
    );
    check(
        "Allows IAM users to rotate their own access keys",
        &[json!({"Effect": "Allow", "Action": ["iam:*AccessKey*"],
                 "Resource": "arn:aws:iam::*:user/team/${aws:username}"})],
        None,
        &[
            ("iam:CreateAccessKey", alice().arn, &[], true),
            ("iam:GetAccessKeyLastUsed", alice().arn, &[], true),
            ("iam:CreateAccessKey", "arn:aws:iam::000000000000:user/team/bob", &[], false),
            ("iam:DeleteUser", alice().arn, &[], false),
        ],
    );
}

#[test]
fn tags_of_callers_resources_and_requests() {
    let project = |key: &'static str| (key, &["heart"] as &[&str]);
    let mine = ("aws:PrincipalTag/project", &["heart"] as &[&str]);
    check(
        "ABAC: what has the caller's tag",
        &[json!([
            with(
                "Allow",
                &json!("sagemaker:*"),
                &json!("*"),
                &json!({"StringEquals": {"aws:ResourceTag/project": "${aws:PrincipalTag/project}"}}),
            ),
            with(
                "Allow",
                &json!("sagemaker:CreateEndpoint"),
                &json!("*"),
                &json!({"StringEquals": {"aws:RequestTag/project": "${aws:PrincipalTag/project}"},
                       "ForAllValues:StringEquals": {"aws:TagKeys": ["project", "team"]}}),
            ),
        ])],
        None,
        &[
            (
                "sagemaker:DeleteEndpoint",
                ENDPOINT,
                &[mine, project("aws:ResourceTag/project")],
                true,
            ),
            (
                "sagemaker:DeleteEndpoint",
                ENDPOINT,
                &[mine, ("aws:ResourceTag/project", &["sun"])],
                false,
            ),
            ("sagemaker:DeleteEndpoint", ENDPOINT, &[mine], false),
            // neither side has a tag
            ("sagemaker:DeleteEndpoint", ENDPOINT, &[], false),
            (
                "sagemaker:CreateEndpoint",
                ENDPOINT,
                &[mine, project("aws:RequestTag/project"), ("aws:TagKeys", &["project", "team"])],
                true,
            ),
            (
                "sagemaker:CreateEndpoint",
                ENDPOINT,
                &[mine, project("aws:RequestTag/project"), ("aws:TagKeys", &["project", "cost"])],
                false,
            ),
        ],
    );
    check(
        "Requires a tag, whatever its value",
        &[json!([
            statement("Allow", "sagemaker:CreateModel", "*"),
            with(
                "Deny",
                &json!("sagemaker:CreateModel"),
                &json!("*"),
                &json!({"Null": {"aws:RequestTag/owner": "true"}})
            ),
        ])],
        None,
        &[
            ("sagemaker:CreateModel", "*", &[], false),
            ("sagemaker:CreateModel", "*", &[("aws:RequestTag/Owner", &["x"])], true),
        ],
    );
}

#[test]
fn several_conditions_keys_and_values() {
    // The page "Conditions with multiple context keys or values": all operators and keys, any value.
    let condition = json!({
        "StringLike": {"aws:PrincipalTag/team": ["blue*", "green"], "aws:PrincipalTag/site": "north"},
        "NumericLessThanEquals": {"s3:max-keys": "10"},
    });
    let team = |name: &'static [&'static str]| ("aws:PrincipalTag/team", name);
    let (site, few) =
        (("aws:PrincipalTag/site", &["north"] as &[&str]), ("s3:max-keys", &["10"] as &[&str]));
    check(
        "Conditions with multiple context keys or values",
        &[with("Allow", &json!("s3:ListBucket"), &json!("*"), &condition)],
        None,
        &[
            ("s3:ListBucket", "arn:aws:s3:::a", &[team(&["blueish"]), site, few], true),
            ("s3:ListBucket", "arn:aws:s3:::a", &[team(&["green"]), site, few], true),
            ("s3:ListBucket", "arn:aws:s3:::a", &[team(&["red"]), site, few], false),
            ("s3:ListBucket", "arn:aws:s3:::a", &[team(&["green"]), few], false),
            (
                "s3:ListBucket",
                "arn:aws:s3:::a",
                &[team(&["green"]), site, ("s3:max-keys", &["11"])],
                false,
            ),
            ("s3:ListBucket", "arn:aws:s3:::a", &[team(&["green"]), site], false),
        ],
    );
    // The page on IfExists: what has an instance type must have one of these, what has none is let through.
    check(
        "...IfExists",
        &[with(
            "Allow",
            &json!("sagemaker:*"),
            &json!("*"),
            &json!({"ForAllValues:StringLikeIfExists": {"sagemaker:InstanceTypes": ["ml.m5.*", "ml.t2.*"]}}),
        )],
        None,
        &[
            (
                "sagemaker:CreateEndpointConfig",
                "*",
                &[("sagemaker:InstanceTypes", &["ml.m5.large"])],
                true,
            ),
            (
                "sagemaker:CreateEndpointConfig",
                "*",
                &[("sagemaker:InstanceTypes", &["ml.m5.large", "ml.p3.2xlarge"])],
                false,
            ),
            ("sagemaker:ListModels", "*", &[], true),
        ],
    );
    // The page on PassRole: which roles, and to whom.
    check(
        "Grant a user permissions to pass a role to an AWS service",
        &[with(
            "Allow",
            &json!("iam:PassRole"),
            &json!("arn:aws:iam::000000000000:role/hosting/*"),
            &json!({"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}),
        )],
        None,
        &[
            (
                "iam:PassRole",
                "arn:aws:iam::000000000000:role/hosting/a",
                &[("iam:PassedToService", &["sagemaker.amazonaws.com"])],
                true,
            ),
            (
                "iam:PassRole",
                "arn:aws:iam::000000000000:role/hosting/a",
                &[("iam:PassedToService", &["ec2.amazonaws.com"])],
                false,
            ),
            (
                "iam:PassRole",
                "arn:aws:iam::000000000000:role/admin",
                &[("iam:PassedToService", &["sagemaker.amazonaws.com"])],
                false,
            ),
        ],
    );
}
