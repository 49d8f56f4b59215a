//! Policies as users write them, and their evaluation.

use std::sync::Arc;

use auth::policy::{
    Action, Arn, Caller, CallerKind, Decision, Document, Kind, Policies, Request, Values, evaluate,
    evaluate_trust,
};

/// A policy; whatever reads as one is evaluated.
pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let caller = Caller {
        arn: "arn:aws:iam::000000000000:user/eve",
        account: "000000000000",
        user_id: "AIDAEVE",
        kind: CallerKind::User { name: "eve" },
    };
    let context = |key: &str| match key {
        "aws:sourceip" => Some(Values::from("203.0.113.9")),
        "aws:currenttime" => Some(Values::from("2026-01-02T03:04:05Z")),
        "aws:tagkeys" => Some(Values::Many(vec!["team".into(), "cost".into()])),
        "aws:securetransport" => Some(Values::from("true")),
        _ => None,
    };
    let resources = [Arn::new("arn:aws:sagemaker:us-east-1:000000000000:endpoint/chat")];
    let request = Request {
        caller,
        action: Action::new("sagemaker", "InvokeEndpoint"),
        resources: &resources,
        context: &context,
    };
    if let Ok(document) = Document::parse(text, Kind::Managed) {
        let again = Document::parse(document.text(), Kind::Managed);
        assert!(again.is_ok(), "a policy that was read once is read again");
        let document = Arc::new(document);
        let identity = [Arc::clone(&document)];
        let alone = Policies { identity: &identity, ..Policies::default() };
        let bounded = Policies { boundary: Some(&document), ..alone };
        // A boundary takes away and never gives: the same policy as its own boundary changes nothing.
        assert_eq!(
            evaluate(&alone, &request) == Decision::Allowed,
            evaluate(&bounded, &request) == Decision::Allowed
        );
    }
    if let Ok(document) = Document::parse(text, Kind::Trust) {
        let _ = evaluate_trust(&document, &request);
    }
}
