//! The Open Inference Protocol v2's JSON: named tensors in, named tensors out.
//!
//! Data may be flat or nested, as the protocol allows. Extensions by `parameters` (binary data, say) are not part of it
//! and are not acted on.

use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use serde_json::value::RawValue;

use super::json_array::append;
use super::{Call, Style};
use crate::onnx::datatype::Datatype;
use crate::onnx::signature::{InputSpec, Signature, shape_on_the_wire};
use crate::onnx::tensor::{Data, Elements, Tensor};

/// The only model of a server, under the name that its metadata route has.
const MODEL_NAME: &str = "model";

#[derive(Deserialize)]
struct Request<'a> {
    id: Option<String>,
    #[serde(borrow)]
    inputs: Vec<Input<'a>>,
    outputs: Option<Vec<Wanted>>,
}

#[derive(Deserialize)]
struct Input<'a> {
    name: String,
    shape: Vec<usize>,
    datatype: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Wanted {
    name: String,
}

/// Reads a request.
///
/// # Errors
/// The rule it breaks, with the input's name and what the model expects.
pub(super) fn read(text: &str, signature: &Signature) -> Result<Call, String> {
    let request: Request = serde_json::from_str(text).map_err(|error| {
        format!(
            "the body does not follow the Open Inference Protocol v2 \
             ({{\"inputs\":[{{\"name\",\"shape\",\"datatype\",\"data\"}}]}}): {error}; \
             the model expects {}",
            signature.expected()
        )
    })?;
    for (index, input) in request.inputs.iter().enumerate() {
        if !signature.inputs.iter().any(|spec| spec.name == input.name) {
            let (name, expected) = (&input.name, signature.expected());
            return Err(format!("there is no input {name:?}; the model expects {expected}"));
        }
        if request.inputs.iter().take(index).any(|earlier| earlier.name == input.name) {
            return Err(format!("input {:?} is there twice", input.name));
        }
    }
    let mut inputs = Vec::with_capacity(signature.inputs.len());
    for spec in &signature.inputs {
        let given = request.inputs.iter().find(|input| input.name == spec.name);
        let given = given.ok_or_else(|| spec.broken("missing"))?;
        inputs.push(tensor(given, spec)?);
    }
    let wanted = wanted(request.outputs.as_deref().unwrap_or_default(), signature)?;
    Ok(Call { inputs, wanted, style: Style::Protocol { id: request.id } })
}

fn tensor(given: &Input, spec: &InputSpec) -> Result<Tensor, String> {
    if given.datatype != spec.datatype.name() {
        let rule = if Datatype::of_name(&given.datatype).is_some() {
            format!("datatype {}", given.datatype)
        } else {
            format!("datatype {:?} is none of {}", given.datatype, Datatype::names())
        };
        return Err(spec.broken(&rule));
    }
    spec.check(&given.shape)?;
    let mut elements = Elements::new(spec.datatype);
    let found = append(given.data, &mut elements).map_err(|rule| spec.broken(&rule))?;
    if found.len() > 1 && found != given.shape {
        let rule = format!("data nested as {found:?} does not match shape {:?}", given.shape);
        return Err(spec.broken(&rule));
    }
    elements.into_tensor(given.shape.clone()).map_err(|rule| spec.broken(&rule))
}

/// The outputs named, or all when none is.
fn wanted(names: &[Wanted], signature: &Signature) -> Result<Vec<usize>, String> {
    if names.is_empty() {
        return Ok((0..signature.outputs.len()).collect());
    }
    if names.len() > signature.outputs.len() {
        return Err(format!("outputs: more than the model's {}", signature.outputs.len()));
    }
    let index = |wanted: &Wanted| {
        let index = signature.outputs.iter().position(|output| output.name == wanted.name);
        index.ok_or_else(|| {
            let (name, known) = (&wanted.name, signature.output_names());
            format!("there is no output {name:?}; the model gives {known}")
        })
    };
    names.iter().map(index).collect()
}

#[derive(Serialize)]
struct Answer<'a> {
    model_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outputs: Vec<Output<'a>>,
}

#[derive(Serialize)]
struct Output<'a> {
    name: &'a str,
    shape: &'a [usize],
    datatype: &'static str,
    data: Flat<'a>,
}

/// Writes an answer. A float that JSON cannot hold (NaN, infinity) becomes null.
pub(super) fn write(id: Option<&str>, outputs: &[(String, Tensor)]) -> Vec<u8> {
    let outputs = outputs
        .iter()
        .map(|(name, tensor)| Output {
            name,
            shape: &tensor.shape,
            datatype: tensor.datatype.name(),
            data: Flat(tensor),
        })
        .collect();
    let answer = Answer { model_name: MODEL_NAME, id, outputs };
    serde_json::to_vec(&answer).expect("names and numbers are always JSON")
}

/// A tensor's elements in one list.
struct Flat<'a>(&'a Tensor);

impl Serialize for Flat<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.data.len()))?;
        for index in 0..self.0.data.len() {
            list.serialize_element(&Element { tensor: self.0, index })?;
        }
        list.end()
    }
}

/// One element of a tensor, as JSON has it: BOOL as a truth value, the rest as numbers.
pub(super) struct Element<'a> {
    pub(super) tensor: &'a Tensor,
    pub(super) index: usize,
}

impl Serialize for Element<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let index = self.index;
        match &self.tensor.data {
            Data::F32(elements) => elements.get(index).serialize(serializer),
            Data::I32(elements) if self.tensor.datatype == Datatype::Bool => {
                elements.get(index).map(|bit| *bit != 0).serialize(serializer)
            }
            Data::I32(elements) => elements.get(index).serialize(serializer),
            Data::I8(elements) => elements.get(index).serialize(serializer),
            Data::U8(elements) => elements.get(index).serialize(serializer),
        }
    }
}

/// The body of the protocol's model metadata.
pub(crate) fn metadata(signature: &Signature) -> Vec<u8> {
    let input = |spec: &InputSpec| {
        let shape = spec.shape.as_deref().map(shape_on_the_wire);
        json!({ "name": spec.name, "datatype": spec.datatype.name(), "shape": shape })
    };
    let outputs = signature.outputs.iter().map(|spec| {
        let shape = spec.shape.as_deref().map(shape_on_the_wire);
        json!({ "name": spec.name, "datatype": spec.datatype.map(Datatype::name), "shape": shape })
    });
    let body = json!({
        "name": MODEL_NAME,
        "platform": "onnx_rten",
        "inputs": signature.inputs.iter().map(input).collect::<Vec<_>>(),
        "outputs": outputs.collect::<Vec<_>>(),
    });
    body.to_string().into_bytes()
}
