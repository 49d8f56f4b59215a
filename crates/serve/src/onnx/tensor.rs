//! Tensors between the wire and the engine: a datatype, a shape and row-major elements that fit both.
//!
//! Elements are checked one by one as they are pushed, and storage grows only with what has arrived: a shape that a
//! client merely declares never allocates.

use rten::Value;
use rten_tensor::{Layout, Tensor as EngineTensor};

use super::datatype::{Datatype, Storage};

/// Elements in row-major order, in the engine's types.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    F32(Vec<f32>),
    I32(Vec<i32>),
    I8(Vec<i8>),
    U8(Vec<u8>),
}

/// A tensor. `shape`'s product is the number of elements.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) datatype: Datatype,
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Data,
}

/// Elements of one datatype on their way in.
#[derive(Clone, Debug)]
pub(crate) struct Elements {
    datatype: Datatype,
    data: Data,
}

impl Data {
    fn empty(storage: Storage) -> Self {
        match storage {
            Storage::F32 => Self::F32(Vec::new()),
            Storage::I32 => Self::I32(Vec::new()),
            Storage::I8 => Self::I8(Vec::new()),
            Storage::U8 => Self::U8(Vec::new()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::F32(elements) => elements.len(),
            Self::I32(elements) => elements.len(),
            Self::I8(elements) => elements.len(),
            Self::U8(elements) => elements.len(),
        }
    }
}

impl Elements {
    pub(crate) fn new(datatype: Datatype) -> Self {
        Self { datatype, data: Data::empty(datatype.storage()) }
    }

    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// Appends a whole number.
    ///
    /// # Errors
    /// The rule it breaks.
    pub(crate) fn push_integer(&mut self, value: i64) -> Result<(), String> {
        let datatype = self.datatype;
        let beyond = |low: i64, high: i64| {
            format!("{value} is beyond what {datatype} holds here ({low} to {high})")
        };
        match &mut self.data {
            // A whole number beyond 2^24 is rounded to the nearest float, as every JSON reader would.
            #[expect(clippy::cast_precision_loss, reason = "floats round; that is what they are")]
            Data::F32(elements) => elements.push(value as f32),
            Data::I32(elements) if datatype == Datatype::Bool => {
                let bit = i32::try_from(value).ok().filter(|bit| matches!(bit, 0 | 1));
                elements.push(bit.ok_or_else(|| format!("{value} is neither true nor false"))?);
            }
            Data::I32(elements) => {
                let fits = i32::try_from(value);
                elements.push(fits.map_err(|_| beyond(i32::MIN.into(), i32::MAX.into()))?);
            }
            Data::I8(elements) => {
                let fits = i8::try_from(value);
                elements.push(fits.map_err(|_| beyond(i8::MIN.into(), i8::MAX.into()))?);
            }
            Data::U8(elements) => {
                let fits = u8::try_from(value);
                elements.push(fits.map_err(|_| beyond(u8::MIN.into(), u8::MAX.into()))?);
            }
        }
        Ok(())
    }

    /// Appends a number; one without a fraction counts as whole.
    ///
    /// # Errors
    /// The rule it breaks.
    pub(crate) fn push_float(&mut self, value: f64) -> Result<(), String> {
        if let Data::F32(elements) = &mut self.data {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "narrowing rounds; overflow is checked"
            )]
            let narrow = value as f32;
            if narrow.is_infinite() && value.is_finite() {
                return Err(format!("{value:e} is beyond what a 32-bit float holds"));
            }
            elements.push(narrow);
            return Ok(());
        }
        if value.fract() != 0.0 || !value.is_finite() {
            return Err(format!("{value} is not a whole number"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates, and the range check follows"
        )]
        self.push_integer(value as i64)
    }

    /// Appends a truth value; only BOOL takes one.
    ///
    /// # Errors
    /// The rule it breaks.
    pub(crate) fn push_bool(&mut self, value: bool) -> Result<(), String> {
        match (&mut self.data, self.datatype) {
            (Data::I32(elements), Datatype::Bool) => {
                elements.push(i32::from(value));
                Ok(())
            }
            _ => Err(format!("{value} is not a number")),
        }
    }

    /// Whether the last element repeats the one `first`; used where rows must agree.
    pub(crate) fn keep_if_same(&mut self) -> bool {
        match &mut self.data {
            Data::F32(elements) => keep_first_if_same(elements),
            Data::I32(elements) => keep_first_if_same(elements),
            Data::I8(elements) => keep_first_if_same(elements),
            Data::U8(elements) => keep_first_if_same(elements),
        }
    }

