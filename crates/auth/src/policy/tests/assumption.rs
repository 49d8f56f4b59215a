//! Who may take a role on, by the role's trust policy and the caller's own policies together.
//!
//! Rules: the user guide's pages "Policy evaluation logic" (resource-based policies within one account, as trust policies
//! are) and "Session policies".

use super::*;

const ROLE: &str = "arn:aws:iam::000000000000:role/next";
const ASSUME: &str = "sts:AssumeRole";

/// As one letter: `a`llows, `d`enies, `-` is silent, a blank where there is no such policy.
fn layered(letter: char) -> Option<Arc<Document>> {
    match letter {
        'a' => Some(policy(&statement("Allow", ASSUME, ROLE))),
        'd' => {
            Some(policy(&json!([statement("Allow", "*", "*"), statement("Deny", "sts:*", "*")])))
        }
        '-' => Some(policy(&statement("Allow", "s3:GetObject", "*"))),
        _ => None,
    }
}

/// What identity, boundary and session policies make of it, one letter each.
fn ask(trusted: &Value, caller: Caller<'_>, letters: &str) -> Decision {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ASSUME, "Principal": trusted}]});
    let trust = Document::parse(&trust.to_string(), Kind::Trust).unwrap();
    let layers: Vec<_> = letters.chars().map(layered).collect();
    let identity: Vec<_> = layers[0].iter().cloned().collect();
    let policies = Policies {
        identity: &identity,
        boundary: layers[1].as_ref(),
        session: layers[2].as_ref().map(std::slice::from_ref),
    };
    let context = Keys::default();
    let resources = [Arn::new(ROLE)];
    let action = Action::parse(ASSUME).unwrap();
    evaluate_assumption(
        &trust,
        &policies,
        &Request { caller, action, resources: &resources, context: &context },
    )
}

#[test]
fn what_counts_besides_the_trust_policy_is_whom_it_names() {
    use Layer::{Boundary, Identity, Session, Trust};
    let (user, role, session_arn) = (
        json!({"AWS": alice().arn}),
        json!({"AWS": "arn:aws:iam::000000000000:role/ops/Scaler"}),
        json!({"AWS": session().arn}),
    );
    let role_id = json!({"AWS": "AROASCALERSCALERSCA00"});
    let (everyone, account) = (json!({"AWS": "*"}), json!({"AWS": ACCOUNT}));
    let (missing, denied) = (|layer| Err((false, layer)), |layer| Err((true, layer)));
    let cases = [
        // A user who is named needs nothing more, and a boundary that is silent takes nothing away.
        (&user, alice(), "   ", Ok(())),
        (&user, alice(), "-- ", Ok(())),
        (&user, alice(), "d  ", denied(Identity)),
        (&user, alice(), "ad ", denied(Boundary)),
        // A role that is named is bounded as its session is: identity policies may be silent, nothing else may.
        (&role, session(), "   ", Ok(())),
        (&role, session(), "-  ", Ok(())),
        (&role, session(), "-a ", Ok(())),
        (&role, session(), "-aa", Ok(())),
        (&role, session(), "a- ", missing(Boundary)),
        (&role, session(), "a -", missing(Session)),
        (&role, session(), "--a", missing(Boundary)),
        (&role, session(), "-a-", missing(Session)),
        (&role, session(), "d  ", denied(Identity)),
        (&role, session(), "--d", denied(Session)),
        (&role_id, session(), "- -", missing(Session)),
        (&role_id, session(), "- a", Ok(())),
        // One session that is named, and everybody, are not.
        (&session_arn, session(), "---", Ok(())),
        (&session_arn, session(), "--d", denied(Session)),
        (&everyone, session(), "---", Ok(())),
        (&everyone, alice(), "-- ", Ok(())),
        (&everyone, alice(), "-d ", denied(Boundary)),
        // The account leaves it to the caller's policies, all of them.
        (&account, alice(), "a  ", Ok(())),
        (&account, alice(), "-  ", missing(Identity)),
        (&account, alice(), "a- ", missing(Boundary)),
        (&account, session(), "aaa", Ok(())),
        (&account, session(), "aa-", missing(Session)),
        (&account, session(), "-aa", missing(Identity)),
        // Whom it does not name, nothing helps.
        (&user, session(), "aaa", missing(Trust)),
        (&role, alice(), "a  ", missing(Trust)),
    ];
    for (trusted, caller, letters, expected) in cases {
        let found = match ask(trusted, caller, letters) {
            Decision::Allowed => Ok(()),
            Decision::Denied(Why { cause: Cause::Implicit(layer), .. }) => Err((false, layer)),
            Decision::Denied(Why { cause: Cause::Explicit(found), .. }) => Err((true, found.layer)),
        };
        assert_eq!(found, expected, "{trusted} {} {letters:?}", caller.arn);
    }
}

/// The widest way in which the caller is named counts.
#[test]
fn a_session_that_is_named_beside_its_role_is_not_bounded() {
    let both = json!({"AWS": ["arn:aws:iam::000000000000:role/ops/Scaler", session().arn]});
    assert_eq!(ask(&both, session(), "---"), Decision::Allowed);
    let with_account = json!({"AWS": [ACCOUNT, "arn:aws:iam::000000000000:role/ops/Scaler"]});
    assert_eq!(ask(&with_account, session(), "-a "), Decision::Allowed);
    assert!(!ask(&with_account, session(), "-- ").is_allowed());
}

/// A denial of the trust policy wins over whatever else is said.
#[test]
fn the_trust_policy_may_deny() {
    let text = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ASSUME, "Principal": {"AWS": "*"}},
        {"Effect": "Deny", "Action": ASSUME, "Principal": {"AWS": session().arn}}]});
    let trust = Document::parse(&text.to_string(), Kind::Trust).unwrap();
    let identity = [policy(&statement("Allow", "*", "*"))];
    let policies = Policies { identity: &identity, ..Policies::default() };
    let context = Keys::default();
    let resources = [Arn::new(ROLE)];
    let ask = |caller| {
        let action = Action::parse(ASSUME).unwrap();
        let request = Request { caller, action, resources: &resources, context: &context };
        evaluate_assumption(&trust, &policies, &request)
    };
    let found = Found { layer: Layer::Trust, policy: 0, statement: 1 };
    assert_eq!(
        ask(session()),
        Decision::Denied(Why { cause: Cause::Explicit(found), resource: 0 })
    );
    assert_eq!(ask(alice()), Decision::Allowed);
    assert_eq!(ask(root()), Decision::Allowed);
}
