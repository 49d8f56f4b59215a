//! One event as one line.

use wire::logs::FilteredLogEvent;

use crate::output::{Output, json_of};

/// `2026-11-23T10:04:05.123Z main/i-0123456789abcdef0 text`, or the event as JSON.
pub(super) fn line(event: &FilteredLogEvent, output: &Output) -> String {
    if output.json {
        return format!("{}\n", json_of(event));
    }
    let at = event.timestamp.unwrap_or_default();
    let at = jiff::Timestamp::from_millisecond(at)
        .map_or_else(|_| format!("{at} ms"), |at| format!("{at:.3}"));
    let stream = event.log_stream_name.as_deref().unwrap_or_default();
    let message = event.message.as_deref().unwrap_or_default();
    if output.data_is_terminal {
        format!("{at} {stream} {}\n", printable(message))
    } else {
        format!("{at} {stream} {message}\n")
    }
}

/// Colours stay; whatever else could steer a terminal becomes visible. A model server is a stranger.
fn printable(message: &str) -> String {
    let mut shown = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(character) = rest.chars().next() {
        let colour = colour(rest);
        let (piece, after) = rest.split_at(colour.unwrap_or_else(|| character.len_utf8()));
        if colour.is_some() || character == '\t' || !character.is_control() {
            shown.push_str(piece);
        } else {
            shown.extend(character.escape_default());
        }
        rest = after;
    }
    // A colour that is not ended would go on over the following lines.
    if shown.contains('\u{1b}') {
        shown.push_str("\u{1b}[0m");
    }
    shown
}

/// The bytes of the colour sequence at the beginning, such as `ESC[1;31m`.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|one: char| !(one.is_ascii_digit() || one == ';'))?;
    parameters.get(end..)?.starts_with('m').then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stay_and_other_control_is_shown() {
        let table = [
            ("plain\ttext ü", "plain\ttext ü"),
            ("\u{1b}[1;31mred", "\u{1b}[1;31mred\u{1b}[0m"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("10%\r20%", "10%\\r20%"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{1b}[", "\\u{1b}["),
        ];
        for (message, wanted) in table {
            assert_eq!(printable(message), wanted);
        }
    }

    #[test]
    fn a_line_has_time_stream_and_text() {
        let event = FilteredLogEvent {
            log_stream_name: Some("main/i-1".into()),
            timestamp: Some(1_529_870_369_986),
            message: Some("hello".into()),
            ..FilteredLogEvent::default()
        };
        let (plain, ..) = Output::in_memory(false);
        assert_eq!(line(&event, &plain), "2018-06-24T19:59:29.986Z main/i-1 hello\n");
        let (json, ..) = Output::in_memory(true);
        let wanted = r#"{"logStreamName":"main/i-1","message":"hello","timestamp":1529870369986}"#;
        let shown: serde_json::Value = serde_json::from_str(&line(&event, &json)).unwrap();
        assert_eq!(shown, serde_json::from_str::<serde_json::Value>(wanted).unwrap());
    }
}
