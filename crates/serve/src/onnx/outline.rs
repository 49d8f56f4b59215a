//! A look over a model file before the engine loads it: is it whole, and what does it declare?
//!
//! The engine's reader trusts the lengths it reads, loops for ever on a number that does not end (rten-onnx 0.27,
//! `read_varint`) and follows nested graphs without end; a broken or hostile file could hang it, make it allocate by a
//! forged length or run out of stack. The walk here visits every message the engine would, skips the weights, and refuses
//! such files. It does not judge operators: that is the engine's part.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use rten_onnx::onnx::ValueInfoProto;
use rten_onnx::protobuf::{
    DecodeMessage, Fields, OwnedValues, ProtobufError, ReadValue, ValueReader,
};

/// Deepest nesting of messages. A graph within an operator takes three levels; models in use nest two or three graphs.
const DEPTH_MAX: usize = 48;

/// Longest encoding of a 64-bit number, seven bits to a byte.
const VARINT_BYTES_MAX: u32 = 10;

/// What a model file declares of its main graph.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Whether there is a graph at all.
    has_graph: bool,
    pub(crate) inputs: Vec<ValueInfoProto>,
    pub(crate) outputs: Vec<ValueInfoProto>,
}

/// Reads a model file's outline.
///
/// # Errors
/// In words, why the file is no model that could be loaded.
pub(crate) fn read(path: &Path) -> Result<Outline, String> {
    let open = || File::open(path).map_err(|error| error.to_string());
    let file = open()?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    let mut walk = Walk { file: BufReader::new(file), position: 0 };
    walk.message(Message::Model, length, 0).map_err(|fault| {
        format!("not an ONNX file, or a broken one: {fault} at byte {}", walk.position)
    })?;
    let outline = Outline::decode(ValueReader::from_file(open()?))
        .map_err(|error| format!("not an ONNX file: {error}"))?;
    if outline.has_graph {
        Ok(outline)
    } else {
        Err("not an ONNX file: it has no graph".to_owned())
    }
}

/// The messages of ONNX that the engine reads, by the names in onnx.proto.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    SequenceType,
    Shape,
    Dimension,
    OperatorSet,
    Entry,
}

impl Message {
    /// The message in a field, or `None` for a field that holds plain bytes, text or numbers.
    fn within(self, field: u64) -> Option<Self> {
        match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Some(Self::Graph),
            (Self::Model, 8) => Some(Self::OperatorSet),
            (Self::Model, 14) | (Self::Tensor, 13) => Some(Self::Entry),
            (Self::Graph, 1) => Some(Self::Node),
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Some(Self::Tensor),
            (Self::Graph, 11..=13) => Some(Self::ValueInfo),
            (Self::Node, 5) => Some(Self::Attribute),
            (Self::ValueInfo, 2) | (Self::SequenceType, 1) => Some(Self::Type),
            (Self::Type, 1) => Some(Self::TensorType),
            (Self::Type, 4) => Some(Self::SequenceType),
            (Self::TensorType, 2) => Some(Self::Shape),
            (Self::Shape, 1) => Some(Self::Dimension),
            _ => None,
        }
    }

    /// Whether a field holds many numbers one after the other: `int32_data` and `int64_data` of a tensor and its `dims`,
    /// `ints` of an attribute.
    fn has_numbers_in(self, field: u64) -> bool {
        matches!((self, field), (Self::Tensor, 1 | 5 | 7) | (Self::Attribute, 8))
    }
}

/// A walk over all messages of a file.
#[derive(Debug)]
struct Walk {
    file: BufReader<File>,
    position: u64,
}

impl Walk {
    /// Walks a message that ends at the byte `end`.
    fn message(&mut self, message: Message, end: u64, depth: usize) -> Result<(), String> {
        if depth == DEPTH_MAX {
            return Err(format!("messages nested deeper than {DEPTH_MAX}"));
        }
        while self.position < end {
            let tag = self.varint(end)?;
            let field = tag >> 3;
            match tag & 7 {
                0 => drop(self.varint(end)?),
                1 => self.skip(8, end)?,
                2 => self.field_with_length(message, field, end, depth)?,
                5 => self.skip(4, end)?,
                _ => return Err("a field of no known encoding".to_owned()),
            }
        }
        Ok(())
    }

    fn field_with_length(
        &mut self,
        message: Message,
        field: u64,
        end: u64,
        depth: usize,
    ) -> Result<(), String> {
        let length = self.varint(end)?;
        let left = end - self.position;
        if length > left {
            return Err(format!("a field of {length} bytes where {left} are left"));
        }
        let field_end = self.position + length;
        if let Some(inner) = message.within(field) {
            return self.message(inner, field_end, depth + 1);
        }
        if !message.has_numbers_in(field) {
            return self.skip(length, end);
        }
        while self.position < field_end {
            self.varint(field_end)?;
        }
        Ok(())
    }

    /// Reads a number of at most 64 bits, seven to a byte.
    fn varint(&mut self, end: u64) -> Result<u64, String> {
        let mut value = 0;
        for index in 0..VARINT_BYTES_MAX {
            if self.position == end {
                return Err("the end in the middle of a number".to_owned());
            }
            let mut byte = [0];
            self.file.read_exact(&mut byte).map_err(|error| error.to_string())?;
            self.position += 1;
            let [byte] = byte;
            value |= u64::from(byte & 0x7f) << (index * 7);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number that does not end".to_owned())
    }

    fn skip(&mut self, length: u64, end: u64) -> Result<(), String> {
        if length > end - self.position {
            return Err("the end in the middle of a field".to_owned());
        }
        // Lengths are within the file, and a file's is within i64.
        let offset = i64::try_from(length).map_err(|error| error.to_string())?;
        self.file.seek_relative(offset).map_err(|error| error.to_string())?;
        self.position += length;
        Ok(())
    }
}

impl DecodeMessage for Outline {
    type Types = OwnedValues;

    fn decode_fields<R: ReadValue<Types = Self::Types>>(
        mut fields: Fields<R>,
    ) -> Result<Self, ProtobufError> {
        let mut outline = Self::default();
        while let Some(mut field) = fields.next()? {
            if Message::Model.within(field.number()) != Some(Message::Graph) {
                field.skip()?;
                continue;
            }
            outline.has_graph = true;
            let mut graph = field.read_message(None)?;
            while let Some(mut field) = graph.next()? {
                match field.number() {
                    11 => outline.inputs.push(ValueInfoProto::decode_field(&mut field)?),
                    12 => outline.outputs.push(ValueInfoProto::decode_field(&mut field)?),
                    _ => field.skip()?,
                }
            }
        }
        Ok(outline)
    }
}
