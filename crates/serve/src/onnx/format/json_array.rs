//! Reads numbers out of JSON arrays, nested to any depth that a tensor has, straight into elements.
//!
//! No tree of JSON values is built: an array of a million numbers costs what its elements cost.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::onnx::signature::RANK_MAX;
use crate::onnx::tensor::Elements;

/// Appends the numbers of an array (or of a bare number, whose shape is empty) to `elements`; gives the shape.
///
/// # Errors
/// The rule broken: not numbers, ragged, nested too deep.
pub(super) fn append(array: &RawValue, elements: &mut Elements) -> Result<Vec<usize>, String> {
    let mut sink = Sink { elements, sizes: Vec::new(), depth_of_numbers: None, broken: None };
    let mut json = serde_json::Deserializer::from_str(array.get());
    let read = Nested { sink: &mut sink, depth: 0 }.deserialize(&mut json);
    match (sink.broken, read) {
        (Some(rule), _) => Err(rule),
        (None, Err(error)) => Err(error.to_string()),
        (None, Ok(())) => Ok(sink.sizes),
    }
}

struct Sink<'a> {
    elements: &'a mut Elements,
    /// Size of the first array finished at each depth; all others must agree.
    sizes: Vec<usize>,
    /// Where the first number was; all others must be as deep.
    depth_of_numbers: Option<usize>,
    broken: Option<String>,
}

impl Sink<'_> {
    fn break_with<E: serde::de::Error>(&mut self, rule: String) -> E {
        self.broken = Some(rule);
        E::custom("broken")
    }

    /// Checks a number's depth before it is pushed.
    fn number_at<E: serde::de::Error>(&mut self, depth: usize) -> Result<(), E> {
        let deep = *self.depth_of_numbers.get_or_insert(depth);
        if deep == depth && self.sizes.len() <= depth {
            return Ok(());
        }
        Err(self.break_with("ragged: numbers stand at different depths".to_owned()))
    }

    /// Opens an array: claims its depth, so that no number may stand there.
    fn array_at<E: serde::de::Error>(&mut self, depth: usize) -> Result<(), E> {
        if depth >= RANK_MAX {
            return Err(self.break_with(format!("nested deeper than {RANK_MAX} arrays")));
        }
        if self.depth_of_numbers.is_some_and(|deep| deep <= depth) {
            return Err(self.break_with("ragged: numbers stand at different depths".to_owned()));
        }
        if self.sizes.len() == depth {
            self.sizes.push(usize::MAX);
        }
        Ok(())
    }

    fn array_ends<E: serde::de::Error>(&mut self, depth: usize, size: usize) -> Result<(), E> {
        match self.sizes.get_mut(depth) {
            Some(known) if *known == usize::MAX => *known = size,
            Some(known) if *known != size => {
                let rule = format!("ragged: arrays side by side have {known} and {size} elements");
                return Err(self.break_with(rule));
            }
            _ => {}
        }
        Ok(())
    }

    fn pushed<E: serde::de::Error>(&mut self, pushed: Result<(), String>) -> Result<(), E> {
        let at = self.elements.len();
        pushed.map_err(|rule| self.break_with(format!("element {at}: {rule}")))
    }
}

