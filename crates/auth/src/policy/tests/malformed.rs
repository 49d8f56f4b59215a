//! Texts that are no policies, and which of their faults AWS names.
//!
//! The faults and their answers are what moto's `tests/test_iam/test_iam_policies.py` records of `CreatePolicy`.

use super::*;

const SYNTAX: &str = "Syntax errors in policy.";
const LEGACY: &str = "The policy failed legacy parsing";
const VERSION: &str = "Policy document must be version 2012-10-17 or greater.";
const NO_ACTIONS: &str = "Policy statement must contain actions.";
const NO_RESOURCES: &str = "Policy statement must contain resources.";
const VENDOR: &str = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
const COLONS: &str = "Actions/Condition can contain only one colon.";
const IAM_PATH: &str = "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, \
    instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, \
    access-report/.";

fn fault(text: &str, kind: Kind) -> Option<String> {
    Document::parse(text, kind).err().map(|malformed| malformed.to_string())
}

fn sound() -> Value {
    statement("Allow", "s3:ListBucket", "arn:aws:s3:::example")
}

/// A sound statement with these elements set; `null` takes one away.
fn with(elements: Value) -> Value {
    let mut statement = sound();
    let members = statement.as_object_mut().unwrap();
    let Value::Object(elements) = elements else { panic!("no object: {elements}") };
    for (name, value) in elements {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    statement
}

fn condition(operator: &str, keys: Value) -> Value {
    let operators = serde_json::Map::from_iter([(operator.to_owned(), keys)]);
    with(json!({"Condition": operators}))
}

fn check(cases: Vec<(Value, Option<&str>)>) {
    for (statements, expected) in cases {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        assert_eq!(fault(&text, Kind::Managed).as_deref(), expected, "{text}");
    }
}

#[test]
fn elements_have_the_grammars_names_and_types() {
    let not_principal = "Policy document should not specify a principal.";
    check(vec![
        (sound(), None),
        (json!([sound(), sound()]), None),
        (json!([]), Some(SYNTAX)),
        (json!("afd"), Some(SYNTAX)),
        (json!(["afd"]), Some(SYNTAX)),
        (json!([[sound()]]), Some(SYNTAX)),
        (with(json!({"Extra": "value"})), Some(SYNTAX)),
        (with(json!({"action": "s3:*"})), Some(SYNTAX)),
        (with(json!({"Sid": {}})), Some(SYNTAX)),
        (with(json!({"Sid": []})), Some(SYNTAX)),
        (with(json!({"Effect": "invalid"})), Some(SYNTAX)),
        (with(json!({"Effect": null})), Some(SYNTAX)),
        (with(json!({"Effect": ["Allow"]})), Some(SYNTAX)),
        (with(json!({"Action": {}})), Some(SYNTAX)),
        (with(json!({"Action": [[]]})), Some(SYNTAX)),
        (with(json!({"Action": 1})), Some(SYNTAX)),
        (with(json!({"NotAction": "iam:dsf"})), Some(SYNTAX)),
        (with(json!({"NotAction": []})), Some(SYNTAX)),
        (with(json!({"Resource": {"a": "arn:aws:s3:::example"}})), Some(SYNTAX)),
        (with(json!({"Resource": ["adfdf", {}]})), Some(SYNTAX)),
        (with(json!({"NotResource": "*"})), Some(SYNTAX)),
        (with(json!({"NotResource": []})), Some(SYNTAX)),
        (with(json!({"Principal": "*"})), Some(not_principal)),
        (with(json!({"NotPrincipal": {"AWS": "*"}})), Some(not_principal)),
        (with(json!({"Resource": "arn:aws:s3:::${aws:username"})), Some(SYNTAX)),
    ]);
}

#[test]
fn conditions_have_known_operators_and_readable_values() {
    let key = |value: Value| json!({"a": value});
    check(vec![
        (with(json!({"Condition": []})), Some(SYNTAX)),
        (with(json!({"Condition": "a"})), Some(SYNTAX)),
        (with(json!({"Condition": {"a": "b"}})), Some(SYNTAX)),
        (condition("DateGreaterThan", json!("b")), Some(SYNTAX)),
        (condition("DateGreaterThan", json!([])), Some(SYNTAX)),
        (condition("DateGreaterThan", key(json!({}))), Some(SYNTAX)),
        (condition("DateGreaterThan", key(json!([["1"]]))), Some(SYNTAX)),
        (condition("DateGreaterThan", key(Value::Null)), Some(SYNTAX)),
        (condition("x", key(json!("1"))), Some(SYNTAX)),
        (condition("stringequals", key(json!("1"))), Some(SYNTAX)),
        (condition("ForAnyValue::StringEqualsIfExists", key(json!("asf"))), Some(SYNTAX)),
        (condition("NullIfExists", key(json!("true"))), Some(SYNTAX)),
        (condition("StringEqualsIfExistsIfExists", key(json!("1"))), Some(SYNTAX)),
        (condition("DateGreaterThan", key(json!("sdfdsf"))), Some(LEGACY)),
        (condition("DateLessThanEquals", key(json!("234-13"))), Some(LEGACY)),
        (condition("DateLessThan", key(json!("9223372036854775808"))), Some(LEGACY)),
        (condition("NumericEquals", key(json!("ten"))), Some(LEGACY)),
        (condition("Bool", key(json!("yes"))), Some(LEGACY)),
        (condition("IpAddress", key(json!("1.2.3.4/99"))), Some(LEGACY)),
        (condition("BinaryEquals", key(json!("not base64"))), Some(LEGACY)),
        (with(json!({"Condition": {}})), None),
        (condition("x", json!({})), None),
        (condition("DateGreaterThan", json!({})), None),
        (condition("DateGreaterThan", key(json!([]))), None),
        (condition("DateGreaterThan", key(json!("01T"))), None),
        (condition("DateLessThan", key(json!("-292275054"))), None),
        (condition("DateLessThanEquals", key(json!("2016-12-13t2:00:00.593194+23"))), None),
        (condition("ForAnyValue:StringEqualsIfExists", key(json!("asf"))), None),
        (condition("ForAllValues:StringEquals", key(json!("Department"))), None),
        (condition("NumericLessThan", key(json!(3))), None),
        (condition("Bool", key(json!([true, "false"]))), None),
    ]);
}

#[test]
fn actions_name_a_service() {
    let action = |action: &str| with(json!({"Action": action}));
    check(vec![
        (action("invalid"), Some(VENDOR)),
        (with(json!({"Action": null, "NotAction": ""})), Some(VENDOR)),
        (action("a a:ListBucket"), Some("Vendor a a is not valid")),
        (action("s*:ListBucket"), Some("Vendor s* is not valid")),
        (action("s3:List:Bucket"), Some(COLONS)),
        (json!([action("s3s:ListBucket"), action("s:3s:ListBucket")]), Some(COLONS)),
        (with(json!({"Action": null})), Some(NO_ACTIONS)),
        (with(json!({"Action": []})), Some(NO_ACTIONS)),
        (json!([{"Effect": "Deny"}, sound()]), Some(NO_ACTIONS)),
        (action("*"), None),
        (action("*:*"), None),
        (action("iam: asdf safdsf af "), None),
        (action("service-prefix:action-name"), None),
        (action("s3.s:ListBucket"), None),
        (with(json!({"Action": null, "NotAction": "s3:ListBucket"})), None),
    ]);
}

#[test]
fn resources_are_arns() {
    let resource = |resource: &str| with(json!({"Resource": resource}));
    let not_an_arn = "Resource invalid resource must be in ARN format or \"*\".";
    let vendor = "Resource vendor must be fully qualified and cannot contain regexes.";
    let partition = |partition: &str, arn: &str| {
        format!("Partition \"{partition}\" is not valid for resource \"arn:{partition}:{arn}\".")
    };
    let several = with(json!({"Resource": ["arn:error:s3::a_b", "arn:error:s3:::a_b"]}));
    check(vec![
        (resource("invalid resource"), Some(not_an_arn)),
        (resource(""), Some("Resource  must be in ARN format or \"*\".")),
        (with(json!({"Resource": ["adf"]})), Some("Resource adf must be in ARN format or \"*\".")),
        (resource("a:bsdf"), Some(&partition("bsdf", "*:*:*:*"))),
        (resource("a:b:cadfsdf"), Some(&partition("b", "cadfsdf:*:*:*"))),
        (resource("a:b:c:d:e:f:g:h"), Some(&partition("b", "c:d:e:f:g:h"))),
        (resource("aws:s3:::example_bucket"), Some(&partition("s3", "::example_bucket:*"))),
        (several, Some(&partition("error", "s3:::a_b"))),
        (with(json!({"Resource": null})), Some(NO_RESOURCES)),
        (with(json!({"Resource": []})), Some(NO_RESOURCES)),
        (resource("arn:aws"), Some(vendor)),
        (resource("arn:aws:s*:::a"), Some(vendor)),
        (resource("arn:aws:iam:::example_bucket"), Some(IAM_PATH)),
        (
            resource("arn:aws:iam:us-east-1::a"),
            Some("IAM resource arn:aws:iam:us-east-1::a cannot contain region information."),
        ),
        (
            resource("arn:aws:s3:us-east-1::a"),
            Some("Resource arn:aws:s3:us-east-1::a can not contain region information."),
        ),
        (resource("arn:aws:s3::example_bucket"), Some(LEGACY)),
        (resource("arn:aws::::example_bucket"), Some(LEGACY)),
        (resource("arn:aws::fdsasf"), Some(LEGACY)),
        (with(json!({"Resource": null, "NotResource": "arn:aws:s3::a"})), Some(LEGACY)),
        (resource("*"), None),
        (with(json!({"Resource": ["arn:aws:s3:::a", "*"]})), None),
        (resource("arn:aws:fdsasf"), None),
        (resource("arn:aws:s33:::a"), None),
        (resource("arn:aws:cloudwatch:us-east-1::a"), None),
        (resource("arn:aws:s3:us-east-1:000000000000:accesspoint/a"), None),
        (resource("arn:aws:iam:::user/a"), None),
        (resource("arn:aws:iam::*:*"), None),
        (resource("arn:aws:iam::*:user/${aws:username}"), None),
        (resource("arn:aws:s3:::a/${cognito-identity.amazonaws.com:sub}/*"), None),
        (with(json!({"Resource": null, "NotResource": "*"})), None),
    ]);
}

/// Two faults in one document: the first of them in this order is named.
#[test]
fn faults_are_named_in_order() {
    let duplicate = "Statement IDs (SID) in a single policy must be unique.";
    let twice = with(json!({"Sid": "sdf"}));
    let odd_sid = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular \
        expression [0-9A-Za-z]*";
    check(vec![
        (json!([twice, {"Sid": "sdf", "Effect": "Allow"}]), Some(duplicate)),
        (json!([with(json!({"Sid": ""})), with(json!({"Sid": ""}))]), None),
        (with(json!({"Sid": "autogenerated-id"})), Some(odd_sid)),
        (with(json!({"Effect": "denY"})), Some(LEGACY)),
        (
            json!([with(json!({"Effect": "aLLow", "Sid": "a"})), {"Sid": "a", "Effect": "Allow"}]),
            Some(LEGACY),
        ),
        (
            with(json!({"Action": "s:3:ListBucket", "Resource": "sdf"})),
            Some("Resource sdf must be in ARN format or \"*\"."),
        ),
        (with(json!({"Action": "invalid", "Resource": null})), Some(NO_RESOURCES)),
        (with(json!({"Action": null, "Resource": "arn:aws:s3::a"})), Some(LEGACY)),
        (
            with(
                json!({"Action": null, "Resource": null, "Condition": {"DateEquals": {"a": "b"}}}),
            ),
            Some(LEGACY),
        ),
        (
            with(json!({"Resource": "arn:error:s3:::a", "Condition": {"DateEquals": {"a": "b"}}})),
            Some(LEGACY),
        ),
    ]);
}

#[test]
fn documents_are_json_objects_of_a_known_version() {
    let versioned = |version: Value| json!({"Version": version, "Statement": sound()}).to_string();
    let with_id =
        |id: Value| json!({"Version": "2012-10-17", "Id": id, "Statement": sound()}).to_string();
    let faulty = with(json!({"Effect": "denY"}));
    let cases = [
        ("This is not a json document".to_owned(), Some(SYNTAX)),
        (String::new(), Some(SYNTAX)),
        ("[]".into(), Some(SYNTAX)),
        ("null".into(), Some(SYNTAX)),
        (format!("{} x", versioned(json!("2012-10-17"))), Some(SYNTAX)),
        (format!(" {}", versioned(json!("2012-10-17"))), Some("JSON strings must not have leading spaces")),
        (json!({"Version": "2012-10-17"}).to_string(), Some(SYNTAX)),
        (versioned(json!("2013-10-17")), Some(SYNTAX)),
        (versioned(json!(["2012-10-17"])), Some(SYNTAX)),
        (versioned(json!("2008-10-17")), Some(VERSION)),
        (json!({"Statement": sound()}).to_string(), Some(VERSION)),
        (json!({"Statement": faulty}).to_string(), Some(VERSION)),
        (json!({"Version": "2012-10-17", "Statement": sound(), "Extra": 1}).to_string(), Some(SYNTAX)),
        (with_id(json!(["a"])), Some(SYNTAX)),
        (with_id(json!({})), Some(SYNTAX)),
        (with_id(json!("a")), None),
        (format!("{}\n ", versioned(json!("2012-10-17"))), None),
        (r#"{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}"#.into(), Some(SYNTAX)),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}"#
                .into(),
            Some(SYNTAX),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(fault(&text, Kind::Managed).as_deref(), expected, "{text}");
    }
    for kind in [Kind::Inline, Kind::Session] {
        assert_eq!(fault(&versioned(json!("2008-10-17")), kind), None);
        assert_eq!(fault(&json!({"Statement": sound()}).to_string(), kind), None);
    }
}
