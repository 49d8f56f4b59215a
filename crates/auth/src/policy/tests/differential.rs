//! The evaluator against the naive one, on generated policies and requests.
//!
//! Each case is three layers of documents and 24 requests. The usual run makes some thousands of pairs; the deep one, above
//! 100,000, is `cargo nextest run -p auth --run-ignored only differential`.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Map;

use super::naive::{Answer, Ask};
use super::*;

const REQUESTS: usize = 24;

const ACTIONS: &[&str] = &[
    "sagemaker:InvokeEndpoint",
    "sagemaker:DescribeEndpoint",
    "s3:GetObject",
    "iam:PassRole",
    "S3:getobject",
];

const RESOURCES: &[&str] = &[
    "*",
    ENDPOINT,
    "arn:aws:sagemaker:us-east-1:000000000000:endpoint/Alice",
    "arn:aws:sagemaker:us-east-1:000000000000:endpoint/forecast:x",
    "arn:aws:cloudwatch:us-east-1:000000000000:alarm:Busy",
    "arn:aws:s3:::a/alice/x",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::A",
];

const ACTION_PATTERNS: &[&str] = &[
    "*",
    "*:*",
    "sagemaker:*",
    "sagemaker:InvokeEndpoint",
    "SageMaker:*Endpoint",
    "s3:Get?bject",
    "s3:*e*e*",
    "iam:PassRole",
    "iam:*",
    "*:GetObject",
];

const RESOURCE_PATTERNS: &[&str] = &[
    "*",
    ENDPOINT,
    "arn:aws:sagemaker:*:*:endpoint/FORECAST",
    "arn:aws:sagemaker:us-*-1:*:endpoint/*",
    "arn:aws:sagemaker:*",
    "arn:aws:sagemaker:*:endpoint/${aws:username}",
    "arn:aws:sagemaker:us-east-?:0*0:endpoint/*cast*",
    "arn:aws:cloudwatch:*:alarm:B*",
    "arn:aws:cloudwatch:us-*t-1:alarm:B*",
    "arn:aws:cloudwatch:*:*:alarm:busy",
    "arn:aws:s3:::a/${aws:username}/*",
    "arn:aws:s3:::a/${test:one}/?",
    "arn:aws:s3:::a/${test:many, 'alice'}/x",
    "arn:aws:s3:::a/${test:absent}/*",
    "arn:aws:s3:::a/${*}",
    "arn:aws:s3:::?*",
];

const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericGreaterThanEquals",
    "Bool",
    "IpAddress",
    "NotIpAddress",
    "ArnLike",
    "ArnNotLike",
    "ArnEquals",
    "Null",
];

/// Values that an operator can read, for policies and for requests.
fn values_for(operator: &str) -> &'static [&'static str] {
    match operator {
        _ if operator.starts_with("Numeric") => &["1", "2", "-3.5"],
        _ if operator.contains("IpAddress") => &["10.0.0.1", "10.0.0.0/8", "10.1.0.0/16"],
        "Bool" | "Null" => &["true", "false"],
        _ if operator.starts_with("Arn") => &[
            "arn:aws:iam::1:role/a",
            "arn:aws:iam::*:role/?",
            "arn:aws:*",
            "arn:a*s:iam:*:1:role/*",
            "arn:aws:iam::1:role/${test:one}",
        ],
        _ => &[
            "a",
            "A",
            "a*",
            "*",
            "?",
            "${aws:username}",
            "${test:one}",
            "${test:absent}",
            "${test:absent, 'a'}",
            "${*}",
        ],
    }
}

const GIVEN: &[&str] = &[
    "a",
    "A",
    "alice",
    "*",
    "1",
    "2.0",
    "true",
    "false",
    "10.0.0.1",
    "10.1.2.3",
    "11.0.0.1",
    "arn:aws:iam::1:role/a",
    "arn:aws:iam::1:role/b",
    "",
];

const KEYS: &[&str] = &["test:one", "Test:Many", "test:absent", "aws:username"];

fn condition() -> impl Strategy<Value = (String, String, Vec<String>)> {
    let sets = select(vec!["", "", "", "ForAllValues:", "ForAnyValue:"]);
    (select(OPERATORS), sets, any::<bool>(), select(KEYS)).prop_flat_map(
        |(operator, set, exists, key)| {
            let suffix = if exists && operator != "Null" { "IfExists" } else { "" };
            let name = format!("{set}{operator}{suffix}");
            let values = proptest::collection::vec(select(values_for(operator)), 1..3);
            values.prop_map(move |values| {
                let values = values.into_iter().map(str::to_owned).collect();
                (name.clone(), key.to_owned(), values)
            })
        },
    )
}

