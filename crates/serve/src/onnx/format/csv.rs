//! `text/csv`: a row of numbers per line, no header, no quotes, for models of one input.

use std::fmt::Write;

use super::{Call, Style};
use crate::onnx::datatype::{Datatype, Kind};
use crate::onnx::signature::{InputSpec, Signature};
use crate::onnx::tensor::{Data, Elements, Tensor};

/// Reads a request.
///
/// # Errors
/// The rule it breaks, with line, input and what the model expects.
pub(super) fn read(body: &[u8], signature: &Signature) -> Result<Call, String> {
    let input = signature.only_input("text/csv")?;
    let text =
        std::str::from_utf8(body).map_err(|error| format!("the body is not UTF-8: {error}"))?;
    let mut elements = Elements::new(input.datatype);
    let mut columns = 0;
    let mut rows = 0;
    for line in text.trim_end().lines() {
        rows += 1;
        let mut fields = 0;
        for field in line.split(',') {
            fields += 1;
            push(&mut elements, field.trim(), input.datatype)
                .map_err(|rule| input.broken(&format!("line {rows}, field {fields}: {rule}")))?;
        }
        if rows == 1 {
            columns = fields;
        } else if fields != columns {
            let rule = format!("ragged: line {rows} has {fields} fields, line 1 has {columns}");
            return Err(input.broken(&rule));
        }
    }
    if rows == 0 {
        return Err(input.broken("there is no row"));
    }
    let shape = shape(input, rows, columns)?;
    input.check(&shape)?;
    let tensor = elements.into_tensor(shape).map_err(|rule| input.broken(&rule))?;
    let wanted = (0..signature.outputs.len()).collect();
    Ok(Call { inputs: vec![tensor], wanted, style: Style::Rows { count: rows } })
}

fn push(elements: &mut Elements, field: &str, datatype: Datatype) -> Result<(), String> {
    let shown: String = field.chars().take(40).collect();
    match (datatype.kind(), field) {
        (Kind::Bool, "true" | "True" | "TRUE") => return elements.push_bool(true),
        (Kind::Bool, "false" | "False" | "FALSE") => return elements.push_bool(false),
        _ => {}
    }
    if let Ok(value) = field.parse::<i64>() {
        return elements.push_integer(value);
    }
    match field.parse::<f64>() {
        Ok(value) if value.is_finite() => elements.push_float(value),
        Ok(_) => Err(format!("{shown} is not a finite number")),
        Err(_) => Err(format!("{shown:?} is not a number")),
    }
}

/// The shape of so many rows and columns: rows become the first dimension, and the columns fill the others, of which at most
/// one may be open.
fn shape(input: &InputSpec, rows: usize, columns: usize) -> Result<Vec<usize>, String> {
    let Some(declared) = &input.shape else { return Ok(vec![rows, columns]) };
    let inner = match declared.as_slice() {
        [] if rows == 1 && columns == 1 => return Ok(Vec::new()),
        [_] if columns == 1 => return Ok(vec![rows]),
        [_] if rows == 1 => return Ok(vec![columns]),
        [] | [_] => return Err(input.broken(&format!("{rows} rows of {columns} fields"))),
        [_, inner @ ..] => inner,
    };
    let fixed: usize =
        inner.iter().flatten().fold(1, |product, size| product.saturating_mul(*size));
    let open = inner.iter().filter(|size| size.is_none()).count();
    let fill = match open {
        0 if fixed == columns => 1,
        1 if fixed > 0 && columns.is_multiple_of(fixed) => columns / fixed,
        0 | 1 => {
            return Err(input.broken(&format!("{columns} fields in a row do not fill the shape")));
        }
        _ => {
            let rule =
                "rows of fields leave the shape open; send application/json or application/x-npy";
            return Err(input.broken(rule));
        }
    };
    Ok(std::iter::once(rows).chain(inner.iter().map(|size| size.unwrap_or(fill))).collect())
}

/// Writes an answer: a line per step of the first dimension, all else flat within it.
pub(super) fn write(tensor: &Tensor) -> Vec<u8> {
    let columns = match tensor.shape.as_slice() {
        [] | [_] => 1,
        [_, inner @ ..] => inner.iter().product(),
    };
    let mut text = String::new();
    for index in 0..tensor.data.len() {
        let field = match &tensor.data {
            Data::F32(elements) => write!(text, "{}", elements[index]),
            Data::I32(elements) => write!(text, "{}", elements[index]),
            Data::I8(elements) => write!(text, "{}", elements[index]),
            Data::U8(elements) => write!(text, "{}", elements[index]),
        };
        field.expect("a String takes everything");
        text.push(if (index + 1).is_multiple_of(columns) { '\n' } else { ',' });
    }
    text.into_bytes()
}
