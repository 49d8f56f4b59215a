//! A look over a model file before the engine loads it: is it whole, and what does it declare?
//!
//! The engine's reader trusts the lengths it reads and follows nested graphs without end; a broken or hostile file could
//! make it allocate by a forged length or run out of stack. This walk visits every message the engine would, skips
//! the weights, and refuses such files. It does not judge operators: that is the engine's part.

use std::fs::File;
use std::path::Path;

use rten_onnx::onnx::ValueInfoProto;
use rten_onnx::protobuf::{
    DecodeMessage, Field, FieldValue, Fields, OwnedValues, ProtobufError, ReadValue, ValueReader,
};

/// Deepest nesting of messages. A graph within an operator takes three levels; models in use nest two or three graphs.
const DEPTH_MAX: usize = 48;

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
    let length = open()?.metadata().map_err(|error| error.to_string())?.len();
    let mut walk = Walk { length, fault: None };
    let mut reader = ValueReader::from_file(open()?);
    let walked = walk.message(Message::Model, Fields::new(&mut reader, None), 0);
    if let Some(fault) = walk.fault {
        return Err(fault);
    }
    let not_onnx = |error: ProtobufError| format!("not an ONNX file: {error}");
    walked.map_err(not_onnx)?;
    let outline = Outline::decode(ValueReader::from_file(open()?)).map_err(not_onnx)?;
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
}

/// A walk over all messages of a file.
#[derive(Debug)]
struct Walk {
    /// The file's length: nothing in it can be longer.
    length: u64,
    /// The first thing found wrong that is not of the encoding itself.
    fault: Option<String>,
}

impl Walk {
    fn message<R: ReadValue<Types = OwnedValues>>(
        &mut self,
        message: Message,
        mut fields: Fields<'_, R>,
        depth: usize,
    ) -> Result<(), ProtobufError> {
        while let Some(mut field) = fields.next()? {
            self.field(message, &mut field, depth)?;
            if self.fault.is_some() {
                break;
            }
        }
        Ok(())
    }

    fn field<R: ReadValue<Types = OwnedValues>>(
        &mut self,
        message: Message,
        field: &mut Field<'_, R>,
        depth: usize,
    ) -> Result<(), ProtobufError> {
        let FieldValue::Len(length) = field.value() else { return Ok(()) };
        if length > self.length {
            self.fault = Some(format!(
                "broken or cut short: a field claims {length} bytes, the file has {}",
                self.length
            ));
            return Ok(());
        }
        match message.within(field.number()) {
            Some(_) if depth == DEPTH_MAX => {
                self.fault = Some(format!("nested deeper than {DEPTH_MAX} messages"));
                Ok(())
            }
            Some(inner) => self.message(inner, field.read_message(None)?, depth + 1),
            None => field.skip(),
        }
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
