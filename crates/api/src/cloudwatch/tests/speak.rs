//! The same request in each protocol of CloudWatch, written by other means than `wire`'s.

use std::fmt::Write;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoken {
    Json,
    Query,
    Cbor,
}

/// What came back; `code` is awsQuery's.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) body: String,
}

/// Members that are times; they are given as seconds.
const TIMES: [&str; 5] = ["Timestamp", "StartTime", "EndTime", "StartDate", "EndDate"];

impl Spoken {
    pub(super) const ALL: [Self; 3] = [Self::Json, Self::Query, Self::Cbor];

    pub(super) fn request(self, operation: &str, input: &Value) -> (Parts, Bytes) {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
        let (request, body) = match self {
            Self::Json => (
                Request::post("/")
                    .header("x-amz-target", target)
                    .header("content-type", "application/x-amz-json-1.0"),
                input.to_string().into_bytes(),
            ),
            Self::Query => {
                let mut form = format!("Action={operation}&Version=2010-08-01");
                flatten("", input, &mut form);
                (
                    Request::post("/").header("content-type", "application/x-www-form-urlencoded"),
                    form.into_bytes(),
                )
            }
            Self::Cbor => {
                let mut body = Vec::new();
                cbor(input, false, &mut body);
                let request = Request::post(path).header("content-type", "application/cbor");
                (request.header("smithy-protocol", "rpc-v2-cbor"), body)
            }
        };
        let (parts, ()) =
            request.header("x-amzn-query-mode", "true").body(()).unwrap().into_parts();
        (parts, body.into())
    }

    pub(super) fn answer(self, response: &Response<Bytes>) -> Answer {
        let body = String::from_utf8_lossy(response.body()).into_owned();
        let code = if self == Self::Query {
            let inside = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
            inside.map(|(code, _)| code.to_owned()).unwrap_or_default()
        } else {
            let told = response.headers().get("x-amzn-query-error");
            let told = told.and_then(|told| told.to_str().ok()).unwrap_or_default();
            told.split(';').next().unwrap_or_default().to_owned()
        };
        let body = match self {
            Self::Json | Self::Cbor => body,
            Self::Query => body
                .replace("&apos;", "'")
                .replace("&quot;", "\"")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&"),
        };
        Answer { status: response.status().as_u16(), code, body }
    }
}

fn flatten(path: &str, value: &Value, form: &mut String) {
    let join =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                flatten(&join(name), value, form);
            }
        }
        Value::Array(elements) => {
            for (position, element) in (1..).zip(elements) {
                flatten(&format!("{path}.member.{position}"), element, form);
            }
        }
        scalar => {
            let text = match scalar {
                Value::String(text) => text.clone(),
                Value::Number(secs) if is_time(path) => date(secs.as_i64().unwrap()),
                other => other.to_string(),
            };
            write!(form, "&{path}=").unwrap();
            for byte in text.bytes() {
                write!(form, "%{byte:02X}").unwrap();
            }
        }
    }
}

fn is_time(path: &str) -> bool {
    TIMES.iter().any(|name| path == *name || path.ends_with(&format!(".{name}")))
}

/// ISO 8601, by counting days through the years.
fn date(secs: i64) -> String {
    let (mut days, time) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let (mut year, mut month) = (1970, 1);
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    let length = |month: i64| match month {
        2 => 28 + i64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    while days >= length(month) {
        days -= length(month);
        month += 1;
    }
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
}

fn head(kind: u8, number: usize, out: &mut Vec<u8>) {
    let number = u32::try_from(number).unwrap();
    out.push(kind << 5 | 0x1a);
    out.extend(number.to_be_bytes());
}

fn float(number: f64, out: &mut Vec<u8>) {
    out.push(0xfb);
    out.extend(number.to_be_bytes());
}

fn cbor(value: &Value, is_time: bool, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(flag) => out.push(0xf4 + u8::from(*flag)),
        Value::Number(number) => {
            if is_time {
                out.push(0xc1);
            }
            match number.as_u64().and_then(|number| u32::try_from(number).ok()) {
                Some(number) => head(0, number as usize, out),
                None => float(number.as_f64().unwrap(), out),
            }
        }
        Value::String(text) => match text.as_str() {
            "NaN" => float(f64::NAN, out),
            "Infinity" => float(f64::INFINITY, out),
            text => {
                head(3, text.len(), out);
                out.extend(text.as_bytes());
            }
        },
        Value::Array(elements) => {
            head(4, elements.len(), out);
            for element in elements {
                cbor(element, false, out);
            }
        }
        Value::Object(members) => {
            head(5, members.len(), out);
            for (name, value) in members {
                head(3, name.len(), out);
                out.extend(name.as_bytes());
                cbor(value, TIMES.contains(&name.as_str()), out);
            }
        }
    }
}
