//! What goes in comes out: JSON and types keep every value.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::sagemaker::{
    CreateEndpointConfigInput, CreateModelInput, DescribeEndpointConfigOutput, DescribeModelOutput,
};
use crate::schema::Schema;
use crate::testing::document;
use crate::{Document, JsonError, Shape, sagemaker};

#[test]
fn floats_come_back_as_they_were_sent() {
    let schema = &sagemaker::schemas::VARIANT_WEIGHT;
    for text in [
        "0.1",
        "0.3",
        "1.0",
        "1e-7",
        "0.30000000000000004",
        "16777217.0",
        "1.7976931348623157e+308",
    ] {
        let sent: Json = serde_json::from_str(text).unwrap();
        assert_eq!(Document::from_json(schema, &sent).unwrap().to_json(schema).to_string(), text);
    }
}

#[test]
fn timestamps_have_milliseconds() {
    let schema = &sagemaker::schemas::TIMESTAMP;
    for (sent, millis) in
        [(json!(1_529_870_369.986), 1_529_870_369_986), (json!(0), 0), (json!(-1.5), -1_500)]
    {
        let document = Document::from_json(schema, &sent).unwrap();
        assert_eq!(document, Document::Timestamp(millis));
        assert_eq!(document.to_json(schema).as_f64(), sent.as_f64());
    }
}

#[test]
fn wrong_types_are_named_as_aws_names_them() {
    let schema = CreateEndpointConfigInput::schema();
    let table = [
        (json!({"EndpointConfigName": 1}), "NUMBER_VALUE can not be converted to a String"),
        (json!({"EndpointConfigName": true}), "TRUE_VALUE can not be converted to a String"),
        (json!({"EndpointConfigName": {}}), "Start of structure or map found where not expected."),
        (json!({"EndpointConfigName": []}), "Start of list found where not expected"),
        (json!({"ProductionVariants": {}}), "Start of structure or map found where not expected."),
        (json!({"ProductionVariants": "x"}), "Expected list or null"),
        (json!({"ProductionVariants": ["x"]}), "Expected null"),
        (json!({"DataCaptureConfig": 7}), "Expected null"),
        (json!({"DataCaptureConfig": []}), "Start of list found where not expected"),
        (
            json!({"EnableNetworkIsolation": "true"}),
            "STRING_VALUE can not be converted to a Boolean",
        ),
        (
            json!({"ProductionVariants": [{"InitialInstanceCount": "1"}]}),
            "STRING_VALUE can not be converted to an Integer",
        ),
        (
            json!({"ProductionVariants": [{"InitialInstanceCount": 1.5}]}),
            "NUMBER_VALUE is out of range for an Integer",
        ),
        (
            json!({"ProductionVariants": [{"InitialInstanceCount": 1e300}]}),
            "NUMBER_VALUE is out of range for an Integer",
        ),
        (json!([]), "Start of list found where not expected"),
        (json!("x"), "Expected null"),
    ];
    for (sent, expected) in table {
        let error = Document::from_json(schema, &sent).unwrap_err();
        assert_eq!(error.to_string(), expected, "{sent}");
    }
    let environment = &sagemaker::schemas::ENVIRONMENT_MAP;
    for (sent, expected) in [
        (json!(true), "Expected map or null"),
        (json!([]), "Start of list found where not expected"),
        (json!({"K": {}}), "Start of structure or map found where not expected."),
    ] {
        let error = Document::from_json(environment, &sent).unwrap_err();
        assert_eq!(error.to_string(), expected, "{sent}");
    }
}

#[test]
fn whole_numbers_may_be_written_as_floats() {
    let schema = &sagemaker::schemas::INITIAL_TASK_COUNT;
    assert_eq!(Document::from_json(schema, &json!(2.0)), Ok(Document::Integer(2)));
}

#[test]
fn special_floats_are_strings() {
    let schema = &sagemaker::schemas::VARIANT_WEIGHT;
    for text in ["NaN", "Infinity", "-Infinity"] {
        let document = Document::from_json(schema, &json!(text)).unwrap();
        assert_eq!(document.to_json(schema), json!(text));
    }
    let error = Document::from_json(schema, &json!("1.0")).unwrap_err();
    assert!(matches!(error, JsonError::Scalar { found: "STRING_VALUE", .. }));
}

fn survives<S: Shape>(document: &Document) {
    let (schema, typed) = (S::schema(), S::from_document(document).unwrap());
    assert_eq!(&typed.to_document(), document);
    let text = document.to_json(schema).to_string();
    let json: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(&Document::from_json(schema, &json).unwrap(), document);
}

/// What Create* was given is what Describe* shows: the members they share pass through JSON unchanged.
fn is_described<I: Shape, O: Shape>(input: &Document) {
    let members = |schema: &'static Schema| match &schema.kind {
        crate::schema::Kind::Structure(structure) => structure.members,
        _ => &[],
    };
    let json = input.to_json(I::schema());
    let output = Document::from_json(O::schema(), &json).unwrap();
    let mut shared = 0;
    for member in members(I::schema())
        .iter()
        .filter(|m| members(O::schema()).iter().any(|o| o.name == m.name))
    {
        assert_eq!(output.get(member.name), input.get(member.name), "{}", member.name);
        shared += 1;
    }
    assert!(shared > 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn models_survive(input in document(CreateModelInput::schema())) {
        survives::<CreateModelInput>(&input);
        is_described::<CreateModelInput, DescribeModelOutput>(&input);
    }

    #[test]
    fn endpoint_configs_survive(input in document(CreateEndpointConfigInput::schema())) {
        survives::<CreateEndpointConfigInput>(&input);
        is_described::<CreateEndpointConfigInput, DescribeEndpointConfigOutput>(&input);
    }

    #[test]
    fn endpoints_survive(output in document(sagemaker::DescribeEndpointOutput::schema())) {
        survives::<sagemaker::DescribeEndpointOutput>(&output);
    }
}
