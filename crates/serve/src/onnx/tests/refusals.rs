use rten_onnx::onnx;
use serde_json::{Value, json};

use super::{Graph, linear, mixed, post, refused, serving};

/// What every refusal about the input of [`linear`] ends with.
const EXPECTS: &str = "; the model expects \"x\" as FP32 [-1, 2]";

#[tokio::test]
async fn a_bad_tensor_is_refused_with_its_input_the_rule_and_what_the_model_expects() {
    let server = serving(&linear()).await;
    let x = |shape: Value, datatype: &str, data: Value| {
        let input = json!({"name": "x", "shape": shape, "datatype": datatype, "data": data});
        json!({"inputs": [input], "outputs": [{"name": "y"}]})
    };
    for (body, rule) in [
        (x(json!([2]), "FP32", json!([1, 2])), "shape [2] has rank 1 instead of 2"),
        (x(json!([1, 3]), "FP32", json!([1, 2, 3])), "shape [1, 3] does not fit"),
        (x(json!([2, 2]), "FP32", json!([1, 2])), "shape [2, 2] does not hold 2 elements"),
        (
            x(json!([2, 2]), "FP32", json!([[1, 2, 3, 4]])),
            "data nested as [1, 4] does not match shape [2, 2]",
        ),
        (
            x(json!([4_000_000, 2]), "FP32", json!([1])),
            "shape [4000000, 2] does not hold 1 elements",
        ),
        (
            x(json!([1_u64 << 62, 2]), "FP32", json!([1])),
            "shape [4611686018427387904, 2] is beyond 8388608 elements",
        ),
        (x(json!([1, 2]), "INT64", json!([1, 2])), "datatype INT64"),
        (
            x(json!([1, 2]), "BYTES", json!(["a", "b"])),
            "datatype \"BYTES\" is none of FP64, FP32, FP16, INT64, INT32, INT8, UINT8, BOOL",
        ),
        (x(json!([1, 2]), "FP32", json!([1, "2"])), "element 1: the text \"2\" is not a number"),
        (
            x(json!([1, 2]), "FP32", json!([1, 1e40])),
            "element 1: 1e40 is beyond what a 32-bit float holds",
        ),
        (
            x(json!([2, 2]), "FP32", json!([[1, 2], [3]])),
            "ragged: arrays side by side have 2 and 1 elements",
        ),
        (json!({"inputs": []}), "missing"),
    ] {
        let why = refused(&post(&server, &body).await, 400);
        assert_eq!(why, format!("input \"x\": {rule}{EXPECTS}"), "{body}");
    }
}

#[tokio::test]
async fn bad_rows_are_refused_with_their_input_the_rule_and_what_the_model_expects() {
    let server = serving(&linear()).await;
    for (rows, why) in [
        (
            json!([[1, 2], [3]]),
            "input \"x\": ragged: arrays side by side have 2 and 1 elements; the model",
        ),
        (json!([[1, 2, 3]]), "input \"x\": shape [1, 3] does not fit; the model"),
        (json!([]), "\"instances\" has no row; the model"),
        (json!(5), "\"instances\" is not a list of rows"),
        (json!([{"z": [1, 2]}]), "input \"x\": missing in row 0; the model"),
        (json!([{"x": [1, 2], "z": 1}]), "row 0: there is no input \"z\"; the model"),
        (json!([{"x": [1, 2]}, 5]), "row 1 is not an object, unlike the first"),
        (
            json!([{"x": [1, 2]}, {"x": [1]}]),
            "input \"x\": row 1: ragged: shape [1] after rows of shape [2]; the model",
        ),
    ] {
        let why = why.replace("; the model", EXPECTS);
        let found = refused(&post(&server, &json!({"instances": rows})).await, 400);
        assert_eq!(found, why, "{rows}");
    }
}

