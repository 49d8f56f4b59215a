//! Text in lines of a width.

use std::borrow::Cow;

use console::measure_text_width;

/// Text without anything that could steer a terminal: users name alarms and policies, and model servers say why they fail.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().map(|one| match one {
        '\n' | '\t' => " ".to_owned(),
        one if one.is_control() => one.escape_default().to_string(),
        one => one.to_string(),
    });
    Cow::Owned(shown.collect())
}

/// Breaks text between words into lines of at most `width` columns, and makes what is no text visible. The first line begins after `first`, the others
/// after as many blanks as `first` is wide. A word that is too long gets a line of its own, and is not cut.
pub(crate) fn wrapped(first: &str, text: &str, width: usize) -> String {
    let indent = measure_text_width(first);
    let mut lines = vec![first.to_owned()];
    let mut column = indent;
    for word in visible(text).split_whitespace() {
        let length = measure_text_width(word);
        if column > indent && column + 1 + length > width {
            lines.push(" ".repeat(indent));
            column = indent;
        }
        if let Some(line) = lines.last_mut() {
            if column > indent {
                line.push(' ');
                column += 1;
            }
            line.push_str(word);
        }
        column += length;
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_hang_below_the_first() {
        assert_eq!(wrapped("a  ", "one two three four", 10), "a  one two\n   three\n   four");
        assert_eq!(wrapped("", "incomprehensibilities it is", 10), "incomprehensibilities\nit is");
        assert_eq!(wrapped("× ", "grün grün", 12), "× grün grün");
        assert_eq!(wrapped("x", "", 5), "x");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(visible("a\u{1b}[2Jb\nc\u{9b}1m"), "a\\u{1b}[2Jb c\\u{9b}1m");
        assert_eq!(wrapped("- ", "a\rb", 9), "- a\\rb");
    }
}
