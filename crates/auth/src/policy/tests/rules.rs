//! AWS's rules of evaluation, one a row.

use super::*;

const INVOKE: &str = "sagemaker:InvokeEndpoint";

/// Who may, as one letter a layer: `a`llows, `d`enies, `-` is silent, a blank where there is no such policy.
fn layered(letter: char) -> Option<Arc<Document>> {
    match letter {
        'a' => Some(policy(&statement("Allow", INVOKE, "*"))),
        'd' => Some(policy(&json!([
            statement("Allow", "*", "*"),
            statement("Deny", "sagemaker:Invoke*", "*")
        ]))),
        '-' => Some(policy(&statement("Allow", "s3:GetObject", "*"))),
        _ => None,
    }
}

/// The page "Policy evaluation logic": identity, boundary and session policies in one account.
#[test]
fn each_kind_of_policy_must_allow_and_none_may_deny() {
    use Layer::{Boundary, Identity, Session};
    let (implicit, explicit) = (Err::<(), _>((false, Identity)), |layer| Err((true, layer)));
    let missing = |layer| Err((false, layer));
    let cases = [
        ("a  ", Ok(())),
        ("-  ", implicit),
        ("d  ", explicit(Identity)),
        ("aa ", Ok(())),
        ("a- ", missing(Boundary)),
        ("ad ", explicit(Boundary)),
        ("-a ", implicit),
        ("-- ", implicit),
        ("a a", Ok(())),
        ("a -", missing(Session)),
        ("a d", explicit(Session)),
        ("- a", implicit),
        ("aaa", Ok(())),
        ("aa-", missing(Session)),
        ("a--", missing(Boundary)),
        ("--d", explicit(Session)),
        ("-d-", explicit(Boundary)),
        ("ddd", explicit(Identity)),
    ];
    for (letters, expected) in cases {
        let layers: Vec<_> = letters.chars().map(layered).collect();
        let identity: Vec<_> = layers[0].iter().cloned().collect();
        let policies = Policies {
            identity: &identity,
            boundary: layers[1].as_ref(),
            session: layers[2].as_ref().map(std::slice::from_ref),
        };
        let found = match decide(&policies, session(), (INVOKE, ENDPOINT), &Keys::default()) {
            Decision::Allowed => Ok(()),
            Decision::Denied(Why { cause: Cause::Implicit(layer), .. }) => Err((false, layer)),
            Decision::Denied(Why { cause: Cause::Explicit(found), .. }) => Err((true, found.layer)),
        };
        assert_eq!(found, expected, "{letters:?}");
    }
}

#[test]
fn nobody_without_policies_may_do_anything_but_the_root_user() {
    let ask = ("iam:CreateUser", "arn:aws:iam::000000000000:user/bob");
    let nothing = Policies::default();
    assert!(!decide(&nothing, alice(), ask, &Keys::default()).is_allowed());
    assert!(decide(&nothing, root(), ask, &Keys::default()).is_allowed());
    let context = Keys::default();
    let action = Action::new("iam", "CreateUser");
    let request = Request { caller: alice(), action, resources: &[], context: &context };
    let everything = [policy(&statement("Allow", "*", "*"))];
    let policies = Policies { identity: &everything, ..Policies::default() };
    assert!(!evaluate(&policies, &request).is_allowed(), "no resource is no permission");
}

