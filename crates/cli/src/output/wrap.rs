//! Text in lines of a width.

use console::measure_text_width;

/// Breaks text between words into lines of at most `width` columns. The first line begins after `first`, the others
/// after as many blanks as `first` is wide. A word that is too long gets a line of its own, and is not cut.
pub(crate) fn wrapped(first: &str, text: &str, width: usize) -> String {
    let indent = measure_text_width(first);
    let mut lines = vec![first.to_owned()];
    let mut column = indent;
    for word in text.split_whitespace() {
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
}
