//! Whom a trust policy trusts.

use super::*;

fn trust(statements: &Value) -> Result<Document, Malformed> {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Document::parse(&text, Kind::Trust)
}

fn statement(effect: &str, principal: &Value) -> Value {
    json!({"Effect": effect, "Action": "sts:AssumeRole", "Principal": principal})
}

fn ask(statements: &Value, caller: Caller<'_>, keys: &Keys) -> Trust {
    let action = Action::new("sts", "AssumeRole");
    let request = Request { caller, action, resources: &[], context: keys };
    evaluate_trust(&trust(statements).unwrap(), &request)
}

const IMPLICIT: Trust = Trust::Denied(Why { cause: Cause::Implicit(Layer::Trust), resource: 0 });

/// The page "Principal"; one account, so what names a caller is enough, what names the account is not.
#[test]
fn principals_cover_the_callers_they_name() {
    use Trust::{Granted, GrantedToAccount};
    let sagemaker = Caller::service("sagemaker.amazonaws.com");
    let cases = [
        (json!({"AWS": "*"}), alice(), Granted),
        (json!({"AWS": "*"}), sagemaker, IMPLICIT),
        (json!({"AWS": ACCOUNT}), alice(), GrantedToAccount),
        (json!({"AWS": "arn:aws:iam::000000000000:root"}), session(), GrantedToAccount),
        (json!({"AWS": "arn:aws:iam::000000000000:root"}), root(), Granted),
        (json!({"AWS": "111111111111"}), alice(), IMPLICIT),
        (json!({"AWS": alice().arn}), alice(), Granted),
        (json!({"AWS": alice().arn}), session(), IMPLICIT),
        (json!({"AWS": "arn:aws:iam::000000000000:user/alice"}), alice(), IMPLICIT),
        (json!({"AWS": "arn:aws:iam::000000000000:role/ops/Scaler"}), session(), Granted),
        (json!({"AWS": "arn:aws:iam::000000000000:role/Scaler"}), session(), IMPLICIT),
        (json!({"AWS": session().arn}), session(), Granted),
        (json!({"AWS": format!("{}2", session().arn)}), session(), IMPLICIT),
        (json!({"AWS": "AIDAALICEALICEALICE00"}), alice(), Granted),
        (json!({"AWS": "AROASCALERSCALERSCA00"}), session(), Granted),
        (json!({"AWS": "AIDAALICEALICEALICE01"}), alice(), IMPLICIT),
        (json!({"AWS": [ACCOUNT, alice().arn]}), alice(), Granted),
        (json!({"Service": "sagemaker.amazonaws.com"}), sagemaker, Granted),
        (json!({"Service": "ec2.amazonaws.com"}), sagemaker, IMPLICIT),
        (json!({"Service": "sagemaker.amazonaws.com"}), alice(), IMPLICIT),
        (json!({"Service": ["ec2.amazonaws.com", "sagemaker.amazonaws.com"]}), sagemaker, Granted),
        (json!({"Federated": "cognito-identity.amazonaws.com"}), alice(), IMPLICIT),
    ];
    for (principal, caller, expected) in cases {
        let found = ask(&statement("Allow", &principal), caller, &Keys::default());
        assert_eq!(found, expected, "{principal} {}", caller.arn);
    }
}

#[test]
fn a_deny_beats_every_allow_for_those_it_names() {
    let statements = json!([
        statement("Allow", &json!({"AWS": "*"})),
        statement("Deny", &json!({"AWS": alice().arn}))
    ]);
    let found = Found { layer: Layer::Trust, policy: 0, statement: 1 };
    let denied = Trust::Denied(Why { cause: Cause::Explicit(found), resource: 0 });
    assert_eq!(ask(&statements, alice(), &Keys::default()), denied);
    assert_eq!(ask(&statements, session(), &Keys::default()), Trust::Granted);
}

/// What names the caller counts, wherever it stands.
#[test]
fn the_widest_trust_counts() {
    let itself = statement("Allow", &json!({"AWS": alice().arn}));
    let account = statement("Allow", &json!({"AWS": ACCOUNT}));
    for statements in [json!([itself, account]), json!([account, itself])] {
        assert_eq!(ask(&statements, alice(), &Keys::default()), Trust::Granted);
    }
}

