//! A loaded model: the engine behind a signature.
//!
//! Nothing outside this file calls the engine. It is a stranger's code on a stranger's model: a panic in it becomes an
//! error here, whether it loads or runs.

use std::path::Path;

use http::StatusCode;
use rten::{ModelOptions, NodeId, RunError, RunErrorKind, ValueOrView};
use rten_onnx::onnx::ValueInfoProto;

use super::datatype::Datatype;
use super::outline::{self, Outline};
use super::panics::{guarded, one_line, quietly};
use super::signature::{InputSpec, RANK_MAX, Signature, TensorSpec};
use super::tensor::Tensor;
use crate::http::Refusal;

/// Most elements that one answer may have in all. An answer beyond InvokeEndpoint's 6 MiB is of no use to a client,
/// whichever the format; this stops one before it is written out.
const ANSWER_ELEMENTS_MAX: usize = 8 * 1024 * 1024;

/// A model that is ready to run, from any number of threads.
#[derive(Debug)]
pub(crate) struct Model {
    engine: rten::Model,
    signature: Signature,
    inputs: Vec<NodeId>,
    outputs: Vec<NodeId>,
}

impl Model {
    /// Loads an ONNX file, external data beside it included.
    ///
    /// # Errors
    /// In words, why the file cannot be served.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        quietly(|| Self::load_unguarded(path))
    }

    fn load_unguarded(path: &Path) -> Result<Self, String> {
        let outline = outline::read(path)?;
        let engine = ModelOptions::with_all_ops()
            .load_file(path)
            .map_err(|error| one_line(&error.to_string()))?;
        let inputs = engine.input_ids().to_vec();
        let outputs = engine.output_ids().to_vec();
        let signature = sign(&engine, &outline)?;
        if outputs.is_empty() {
            return Err("the model has no output".to_owned());
        }
        Ok(Self { engine, signature, inputs, outputs })
    }

    pub(crate) fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Runs the model on one tensor per input, in the signature's order, and gives the outputs at the indices in `wanted`.
    ///
    /// # Errors
    /// 400 when the model cannot run on such inputs, 500 when the engine itself fails.
    pub(crate) fn run(
        &self,
        inputs: Vec<Tensor>,
        wanted: &[usize],
    ) -> Result<Vec<(String, Tensor)>, Refusal> {
        let mut values: Vec<(NodeId, ValueOrView)> = Vec::with_capacity(inputs.len());
        for (id, tensor) in self.inputs.iter().zip(inputs) {
            values.push((*id, tensor.into_value().map_err(Refusal::bad_request)?.into()));
        }
        let ids: Vec<NodeId> =
            wanted.iter().filter_map(|index| self.outputs.get(*index).copied()).collect();
        let outputs = guarded(|| self.engine.run(values, &ids, None))
            .map_err(|why| failed(&format!("the engine failed while running the model: {why}")))?
            .map_err(|error| not_run(&error))?;

        let mut named = Vec::with_capacity(outputs.len());
        for (spec, value) in
            wanted.iter().filter_map(|i| self.signature.outputs.get(*i)).zip(outputs)
        {
            let tensor = Tensor::of_value(value, spec.datatype).ok_or_else(|| {
                failed(&format!("output {:?} is a sequence, which no answer can carry", spec.name))
            })?;
            named.push((spec.name.clone(), tensor));
        }
        check_answer(&named)?;
        Ok(named)
    }
}

/// Whether outputs can be written at all. As with inputs, a dimension of zero counts as one: written out as nested lists,
/// the dimensions before it still take room.
fn check_answer(outputs: &[(String, Tensor)]) -> Result<(), Refusal> {
    let mut elements = 0_usize;
    for (name, tensor) in outputs {
        if tensor.shape.len() > RANK_MAX {
            let rank = tensor.shape.len();
            let message = format!("output {name:?} has {rank} dimensions, more than {RANK_MAX}");
            return Err(failed(&message));
        }
        let sizes = tensor.shape.iter().map(|size| *size.max(&1));
        elements = elements.saturating_add(sizes.fold(1, usize::saturating_mul));
    }
    if elements > ANSWER_ELEMENTS_MAX {
        let message =
            format!("the answer has {elements} elements, more than {ANSWER_ELEMENTS_MAX}");
        return Err(failed(&message));
    }
    Ok(())
}

/// What the engine refuses to run is the inputs' fault (sizes that do not go together, an index out of range) unless it
/// could not even plan.
fn not_run(error: &RunError) -> Refusal {
    let message = one_line(&format!("the model cannot run on these inputs: {error}"));
    match error.kind() {
        RunErrorKind::InvalidInput | RunErrorKind::OperatorError => Refusal::bad_request(message),
        _ => failed(&message),
    }
}

fn failed(message: &str) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message)
}

/// The signature of what the engine wants fed, in the types the file declares.
fn sign(engine: &rten::Model, outline: &Outline) -> Result<Signature, String> {
    let name = |id: &NodeId| {
        let node = engine.node_info(*id);
        node.and_then(|node| node.name()).unwrap_or_default().to_owned()
    };
    let mut signature = Signature::default();
    for input in engine.input_ids().iter().map(name) {
        let spec = describe(&outline.inputs, input)
            .map_err(|(name, why)| format!("input {name:?} {why}"))?;
        let Some(datatype) = spec.datatype else {
            return Err(format!("input {:?} declares no type", spec.name));
        };
        let TensorSpec { name, shape, .. } = spec;
        signature.inputs.push(InputSpec { name, datatype, shape });
    }
    for output in engine.output_ids().iter().map(name) {
        let spec = describe(&outline.outputs, output)
            .map_err(|(name, why)| format!("output {name:?} {why}"))?;
        signature.outputs.push(spec);
    }
    Ok(signature)
}

/// What the file declares for a name; the error says why it cannot be served.
fn describe(declared: &[ValueInfoProto], name: String) -> Result<TensorSpec, (String, String)> {
    let info = declared.iter().find(|info| info.name.as_deref() == Some(&name));
    let Some(kind) = info.and_then(|info| info.r#type.as_ref()) else {
        return Ok(TensorSpec { name, datatype: None, shape: None });
    };
    let Some(tensor) = &kind.tensor_type else {
        return Err((name, "is not a tensor".to_owned()));
    };
    let datatype = tensor.elem_type.and_then(Datatype::of_onnx);
    if let (Some(element), None) = (tensor.elem_type, datatype) {
        let served = Datatype::names();
        return Err((name, format!("is of ONNX type {element}; served are {served}")));
    }
    let size = |dim: &rten_onnx::onnx::Dimension| dim.dim_value.and_then(|n| n.try_into().ok());
    let shape = tensor.shape.as_ref().map(|shape| shape.dim.iter().map(size).collect());
    Ok(TensorSpec { name, datatype, shape })
}