/// Statements on one identity policy; whether alice may invoke the endpoint by them.
#[test]
fn statements_match_actions_and_resources_as_documented() {
    let with = |mut statement: Value, name: &str, value: Value| {
        statement[name] = value;
        statement
    };
    let (allow, deny) =
        (|action| statement("Allow", action, "*"), |action| statement("Deny", action, "*"));
    let bare = json!({"Effect": "Allow"});
    let cases = [
        ("an action by name", json!(allow(INVOKE)), true),
        ("without regard to case", json!(allow("SageMaker:invokeendpoint")), true),
        ("with a wildcard at the end", json!(allow("sagemaker:Invoke*")), true),
        ("with wildcards inside", json!(allow("sagemaker:*voke?ndpoint")), true),
        ("of every service", json!(allow("*:*")), true),
        ("a longer name", json!(allow("sagemaker:InvokeEndpointAsync")), false),
        ("another service", json!(allow("s3:*")), false),
        ("a deny beats every allow", json!([allow("*"), deny("sagemaker:*")]), false),
        ("wherever it stands", json!([deny("sagemaker:*"), allow("*")]), false),
        ("a deny of something else does not", json!([allow("*"), deny("iam:*")]), true),
        (
            "NotAction allows what it does not name",
            with(with(bare.clone(), "NotAction", json!("iam:*")), "Resource", json!("*")),
            true,
        ),
        (
            "and nothing that it names",
            with(
                with(bare.clone(), "NotAction", json!(["iam:*", "sagemaker:Invoke*"])),
                "Resource",
                json!("*"),
            ),
            false,
        ),
        (
            "NotResource allows what it does not name",
            with(with(bare.clone(), "Action", json!("*")), "NotResource", json!("arn:aws:s3:::*")),
            true,
        ),
        (
            "and nothing that it names",
            with(with(bare.clone(), "Action", json!("*")), "NotResource", json!(ENDPOINT)),
            false,
        ),
        (
            "one of several actions and resources",
            json!({"Effect": "Allow", "Action": ["iam:*", INVOKE], "Resource": ["arn:aws:s3:::a", ENDPOINT]}),
            true,
        ),
        ("another resource", json!(statement("Allow", "*", &format!("{ENDPOINT}2"))), false),
        (
            "SageMaker's names without regard to case",
            json!(statement("Allow", "*", "arn:aws:sagemaker:*:*:endpoint/Fore*")),
            true,
        ),
        (
            "Deny with NotAction leaves only what it names",
            json!([allow("*"), {"Effect": "Deny", "NotAction": INVOKE, "Resource": "*"}]),
            true,
        ),
        (
            "Deny with NotResource leaves only what it names",
            json!([allow("*"), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::*"}]),
            false,
        ),
    ];
    for (rule, statements, expected) in cases {
        let identity = [policy(&statements)];
        let policies = Policies { identity: &identity, ..Policies::default() };
        let decision = decide(&policies, alice(), (INVOKE, ENDPOINT), &Keys::default());
        assert_eq!(decision.is_allowed(), expected, "{rule}");
    }
}

/// The page "Policy variables and tags"; alice without a tag `team`, with the department `ops`.
#[test]
fn variables_stand_for_the_callers_values() {
    let bucket = "arn:aws:s3:::home/";
    let cases = [
        ("2012-10-17", "Resource", "${aws:username}", "alice", true),
        ("2012-10-17", "Resource", "${AWS:UserName}/*", "alice/notes", true),
        ("2012-10-17", "Resource", "${aws:username}", "bob", false),
        ("2012-10-17", "Resource", "${aws:PrincipalTag/department}", "ops", true),
        ("2012-10-17", "Resource", "${aws:PrincipalTag/team}", "", false),
        ("2012-10-17", "Resource", "${aws:PrincipalTag/team, 'all'}", "all", true),
        ("2012-10-17", "Resource", "${aws:PrincipalTag/department, 'all'}", "all", false),
        ("2012-10-17", "Resource", "${aws:TagKeys}", "a", false),
        ("2012-10-17", "Resource", "${*}", "*", true),
        ("2012-10-17", "Resource", "${*}", "anything", false),
        ("2012-10-17", "Resource", "${?}", "x", false),
        ("2012-10-17", "Resource", "${$}{aws:username}", "${aws:username}", true),
        // a wildcard in a value is a character
        ("2012-10-17", "Resource", "${aws:PrincipalTag/star}", "anything", false),
        ("2012-10-17", "Resource", "${aws:PrincipalTag/star}", "*", true),
        // an exclusion that cannot be read allows nothing
        ("2012-10-17", "NotResource", "${aws:PrincipalTag/team}", "other", false),
        ("2012-10-17", "NotResource", "${aws:username}", "other", true),
        // the older version takes variables as they stand
        ("2008-10-17", "Resource", "${aws:username}", "alice", false),
        ("2008-10-17", "Resource", "${aws:username}", "${aws:username}", true),
    ];
    let keys = Keys::new(&[
        ("aws:PrincipalTag/department", &["ops"]),
        ("aws:PrincipalTag/star", &["*"]),
        ("aws:TagKeys", &["a", "b"]),
    ]);
    for (version, element, pattern, name, expected) in cases {
        let mut statement = json!({"Effect": "Allow", "Action": "s3:GetObject"});
        statement[element] = json!(format!("{bucket}{pattern}"));
        let text = json!({"Version": version, "Statement": statement}).to_string();
        let identity = [Arc::new(Document::parse(&text, Kind::Inline).unwrap())];
        let policies = Policies { identity: &identity, ..Policies::default() };
        let ask = format!("{bucket}{name}");
        let decision = decide(&policies, alice(), ("s3:GetObject", &ask), &keys);
        assert_eq!(decision.is_allowed(), expected, "{version} {element} {pattern} {name}");
    }
}

/// An exclusion that cannot be read denies all the same.
#[test]
fn a_deny_with_an_unreadable_exclusion_still_denies() {
    let identity = [policy(&json!([
        statement("Allow", "*", "*"),
        {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::${aws:PrincipalTag/team}"},
    ]))];
    let policies = Policies { identity: &identity, ..Policies::default() };
    let decide = |keys| decide(&policies, alice(), ("s3:GetObject", "arn:aws:s3:::red"), &keys);
    assert!(!decide(Keys::default()).is_allowed());
    assert!(decide(Keys::new(&[("aws:PrincipalTag/team", &["red"])])).is_allowed());
}

#[test]
fn the_callers_own_keys_are_known_without_being_told() {
    let cases = [
        (alice(), "aws:username", Some("alice")),
        (alice(), "aws:PrincipalArn", Some("arn:aws:iam::000000000000:user/team/alice")),
        (alice(), "aws:PrincipalAccount", Some(ACCOUNT)),
        (alice(), "aws:PrincipalType", Some("User")),
        (alice(), "aws:userid", Some("AIDAALICEALICEALICE00")),
        (session(), "aws:username", None),
        (session(), "aws:PrincipalArn", Some("arn:aws:iam::000000000000:role/ops/Scaler")),
        (session(), "aws:PrincipalType", Some("AssumedRole")),
        (session(), "aws:userid", Some("AROASCALERSCALERSCA00:nightly")),
        (Caller::service("sagemaker.amazonaws.com"), "aws:PrincipalArn", None),
    ];
    for (caller, key, value) in cases {
        let condition = match value {
            Some(value) => json!({"StringEquals": {key: value}}),
            None => json!({"Null": {key: "true"}}),
        };
        let mut statement = statement("Allow", "*", "*");
        statement["Condition"] = condition;
        let identity = [policy(&statement)];
        let policies = Policies { identity: &identity, ..Policies::default() };
        let decision = decide(&policies, caller, (INVOKE, ENDPOINT), &Keys::default());
        assert!(decision.is_allowed(), "{key} of {}", caller.arn);
    }
}

/// Every resource needs a statement, not every one the same; the first without is named.
#[test]
fn an_action_on_several_resources_needs_all_of_them() {
    let config = "arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/forecast";
    let endpoints = statement("Allow", "sagemaker:CreateEndpoint", ENDPOINT);
    let configs = statement("Allow", "sagemaker:CreateEndpoint", config);
    let context = Keys::default();
    let request = Request {
        caller: alice(),
        action: Action::new("sagemaker", "CreateEndpoint"),
        resources: &[Arn::new(ENDPOINT), Arn::new(config)],
        context: &context,
    };
    let decide = |statements: &Value| {
        let identity = [policy(statements)];
        evaluate(&Policies { identity: &identity, ..Policies::default() }, &request)
    };
    assert_eq!(decide(&json!([endpoints, configs])), Decision::Allowed);
    let why = |resource| Why { cause: Cause::Implicit(Layer::Identity), resource };
    assert_eq!(decide(&endpoints), Decision::Denied(why(1)));
    assert_eq!(decide(&configs), Decision::Denied(why(0)));
}

/// `reference/autoscaling-and-cloudwatch.md`, section 8.3.
#[test]
fn refusals_are_worded_as_aws_words_them() {
    let refusal = |cause, resource| {
        let action = Action::new("sagemaker", "InvokeEndpoint");
        Why { cause, resource: 0 }.refusal("arn:aws:iam::0:user/a", action, resource).to_string()
    };
    let start =
        "User: arn:aws:iam::0:user/a is not authorized to perform: sagemaker:InvokeEndpoint";
    let found = |layer| Cause::Explicit(Found { layer, policy: 0, statement: 0 });
    let allows = "allows the sagemaker:InvokeEndpoint action";
    let cases = [
        (Cause::Implicit(Layer::Identity), format!("because no identity-based policy {allows}")),
        (Cause::Implicit(Layer::Boundary), format!("because no permissions boundary {allows}")),
        (Cause::Implicit(Layer::Session), format!("because no session policy {allows}")),
        (Cause::Implicit(Layer::Trust), format!("because no role trust policy {allows}")),
        (found(Layer::Identity), "with an explicit deny in an identity-based policy".into()),
        (found(Layer::Boundary), "with an explicit deny in a permissions boundary".into()),
        (found(Layer::Session), "with an explicit deny in a session policy".into()),
    ];
    for (cause, end) in cases {
        assert_eq!(refusal(cause, Some("arn:r")), format!("{start} on resource: arn:r {end}"));
        assert_eq!(refusal(cause, None), format!("{start} {end}"));
    }
}
