//! Filter patterns over plain text: terms, quoted phrases, `-term`, `?term`.
//!
//! CloudWatch Logs has more: patterns over JSON, over fields between spaces, and regular expressions. These are
//! refused by name, never half understood.

use memchr::memmem::Finder;

/// Which texts a reader wants.
#[derive(Debug, Clone, Default)]
pub struct Pattern {
    all: Vec<Finder<'static>>,
    none: Vec<Finder<'static>>,
    any: Vec<Finder<'static>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("Invalid character(s) in term '{0}'")]
    Characters(String),
    #[error("Invalid filter pattern: a quoted phrase has no end")]
    Unclosed,
    #[error("Invalid filter pattern: an empty term")]
    Empty,
    #[error(
        "Invalid filter pattern: Tidegate does not support {0}; it knows terms, quoted phrases, -term and ?term"
    )]
    Unsupported(&'static str),
    #[error(
        "Invalid filter pattern: Tidegate does not support ?term together with other terms, which AWS ignores there"
    )]
    Mixed,
}

impl Pattern {
    /// Reads a pattern; one without terms matches everything.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut rest = text.trim();
        match rest.chars().next() {
            Some('{') => return Err(PatternError::Unsupported("JSON patterns")),
            Some('[') => return Err(PatternError::Unsupported("space-delimited patterns")),
            Some('%') => return Err(PatternError::Unsupported("regular expressions")),
            _ => {}
        }
        let mut pattern = Self::default();
        while !rest.is_empty() {
            let (sort, after) = match rest.chars().next() {
                Some('-') => (&mut pattern.none, rest.get(1..).unwrap_or_default()),
                Some('?') => (&mut pattern.any, rest.get(1..).unwrap_or_default()),
                _ => (&mut pattern.all, rest),
            };
            let (term, left) = match after.strip_prefix('"') {
                Some(quoted) => phrase(quoted)?,
                None => word(after)?,
            };
            if term.is_empty() {
                return Err(PatternError::Empty);
            }
            sort.push(Finder::new(term.as_bytes()).into_owned());
            rest = left.trim_start();
        }
        let others = !pattern.all.is_empty() || !pattern.none.is_empty();
        if others && !pattern.any.is_empty() { Err(PatternError::Mixed) } else { Ok(pattern) }
    }

    /// Whether the text is wanted. Terms count wherever they stand, by case.
    pub fn matches(&self, text: &[u8]) -> bool {
        let has = |term: &Finder<'static>| term.find(text).is_some();
        self.all.iter().all(has)
            && !self.none.iter().any(has)
            && (self.any.is_empty() || self.any.iter().any(has))
    }
}

/// A phrase up to its closing quote, and what follows. `\"` and `\\` stand for themselves.
fn phrase(quoted: &str) -> Result<(String, &str), PatternError> {
    let mut term = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((term, quoted.get(at + 1..).unwrap_or_default())),
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => term.push(escaped),
                Some((_, other)) => term.extend(['\\', other]),
                None => return Err(PatternError::Unclosed),
            },
            other => term.push(other),
        }
    }
    Err(PatternError::Unclosed)
}

/// A bare term up to the next space. What is not a letter, digit or underscore must be quoted, as on AWS.
fn word(text: &str) -> Result<(String, &str), PatternError> {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (term, rest) = text.split_at(end);
    if term.starts_with('%') {
        return Err(PatternError::Unsupported("regular expressions"));
    }
    if term.chars().all(|character| character.is_alphanumeric() || character == '_') {
        Ok((term.to_owned(), rest))
    } else {
        Err(PatternError::Characters(term.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn terms_phrases_exclusions_and_options() {
        let table = [
            ("", "anything", true),
            ("  ", "", true),
            ("ERROR", "an ERROR here", true),
            ("ERROR", "an error here", false),
            ("ERROR 404", "404 is an ERROR", true),
            ("ERROR 404", "ERROR 500", false),
            ("\"not found\"", "it was not found.", true),
            ("\"not found\"", "found not", false),
            ("ERROR -\"not found\"", "ERROR: not found", false),
            ("-DEBUG", "INFO a", true),
            ("-DEBUG", "DEBUG a", false),
            ("?ERROR ?WARN", "WARN a", true),
            ("?ERROR ?\"a b\"", "xa by", true),
            ("?ERROR ?WARN", "INFO a", false),
            (r#""say \"hi\" \\ \n""#, r#"say "hi" \ \n"#, true),
            ("ünï_1", "x ünï_1", true),
            ("aab", "aaab", true),
        ];
        for (pattern, text, wanted) in table {
            let read = Pattern::parse(pattern).unwrap();
            assert_eq!(read.matches(text.as_bytes()), wanted, "{pattern} in {text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let table = [
            ("{ $.a = 1 }", "JSON patterns"),
            ("[ip, user]", "space-delimited patterns"),
            ("%[Ee]rror%", "regular expressions"),
            ("-%x%", "regular expressions"),
            ("a:b", "Invalid character(s) in term 'a:b'"),
            ("a-b", "Invalid character(s) in term 'a-b'"),
            ("\"open", "no end"),
            ("\"open\\", "no end"),
            ("\"\"", "an empty term"),
            ("a -", "an empty term"),
            ("?a b", "together with other terms"),
            ("?a -b", "together with other terms"),
        ];
        for (pattern, part) in table {
            let error = Pattern::parse(pattern).unwrap_err().to_string();
            assert!(error.contains(part), "{pattern}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_phrase_finds_what_str_contains_finds(text in "[ab\"\\\\]{0,12}", part in "[ab\"\\\\]{1,4}") {
            let quoted = format!("\"{}\"", part.replace('\\', "\\\\").replace('"', "\\\""));
            let pattern = Pattern::parse(&quoted).unwrap();
            prop_assert_eq!(pattern.matches(text.as_bytes()), text.contains(&part));
        }

        #[test]
        fn no_pattern_makes_it_panic(text in any::<String>()) {
            let _ = Pattern::parse(&text);
        }
    }
}
