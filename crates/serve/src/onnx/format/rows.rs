//! TensorFlow Serving's rows: `{"instances": […]}` in, `{"predictions": […]}` out.
//!
//! Rows are stacked along a new first dimension. An input without dimensions belongs to all rows at once, so every row must
//! say the same. What has no dimension for rows goes by the Open Inference Protocol instead.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::json_array::append;
use super::protocol::Element;
use super::{Call, Style};
use crate::onnx::signature::{InputSpec, Signature};
use crate::onnx::tensor::{Elements, Tensor};

/// Reads the list under `instances`.
///
/// # Errors
/// The rule it breaks, with the input's name and what the model expects.
pub(super) fn read(instances: &RawValue, signature: &Signature) -> Result<Call, String> {
    let rows: Vec<&RawValue> = serde_json::from_str(instances.get())
        .map_err(|_| "\"instances\" is not a list of rows".to_owned())?;
    if rows.is_empty() {
        return Err(format!(
            "\"instances\" has no row; the model expects {}",
            signature.expected()
        ));
    }
    let objects = rows.first().is_some_and(|row| row.get().starts_with('{'));
    let inputs =
        if objects { read_objects(&rows, signature)? } else { read_bare(instances, signature)? };
    let wanted = (0..signature.outputs.len()).collect();
    Ok(Call { inputs, wanted, style: Style::Rows { count: rows.len() } })
}

/// Rows of numbers, for a model of one input: the whole list is the tensor.
fn read_bare(instances: &RawValue, signature: &Signature) -> Result<Vec<Tensor>, String> {
    let [input] = signature.inputs.as_slice() else {
        return Err(format!(
            "each row must be an object with a value per input; the model expects {}",
            signature.expected()
        ));
    };
    let mut elements = Elements::new(input.datatype);
    let shape = append(instances, &mut elements).map_err(|rule| input.broken(&rule))?;
    finish(input, elements, shape).map(|tensor| vec![tensor])
}

fn finish(input: &InputSpec, elements: Elements, shape: Vec<usize>) -> Result<Tensor, String> {
    input.check(&shape)?;
    elements.into_tensor(shape).map_err(|rule| input.broken(&rule))
}

/// Rows of named values.
fn read_objects(rows: &[&RawValue], signature: &Signature) -> Result<Vec<Tensor>, String> {
    let mut stacks: Vec<Stack> = signature.inputs.iter().map(Stack::new).collect();
    for (number, row) in rows.iter().enumerate() {
        let mut values: BTreeMap<Cow<str>, &RawValue> = serde_json::from_str(row.get())
            .map_err(|_| format!("row {number} is not an object, unlike the first"))?;
        for stack in &mut stacks {
            let Some(value) = values.remove(stack.input.name.as_str()) else {
                return Err(stack.input.broken(&format!("missing in row {number}")));
            };
            stack
                .push(value)
                .map_err(|rule| stack.input.broken(&format!("row {number}: {rule}")))?;
        }
        if let Some(name) = values.keys().next() {
            let expected = signature.expected();
            return Err(format!(
                "row {number}: there is no input {name:?}; the model expects {expected}"
            ));
        }
    }
    stacks.into_iter().map(Stack::finish).collect()
}

/// One input's values, row upon row.
struct Stack<'a> {
    input: &'a InputSpec,
    elements: Elements,
    rows: usize,
    row_shape: Vec<usize>,
}

impl<'a> Stack<'a> {
    fn new(input: &'a InputSpec) -> Self {
        Self { input, elements: Elements::new(input.datatype), rows: 0, row_shape: Vec::new() }
    }

    /// Whether all rows share one value.
    fn is_scalar(&self) -> bool {
        self.input.shape.as_ref().is_some_and(Vec::is_empty)
    }

    fn push(&mut self, value: &RawValue) -> Result<(), String> {
        let shape = append(value, &mut self.elements)?;
        if self.rows == 0 {
            self.row_shape = shape;
        } else if self.row_shape != shape {
            return Err(format!(
                "ragged: shape {shape:?} after rows of shape {:?}",
                self.row_shape
            ));
        }
        if self.is_scalar() && self.rows > 0 && !self.elements.keep_if_same() {
            return Err("differs from the rows before, but the input is one number for all".into());
        }
        self.rows += 1;
        Ok(())
    }

    fn finish(self) -> Result<Tensor, String> {
        let mut shape = self.row_shape.clone();
        if !self.is_scalar() {
            shape.insert(0, self.rows);
        }
        finish(self.input, self.elements, shape)
    }
}

/// Writes an answer: a bare value per row for one output, an object per row for several.
///
/// # Errors
/// The rule broken by an output that has no dimension for rows.
pub(super) fn write(count: usize, outputs: &[(String, Tensor)]) -> Result<Vec<u8>, String> {
    for (name, tensor) in outputs {
        if tensor.shape.first() != Some(&count) {
            return Err(format!(
                "output {name:?} has shape {:?}, which is not one value for each of {count} rows: \
                 send the Open Inference Protocol's {{\"inputs\":[…]}}, or {{\"Accept\": \"application/x-npy\"}}",
                tensor.shape
            ));
        }
    }
    let body = Predictions { count, outputs };
    Ok(serde_json::to_vec(&body).expect("names and numbers are always JSON"))
}

struct Predictions<'a> {
    count: usize,
    outputs: &'a [(String, Tensor)],
}

impl Serialize for Predictions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("predictions", &List(self))?;
        map.end()
    }
}

struct List<'a>(&'a Predictions<'a>);

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Predictions { count, outputs } = self.0;
        let mut list = serializer.serialize_seq(Some(*count))?;
        for row in 0..*count {
            match outputs {
                [(_, tensor)] => list.serialize_element(&Part::row(tensor, row))?,
                outputs => list.serialize_element(&Named { outputs, row })?,
            }
        }
        list.end()
    }
}

struct Named<'a> {
    outputs: &'a [(String, Tensor)],
    row: usize,
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.outputs.len()))?;
        for (name, tensor) in self.outputs {
            map.serialize_entry(name, &Part::row(tensor, self.row))?;
        }
        map.end()
    }
}

/// A part of a tensor: the elements from `start` that fill `shape`.
struct Part<'a> {
    tensor: &'a Tensor,
    shape: &'a [usize],
    start: usize,
}

impl<'a> Part<'a> {
    fn row(tensor: &'a Tensor, row: usize) -> Self {
        let shape = tensor.shape.get(1..).unwrap_or_default();
        let start = row * shape.iter().product::<usize>();
        Self { tensor, shape, start }
    }
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some((size, shape)) = self.shape.split_first() else {
            return Element { tensor: self.tensor, index: self.start }.serialize(serializer);
        };
        let stride: usize = shape.iter().product();
        let mut list = serializer.serialize_seq(Some(*size))?;
        for index in 0..*size {
            let start = self.start + index * stride;
            list.serialize_element(&Part { tensor: self.tensor, shape, start })?;
        }
        list.end()
    }
}