/// A number or an array at some depth.
struct Nested<'s, 'a> {
    sink: &'s mut Sink<'a>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Nested<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers, in arrays of equal length")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let Self { sink, depth } = self;
        sink.array_at(depth)?;
        let mut size = 0;
        while array.next_element_seed(Nested { sink: &mut *sink, depth: depth + 1 })?.is_some() {
            size += 1;
        }
        sink.array_ends(depth, size)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.sink.number_at(self.depth)?;
        let pushed = self.sink.elements.push_integer(value);
        self.sink.pushed(pushed)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.sink.number_at(self.depth)?;
        #[expect(clippy::cast_precision_loss, reason = "beyond i64 only floats can hold it")]
        let pushed = match i64::try_from(value) {
            Ok(value) => self.sink.elements.push_integer(value),
            Err(_) => self.sink.elements.push_float(value as f64),
        };
        self.sink.pushed(pushed)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.sink.number_at(self.depth)?;
        let pushed = self.sink.elements.push_float(value);
        self.sink.pushed(pushed)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.sink.number_at(self.depth)?;
        let pushed = self.sink.elements.push_bool(value);
        self.sink.pushed(pushed)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        let shown: String = value.chars().take(40).collect();
        let pushed = Err(format!("the text {shown:?} is not a number"));
        self.sink.pushed(pushed)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.sink.pushed(Err("null is not a number".to_owned()))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        let pushed: Result<(), A::Error> =
            self.sink.pushed(Err("an object is not a number".into()));
        pushed.and(Err(A::Error::custom("broken")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::onnx::datatype::Datatype;
    use crate::onnx::tensor::Data;

    fn read(text: &str, datatype: Datatype) -> Result<(Vec<usize>, Data), String> {
        let raw: &RawValue = serde_json::from_str(text).unwrap();
        let mut elements = Elements::new(datatype);
        let shape = append(raw, &mut elements)?;
        elements.into_tensor(shape).map(|tensor| (tensor.shape, tensor.data))
    }

    #[test]
    fn shapes_come_from_the_nesting() {
        for (text, shape) in [
            ("7", vec![]),
            ("[]", vec![0]),
            ("[1, 2, 3]", vec![3]),
            ("[[1], [2]]", vec![2, 1]),
            ("[[], []]", vec![2, 0]),
            ("[[[1, 2, 3], [4, 5, 6]]]", vec![1, 2, 3]),
            ("[[[[[[[[1]]]]]]]]", vec![1; 8]),
        ] {
            assert_eq!(read(text, Datatype::Int32).map(|(shape, _)| shape), Ok(shape), "{text}");
        }
    }

    #[test]
    fn what_is_no_tensor_is_refused_with_its_rule() {
        for (text, rule) in [
            ("[[1, 2], [3]]", "ragged: arrays side by side have 2 and 1 elements"),
            ("[[], [1]]", "ragged: arrays side by side have 0 and 1 elements"),
            ("[1, [2]]", "ragged: numbers stand at different depths"),
            ("[[1], 2]", "ragged: numbers stand at different depths"),
            ("[[], 1]", "ragged: numbers stand at different depths"),
            ("[1, \"2\"]", "element 1: the text \"2\" is not a number"),
            ("[null]", "element 0: null is not a number"),
            ("[{\"a\": 1}]", "element 0: an object is not a number"),
            ("[{}]", "element 0: an object is not a number"),
            ("[true]", "element 0: true is not a number"),
            ("[1.5]", "element 0: 1.5 is not a whole number"),
            (
                "[3000000000]",
                "element 0: 3000000000 is beyond what INT32 holds here (-2147483648 to 2147483647)",
            ),
            ("[[[[[[[[[1]]]]]]]]]", "nested deeper than 8 arrays"),
        ] {
            assert_eq!(read(text, Datatype::Int32).map(|_| ()), Err(rule.to_owned()), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded_before_the_stack_is() {
        let text = "[".repeat(50_000) + &"]".repeat(50_000);
        let raw = RawValue::from_string(text);
        // The reader of JSON may refuse first; either way it is an error, not an overflow.
        let mut elements = Elements::new(Datatype::Fp32);
        assert!(raw.map_or(true, |raw| append(&raw, &mut elements).is_err()));
    }

    #[test]
    fn truth_values_fill_bool_inputs() {
        assert_eq!(
            read("[true, false, 1, 0]", Datatype::Bool),
            Ok((vec![4], Data::I32(vec![1, 0, 1, 0])))
        );
    }

    proptest! {
        #[test]
        fn any_matrix_survives(rows in 1_usize..5, columns in 1_usize..5, seed in any::<[f32; 25]>()) {
            let values: Vec<f32> = seed.iter().map(|v| if v.is_finite() { *v } else { 0.0 })
                .take(rows * columns).collect();
            let nested: Vec<&[f32]> = values.chunks(columns).collect();
            let text = serde_json::to_string(&nested).unwrap();
            prop_assert_eq!(read(&text, Datatype::Fp32), Ok((vec![rows, columns], Data::F32(values))));
        }
    }
}
