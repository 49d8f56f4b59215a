use proptest::prelude::*;
use rten_onnx::onnx;

use super::{Graph, folder_with, linear, mixed};
use crate::Error;
use crate::onnx::datatype::Datatype;
use crate::onnx::model::Model;
use crate::testing::Server;

/// The reason why a file is not served.
fn unserved(model: &[u8]) -> String {
    let folder = folder_with(model);
    Model::load(&folder.path().join("model.onnx")).unwrap_err()
}

#[tokio::test]
async fn a_model_that_cannot_be_served_ends_the_server_with_one_line() {
    let folder = folder_with(b"no model at all");
    let path = folder.path().join("model.onnx").display().to_string();
    let mut server = Server::onnx(folder);
    let error = server.end().await.unwrap_err();
    assert!(matches!(error, Error::Model { .. }));
    let text = error.to_string();
    assert!(text.starts_with(&format!("cannot serve {path}: ")), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn files_that_are_no_models_are_refused_with_a_reason() {
    let missing = tempfile::tempdir().unwrap();
    let why = Model::load(&missing.path().join("model.onnx")).unwrap_err();
    assert!(why.contains("No such file"), "{why}");
    assert_eq!(unserved(b""), "not an ONNX file: it has no graph");
    let whole = linear();
    assert!(unserved(&whole[..whole.len() / 2]).starts_with("not an ONNX file, or a broken one: "));

    let of = |kind| {
        Graph::default().input("x", kind, &[1]).node("Identity", &["x"], "y").output(
            "y",
            kind,
            &[1],
        )
    };
    assert_eq!(
        unserved(&of(onnx::DataType::STRING).bytes()),
        "input \"x\" is of ONNX type STRING; served are FP64, FP32, FP16, INT64, INT32, INT8, UINT8, BOOL"
    );
    let unknown = of(onnx::DataType::FLOAT).node("NoSuchOperator", &["y"], "z").bytes();
    assert!(unserved(&unknown).contains("NoSuchOperator"), "{}", unserved(&unknown));
}

#[test]
fn a_forged_encoding_is_found_before_the_engine_meets_it() {
    for (bytes, fault) in [
        (
            &b"\x3a\xff\xff\xff\xff\xff\xff\xff\x7f"[..],
            "a field of 72057594037927935 bytes where 0 are left at byte 9",
        ),
        // A graph whose initializer claims more than the graph has, though not more than the file.
        (b"\x3a\x03\x2a\x05\x00\x08\x08", "a field of 5 bytes where 1 are left at byte 4"),
        (
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            "a number that does not end at byte 11",
        ),
        // The same within the numbers of an initializer.
        (
            b"\x3a\x0f\x2a\x0d\x3a\x0b\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            "a number that does not end at byte 16",
        ),
        (b"\x08\xff", "the end in the middle of a number at byte 2"),
        (b"\x09\x00\x00", "the end in the middle of a field at byte 1"),
        (b"\x0b", "a field of no known encoding at byte 1"),
    ] {
        assert_eq!(unserved(bytes), format!("not an ONNX file, or a broken one: {fault}"));
    }
}

#[test]
fn graphs_nested_without_end_are_refused_before_the_stack_is() {
    let mut inner = onnx::GraphProto::default();
    for _ in 0..200 {
        let attribute = onnx::AttributeProto { g: Some(inner), ..onnx::AttributeProto::default() };
        let node = onnx::NodeProto { attribute: vec![attribute], ..onnx::NodeProto::default() };
        inner = onnx::GraphProto { node: vec![node], ..onnx::GraphProto::default() };
    }
    let why = unserved(&Graph(inner).bytes());
    assert!(why.contains("messages nested deeper than 48"), "{why}");
}

#[test]
fn names_and_onnx_types_of_datatypes_are_one_to_one() {
    for datatype in Datatype::ALL {
        assert_eq!(Datatype::of_name(datatype.name()), Some(datatype));
        let from_onnx = (0..32).filter_map(|code| Datatype::of_onnx(onnx::DataType(code)));
        assert_eq!(from_onnx.filter(|found| *found == datatype).count(), 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_model_is_an_error_or_a_model_but_never_a_panic(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = mixed();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() * 2).max(1));
        let folder = folder_with(&bytes);
        if let Err(reason) = Model::load(&folder.path().join("model.onnx")) {
            prop_assert!(!reason.is_empty() && reason.lines().count() == 1, "{reason:?}");
        }
    }
}
