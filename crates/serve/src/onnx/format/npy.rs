//! `application/x-npy`: numpy's own file format, one array per body, for models of one input.
//!
//! Versions 1 to 3 are read and version 1 is written; little endian, C order, without objects. Numbers of another width
//! are taken when every one fits; another kind (floats for integers) is not.

use super::{Call, Style};
use crate::onnx::datatype::{Datatype, Kind};
use crate::onnx::signature::{RANK_MAX, Signature};
use crate::onnx::tensor::{Data, Elements, Tensor};

/// What every file begins with.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// Headers are padded so that the data starts at a multiple of this.
const ALIGNMENT: usize = 64;

/// Longest header read: three short members and eight dimensions, padding included.
const HEADER_BYTES_MAX: usize = 1024;

/// The element types read, by their names in a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Element {
    F4,
    F8,
    I1,
    I4,
    I8,
    U1,
    B1,
}

impl Element {
    fn of_name(name: &str) -> Option<Self> {
        match name {
            "<f4" => Some(Self::F4),
            "<f8" => Some(Self::F8),
            "|i1" => Some(Self::I1),
            "<i4" => Some(Self::I4),
            "<i8" => Some(Self::I8),
            "|u1" => Some(Self::U1),
            "|b1" => Some(Self::B1),
            _ => None,
        }
    }

    fn size(self) -> usize {
        match self {
            Self::I1 | Self::U1 | Self::B1 => 1,
            Self::F4 | Self::I4 => 4,
            Self::F8 | Self::I8 => 8,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::F4 | Self::F8 => Kind::Float,
            Self::I1 | Self::I4 | Self::I8 | Self::U1 => Kind::Integer,
            Self::B1 => Kind::Bool,
        }
    }

    /// Appends one element, given exactly its bytes.
    fn push(self, bytes: &[u8], elements: &mut Elements) -> Result<(), String> {
        let (Some([byte]), four, eight) =
            (bytes.first_chunk::<1>(), bytes.first_chunk::<4>(), bytes.first_chunk::<8>())
        else {
            return Err("the data is cut short".to_owned());
        };
        match (self, four, eight) {
            (Self::F4, Some(four), _) => elements.push_float(f32::from_le_bytes(*four).into()),
            (Self::F8, _, Some(eight)) => elements.push_float(f64::from_le_bytes(*eight)),
            (Self::I4, Some(four), _) => elements.push_integer(i32::from_le_bytes(*four).into()),
            (Self::I8, _, Some(eight)) => elements.push_integer(i64::from_le_bytes(*eight)),
            (Self::I1, ..) => elements.push_integer(i8::from_le_bytes([*byte]).into()),
            (Self::U1, ..) => elements.push_integer((*byte).into()),
            (Self::B1, ..) => elements.push_bool(*byte != 0),
            _ => Err("the data is cut short".to_owned()),
        }
    }
}

/// Reads a request.
///
/// # Errors
/// The rule it breaks, with the input's name and what the model expects.
pub(super) fn read(body: &[u8], signature: &Signature) -> Result<Call, String> {
    let input = signature.only_input("application/x-npy")?;
    let (header, data) = split(body).map_err(|rule| input.broken(&rule))?;
    let header = Header::parse(header).map_err(|rule| input.broken(&rule))?;
    let element = Element::of_name(&header.descr).ok_or_else(|| {
        let rule = "is none of <f4, <f8, |i1, <i4, <i8, |u1, |b1";
        input.broken(&format!("dtype {:?} {rule}", header.descr))
    })?;
    if element.kind() != input.datatype.kind() {
        return Err(input.broken(&format!("dtype {:?}", header.descr)));
    }
    if header.fortran_order {
        return Err(input.broken("Fortran order; send numpy.ascontiguousarray(…)"));
    }
    input.check(&header.shape)?;
    let count: usize = header.shape.iter().product();
    if count.checked_mul(element.size()) != Some(data.len()) {
        let rule = format!("shape {:?} does not match {} bytes of data", header.shape, data.len());
        return Err(input.broken(&rule));
    }
    let mut elements = Elements::new(input.datatype);
    for (index, bytes) in data.chunks_exact(element.size()).enumerate() {
        let pushed = element.push(bytes, &mut elements);
        pushed.map_err(|rule| input.broken(&format!("element {index}: {rule}")))?;
    }
    let tensor = elements.into_tensor(header.shape).map_err(|rule| input.broken(&rule))?;
    let wanted = (0..signature.outputs.len()).collect();
    Ok(Call { inputs: vec![tensor], wanted, style: Style::Protocol { id: None } })
}

