//! The formats in which tensors come and go: which one a request speaks, and which one its answer does.
//!
//! Sibling files have the same two functions: `read` (bytes and signature in, call out) and `write` (outputs in, bytes out).
//! None of them runs a model.

mod csv;
mod json_array;
mod npy;
mod protocol;
mod rows;

use http::header::HeaderValue;
use http::{HeaderMap, HeaderName, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::signature::Signature;
use super::tensor::Tensor;
use crate::http::{Refusal, media_type};
pub(crate) use protocol::metadata;

/// Accepted media types in one `Accept` header; more is no client's honest wish.
const ACCEPTS_MAX: usize = 32;

const SERVED: &str = "application/json, text/csv and application/x-npy";

/// A format of tensors.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    Json,
    Csv,
    Npy,
}

/// What a request asks of the model.
#[derive(Debug)]
pub(crate) struct Call {
    /// One per input, in the signature's order, each checked against it.
    pub(crate) inputs: Vec<Tensor>,
    /// Indices of the outputs to give, in order.
    pub(crate) wanted: Vec<usize>,
    pub(crate) style: Style,
}

/// How a JSON answer is laid out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Style {
    /// As the Open Inference Protocol v2 does: a list of tensors.
    Protocol {
        /// The request's `id`, given back.
        id: Option<String>,
    },
    /// As TensorFlow Serving does: one prediction per row.
    Rows {
        /// Rows of the request.
        count: usize,
    },
}

/// An answer's body and type.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Format {
    /// The format of a request. A client that names none (or bytes in general, as boto3 does by default) gets the one its
    /// first byte tells.
    ///
    /// # Errors
    /// 415 for any other.
    pub(crate) fn of_request(
        headers: &HeaderMap,
        content_type: &HeaderName,
        body: &[u8],
    ) -> Result<Self, Refusal> {
        let named = media_type(headers, content_type);
        let format = match named.as_deref() {
            None | Some("application/octet-stream") => Self::of_body(body),
            Some(named) => Self::of_media_type(named),
        };
        format.ok_or_else(|| {
            let named = named.as_deref().unwrap_or("none");
            let message = format!("the Content-Type is {named}; this model takes {SERVED}");
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
        })
    }

    fn of_body(body: &[u8]) -> Option<Self> {
        match body.trim_ascii_start().first() {
            Some(b'{') => Some(Self::Json),
            Some(_) if body.starts_with(npy::MAGIC) => Some(Self::Npy),
            _ => None,
        }
    }

    fn of_media_type(named: &str) -> Option<Self> {
        match named {
            "application/json" => Some(Self::Json),
            "text/csv" => Some(Self::Csv),
            "application/x-npy" => Some(Self::Npy),
            _ => None,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Npy => "application/x-npy",
        }
    }

    /// The format of the answer to a request of this format: what `Accept` likes best, by default the same.
    ///
    /// # Errors
    /// 406 when it likes nothing that is served.
    pub(crate) fn of_answer(self, accept: Option<&HeaderValue>) -> Result<Self, Refusal> {
        let text = accept.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if text.trim().is_empty() {
            return Ok(self);
        }
        let mut best: Option<(f32, Self)> = None;
        for wish in text.split(',').take(ACCEPTS_MAX) {
            let Some((weight, format)) = self.wish(wish) else { continue };
            // Of equals the first wins.
            if best.is_none_or(|(heaviest, _)| weight > heaviest) {
                best = Some((weight, format));
            }
        }
        best.map(|(_, format)| format).ok_or_else(|| {
            let message = format!("Accept is {text}; this model answers in {SERVED}");
            Refusal::new(StatusCode::NOT_ACCEPTABLE, message)
        })
    }

    /// One entry of an `Accept` header, if it names something served and does not weigh it 0.
    fn wish(self, wish: &str) -> Option<(f32, Self)> {
        let mut parts = wish.split(';');
        let named = parts.next()?.trim().to_ascii_lowercase();
        let format = match named.as_str() {
            "application/*" if self == Self::Csv => Self::Json,
            "*/*" | "application/*" => self,
            "text/*" => Self::Csv,
            named => Self::of_media_type(named)?,
        };
        let mut weight = 1.0;
        for parameter in parts {
            if let Some(("q", value)) = parameter.trim().split_once('=') {
                weight = value.trim().parse().unwrap_or(1.0);
            }
        }
        (weight > 0.0).then_some((weight, format))
    }

    /// Reads a request's body.
    ///
    /// # Errors
    /// 400 with the rule that it breaks, the input's name and what the model expects.
    pub(crate) fn read(self, body: &[u8], signature: &Signature) -> Result<Call, Refusal> {
        match self {
            Self::Json => read_json(body, signature),
            Self::Csv => csv::read(body, signature),
            Self::Npy => npy::read(body, signature),
        }
        .map_err(Refusal::bad_request)
    }

    /// Writes outputs in this format.
    ///
    /// # Errors
    /// 406 when they have a form that the format cannot carry.
    pub(crate) fn write(
        self,
        style: &Style,
        outputs: &[(String, Tensor)],
    ) -> Result<Answer, Refusal> {
        let body = match (self, style) {
            (Self::Json, Style::Protocol { id }) => Ok(protocol::write(id.as_deref(), outputs)),
            (Self::Json, Style::Rows { count }) => rows::write(*count, outputs),
            (Self::Csv, _) => only_output(self, outputs).map(csv::write),
            (Self::Npy, _) => only_output(self, outputs).map(npy::write),
        };
        let refuse = |message: String| Refusal::new(StatusCode::NOT_ACCEPTABLE, message);
        Ok(Answer { content_type: self.media_type(), body: body.map_err(refuse)? })
    }
}

/// The only output, for formats that carry one tensor.
fn only_output(format: Format, outputs: &[(String, Tensor)]) -> Result<&Tensor, String> {
    if let [(_, tensor)] = outputs {
        return Ok(tensor);
    }
    let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
    Err(format!(
        "{} carries one output; the model gives {}: ask for Accept: application/json",
        format.media_type(),
        names.join(", ")
    ))
}

/// The members by which the two styles of JSON are told apart; the rest is theirs.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    inputs: Option<&'a RawValue>,
    #[serde(borrow)]
    instances: Option<&'a RawValue>,
}

fn read_json(body: &[u8], signature: &Signature) -> Result<Call, String> {
    let text =
        std::str::from_utf8(body).map_err(|error| format!("the body is not UTF-8: {error}"))?;
    let envelope: Envelope = serde_json::from_str(text).map_err(|error| not_json(text, &error))?;
    match (envelope.inputs, envelope.instances) {
        (Some(_), None) => protocol::read(text, signature),
        (None, Some(instances)) => rows::read(instances, signature),
        (Some(_), Some(_)) => Err("the body has both \"inputs\" and \"instances\"".to_owned()),
        (None, None) => Err(format!(
            "the body has neither \"inputs\" (Open Inference Protocol v2) nor \"instances\" (rows); \
             the model expects {}",
            signature.expected()
        )),
    }
}

/// Why a text is not the JSON it should be. Python writes NaN and Infinity, which JSON does not have.
fn not_json(text: &str, error: &serde_json::Error) -> String {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    // The column counts from one and is that of the last byte looked at: the word's first, or a minus sign's next.
    let word = line.get(error.column().saturating_sub(1)..).unwrap_or_default();
    let hint = if word.starts_with("NaN") || word.starts_with("Infinity") {
        "; JSON has no NaN and no Infinity, every element must be a finite number"
    } else {
        ""
    };
    format!("the body is not such JSON: {error}{hint}")
}

#[cfg(test)]
mod tests;
