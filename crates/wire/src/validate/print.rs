//! Offending values as AWS's messages show them (Java's `toString`), cut to a bounded length.

use std::fmt::Write as _;

use crate::Document;

/// Characters of a value that a message repeats; AWS repeats it whole, however long.
const VALUE_CHARS_MAX: usize = 1024;

/// `'value'`, or `null` without quotes.
pub(super) fn quoted(document: &Document) -> String {
    if *document == Document::Null {
        return "null".to_owned();
    }
    let mut text = String::new();
    write(document, &mut text);
    format!("'{}'", shortened(&text))
}

pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((cut, _)) => format!("{}...", text.get(..cut).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn write(document: &Document, text: &mut String) {
    // Four bytes is the longest character: beyond this the rest would be cut off anyway.
    if text.len() > VALUE_CHARS_MAX.saturating_mul(4) {
        return;
    }
    match document {
        Document::Null => text.push_str("null"),
        Document::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Document::Integer(number) | Document::Timestamp(number) => {
            write!(text, "{number}").unwrap_or_default();
        }
        Document::Float(number) => write!(text, "{number:?}").unwrap_or_default(),
        Document::String(string) => text.push_str(string),
        Document::Blob(bytes) => {
            let length = bytes.len();
            write!(text, "java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]")
                .unwrap_or_default();
        }
        Document::List(elements) => {
            text.push('[');
            separated(elements, text, write);
            text.push(']');
        }
        Document::Map(entries) => {
            text.push('{');
            separated(entries, text, |(key, value), text| {
                text.push_str(key);
                text.push('=');
                write(value, text);
            });
            text.push('}');
        }
    }
}

fn separated<T>(items: &[T], text: &mut String, mut write: impl FnMut(&T, &mut String)) {
    // Every item adds at least two characters.
    for (position, item) in items.iter().take(VALUE_CHARS_MAX).enumerate() {
        if position > 0 {
            text.push_str(", ");
        }
        write(item, text);
    }
}