/// Splits a file into header text and data.
fn split(body: &[u8]) -> Result<(&str, &[u8]), String> {
    let cut = || "the file is cut short".to_owned();
    let rest = body.strip_prefix(MAGIC).ok_or("not a .npy file: no \\x93NUMPY at its start")?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
    let (length, rest) = match version {
        [1, _] => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        [2 | 3, _] => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
            (usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX), rest)
        }
        [major, minor] => return Err(format!(".npy version {major}.{minor} is not one of 1 to 3")),
    };
    if length > HEADER_BYTES_MAX {
        return Err(format!("a header of {length} bytes is beyond {HEADER_BYTES_MAX}"));
    }
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| "the header is not text".to_owned())?;
    Ok((header, data))
}

/// A header: the text of a Python dictionary of three members.
#[derive(Debug, Default, Eq, PartialEq)]
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Result<Self, String> {
        Cursor(text).header().ok_or_else(|| {
            "the header is not {'descr': …, 'fortran_order': …, 'shape': (…)}".to_owned()
        })
    }
}

/// What is left of a header's text. Every method gives `None` where the text is not what it should be.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn header(&mut self) -> Option<Header> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.token("{")?;
        while self.token("}").is_none() {
            let name = self.quoted()?;
            self.token(":")?;
            match name {
                "descr" => descr = Some(self.quoted()?.to_owned()),
                "fortran_order" => fortran_order = Some(self.truth()?),
                "shape" => shape = Some(self.sizes()?),
                _ => return None,
            }
            if self.token(",").is_none() {
                self.token("}")?;
                break;
            }
        }
        self.0.trim().is_empty().then_some(())?;
        Some(Header { descr: descr?, fortran_order: fortran_order?, shape: shape? })
    }

    fn token(&mut self, token: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn quoted(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (inside, rest) = text.strip_prefix(quote)?.split_once(quote)?;
        self.0 = rest;
        Some(inside)
    }

    fn truth(&mut self) -> Option<bool> {
        match self.token("True") {
            Some(()) => Some(true),
            None => self.token("False").map(|()| false),
        }
    }

    fn sizes(&mut self) -> Option<Vec<usize>> {
        self.token("(")?;
        let (inside, rest) = self.0.split_once(')')?;
        self.0 = rest;
        let inside = inside.trim();
        if inside.is_empty() {
            return Some(Vec::new());
        }
        // Python writes a tuple of one with a comma behind it.
        let inside = inside.strip_suffix(',').unwrap_or(inside);
        let sizes: Option<Vec<usize>> =
            inside.split(',').take(RANK_MAX + 1).map(|size| size.trim().parse().ok()).collect();
        sizes
    }
}

/// Writes an answer.
pub(super) fn write(tensor: &Tensor) -> Vec<u8> {
    let descr = match tensor.datatype {
        Datatype::Fp64 => "<f8",
        Datatype::Fp32 | Datatype::Fp16 => "<f4",
        Datatype::Int64 => "<i8",
        Datatype::Int32 => "<i4",
        Datatype::Int8 => "|i1",
        Datatype::Uint8 => "|u1",
        Datatype::Bool => "|b1",
    };
    let mut file = head(descr, &tensor.shape);
    match (&tensor.data, tensor.datatype) {
        (Data::F32(data), Datatype::Fp64) => {
            file.extend(data.iter().flat_map(|value| f64::from(*value).to_le_bytes()));
        }
        (Data::F32(data), _) => file.extend(data.iter().flat_map(|value| value.to_le_bytes())),
        (Data::I32(data), Datatype::Int64) => {
            file.extend(data.iter().flat_map(|value| i64::from(*value).to_le_bytes()));
        }
        (Data::I32(data), Datatype::Bool) => {
            file.extend(data.iter().map(|bit| u8::from(*bit != 0)));
        }
        (Data::I32(data), _) => file.extend(data.iter().flat_map(|value| value.to_le_bytes())),
        (Data::I8(data), _) => file.extend(data.iter().flat_map(|value| value.to_le_bytes())),
        (Data::U8(data), _) => file.extend_from_slice(data),
    }
    file
}

/// Magic, version and header of a file.
fn head(descr: &str, shape: &[usize]) -> Vec<u8> {
    let comma = if shape.len() == 1 { "," } else { "" };
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let sizes = sizes.join(", ");
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}{comma}), }}");
    let preamble = MAGIC.len() + 4;
    // The header ends with a line feed, and before it spaces fill up to the alignment.
    let padded = (preamble + header.len() + 1).next_multiple_of(ALIGNMENT);
    let spaces = padded - preamble - header.len() - 1;
    header.extend(std::iter::repeat_n(' ', spaces));
    header.push('\n');
    let length =
        u16::try_from(header.len()).expect("a few hundred bytes at most: the rank is bounded");
    let mut file = MAGIC.to_vec();
    file.extend([1, 0]);
    file.extend(length.to_le_bytes());
    file.extend(header.as_bytes());
    file
}