#[test]
fn conditions_and_actions_count() {
    let mut conditional = statement("Allow", &json!({"AWS": alice().arn}));
    conditional["Condition"] = json!({"StringEquals": {"sts:ExternalId": "open"}});
    assert_eq!(ask(&conditional, alice(), &Keys::default()), IMPLICIT);
    let keys = Keys::new(&[("sts:ExternalId", &["open"])]);
    assert_eq!(ask(&conditional, alice(), &keys), Trust::Granted);
    let mut tagging = statement("Allow", &json!({"AWS": alice().arn}));
    tagging["Action"] = json!("sts:TagSession");
    assert_eq!(ask(&tagging, alice(), &Keys::default()), IMPLICIT);
    tagging["Action"] = json!(["sts:TagSession", "sts:Assume*"]);
    assert_eq!(ask(&tagging, alice(), &Keys::default()), Trust::Granted);
}

/// Texts: what issues and implementations record of AWS, `docs/decisions/0005-policies.md`.
#[test]
fn malformed_trust_policies_are_refused_in_iams_words() {
    let with = |name: &str, value: Value| {
        let mut statement = statement("Allow", &json!({"AWS": ACCOUNT}));
        statement[name] = value;
        statement
    };
    let principal = |principal: Value| statement("Allow", &principal);
    let invalid = "Invalid principal in policy: \"AWS\":";
    let cases = [
        (with("Resource", json!("*")), "Has prohibited field Resource".to_owned()),
        (with("NotResource", json!("*")), "AssumeRole policy must not contain resources.".into()),
        (with("Effect", json!("Maybe")), "Invalid effect: Maybe".into()),
        (
            with("Action", json!("s3:GetObject")),
            "AssumeRole policy may only specify STS AssumeRole actions.".into(),
        ),
        (
            with("Action", json!("*")),
            "AssumeRole policy may only specify STS AssumeRole actions.".into(),
        ),
        (with("Action", json!([])), "Missing required field Action".into()),
        (
            with("NotPrincipal", json!({"AWS": "*"})),
            "Allow with NotPrincipal is not allowed.".into(),
        ),
        (with("Extra", json!(1)), "Syntax error in policy.".into()),
        (with("Condition", json!({"DateEquals": {"a": "b"}})), "Syntax error in policy.".into()),
        (
            json!({"Effect": "Allow", "Action": "sts:AssumeRole"}),
            "Missing required field Principal".into(),
        ),
        (
            json!({"Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}),
            "Missing required field Effect".into(),
        ),
        (json!([]), "Could not parse the policy: Statement is empty!".into()),
        (
            json!([with("Sid", json!("a b")), with("Sid", json!("a b"))]),
            "The Statement Ids in the policy are not unique".into(),
        ),
        (principal(json!({})), "Missing required field Principal cannot be empty!".into()),
        (
            principal(json!("*")),
            "AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\".".into(),
        ),
        (principal(json!({"AWS": "alice"})), format!("{invalid}\"alice\"")),
        (
            principal(json!({"AWS": "arn:aws:iam::000000000000:user/*"})),
            format!("{invalid}\"arn:aws:iam::000000000000:user/*\""),
        ),
        (
            principal(json!({"AWS": "arn:aws:iam::12345678910:role/a"})),
            format!("{invalid}\"arn:aws:iam::12345678910:role/a\""),
        ),
        (
            principal(json!({"AWS": "arn:aws:iam::000000000000:group/a"})),
            format!("{invalid}\"arn:aws:iam::000000000000:group/a\""),
        ),
        (principal(json!({"Service": ""})), "Invalid principal in policy: \"Service\":\"\"".into()),
    ];
    for (statements, expected) in cases {
        let found = trust(&statements).map(drop).map_err(|malformed| malformed.to_string());
        assert_eq!(found, Err(expected), "{statements}");
    }
    assert_eq!(Document::parse("{", Kind::Trust).unwrap_err(), Malformed::TrustJson);
    let odd = r#"{"Version":"2011-01-01","Statement":[]}"#;
    assert_eq!(Document::parse(odd, Kind::Trust).unwrap_err(), Malformed::TrustVersion);
}

#[test]
fn older_versions_and_none_are_left_in_trust_policies() {
    let statement = statement("Allow", &json!({"Service": "sagemaker.amazonaws.com"}));
    for text in [
        json!({"Statement": statement}),
        json!({"Version": "2008-10-17", "Statement": [statement]}),
    ] {
        let parsed = Document::parse(&text.to_string(), Kind::Trust).unwrap();
        let named: Vec<_> = parsed.principals().cloned().collect();
        assert_eq!(named, [Trusted::Service("sagemaker.amazonaws.com".into())]);
    }
}
