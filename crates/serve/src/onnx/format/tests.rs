//! Bodies against signatures, without an engine: what is read, what is refused, and that nothing panics.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use proptest::prelude::*;

use super::*;
use crate::onnx::datatype::Datatype;
use crate::onnx::signature::{InputSpec, TensorSpec};
use crate::onnx::tensor::{Data, Elements};

fn signature(datatype: Datatype, shape: Option<Vec<Option<usize>>>) -> Signature {
    let output = TensorSpec { name: "y".to_owned(), datatype: Some(datatype), shape: None };
    let input = InputSpec { name: "x".to_owned(), datatype, shape };
    Signature { inputs: vec![input], outputs: vec![output] }
}

fn tensor(datatype: Datatype, shape: &[usize], values: &[i64]) -> Tensor {
    let mut elements = Elements::new(datatype);
    for value in values {
        elements.push_integer(*value).unwrap();
    }
    elements.into_tensor(shape.to_vec()).unwrap()
}

/// A file as numpy writes it: `numpy.save` of this array, version 1.0, header padded to 64.
fn numpy_file(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    let mut file = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    file.extend(format!("{header:<117}\n").bytes());
    file.extend(data);
    file
}

fn read_npy(file: &[u8], signature: &Signature) -> Result<Tensor, String> {
    let call = Format::Npy.read(file, signature).map_err(|refusal| refusal.message)?;
    Ok(call.inputs.into_iter().next().unwrap())
}

#[test]
fn npy_is_written_as_numpy_writes_it() {
    let data: Vec<u8> = [1_i64, 2, 3].iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(
        npy::write(&tensor(Datatype::Int64, &[3], &[1, 2, 3])),
        numpy_file("<i8", "False", "(3,)", &data)
    );
    let scalar = tensor(Datatype::Uint8, &[], &[7]);
    assert_eq!(npy::write(&scalar), numpy_file("|u1", "False", "()", &[7]));
    let matrix = tensor(Datatype::Bool, &[2, 2], &[1, 0, 0, 1]);
    assert_eq!(npy::write(&matrix), numpy_file("|b1", "False", "(2, 2)", &[1, 0, 0, 1]));
}

