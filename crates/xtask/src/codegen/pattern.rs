//! AWS's patterns are Java's; the regex engine of `wire` reads Rust's. This is the difference between the two.

/// The pattern in Rust's syntax, anchored at both ends (AWS matches whole values).
pub(crate) fn regex(java: &str) -> String {
    let mut rust = String::new();
    let mut left = java;
    while let Some(letter) = left.chars().next() {
        let (replacement, length) =
            translate(left).unwrap_or_else(|| (letter.to_string(), letter.len_utf8()));
        rust.push_str(&replacement);
        left = left.get(length..).unwrap_or_default();
    }
    format!("\\A(?:{rust})\\z")
}

/// What stands at the start of `rest`, if Rust spells it differently, and how many bytes it takes.
/// Bracketed classes nest in Rust, so that one spelling serves inside and outside of them.
fn translate(rest: &str) -> Option<(String, usize)> {
    // In Java these are ASCII only.
    const CLASSES: &[(&str, &str)] = &[
        ("\\d", "[0-9]"),
        ("\\D", "[^0-9]"),
        ("\\s", "[ \\t\\n\\x0B\\x0C\\r]"),
        ("\\S", "[^ \\t\\n\\x0B\\x0C\\r]"),
        ("\\w", "[a-zA-Z_0-9]"),
        ("\\p{Print}", "[ -~]"),
        ("\\p{Alnum}", "[a-zA-Z0-9]"),
        ("\\p{Graph}", "[!-~]"),
    ];
    if let Some((java, rust)) = CLASSES.iter().find(|(java, _)| rest.starts_with(java)) {
        return Some(((*rust).to_owned(), java.len()));
    }
    if let Some(first) = unicode_escape(rest) {
        let second = rest.get(6..).and_then(unicode_escape);
        return Some(match (first, second) {
            // A surrogate pair is one character.
            (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
                let code = 0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00);
                (format!("\\x{{{code:X}}}"), 12)
            }
            _ => (format!("\\x{{{first:X}}}"), 6),
        });
    }
    // Any other escape stays as it is, so that the letter after a backslash is not read on its own.
    let escaped = rest.strip_prefix('\\')?.chars().next()?;
    Some((format!("\\{escaped}"), 1 + escaped.len_utf8()))
}

fn unicode_escape(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_is_translated() {
        let table = [
            ("[a-z]+", "\\A(?:[a-z]+)\\z"),
            ("\\d{12}", "\\A(?:[0-9]{12})\\z"),
            ("\\\\d", "\\A(?:\\\\d)\\z"),
            ("[\\p{Print}]*", "\\A(?:[[ -~]]*)\\z"),
            ("\\/\\-", "\\A(?:\\/\\-)\\z"),
            (
                "[\\u0020-\\uD7FF\\uD800\\uDC00-\\uDBFF\\uDFFF]",
                "\\A(?:[\\x{20}-\\x{D7FF}\\x{10000}-\\x{10FFFF}])\\z",
            ),
        ];
        for (java, rust) in table {
            assert_eq!(regex(java), rust);
        }
    }
}