    /// The tensor of these elements.
    ///
    /// # Errors
    /// The rule broken when the shape's product is not their number.
    pub(crate) fn into_tensor(self, shape: Vec<usize>) -> Result<Tensor, String> {
        let product = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        if product != Some(self.len()) {
            return Err(format!("shape {shape:?} does not hold {} elements", self.len()));
        }
        Ok(Tensor { datatype: self.datatype, shape, data: self.data })
    }
}

/// Of two elements that are equal keeps one and says so.
fn keep_first_if_same<T: PartialEq>(elements: &mut Vec<T>) -> bool {
    let same = matches!(elements.as_slice(), [first, second] if first == second);
    elements.truncate(1);
    same
}

impl Tensor {
    /// The engine's form of the tensor.
    ///
    /// # Errors
    /// Shape and elements do not agree, which [`Elements::into_tensor`] rules out.
    pub(crate) fn into_value(self) -> Result<Value, String> {
        fn value<T>(shape: &[usize], data: Vec<T>) -> Result<Value, String>
        where
            Value: From<EngineTensor<T>>,
        {
            Value::from_shape(shape, data).map_err(|error| error.to_string())
        }
        match self.data {
            Data::F32(data) => value(&self.shape, data),
            Data::I32(data) => value(&self.shape, data),
            Data::I8(data) => value(&self.shape, data),
            Data::U8(data) => value(&self.shape, data),
        }
    }

    /// The tensor of an engine's value, as the datatype that the model declares for it where the engine's type agrees.
    /// `None` for a sequence.
    pub(crate) fn of_value(value: Value, declared: Option<Datatype>) -> Option<Self> {
        let shape = value.shape().to_vec();
        let (data, natural) = match value {
            Value::FloatTensor(tensor) => (Data::F32(tensor.into_data()), Datatype::Fp32),
            Value::Int32Tensor(tensor) => (Data::I32(tensor.into_data()), Datatype::Int32),
            Value::Int8Tensor(tensor) => (Data::I8(tensor.into_data()), Datatype::Int8),
            Value::UInt8Tensor(tensor) => (Data::U8(tensor.into_data()), Datatype::Uint8),
            _ => return None,
        };
        let agrees = |declared: &Datatype| declared.storage() == natural.storage();
        Some(Self { datatype: declared.filter(agrees).unwrap_or(natural), shape, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_must_fit_the_datatype() {
        for (datatype, good, bad) in [
            (
                Datatype::Int64,
                vec![i64::from(i32::MIN), i64::from(i32::MAX)],
                vec![1 << 31, i64::MIN],
            ),
            (Datatype::Int32, vec![0], vec![1 << 31]),
            (Datatype::Int8, vec![-128, 127], vec![-129, 128]),
            (Datatype::Uint8, vec![0, 255], vec![-1, 256]),
            (Datatype::Bool, vec![0, 1], vec![-1, 2]),
        ] {
            for value in good {
                assert_eq!(
                    Elements::new(datatype).push_integer(value),
                    Ok(()),
                    "{datatype} {value}"
                );
            }
            for value in bad {
                let rule = Elements::new(datatype).push_integer(value).unwrap_err();
                assert!(rule.starts_with(&value.to_string()), "{rule}");
            }
        }
    }

    #[test]
    fn floats_must_be_whole_for_integers_and_in_range_for_floats() {
        assert_eq!(Elements::new(Datatype::Int64).push_float(3.0), Ok(()));
        assert_eq!(
            Elements::new(Datatype::Int64).push_float(3.5),
            Err("3.5 is not a whole number".to_owned())
        );
        assert!(Elements::new(Datatype::Uint8).push_float(1e30).is_err());
        assert!(Elements::new(Datatype::Int32).push_float(f64::NAN).is_err());
        assert!(Elements::new(Datatype::Fp32).push_float(1e39).is_err());
        assert_eq!(Elements::new(Datatype::Fp32).push_float(3.4e38), Ok(()));
        assert!(Elements::new(Datatype::Fp32).push_bool(true).is_err());
        assert!(Elements::new(Datatype::Int32).push_bool(true).is_err());
    }

    #[test]
    fn a_shape_whose_product_overflows_is_refused() {
        let mut elements = Elements::new(Datatype::Fp32);
        elements.push_integer(1).unwrap();
        assert!(elements.clone().into_tensor(vec![usize::MAX, 2]).is_err());
        assert!(elements.clone().into_tensor(vec![2]).is_err());
        assert!(elements.into_tensor(vec![]).is_ok());
    }
}
