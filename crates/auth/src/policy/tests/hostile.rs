//! Texts and requests that are meant to hurt.

use super::*;

/// Work that is square in the lengths; a pattern tried at every split would take longer than the universe.
#[test]
fn patterns_with_many_wildcards_end() {
    let stars = format!("arn:aws:s3:::{}b", "*a".repeat(3_000));
    let marks = format!("arn:aws:s3:::{}*b", "*a?".repeat(2_000));
    let arn = format!("arn:aws:s3:::{}", "a".repeat(2_048));
    for pattern in [stars, marks] {
        let identity = [policy(&statement("Allow", "*", &pattern))];
        let policies = Policies { identity: &identity, ..Policies::default() };
        let ask = ("s3:GetObject", arn.as_str());
        assert!(!decide(&policies, alice(), ask, &Keys::default()).is_allowed());
        let ask = ("s3:GetObject", &*format!("{arn}b"));
        let small = statement("Allow", "s3:*t*t*", &"arn:aws:s3:::*a*a*a*a*b".replace("::: ", ""));
        let identity = [policy(&small)];
        let policies = Policies { identity: &identity, ..Policies::default() };
        assert!(decide(&policies, alice(), ask, &Keys::default()).is_allowed());
    }
}

#[test]
fn long_and_deep_texts_are_refused_or_read() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let statement = |value: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{value}}}}}"#
        )
    };
    let nested = format!("{}1{}", r#"{"a":"#.repeat(1_000), "}".repeat(1_000));
    let long = format!("arn:aws:s3:::{}", "a".repeat(6_145));
    let of_long = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": long}});
    assert_eq!(Document::parse(&deep, Kind::Managed).unwrap_err(), Malformed::Syntax);
    assert_eq!(Document::parse(&statement(&deep), Kind::Managed).unwrap_err(), Malformed::Syntax);
    assert_eq!(Document::parse(&statement(&nested), Kind::Managed).unwrap_err(), Malformed::Syntax);
    assert!(counted_characters(&of_long.to_string()) > MANAGED_MAX);
    assert!(
        Document::parse(&of_long.to_string(), Kind::Managed).is_ok(),
        "quotas are the caller's"
    );
    let huge = format!("{}{}", statement("{}"), " ".repeat(200_000));
    assert_eq!(Document::parse(&huge, Kind::Managed).unwrap_err(), Malformed::Syntax);
}

#[test]
fn many_statements_and_values_are_read() {
    let statements: Vec<_> =
        (0..2_000).map(|i| statement("Allow", &format!("s3:A{i}"), "*")).collect();
    let document = policy(&json!(statements));
    assert_eq!(document.len(), 2_000);
    let identity = [document];
    let policies = Policies { identity: &identity, ..Policies::default() };
    let ask =
        |action: &str| decide(&policies, alice(), (action, "*"), &Keys::default()).is_allowed();
    assert!(ask("s3:A1999") && !ask("s3:A2000"));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(2_000))]

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}", grammar in soup()) {
        for text in [text, grammar] {
            for kind in [Kind::Managed, Kind::Inline, Kind::Session, Kind::Trust] {
                if let Ok(document) = Document::parse(&text, kind) {
                    proptest::prop_assert_eq!(&**document.text(), text.as_str());
                }
            }
        }
    }

    #[test]
    fn any_pattern_and_resource_end(
        pattern in "(arn:aws:[a-z]{1,4}:)?([*?a:/é]|\\$\\{[*?$a]\\}){0,40}",
        arn in "[a:/é*]{0,60}",
    ) {
        let text = json!({"Statement": statement("Allow", "*", &pattern)}).to_string();
        if let Ok(document) = Document::parse(&text.replace("{\"Statement\"", "{\"Version\":\"2012-10-17\",\"Statement\""), Kind::Managed) {
            let identity = [Arc::new(document)];
            let policies = Policies { identity: &identity, ..Policies::default() };
            let _ = decide(&policies, alice(), ("s3:GetObject", &arn), &Keys::default());
        }
    }
}

/// The grammar's words in any order.
fn soup() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let words = proptest::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"Version\":",
        "\"2012-10-17\"",
        "\"Statement\":",
        "\"Effect\":",
        "\"Allow\"",
        "\"Action\":",
        "\"*\"",
        "\"Resource\":",
        "\"Condition\":",
        "\"StringEquals\":",
        "\"a:b\"",
        "\"${a\"",
        "1",
        "true",
        "null",
        "\"Principal\":",
        "\"AWS\":",
        "\"sts:AssumeRole\"",
        "\"NotAction\":",
        "\"arn:aws:s3:::a\"",
    ]);
    proptest::collection::vec(words, 0..40).prop_map(|words| words.concat())
}