#[test]
fn npy_of_another_width_is_taken_when_it_fits() {
    let floats = signature(Datatype::Fp32, Some(vec![None]));
    let doubles: Vec<u8> = [1.5_f64, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let read = read_npy(&numpy_file("<f8", "False", "(2,)", &doubles), &floats).unwrap();
    assert_eq!(read.data, Data::F32(vec![1.5, -2.0]));

    let bytes = signature(Datatype::Int8, Some(vec![None]));
    let wide: Vec<u8> = [127_i32, 128].iter().flat_map(|value| value.to_le_bytes()).collect();
    let why = read_npy(&numpy_file("<i4", "False", "(2,)", &wide), &bytes).unwrap_err();
    assert!(why.starts_with("input \"x\": element 1: 128 is beyond what INT8 holds here"), "{why}");
}

#[test]
fn npy_that_breaks_a_rule_is_refused() {
    let signature = signature(Datatype::Fp32, Some(vec![None, Some(2)]));
    let data = [0; 8];
    let mut version = numpy_file("<f4", "False", "(1, 2)", &data);
    version[6] = 9;
    let mut long = numpy_file("<f4", "False", "(1, 2)", &data);
    long[9] = 0xff;
    for (file, rule) in [
        (b"\x93NUMP".to_vec(), "not a .npy file: no \\x93NUMPY at its start"),
        (b"\x93NUMPY\x01".to_vec(), "the file is cut short"),
        (b"\x93NUMPY\x01\x00\x76\x00{".to_vec(), "the file is cut short"),
        (version, ".npy version 9.0 is not one of 1 to 3"),
        (long, "a header of 65398 bytes is beyond 1024"),
        (
            numpy_file("<f4", "maybe", "(1, 2)", &data),
            "the header is not {'descr': …, 'fortran_order': …, 'shape': (…)}",
        ),
        (
            numpy_file("<f4", "False", "(1, -2)", &data),
            "the header is not {'descr': …, 'fortran_order': …, 'shape': (…)}",
        ),
        (
            numpy_file(">f4", "False", "(1, 2)", &data),
            "dtype \">f4\" is none of <f4, <f8, |i1, <i4, <i8, |u1, |b1",
        ),
        (
            numpy_file("|O", "False", "(1, 2)", &data),
            "dtype \"|O\" is none of <f4, <f8, |i1, <i4, <i8, |u1, |b1",
        ),
        (numpy_file("<i4", "False", "(1, 2)", &data), "dtype \"<i4\""),
        (
            numpy_file("<f4", "True", "(1, 2)", &data),
            "Fortran order; send numpy.ascontiguousarray(…)",
        ),
        (
            numpy_file("<f4", "False", "(2, 2)", &data),
            "shape [2, 2] does not match 8 bytes of data",
        ),
        (numpy_file("<f4", "False", "(2,)", &data), "shape [2] has rank 1 instead of 2"),
        (
            numpy_file("<f4", "False", "(0, 99999999)", &[]),
            "shape [0, 99999999] is beyond 8388608 elements",
        ),
    ] {
        let why = read_npy(&file, &signature).unwrap_err();
        assert_eq!(why, format!("input \"x\": {rule}; the model expects \"x\" as FP32 [-1, 2]"));
    }
}

#[test]
fn csv_columns_fill_the_inner_dimensions() {
    for (shape, body, read) in [
        (vec![None, Some(2)], "1,2\n3,4", Some(vec![2, 2])),
        (vec![None, Some(2), None], "1,2,3,4", Some(vec![1, 2, 2])),
        (vec![None, None], "1,2,3", Some(vec![1, 3])),
        (vec![None], "1\n2\n3", Some(vec![3])),
        (vec![None], "1,2,3", Some(vec![3])),
        (vec![], "7", Some(vec![])),
        (vec![], "7,8", None),
        (vec![None], "1,2\n3,4", None),
        (vec![None, None, None], "1,2", None),
        (vec![Some(3), Some(1)], "1\n2", None),
        (vec![None, Some(0), None], "1,2", None),
    ] {
        let call =
            Format::Csv.read(body.as_bytes(), &signature(Datatype::Int32, Some(shape.clone())));
        let found = call.ok().map(|call| call.inputs[0].shape.clone());
        assert_eq!(found, read, "{shape:?} {body:?}");
    }
}

#[test]
fn floats_that_json_cannot_hold_become_null() {
    let data = Data::F32(vec![1.0, f32::NAN, f32::INFINITY]);
    let tensor = Tensor { datatype: Datatype::Fp32, shape: vec![3], data };
    let outputs = [("y".to_owned(), tensor)];
    let answer = Format::Json.write(&Style::Rows { count: 3 }, &outputs).unwrap();
    assert_eq!(answer.body, b"{\"predictions\":[1.0,null,null]}");
}

fn any_signature() -> impl Strategy<Value = Signature> {
    let datatype = prop::sample::select(Datatype::ALL.to_vec());
    let shape = prop::option::of(prop::collection::vec(prop::option::of(0_usize..4), 0..4));
    (datatype, shape).prop_map(|(datatype, shape)| signature(datatype, shape))
}

proptest! {
    #[test]
    fn no_body_panics_and_what_is_read_fits(
        body in prop::collection::vec(any::<u8>(), 0..200),
        signature in any_signature(),
    ) {
        for format in [Format::Json, Format::Csv, Format::Npy] {
            if let Ok(call) = format.read(&body, &signature) {
                let tensor = &call.inputs[0];
                prop_assert_eq!(tensor.shape.iter().product::<usize>(), tensor.data.len());
                prop_assert_eq!(signature.inputs[0].check(&tensor.shape), Ok(()));
            }
        }
    }

    #[test]
    fn no_text_like_a_request_panics(
        text in "[\\[\\]{}\",:0-9.eE+\\- n\\n]{0,60}",
        signature in any_signature(),
    ) {
        let instances = format!("{{\"instances\":{text}}}");
        let data = format!("{{\"inputs\":[{{\"name\":\"x\",\"shape\":[2],\"datatype\":\"FP32\",\"data\":{text}}}]}}");
        for body in [&text, &instances, &data] {
            for format in [Format::Json, Format::Csv] {
                if let Ok(call) = format.read(body.as_bytes(), &signature) {
                    let tensor = &call.inputs[0];
                    prop_assert_eq!(tensor.shape.iter().product::<usize>(), tensor.data.len());
                }
            }
        }
    }

    #[test]
    fn npy_round_trips(
        datatype in prop::sample::select(Datatype::ALL.to_vec()),
        sizes in prop::collection::vec(0_usize..4, 0..4),
        seed in prop::collection::vec(0_i64..2, 27),
    ) {
        let count = sizes.iter().product::<usize>();
        let tensor = tensor(datatype, &sizes, &seed[..count]);
        let read = read_npy(&npy::write(&tensor), &signature(datatype, None));
        prop_assert_eq!(read, Ok(tensor));
    }

    #[test]
    fn no_accept_header_panics(accept in "[a-z*/;=, 0-9.q-]{0,80}") {
        let value = HeaderValue::from_str(&accept).unwrap();
        let _ = Format::Csv.of_answer(Some(&value));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, value);
        let _ = Format::of_request(&headers, &CONTENT_TYPE, b"{}");
    }
}
