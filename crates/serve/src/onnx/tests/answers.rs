use rten_onnx::onnx;
use serde_json::{Value, json};

use super::{Graph, linear, mixed, post, refused, serving};
use crate::testing::{invocation, send};

#[tokio::test]
async fn the_protocol_takes_flat_and_nested_data_and_gives_the_id_back() {
    let server = serving(&linear()).await;
    for data in [json!([1, 2, 3.5, 4]), json!([[1, 2], [3.5, 4]])] {
        let input = json!({"name": "x", "shape": [2, 2], "datatype": "FP32", "data": data});
        let answer = post(&server, &json!({"id": "seven", "inputs": [input]})).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let output = json!({"name": "y", "shape": [2, 1], "datatype": "FP32", "data": [0.5, 3.5]});
        assert_eq!(
            answer.json(),
            json!({"model_name": "model", "id": "seven", "outputs": [output]})
        );
    }
}

#[tokio::test]
async fn several_inputs_scalars_and_chosen_outputs() {
    let server = serving(&mixed()).await;
    let x = json!({"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 5]});
    let offset = json!({"name": "offset", "shape": [], "datatype": "INT64", "data": [3]});
    let all = post(&server, &json!({"inputs": [&offset, &x]})).await.json();
    assert_eq!(
        all["outputs"],
        json!([
            {"name": "shifted", "shape": [1, 2], "datatype": "FP32", "data": [4.0, 8.0]},
            {"name": "above", "shape": [1, 2], "datatype": "BOOL", "data": [false, true]},
            {"name": "negated", "shape": [], "datatype": "INT64", "data": [-3]},
        ])
    );
    let chosen =
        json!({"inputs": [x, offset], "outputs": [{"name": "negated"}, {"name": "above"}]});
    let chosen = post(&server, &chosen).await.json();
    let names: Vec<&Value> =
        chosen["outputs"].as_array().unwrap().iter().map(|output| &output["name"]).collect();
    assert_eq!(names, ["negated", "above"]);
}

#[tokio::test]
async fn rows_come_back_as_predictions() {
    let server = serving(&linear()).await;
    for rows in [json!([[1, 2], [3.5, 4]]), json!([{"x": [1, 2]}, {"x": [3.5, 4]}])] {
        let answer = post(&server, &json!({"instances": rows, "signature_name": "any"})).await;
        assert_eq!(answer.json(), json!({"predictions": [[0.5], [3.5]]}));
    }
}

#[tokio::test]
async fn rows_of_a_model_of_several_inputs_are_objects() {
    let model = Graph::default()
        .input("a", onnx::DataType::FLOAT, &[-1, 2])
        .input("k", onnx::DataType::FLOAT, &[])
        .node("Mul", &["a", "k"], "scaled")
        .node("Neg", &["a"], "negated")
        .output("scaled", onnx::DataType::FLOAT, &[-1, 2])
        .output("negated", onnx::DataType::FLOAT, &[-1, 2])
        .bytes();
    let server = serving(&model).await;
    let rows = json!([{"a": [1, 2], "k": 10}, {"k": 10, "a": [3, 4]}]);
    assert_eq!(
        post(&server, &json!({"instances": rows})).await.json(),
        json!({"predictions": [
            {"scaled": [10.0, 20.0], "negated": [-1.0, -2.0]},
            {"scaled": [30.0, 40.0], "negated": [-3.0, -4.0]},
        ]})
    );
    let uneven = json!([{"a": [1, 2], "k": 10}, {"k": 11, "a": [3, 4]}]);
    let why = refused(&post(&server, &json!({"instances": uneven})).await, 400);
    assert!(why.starts_with("input \"k\": row 1: differs from the rows before"), "{why}");
    let bare = refused(&post(&server, &json!({"instances": [[1, 2]]})).await, 400);
    assert_eq!(
        bare,
        "each row must be an object with a value per input; \
         the model expects \"a\" as FP32 [-1, 2], \"k\" as FP32 []"
    );
}

#[tokio::test]
async fn content_type_and_accept_choose_the_formats() {
    let server = serving(&linear()).await;
    let csv = "1,2\n3.5,4\n";
    let json = "{\"predictions\":[[0.5],[3.5]]}";
    for (accept, content_type, body) in [
        ("", "text/csv", "0.5\n3.5\n"),
        ("*/*", "text/csv", "0.5\n3.5\n"),
        ("application/json", "application/json", json),
        ("application/*", "application/json", json),
        ("application/json, text/csv", "application/json", json),
        ("text/csv, application/json", "text/csv", "0.5\n3.5\n"),
        ("text/html, text/*;q=0.5", "text/csv", "0.5\n3.5\n"),
        ("text/csv;q=0.2, application/json;q=0.9", "application/json", json),
        ("Application/JSON; charset=utf-8", "application/json", json),
        ("application/json;q=0, */*;q=0.1", "text/csv", "0.5\n3.5\n"),
    ] {
        let headers = [("content-type", "text/csv; charset=utf-8"), ("accept", accept)];
        let answer = server.invoke(&headers, csv).await;
        assert_eq!(answer.header("content-type"), Some(content_type), "{accept}");
        assert_eq!(answer.text(), body, "{accept}");
    }
    let headers = [("content-type", "text/csv"), ("accept", "image/png, text/csv;q=0")];
    let why = refused(&server.invoke(&headers, csv).await, 406);
    assert_eq!(
        why,
        "Accept is image/png, text/csv;q=0; this model answers in application/json, text/csv and application/x-npy"
    );
    let why = refused(&server.invoke(&[("content-type", "image/png")], csv).await, 415);
    assert_eq!(
        why,
        "the Content-Type is image/png; this model takes application/json, text/csv and application/x-npy"
    );
}

#[tokio::test]
async fn a_body_without_a_type_is_known_by_its_first_byte() {
    let server = serving(&linear()).await;
    let json = " {\"instances\": [[1, 2]]}";
    for headers in [&[][..], &[("content-type", "application/octet-stream")]] {
        assert_eq!(server.invoke(headers, json).await.text(), "{\"predictions\":[[0.5]]}");
    }
    refused(&server.invoke(&[], "1,2\n").await, 415);
}

#[tokio::test]
async fn every_datatype_survives_json_csv_and_npy() {
    for (kind, datatype, data, csv) in [
        (
            onnx::DataType::FLOAT,
            "FP32",
            json!([[1.5, -2.25], [0.0, 3e8]]),
            "1.5,-2.25\n0,300000000\n",
        ),
        (onnx::DataType::DOUBLE, "FP64", json!([[1.5, -2.25], [0.0, 0.5]]), "1.5,-2.25\n0,0.5\n"),
        (onnx::DataType::FLOAT16, "FP16", json!([[1.5, -2.25], [0.0, 0.5]]), "1.5,-2.25\n0,0.5\n"),
        (
            onnx::DataType::INT64,
            "INT64",
            json!([[1, -2], [0, 2_147_483_647]]),
            "1,-2\n0,2147483647\n",
        ),
        (onnx::DataType::INT32, "INT32", json!([[1, -2], [0, 3]]), "1,-2\n0,3\n"),
        (onnx::DataType::INT8, "INT8", json!([[1, -128], [0, 127]]), "1,-128\n0,127\n"),
        (onnx::DataType::UINT8, "UINT8", json!([[1, 2], [0, 255]]), "1,2\n0,255\n"),
        (onnx::DataType::BOOL, "BOOL", json!([[true, false], [false, true]]), "1,0\n0,1\n"),
    ] {
        let model = Graph::default()
            .input("x", kind, &[-1, 2])
            .node("Identity", &["x"], "y")
            .output("y", kind, &[-1, 2])
            .bytes();
        let server = serving(&model).await;
        let input = json!({"name": "x", "shape": [2, 2], "datatype": datatype, "data": data});
        let answer = post(&server, &json!({"inputs": [input]})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let flat: Vec<&Value> =
            data.as_array().unwrap().iter().flat_map(|r| r.as_array().unwrap()).collect();
        assert_eq!(answer.json()["outputs"][0]["data"], json!(flat));
        assert_eq!(answer.json()["outputs"][0]["datatype"], datatype);
        assert_eq!(server.get("/v2/models/model").await.json()["inputs"][0]["datatype"], datatype);

        let answer = server.invoke(&[("content-type", "text/csv")], csv).await;
        assert_eq!(answer.text(), csv);

        let npy = server
            .invoke(&[("content-type", "text/csv"), ("accept", "application/x-npy")], csv)
            .await;
        assert_eq!(npy.header("content-type"), Some("application/x-npy"));
        let headers = [("content-type", "application/x-npy"), ("accept", "text/csv")];
        assert_eq!(server.invoke(&headers, npy.body.clone()).await.text(), csv, "{datatype}");
        assert_eq!(server.invoke(&headers[..1], npy.body.clone()).await.body, npy.body);
    }
}

#[tokio::test]
async fn metadata_readiness_and_other_routes() {
    let server = serving(&mixed()).await;
    assert_eq!(
        server.get("/v2/models/model").await.json(),
        json!({
            "name": "model",
            "platform": "onnx_rten",
            "inputs": [
                {"name": "x", "datatype": "FP32", "shape": [-1, 2]},
                {"name": "offset", "datatype": "INT64", "shape": []},
            ],
            "outputs": [
                {"name": "shifted", "datatype": "FP32", "shape": [-1, 2]},
                {"name": "above", "datatype": "BOOL", "shape": [-1, 2]},
                {"name": "negated", "datatype": "INT64", "shape": []},
            ],
        })
    );
    assert_eq!(server.get("/v2/health/ready").await.status, 200);
    let answer = server.get("/invocations").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("POST")));
    assert_eq!(server.get("/models").await.status, 404);
}

#[tokio::test]
async fn concurrent_requests_get_their_own_answers() {
    let server = serving(&linear()).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..40 {
        let mut client = server.connect().await;
        calls.spawn(async move {
            let body = format!("{{\"instances\": [[{number}, 0]]}}");
            (number, send(&mut client, invocation(&[], body)).await.unwrap().json())
        });
    }
    while let Some(call) = calls.join_next().await {
        let (number, answer) = call.unwrap();
        assert_eq!(answer, json!({"predictions": [[2.0 * f64::from(number) + 0.5]]}));
    }
}
