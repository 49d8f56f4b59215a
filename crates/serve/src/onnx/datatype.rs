//! The element types a model's inputs and outputs may have, under the names of the Open Inference Protocol v2.
//!
//! The engine computes in fewer types than ONNX declares (it keeps INT64 and BOOL as 32-bit integers, FP64 and FP16 as
//! 32-bit floats). Clients see the declared ones; this file is where the two meet.

use std::fmt;

use rten_onnx::onnx;

/// An element type as declared by a model.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Datatype {
    Fp64,
    Fp32,
    Fp16,
    Int64,
    Int32,
    Int8,
    Uint8,
    Bool,
}

/// What the engine keeps a datatype's elements in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Storage {
    F32,
    I32,
    I8,
    U8,
}

/// Which datatypes may stand in for each other when their values fit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Float,
    Integer,
    Bool,
}

impl Datatype {
    /// Every datatype, in the order in which error messages list them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Fp64,
        Self::Fp32,
        Self::Fp16,
        Self::Int64,
        Self::Int32,
        Self::Int8,
        Self::Uint8,
        Self::Bool,
    ];

    /// The datatype of an ONNX element type, if it can be served.
    pub(crate) fn of_onnx(element: onnx::DataType) -> Option<Self> {
        match element {
            onnx::DataType::DOUBLE => Some(Self::Fp64),
            onnx::DataType::FLOAT => Some(Self::Fp32),
            onnx::DataType::FLOAT16 => Some(Self::Fp16),
            onnx::DataType::INT64 => Some(Self::Int64),
            onnx::DataType::INT32 => Some(Self::Int32),
            onnx::DataType::INT8 => Some(Self::Int8),
            onnx::DataType::UINT8 => Some(Self::Uint8),
            onnx::DataType::BOOL => Some(Self::Bool),
            _ => None,
        }
    }

    /// The datatype of a protocol name, if it can be served.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|datatype| datatype.name() == name)
    }

    /// The protocol's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fp64 => "FP64",
            Self::Fp32 => "FP32",
            Self::Fp16 => "FP16",
            Self::Int64 => "INT64",
            Self::Int32 => "INT32",
            Self::Int8 => "INT8",
            Self::Uint8 => "UINT8",
            Self::Bool => "BOOL",
        }
    }

    pub(crate) fn storage(self) -> Storage {
        match self {
            Self::Fp64 | Self::Fp32 | Self::Fp16 => Storage::F32,
            Self::Int64 | Self::Int32 | Self::Bool => Storage::I32,
            Self::Int8 => Storage::I8,
            Self::Uint8 => Storage::U8,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Fp64 | Self::Fp32 | Self::Fp16 => Kind::Float,
            Self::Int64 | Self::Int32 | Self::Int8 | Self::Uint8 => Kind::Integer,
            Self::Bool => Kind::Bool,
        }
    }

    /// The names of all, for error messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
