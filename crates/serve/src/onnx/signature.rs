//! What a model takes and gives: names, datatypes and shapes, and whether a tensor fits them.

use std::fmt;

use super::datatype::Datatype;

/// Most dimensions of a tensor: no operator of ONNX needs more, and nesting must end somewhere.
pub(crate) const RANK_MAX: usize = 8;

/// Most elements of an input, dimensions of zero counted as one. A body within its limit cannot hold more, but
/// a shape with a zero in it could otherwise claim any size for the rest and have the model allocate by it.
pub(crate) const ELEMENTS_MAX: usize = 8 * 1024 * 1024;

/// An input or output as the model declares it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TensorSpec {
    pub(crate) name: String,
    /// Always known for an input; an output's may be left to the engine.
    pub(crate) datatype: Option<Datatype>,
    /// `None`: any rank. A dimension of `None`: any size.
    pub(crate) shape: Option<Vec<Option<usize>>>,
}

/// Everything a model takes and gives, in the model's order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Signature {
    pub(crate) inputs: Vec<InputSpec>,
    pub(crate) outputs: Vec<TensorSpec>,
}

/// An input, whose datatype is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct InputSpec {
    pub(crate) name: String,
    pub(crate) datatype: Datatype,
    pub(crate) shape: Option<Vec<Option<usize>>>,
}

impl Signature {
    /// The only input, for formats that carry one tensor.
    ///
    /// # Errors
    /// The rule broken by a model of several, or none.
    pub(crate) fn only_input(&self, format: &str) -> Result<&InputSpec, String> {
        match self.inputs.as_slice() {
            [input] => Ok(input),
            _ => Err(format!(
                "{format} carries one input; the model expects {}; send application/json",
                self.expected()
            )),
        }
    }

    /// All inputs in words, for error messages.
    pub(crate) fn expected(&self) -> String {
        if self.inputs.is_empty() {
            return "no input".to_owned();
        }
        let inputs: Vec<String> = self.inputs.iter().map(ToString::to_string).collect();
        inputs.join(", ")
    }

    /// All outputs' names, for error messages.
    pub(crate) fn output_names(&self) -> String {
        let names: Vec<&str> = self.outputs.iter().map(|output| output.name.as_str()).collect();
        names.join(", ")
    }
}

impl InputSpec {
    /// Whether a tensor of this shape may be fed to the input.
    ///
    /// # Errors
    /// The rule it breaks, and what the model expects.
    pub(crate) fn check(&self, shape: &[usize]) -> Result<(), String> {
        let elements =
            shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size.max(&1)));
        if elements.is_none_or(|elements| elements > ELEMENTS_MAX) {
            return Err(self.broken(&format!("shape {shape:?} is beyond {ELEMENTS_MAX} elements")));
        }
        if shape.len() > RANK_MAX {
            let rule = format!("shape {shape:?} has more than {RANK_MAX} dimensions");
            return Err(self.broken(&rule));
        }
        let Some(expected) = &self.shape else { return Ok(()) };
        if expected.len() != shape.len() {
            let (rank, wanted) = (shape.len(), expected.len());
            let rule = format!("shape {shape:?} has rank {rank} instead of {wanted}");
            return Err(self.broken(&rule));
        }
        let fits = |(size, wanted): (&usize, &Option<usize>)| wanted.is_none_or(|w| w == *size);
        if !shape.iter().zip(expected).all(fits) {
            return Err(self.broken(&format!("shape {shape:?} does not fit")));
        }
        Ok(())
    }

    /// A broken rule with the input's name and what the model expects of it.
    pub(crate) fn broken(&self, rule: &str) -> String {
        format!("input {:?}: {rule}; the model expects {self}", self.name)
    }
}

impl fmt::Display for InputSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} as {}", self.name, self.datatype)?;
        match &self.shape {
            Some(shape) => write!(f, " {:?}", shape_on_the_wire(shape)),
            None => f.write_str(" of any shape"),
        }
    }
}

/// A shape as the protocol writes it: -1 for a dimension of any size.
pub(crate) fn shape_on_the_wire(shape: &[Option<usize>]) -> Vec<i64> {
    shape.iter().map(|size| size.and_then(|size| i64::try_from(size).ok()).unwrap_or(-1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels() -> InputSpec {
        let shape = Some(vec![None, Some(24)]);
        InputSpec { name: "levels".to_owned(), datatype: Datatype::Fp32, shape }
    }

    #[test]
    fn a_shape_fits_by_rank_and_by_its_fixed_dimensions() {
        for good in [[1, 24], [7, 24], [0, 24]] {
            assert_eq!(levels().check(&good), Ok(()));
        }
        for (bad, rule) in [
            (vec![24], "shape [24] has rank 1 instead of 2"),
            (vec![1, 23], "shape [1, 23] does not fit"),
            (vec![0, 1 << 40], "shape [0, 1099511627776] is beyond 8388608 elements"),
            (vec![usize::MAX, 24], "shape [18446744073709551615, 24] is beyond 8388608 elements"),
            (vec![1; 9], "shape [1, 1, 1, 1, 1, 1, 1, 1, 1] has more than 8 dimensions"),
        ] {
            let expects = "; the model expects \"levels\" as FP32 [-1, 24]";
            assert_eq!(levels().check(&bad), Err(format!("input \"levels\": {rule}{expects}")));
        }
    }

    #[test]
    fn an_input_without_a_declared_shape_takes_any_rank() {
        let input = InputSpec { shape: None, ..levels() };
        assert_eq!(input.check(&[]), Ok(()));
        assert_eq!(input.check(&[1, 2, 3]), Ok(()));
        assert_eq!(input.to_string(), "\"levels\" as FP32 of any shape");
    }
}
