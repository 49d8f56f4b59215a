//! What a document gives back of itself.

use super::*;

const TEXT: &str = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Sid\": \"One\", \"Effect\": \"Allow\",\n     \
                    \"Action\": \"s3:*\", \"Resource\": \"arn:aws:s3:::${aws:username}\"},\n    {\"Effect\": \"Deny\", \
                    \"Action\": \"*\", \"Resource\": \"*\",\n     \"Condition\": {\"Bool\": {\"aws:SecureTransport\": \
                    false}}}]\n}\n";

#[test]
fn the_text_comes_back_to_the_byte() {
    let document = Document::parse(TEXT, Kind::Managed).unwrap();
    assert_eq!(&**document.text(), TEXT);
    assert_eq!((document.len(), document.is_empty()), (2, false));
    assert_eq!((document.sid(0), document.sid(1), document.sid(2)), (Some("One"), None, None));
    assert_eq!(document.effect(1), Some(Effect::Deny));
}

#[test]
fn statements_have_places_in_the_text() {
    let document = Document::parse(TEXT, Kind::Managed).unwrap();
    let at = |line, column| Position { line, column };
    assert_eq!(document.positions(0), Some((at(4, 5), at(5, 67))));
    assert_eq!(document.positions(1).map(|(start, _)| start), Some(at(6, 5)));
    assert_eq!(document.positions(2), None);
    let single =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    let document = Document::parse(single, Kind::Managed).unwrap();
    assert_eq!(document.positions(0), Some((at(1, 37), at(1, single.len()))));
}

#[test]
fn the_keys_that_it_asks_for_are_known() {
    let document = Document::parse(TEXT, Kind::Managed).unwrap();
    let keys: Vec<_> = document.context_keys().into_iter().collect();
    assert_eq!(keys, ["aws:SecureTransport", "aws:username"]);
}

#[test]
fn all_statements_that_speak_of_a_request_are_found() {
    let identity = [
        policy(&json!([statement("Allow", "s3:*", "*"), statement("Allow", "iam:*", "*")])),
        policy(&json!([statement("Deny", "*", "*"), statement("Allow", "*", "arn:aws:s3:::b")])),
    ];
    let boundary = policy(&json!([statement("Allow", "s3:Get*", "*")]));
    let policies =
        Policies { identity: &identity, boundary: Some(&boundary), session: Some(&identity[..1]) };
    let context = Keys::default();
    let resource = Arn::new("arn:aws:s3:::a");
    let action = Action::new("s3", "GetObject");
    let request = Request { caller: alice(), action, resources: &[resource], context: &context };
    let found = |layer, policy, statement| Found { layer, policy, statement };
    assert_eq!(
        matching(&policies, &request, &resource),
        [
            found(Layer::Identity, 0, 0),
            found(Layer::Identity, 1, 0),
            found(Layer::Boundary, 0, 0),
            found(Layer::Session, 0, 0),
        ]
    );
}

#[test]
fn callers_are_read_from_credentials() {
    let principal = |arn: &str| crate::Principal {
        account: ACCOUNT.into(),
        arn: arn.into(),
        user_id: "id".into(),
    };
    let user = principal("arn:aws:iam::000000000000:user/team/alice");
    assert_eq!(Caller::of(&user, None).unwrap().kind, CallerKind::User { name: "alice" });
    let root = principal("arn:aws:iam::000000000000:root");
    assert_eq!(Caller::of(&root, None).unwrap().kind, CallerKind::Root);
    let session = principal("arn:aws:sts::000000000000:assumed-role/Scaler/nightly");
    let role_arn = "arn:aws:iam::000000000000:role/ops/Scaler";
    let kind = CallerKind::Session { role_arn };
    assert_eq!(Caller::of(&session, Some(role_arn)).unwrap().kind, kind);
    assert_eq!(Caller::of(&session, None), None, "a session without its role is nobody");
    assert_eq!(Caller::of(&principal("root"), None), None);
}
