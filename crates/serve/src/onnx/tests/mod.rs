//! Whole requests against models built here, and files that are no models.

mod answers;
mod files;
mod refusals;

use rten_onnx::onnx;
use serde_json::Value;
use tempfile::TempDir;

use crate::testing::{Answer, Server};

/// A graph in the making.
#[derive(Default)]
struct Graph(onnx::GraphProto);

impl Graph {
    fn input(mut self, name: &str, kind: onnx::DataType, shape: &[i64]) -> Self {
        self.0.input.push(value(name, kind, shape));
        self
    }

    fn output(mut self, name: &str, kind: onnx::DataType, shape: &[i64]) -> Self {
        self.0.output.push(value(name, kind, shape));
        self
    }

    fn weights(mut self, name: &str, shape: &[i64], values: &[f32]) -> Self {
        self.0.initializer.push(onnx::TensorProto {
            dims: shape.to_vec(),
            data_type: Some(onnx::DataType::FLOAT),
            float_data: values.to_vec(),
            name: Some(name.to_owned()),
            ..onnx::TensorProto::default()
        });
        self
    }

    fn node(mut self, operator: &str, inputs: &[&str], output: &str) -> Self {
        self.0.node.push(onnx::NodeProto {
            op_type: Some(operator.to_owned()),
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.to_owned()],
            ..onnx::NodeProto::default()
        });
        self
    }

    /// Gives the last node an attribute.
    fn with(mut self, name: &str, value: i64) -> Self {
        self.0.node.last_mut().unwrap().attribute.push(onnx::AttributeProto {
            name: Some(name.to_owned()),
            i: Some(value),
            r#type: Some(onnx::AttributeType::INT),
            ..onnx::AttributeProto::default()
        });
        self
    }

    fn bytes(self) -> Vec<u8> {
        let opset = onnx::OperatorSetIdProto { version: Some(17), domain: None };
        let model = onnx::ModelProto {
            ir_version: Some(8),
            graph: Some(self.0),
            opset_import: vec![opset],
            ..onnx::ModelProto::default()
        };
        model.write_buf().unwrap()
    }
}

/// A dimension below zero is open.
fn value(name: &str, kind: onnx::DataType, shape: &[i64]) -> onnx::ValueInfoProto {
    let dim = |size: &i64| match size {
        0.. => onnx::Dimension { dim_value: Some(*size), dim_param: None },
        _ => onnx::Dimension { dim_value: None, dim_param: Some("batch".to_owned()) },
    };
    let shape = onnx::TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor = onnx::TypeProtoTensor { elem_type: Some(kind), shape: Some(shape) };
    let kind = onnx::TypeProto { tensor_type: Some(tensor), sequence: None };
    onnx::ValueInfoProto { name: Some(name.to_owned()), r#type: Some(kind) }
}

/// y = 2a - b + 0.5 for rows (a, b).
fn linear() -> Vec<u8> {
    Graph::default()
        .input("x", onnx::DataType::FLOAT, &[-1, 2])
        .weights("w", &[2, 1], &[2.0, -1.0])
        .weights("c", &[1], &[0.5])
        .node("MatMul", &["x", "w"], "xw")
        .node("Add", &["xw", "c"], "y")
        .output("y", onnx::DataType::FLOAT, &[-1, 1])
        .bytes()
}

/// Two inputs, one of them a number without dimensions; three outputs of three types.
fn mixed() -> Vec<u8> {
    Graph::default()
        .input("x", onnx::DataType::FLOAT, &[-1, 2])
        .input("offset", onnx::DataType::INT64, &[])
        .node("Cast", &["offset"], "float")
        .with("to", 1)
        .node("Add", &["x", "float"], "shifted")
        .node("Greater", &["x", "float"], "above")
        .node("Neg", &["offset"], "negated")
        .output("shifted", onnx::DataType::FLOAT, &[-1, 2])
        .output("above", onnx::DataType::BOOL, &[-1, 2])
        .output("negated", onnx::DataType::INT64, &[])
        .bytes()
}

fn folder_with(model: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.onnx"), model).unwrap();
    folder
}

async fn serving(model: &[u8]) -> Server {
    let server = Server::onnx(folder_with(model));
    server.ready().await;
    server
}

async fn post(server: &Server, body: &Value) -> Answer {
    server.invoke(&[("content-type", "application/json")], body.to_string()).await
}

/// The sentence of a refusal, which must have this status.
fn refused(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()["error"].as_str().unwrap().to_owned()
}
