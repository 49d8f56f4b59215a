//! The patterns of AWS's models: what whole values must look like.
//!
//! Codegen has translated Java's syntax; what is left for this file is the dot, whose meaning lies in the engine.

use std::sync::OnceLock;

use fancy_regex::{Regex, RegexBuilder};

/// Backtracking steps one pattern may take on one value. AWS's patterns need a few hundred on the longest
/// values they admit; a value that needs more is hostile and counts as not matching.
pub const PATTERN_BACKTRACK_STEPS_MAX: usize = 100_000;

/// A pattern that the whole value must match; compiled at its first use.
#[derive(Debug)]
pub struct Pattern {
    /// As AWS prints it in its messages.
    pub text: &'static str,
    /// The same in the syntax of the regex engine, anchored at both ends; its dots are Java's.
    regex: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub const fn new(text: &'static str, regex: &'static str) -> Self {
        Self { text, regex, compiled: OnceLock::new() }
    }

    /// Whether the whole value matches. A value on which the engine gives up does not.
    pub fn matches(&self, value: &str) -> bool {
        self.compiled().is_some_and(|regex| regex.is_match(value).unwrap_or(false))
    }

    /// Whether the engine understands the pattern; a test asks this of every generated one.
    pub fn compiles(&self) -> bool {
        self.compiled().is_some()
    }

    fn compiled(&self) -> Option<&Regex> {
        let build = || {
            let regex = with_dots_of_java(self.regex);
            RegexBuilder::new(&regex).backtrack_limit(PATTERN_BACKTRACK_STEPS_MAX).build().ok()
        };
        self.compiled.get_or_init(build).as_ref()
    }
}

/// The engine's dot stops at `\n` alone, Java's at every line terminator.
fn with_dots_of_java(regex: &str) -> String {
    const DOT: &str = r"[^\n\r\x{85}\x{2028}\x{2029}]";
    let mut written = String::with_capacity(regex.len());
    // Bracketed classes nest; a dot inside of them is itself.
    let mut classes = 0_usize;
    let mut letters = regex.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                written.push(letter);
                written.extend(letters.next());
                continue;
            }
            '[' => classes = classes.saturating_add(1),
            ']' => classes = classes.saturating_sub(1),
            '.' if classes == 0 => {
                written.push_str(DOT);
                continue;
            }
            _ => {}
        }
        written.push(letter);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_stops_at_every_line_terminator_of_java() {
        let any = Pattern::new(".*", r"\A(?:.*)\z");
        for value in ["", "a b", "\u{b}\u{c}", "é\u{a0}\u{1f600}", "."] {
            assert!(any.matches(value), "{value:?}");
        }
        for terminator in ["\n", "\r", "\r\n", "\u{85}", "\u{2028}", "\u{2029}"] {
            for value in
                [terminator.to_owned(), format!("a{terminator}b"), format!("a{terminator}")]
            {
                assert!(!any.matches(&value), "{value:?}");
            }
        }
    }

    #[test]
    fn a_dot_that_is_escaped_or_in_a_class_is_itself() {
        let table = [
            (r"\A(?:a\.b)\z", "a.b", "axb"),
            (r"\A(?:[a.]+)\z", "a.a", "axa"),
            (r"\A(?:[^a.]+)\z", "x\ry", "x.y"),
            (r"\A(?:[[a-z]._]+\.)\z", "a._.", "a._x"),
            (r"\A(?:[\].]+.)\z", "].x", "].\u{85}"),
            (r"\A(?:\\.)\z", r"\x", "\\\r"),
        ];
        for (regex, good, bad) in table {
            let pattern = Pattern::new("", regex);
            assert!(pattern.matches(good), "{regex} {good:?}");
            assert!(!pattern.matches(bad), "{regex} {bad:?}");
        }
    }
}
