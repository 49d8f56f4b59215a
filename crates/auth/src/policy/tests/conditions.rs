//! Every operator, prefix and suffix, one rule a row (the page "IAM JSON policy elements: Condition operators").

use super::*;

/// The request's values of the key, and whether the condition holds.
fn holds(operator: &str, policy_values: &Value, given: Option<&[&str]>, effect: &str) -> bool {
    let mut conditional = statement(effect, "*", "*");
    conditional["Condition"] = json!({operator: {"Test:Key": policy_values}});
    let statements = match effect {
        "Allow" => json!([conditional]),
        _ => json!([statement("Allow", "*", "*"), conditional]),
    };
    let identity = [policy(&statements)];
    let keys = given.map_or_else(Keys::default, |values| Keys::new(&[("test:key", values)]));
    let policies = Policies { identity: &identity, ..Policies::default() };
    let decision = decide(&policies, alice(), ("s3:GetObject", "arn:aws:s3:::a"), &keys);
    decision.is_allowed() == (effect == "Allow")
}

#[test]
fn operators_compare_as_documented() {
    let role = "arn:aws:iam::000000000000:role/a/b";
    let cases = [
        ("StringEquals", json!("a"), "a", true),
        ("StringEquals", json!("a"), "A", false),
        ("StringEquals", json!(["a", "b"]), "b", true),
        ("StringEquals", json!("a*"), "ab", false),
        ("StringEquals", json!("a*"), "a*", true),
        ("StringEquals", json!("${aws:username}"), "alice", true),
        ("StringEquals", json!([]), "a", false),
        ("StringNotEquals", json!("a"), "b", true),
        ("StringNotEquals", json!(["a", "b"]), "b", false),
        ("StringEqualsIgnoreCase", json!("aB"), "Ab", true),
        ("StringNotEqualsIgnoreCase", json!("aB"), "Ab", false),
        ("StringLike", json!("a*c?"), "abbcd", true),
        ("StringLike", json!("A*"), "ab", false),
        ("StringLike", json!("home/${aws:username}/*"), "home/alice/x", true),
        ("StringNotLike", json!("a*"), "b", true),
        ("StringNotLike", json!(["a*", "b*"]), "bc", false),
        ("NumericEquals", json!(10), "10.0", true),
        ("NumericEquals", json!("10"), "1e1", true),
        ("NumericEquals", json!("10"), "ten", false),
        ("NumericNotEquals", json!("10"), "11", true),
        ("NumericLessThan", json!("10"), "9.5", true),
        ("NumericLessThan", json!("10"), "10", false),
        ("NumericLessThanEquals", json!("10"), "10", true),
        ("NumericGreaterThan", json!("-1"), "0", true),
        ("NumericGreaterThanEquals", json!("10"), "9", false),
        ("NumericGreaterThanEquals", json!(["20", "5"]), "9", true),
        ("DateEquals", json!("2026-11-23T12:00:00Z"), "1795435200", true),
        ("DateNotEquals", json!("1795435200"), "2026-11-23T12:00:01Z", true),
        ("DateLessThan", json!("2026-11-23T12:00:00Z"), "2026-11-23T12:59:59+01:00", true),
        ("DateLessThan", json!("2026-11-23T12:00:00Z"), "2026-11-23T12:00:00Z", false),
        ("DateLessThanEquals", json!("2026-11-23"), "2026-11-23T00:00:00Z", true),
        ("DateGreaterThan", json!("2026-11-23T12:00:00Z"), "2026-11-23T12:00:00.001Z", true),
        ("DateGreaterThanEquals", json!("2026"), "2026", true),
        ("DateGreaterThan", json!("0"), "yesterday", false),
        ("Bool", json!("true"), "true", true),
        ("Bool", json!(true), "True", true),
        ("Bool", json!("false"), "true", false),
        ("BinaryEquals", json!("QmluYXJ5"), "QmluYXJ5", true),
        ("BinaryEquals", json!("QmluYXJ5"), "QmluYXJ6", false),
        ("IpAddress", json!("203.0.113.0/24"), "203.0.113.9", true),
        ("IpAddress", json!(["203.0.113.0/24", "2001:db8::/32"]), "2001:db8::1", true),
        ("IpAddress", json!("203.0.113.0/24"), "203.0.114.9", false),
        ("IpAddress", json!("203.0.113.0/24"), "nowhere", false),
        ("NotIpAddress", json!("203.0.113.0/24"), "203.0.114.9", true),
        ("NotIpAddress", json!("203.0.113.0/24"), "203.0.113.9", false),
        ("ArnEquals", json!(role), role, true),
        ("ArnEquals", json!("arn:aws:iam::*:role/*"), role, true),
        ("ArnLike", json!("arn:aws:iam::00?000000000:role/a/*"), role, true),
        ("ArnLike", json!("arn:aws:*role/a/b"), role, false),
        ("ArnLike", json!("arn:aws:iam::*:user/*"), role, false),
        ("ArnLike", json!("arn:aws:iam::${aws:PrincipalAccount}:role/*"), role, true),
        ("ArnLike", json!("arn:aws:iam::*:role/*"), "no ARN", false),
        ("ArnNotEquals", json!("arn:aws:iam::*:user/*"), role, true),
        ("ArnNotLike", json!("arn:aws:iam::*:role/*"), role, false),
        ("Null", json!("true"), "a", false),
        ("Null", json!("false"), "a", true),
    ];
    for (operator, values, given, expected) in cases {
        for effect in ["Allow", "Deny"] {
            let found = holds(operator, &values, Some(&[given]), effect);
            assert_eq!(found, expected, "{effect} {operator} {values} {given}");
        }
    }
}

