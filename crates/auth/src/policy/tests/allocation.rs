//! Allowed requests allocate nothing.

use super::*;

#[test]
fn an_allowed_request_allocates_nothing() {
    let identity = [
        policy(&json!([
            {"Effect": "Allow", "Action": "sagemaker:Invoke*", "Resource": "arn:aws:sagemaker:*:*:endpoint/${aws:username}*",
             "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"},
                           "IpAddress": {"aws:SourceIp": "10.0.0.0/8"},
                           "DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}},
            {"Effect": "Deny", "NotAction": ["sagemaker:*", "s3:*"], "Resource": "*"},
            {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ])),
        policy(&statement("Allow", "s3:*", "*")),
    ];
    let context = Keys::new(&[
        ("aws:RequestedRegion", &["us-east-1"]),
        ("aws:SourceIp", &["10.1.2.3"]),
        ("aws:CurrentTime", &["2026-11-23T12:00:00Z"]),
        ("aws:SecureTransport", &["true"]),
    ]);
    let arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/alice-1";
    let policies =
        Policies { identity: &identity, boundary: Some(&identity[0]), session: Some(&identity) };
    let counted = allocation_counter::measure(|| {
        let action = Action::new("sagemaker", "InvokeEndpoint");
        let resources = [Arn::new(arn)];
        let request = Request { caller: alice(), action, resources: &resources, context: &context };
        assert!(evaluate(&policies, &request).is_allowed());
    });
    assert_eq!(counted.count_total, 0);
}