#[tokio::test]
async fn a_body_of_no_style_or_of_two_is_refused() {
    let server = serving(&linear()).await;
    let why = refused(&post(&server, &json!({"instances": [], "inputs": []})).await, 400);
    assert_eq!(why, "the body has both \"inputs\" and \"instances\"");
    let why = refused(&post(&server, &json!({})).await, 400);
    assert!(why.starts_with("the body has neither \"inputs\""), "{why}");
    assert!(why.ends_with(EXPECTS), "{why}");
    let why = refused(&post(&server, &json!({"inputs": [{"name": "x"}]})).await, 400);
    assert!(why.contains("missing field `shape`"), "{why}");

    let z = json!({"name": "z", "shape": [], "datatype": "FP32", "data": [1]});
    let why = refused(&post(&server, &json!({"inputs": [z]})).await, 400);
    assert_eq!(why, format!("there is no input \"z\"{EXPECTS}"));
    let x = json!({"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]});
    let why = refused(&post(&server, &json!({"inputs": [&x, &x]})).await, 400);
    assert_eq!(why, "input \"x\" is there twice");
    let wanted = json!({"inputs": [x], "outputs": [{"name": "z"}]});
    let why = refused(&post(&server, &wanted).await, 400);
    assert_eq!(why, "there is no output \"z\"; the model gives y");
}

#[tokio::test]
async fn not_a_number_is_refused_in_every_text_format() {
    let server = serving(&linear()).await;
    for text in ["NaN", "Infinity", "-Infinity"] {
        let body = format!("{{\"instances\": [[1, {text}]]}}");
        let why = refused(&server.invoke(&[("content-type", "application/json")], body).await, 400);
        assert!(why.contains("JSON has no NaN and no Infinity"), "{text}: {why}");
    }
    for text in ["nan", "inf", "-Infinity"] {
        let why = refused(
            &server.invoke(&[("content-type", "text/csv")], format!("1,{text}\n")).await,
            400,
        );
        assert_eq!(
            why,
            format!(
                "input \"x\": line 1, field 2: {text} is not a finite number; \
                     the model expects \"x\" as FP32 [-1, 2]"
            )
        );
    }
    let why = refused(&server.invoke(&[("content-type", "application/json")], "{]").await, 400);
    assert!(why.starts_with("the body is not such JSON: ") && !why.contains("NaN"), "{why}");
}

#[tokio::test]
async fn csv_rows_must_be_even_and_fill_the_shape() {
    let server = serving(&linear()).await;
    let expects = "; the model expects \"x\" as FP32 [-1, 2]";
    for (body, rule) in [
        ("", "there is no row"),
        ("1,2\n3\n", "ragged: line 2 has 1 fields, line 1 has 2"),
        ("a,b\n1,2\n", "line 1, field 1: \"a\" is not a number"),
        ("1,\n", "line 1, field 2: \"\" is not a number"),
        ("1,2,3\n", "3 fields in a row do not fill the shape"),
    ] {
        let why = refused(&server.invoke(&[("content-type", "text/csv")], body).await, 400);
        assert_eq!(why, format!("input \"x\": {rule}{expects}"), "{body:?}");
    }
    let answer = server.invoke(&[("content-type", "text/csv")], "1, 2\r\n3.5,4").await;
    assert_eq!(answer.text(), "0.5\n3.5\n");
}

#[tokio::test]
async fn formats_of_one_tensor_refuse_models_of_several() {
    let server = serving(&mixed()).await;
    let why = refused(&server.invoke(&[("content-type", "text/csv")], "1,2\n").await, 400);
    assert_eq!(
        why,
        "text/csv carries one input; the model expects \"x\" as FP32 [-1, 2], \"offset\" as INT64 []; \
         send application/json"
    );
    let x = json!({"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 5]});
    let offset = json!({"name": "offset", "shape": [], "datatype": "INT64", "data": [3]});
    let headers = [("content-type", "application/json"), ("accept", "text/csv")];
    let mut body = json!({"inputs": [offset, x]});
    let why = refused(&server.invoke(&headers, body.to_string()).await, 406);
    assert_eq!(
        why,
        "text/csv carries one output; the model gives shifted, above, negated: ask for Accept: application/json"
    );
    body["outputs"] = json!([{"name": "above"}]);
    assert_eq!(server.invoke(&headers, body.to_string()).await.text(), "0,1\n");
}

#[tokio::test]
async fn an_output_without_rows_is_refused_as_predictions() {
    let server = serving(&mixed()).await;
    let rows = json!({"instances": [{"x": [1, 2], "offset": 1}, {"x": [1, 2], "offset": 1}]});
    let why = refused(&post(&server, &rows).await, 406);
    assert!(
        why.starts_with(
            "output \"negated\" has shape [], which is not one value for each of 2 rows"
        ),
        "{why}"
    );
}

#[tokio::test]
async fn what_the_engine_refuses_to_run_is_a_bad_request() {
    let model = Graph::default()
        .input("table", onnx::DataType::FLOAT, &[-1])
        .input("index", onnx::DataType::INT64, &[-1])
        .node("Gather", &["table", "index"], "y")
        .output("y", onnx::DataType::FLOAT, &[-1])
        .bytes();
    let server = serving(&model).await;
    let body = |index: i64| {
        json!({"inputs": [
            {"name": "table", "shape": [2], "datatype": "FP32", "data": [1, 2]},
            {"name": "index", "shape": [1], "datatype": "INT64", "data": [index]},
        ]})
    };
    let why = refused(&post(&server, &body(7)).await, 400);
    assert!(why.starts_with("the model cannot run on these inputs: "), "{why}");
    assert_eq!(post(&server, &body(1)).await.json()["outputs"][0]["data"], json!([2.0]));
}

/// The engine divides as the machine does, and this one overflow panics in every build.
#[tokio::test]
async fn a_panic_of_the_engine_is_an_answer_and_the_server_lives_on() {
    let model = Graph::default()
        .input("a", onnx::DataType::INT32, &[-1])
        .input("b", onnx::DataType::INT32, &[-1])
        .node("Div", &["a", "b"], "y")
        .output("y", onnx::DataType::INT32, &[-1])
        .bytes();
    let server = serving(&model).await;
    let body = |a: i32, b: i32| {
        json!({"inputs": [
            {"name": "a", "shape": [1], "datatype": "INT32", "data": [a]},
            {"name": "b", "shape": [1], "datatype": "INT32", "data": [b]},
        ]})
    };
    for _ in 0..20 {
        let why = refused(&post(&server, &body(i32::MIN, -1)).await, 500);
        assert!(why.starts_with("the engine failed while running the model: "), "{why}");
    }
    assert_eq!(post(&server, &body(7, -2)).await.json()["outputs"][0]["data"], json!([-3]));
    assert_eq!(server.get("/ping").await.status, 200);
}

#[tokio::test]
async fn an_answer_beyond_the_bounds_is_not_written_out() {
    let model = Graph::default()
        .input("x", onnx::DataType::FLOAT, &[-1])
        .input("shape", onnx::DataType::INT64, &[-1])
        .node("Expand", &["x", "shape"], "y")
        .output("y", onnx::DataType::FLOAT, &[-1])
        .bytes();
    let server = serving(&model).await;
    let body = |shape: &[u32]| {
        json!({"inputs": [
            {"name": "x", "shape": [1], "datatype": "FP32", "data": [1]},
            {"name": "shape", "shape": [shape.len()], "datatype": "INT64", "data": shape},
        ]})
    };
    assert_eq!(
        post(&server, &body(&[2, 3])).await.json()["outputs"][0]["data"],
        json!([1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    );
    for (shape, why) in [
        (&[3000, 3000][..], "the answer has 9000000 elements, more than 8388608"),
        (&[9_000_000, 0], "the answer has 9000000 elements, more than 8388608"),
        (&[1; 9], "output \"y\" has 9 dimensions, more than 8"),
    ] {
        assert_eq!(refused(&post(&server, &body(shape)).await, 500), why);
    }
}

#[tokio::test]
async fn a_refusal_does_not_throw_the_request_back() {
    let server = serving(&linear()).await;
    let shape = vec![1; 100_000];
    let input = json!({"name": "x", "shape": shape, "datatype": "FP32", "data": [1]});
    let why = refused(&post(&server, &json!({"inputs": [input]})).await, 400);
    assert!(why.len() < 2100, "{} bytes", why.len());
    assert!(why.starts_with("input \"x\": shape [1, 1, 1, ") && why.ends_with(EXPECTS), "{why}");
}