/// What it means that the request lacks the key.
#[test]
fn an_absent_key_means_what_the_operator_says() {
    let cases = [
        ("StringEquals", "a", false),
        ("StringNotEquals", "a", true),
        ("StringLike", "*", false),
        ("StringNotLike", "*", true),
        ("NumericLessThan", "1", false),
        ("NumericNotEquals", "1", true),
        ("DateNotEquals", "1", true),
        ("Bool", "false", false),
        ("IpAddress", "0.0.0.0/0", false),
        ("NotIpAddress", "0.0.0.0/0", true),
        ("ArnLike", "arn:aws:iam::*:role/*", false),
        ("ArnNotLike", "arn:aws:iam::*:role/*", true),
        ("StringEqualsIfExists", "a", true),
        ("StringNotEqualsIfExists", "a", true),
        ("BoolIfExists", "false", true),
        ("NumericLessThanIfExists", "1", true),
        ("Null", "true", true),
        ("Null", "false", false),
        ("ForAllValues:StringEquals", "a", true),
        ("ForAllValues:StringNotEquals", "a", true),
        ("ForAnyValue:StringEquals", "a", false),
        ("ForAnyValue:StringNotEquals", "a", false),
        ("ForAnyValue:StringEqualsIfExists", "a", true),
        ("ForAllValues:StringEqualsIfExists", "a", true),
    ];
    for (operator, value, expected) in cases {
        for given in [None, Some(&[] as &[&str])] {
            for effect in ["Allow", "Deny"] {
                let found = holds(operator, &json!(value), given, effect);
                assert_eq!(found, expected, "{effect} {operator} {given:?}");
            }
        }
    }
}

/// The page "Multivalued context keys".
#[test]
fn keys_with_several_values_count_as_the_prefix_says() {
    let (ab, abc, bc, cd): (&[&str], &[&str], &[&str], &[&str]) =
        (&["a", "b"], &["a", "b", "c"], &["b", "c"], &["c", "d"]);
    let cases = [
        ("ForAllValues:StringEquals", ab, true),
        ("ForAllValues:StringEquals", abc, false),
        ("ForAnyValue:StringEquals", abc, true),
        ("ForAnyValue:StringEquals", cd, false),
        ("ForAllValues:StringNotEquals", cd, true),
        ("ForAllValues:StringNotEquals", bc, false),
        ("ForAnyValue:StringNotEquals", bc, true),
        ("ForAnyValue:StringNotEquals", ab, false),
        ("ForAllValues:StringLike", ab, true),
        ("StringEquals", bc, true),
        ("StringNotEquals", bc, false),
        ("StringNotEquals", cd, true),
    ];
    for (operator, given, expected) in cases {
        let found = holds(operator, &json!(["a", "b"]), Some(given), "Allow");
        assert_eq!(found, expected, "{operator} {given:?}");
    }
}

/// All operators and all keys must hold; of a key's values one must match.
#[test]
fn conditions_are_joined_as_documented() {
    let decide = |condition: Value| {
        let mut statement = statement("Allow", "*", "*");
        statement["Condition"] = condition;
        let identity = [policy(&statement)];
        let keys = Keys::new(&[("a", &["1"]), ("b", &["2"])]);
        let policies = Policies { identity: &identity, ..Policies::default() };
        decide(&policies, alice(), ("s3:GetObject", "arn:aws:s3:::a"), &keys).is_allowed()
    };
    assert!(decide(json!({"StringEquals": {"a": "1", "b": ["1", "2"]}})));
    assert!(!decide(json!({"StringEquals": {"a": "1", "b": "1"}})));
    assert!(decide(json!({"StringEquals": {"a": "1"}, "NumericEquals": {"b": "2"}})));
    assert!(!decide(json!({"StringEquals": {"a": "1"}, "NumericEquals": {"b": "3"}})));
    assert!(decide(json!({})));
}

/// A comparison with a variable that has no value decides against the caller.
#[test]
fn an_unreadable_value_decides_against_the_caller() {
    let value = json!("${aws:PrincipalTag/team}");
    for (operator, effect, expected) in [
        ("StringEquals", "Allow", false),
        ("StringNotEquals", "Allow", false),
        ("StringNotEquals", "Deny", true),
        ("StringNotLike", "Allow", false),
        ("ArnNotLike", "Deny", true),
    ] {
        assert_eq!(holds(operator, &value, Some(&["a"]), effect), expected, "{effect} {operator}");
    }
}
