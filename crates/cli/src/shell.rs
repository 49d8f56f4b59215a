//! Text that a shell is to read as one word.

use std::path::Path;

/// A path as it can be pasted into a command: quoted only if it must be.
pub(crate) fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        text.into_owned()
    } else {
        quoted_for_sh(&text)
    }
}

/// In single quotes nothing has a meaning but the quote, which must stand outside.
pub(crate) fn quoted_for_sh(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// In fish's single quotes only the backslash and the quote have a meaning.
pub(crate) fn quoted_for_fish(value: &str) -> String {
    format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_is_quoted() {
        for (path, wanted) in [
            ("/a/b-c_1.d", "/a/b-c_1.d"),
            ("/a b", "'/a b'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("~/x", "'~/x'"),
        ] {
            assert_eq!(word(Path::new(path)), wanted);
        }
    }

    #[test]
    fn fish_quotes_its_own_way() {
        assert_eq!(quoted_for_fish(r"it's \a"), r"'it\'s \\a'");
    }
}