fn generated_statement() -> impl Strategy<Value = Value> {
    let actions = proptest::collection::vec(select(ACTION_PATTERNS), 1..3);
    let resources = proptest::collection::vec(select(RESOURCE_PATTERNS), 1..3);
    let conditions = proptest::collection::vec(condition(), 0..3);
    let flags = (prop::bool::weighted(0.7), prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (flags, actions, resources, conditions).prop_map(|(flags, actions, resources, conditions)| {
        let (allows, not_action, not_resource) = flags;
        let mut operators = Map::new();
        for (operator, key, values) in conditions {
            let keys = operators.entry(operator).or_insert_with(|| json!({}));
            keys[key] = if values.len() == 1 { json!(values[0]) } else { json!(values) };
        }
        json!({
            "Effect": if allows { "Allow" } else { "Deny" },
            (if not_action { "NotAction" } else { "Action" }): actions,
            (if not_resource { "NotResource" } else { "Resource" }): resources,
            "Condition": operators,
        })
    })
}

fn generated_document() -> impl Strategy<Value = Value> {
    let version = prop::bool::weighted(0.85);
    (version, proptest::collection::vec(generated_statement(), 1..4)).prop_map(|(current, statements)| {
        json!({"Version": if current { "2012-10-17" } else { "2008-10-17" }, "Statement": statements})
    })
}

fn generated_keys() -> impl Strategy<Value = Keys> {
    let one = proptest::option::of(select(GIVEN));
    let many = proptest::option::of(proptest::collection::vec(select(GIVEN), 0..3));
    (one, many).prop_map(|(one, many)| {
        let mut keys = Keys::default();
        let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect::<Vec<_>>();
        keys.0.extend(one.map(|one| ("test:one".to_owned(), owned(vec![one]))));
        keys.0.extend(many.map(|many| ("test:many".to_owned(), owned(many))));
        keys
    })
}

/// Identity documents, and perhaps a boundary and session policies.
fn generated_layers() -> impl Strategy<Value = [Option<Vec<Value>>; 3]> {
    let documents = |most| proptest::collection::vec(generated_document(), 0..most);
    let boundary = proptest::option::weighted(0.3, generated_document().prop_map(|it| vec![it]));
    let session = proptest::option::weighted(0.3, documents(3));
    (documents(4), boundary, session)
        .prop_map(|(identity, boundary, session)| [Some(identity), boundary, session])
}

type Asked = (&'static str, &'static str, Keys);

fn check(layers: &[Option<Vec<Value>>; 3], asked: &[Asked], seen: &mut [usize; 3]) {
    let parse =
        |value: &Value| Arc::new(Document::parse(&value.to_string(), Kind::Inline).unwrap());
    let parsed: Vec<Option<Vec<_>>> = layers
        .iter()
        .map(|layer| layer.as_ref().map(|it| it.iter().map(parse).collect()))
        .collect();
    let kinds: Vec<Layer> = [Layer::Identity, Layer::Boundary, Layer::Session]
        .into_iter()
        .zip(layers)
        .filter_map(|(kind, layer)| layer.as_ref().map(|_| kind))
        .collect();
    let present: Vec<_> = layers.iter().flatten().cloned().collect();
    let policies = Policies {
        identity: parsed[0].as_deref().unwrap(),
        boundary: parsed[1].as_ref().map(|it| &it[0]),
        session: parsed[2].as_deref(),
    };
    for (action, resource, keys) in asked {
        let ask = Ask { action, resource, username: "alice", keys };
        let expected = naive::decide(&present, &ask);
        let found = match decide(&policies, alice(), (action, resource), keys) {
            Decision::Allowed => Answer::Allowed,
            Decision::Denied(Why { cause, .. }) => match cause {
                Cause::Explicit(found) => {
                    Answer::Denied(kinds.iter().position(|it| *it == found.layer).unwrap())
                }
                Cause::Implicit(layer) => {
                    Answer::Missing(kinds.iter().position(|it| *it == layer).unwrap())
                }
            },
        };
        seen[match expected {
            Answer::Allowed => 0,
            Answer::Denied(_) => 1,
            Answer::Missing(_) => 2,
        }] += 1;
        assert_eq!(found, expected, "{action} on {resource} with {keys:?}\n{present:#?}");
    }
}

fn compare(cases: u32) {
    let asked =
        proptest::collection::vec((select(ACTIONS), select(RESOURCES), generated_keys()), REQUESTS);
    let seen = std::cell::Cell::new([0; 3]);
    let config = Config { failure_persistence: None, ..Config::with_cases(cases) };
    let outcome = TestRunner::new(config).run(&(generated_layers(), asked), |(layers, asked)| {
        let mut counts = seen.get();
        check(&layers, &asked, &mut counts);
        seen.set(counts);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let pairs = seen.get().iter().sum::<usize>();
    assert!(
        seen.get().iter().all(|count| count * 20 > pairs),
        "one answer hardly occurs: {:?}",
        seen.get()
    );
}

#[test]
fn both_evaluators_agree() {
    compare(250);
}

#[test]
#[ignore = "deep: more than 100,000 pairs, half a minute"]
fn both_evaluators_agree_on_a_hundred_thousand_pairs() {
    compare(5_000);
}
