//! Texts with `*`, `?` and policy variables, and matching them in bounded time.
//!
//! Matching keeps one place to come back to, the last `*`: whatever a pattern holds, the work is at most its length times
//! the text's. Variables are put in as they stand; a `*` in a value is a character.

use super::context::{Facts, Values};
use super::malformed::Malformed;

/// What a text may contain besides itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax {
    pub(super) wildcards: bool,
    /// Policy variables; only documents of version 2012-10-17 have them.
    pub(super) variables: bool,
}

impl Syntax {
    pub(super) const WILDCARDS: Self = Self { wildcards: true, variables: false };
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Literal(Box<str>),
    /// `?`: one character
    One,
    /// `*`: any characters, none too
    Star,
    Variable(Variable),
}

/// `${key}` or `${key, 'default'}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    /// In lower case, as contexts are asked for it.
    key: Box<str>,
    /// As it is written.
    name: Box<str>,
    default: Option<Box<str>>,
}

impl Variable {
    /// What stands between the braces.
    fn parse(inner: &str) -> Result<Self, Malformed> {
        let (name, default) = match inner.split_once(',') {
            None => (inner.trim(), None),
            Some((name, quoted)) => {
                let quoted = quoted.trim().strip_prefix('\'');
                let default = quoted.and_then(|rest| rest.strip_suffix('\''));
                (name.trim(), Some(default.ok_or(Malformed::Syntax)?.into()))
            }
        };
        if name.is_empty() || name.contains(['$', '{']) {
            return Err(Malformed::Syntax);
        }
        Ok(Self { key: name.to_ascii_lowercase().into(), name: name.into(), default })
    }

    /// Calls back with the value. Keys with several values have none that could stand in a text.
    fn with<T>(&self, facts: &Facts<'_>, then: impl FnOnce(&str) -> T) -> Option<T> {
        match (facts.get(&self.key), &self.default) {
            (Some(Values::One(value)), _) => Some(then(&value)),
            (_, Some(default)) => Some(then(default)),
            (_, None) => None,
        }
    }
}

/// Splits a text into tokens; neighbouring literals are one.
pub(super) fn tokens(text: &str, syntax: Syntax) -> Result<Vec<Token>, Malformed> {
    let mut tokens = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (token, after) = match (character, rest.strip_prefix("${")) {
            ('*', _) if syntax.wildcards => (Some(Token::Star), rest.strip_prefix('*')),
            ('?', _) if syntax.wildcards => (Some(Token::One), rest.strip_prefix('?')),
            (_, Some(inner)) if syntax.variables => {
                let (inner, after) = inner.split_once('}').ok_or(Malformed::Syntax)?;
                if matches!(inner, "*" | "?" | "$") {
                    literal.push_str(inner);
                    (None, Some(after))
                } else {
                    (Some(Token::Variable(Variable::parse(inner)?)), Some(after))
                }
            }
            (other, _) => {
                literal.push(other);
                (None, rest.strip_prefix(other))
            }
        };
        if let Some(token) = token {
            flush(&mut literal, &mut tokens);
            if token != Token::Star || tokens.last() != Some(&Token::Star) {
                tokens.push(token);
            }
        }
        rest = after.expect("the character was at the start");
    }
    flush(&mut literal, &mut tokens);
    Ok(tokens)
}

fn flush(literal: &mut String, tokens: &mut Vec<Token>) {
    if !literal.is_empty() {
        tokens.push(Token::Literal(std::mem::take(literal).into()));
    }
}

/// A compiled text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Box<[Token]>);

/// From which byte of the text on case does not count.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoldFrom(pub(super) usize);

impl FoldFrom {
    pub(super) const START: Self = Self(0);
    pub(super) const NEVER: Self = Self(usize::MAX);
}

impl From<Vec<Token>> for Pattern {
    fn from(tokens: Vec<Token>) -> Self {
        Self(tokens.into())
    }
}

impl Pattern {
    pub(super) fn compile(text: &str, syntax: Syntax) -> Result<Self, Malformed> {
        tokens(text, syntax).map(Self::from)
    }

    pub(super) fn tokens(&self) -> &[Token] {
        &self.0
    }

    /// The text, if it is one without wildcards and variables.
    pub(super) fn as_literal(&self) -> Option<&str> {
        match &*self.0 {
            [] => Some(""),
            [Token::Literal(text)] => Some(text),
            _ => None,
        }
    }

    pub(super) fn ends_with_star(&self) -> bool {
        matches!(&*self.0, [.., Token::Star])
    }

    /// Whether a variable in it has neither a value nor a default. Such a pattern matches nothing.
    pub(super) fn unresolved(&self, facts: &Facts<'_>) -> bool {
        self.variables().any(|variable| variable.with(facts, |_| ()).is_none())
    }

    /// The keys of its variables as they are written.
    pub(super) fn variable_names(&self) -> impl Iterator<Item = &str> {
        self.variables().map(|variable| &*variable.name)
    }

    fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().filter_map(|token| match token {
            Token::Variable(variable) => Some(variable),
            Token::Literal(_) | Token::One | Token::Star => None,
        })
    }

    /// For patterns that have no variables.
    pub(super) fn matches_ignoring_case(&self, text: &str) -> bool {
        run(&self.0, text, FoldFrom::START, None)
    }

    pub(super) fn matches(&self, text: &str, fold: FoldFrom, facts: &Facts<'_>) -> bool {
        run(&self.0, text, fold, Some(facts))
    }
}

/// A literal after a `*` that did not fit is tried again one character further on; what was matched before that `*` never
/// has to be looked at again, since a later start would leave less for the rest.
fn run(tokens: &[Token], text: &str, fold: FoldFrom, facts: Option<&Facts<'_>>) -> bool {
    let mut left = tokens;
    let mut at = 0;
    let mut retry: Option<(&[Token], usize)> = None;
    loop {
        let step = match left.split_first() {
            None if at == text.len() => return true,
            None => None,
            Some((Token::Star, [])) => return true,
            Some((Token::Star, rest)) => {
                retry = Some((rest, at));
                Some((rest, at))
            }
            Some((Token::One, rest)) => after_character(text, at).map(|at| (rest, at)),
            Some((Token::Literal(literal), rest)) => {
                after_literal(text, at, literal, fold).map(|at| (rest, at))
            }
            Some((Token::Variable(variable), rest)) => {
                let value =
                    |facts| variable.with(facts, |value| after_literal(text, at, value, fold));
                match facts.and_then(value) {
                    None => return false,
                    Some(at) => at.map(|at| (rest, at)),
                }
            }
        };
        (left, at) = match (step, retry) {
            (Some(next), _) => next,
            (None, None) => return false,
            (None, Some((tokens, from))) => {
                let Some(from) = after_character(text, from) else { return false };
                retry = Some((tokens, from));
                (tokens, from)
            }
        };
    }
}

fn after_character(text: &str, at: usize) -> Option<usize> {
    let character = text.get(at..)?.chars().next()?;
    at.checked_add(character.len_utf8())
}

/// The place after `literal`, if it stands at `at`.
fn after_literal(text: &str, at: usize, literal: &str, fold: FoldFrom) -> Option<usize> {
    let end = at.checked_add(literal.len())?;
    let found = text.as_bytes().get(at..end)?;
    let exact = fold.0.saturating_sub(at).min(found.len());
    let (head, tail) = found.split_at_checked(exact)?;
    let (wanted_head, wanted_tail) = literal.as_bytes().split_at_checked(exact)?;
    (head == wanted_head && tail.eq_ignore_ascii_case(wanted_tail)).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(pattern: &str, text: &str) -> bool {
        Pattern::compile(pattern, Syntax::WILDCARDS).unwrap().matches_ignoring_case(text)
    }

    #[test]
    fn wildcards_match_as_documented() {
        let cases = [
            ("*", "", true),
            ("a*", "a", true),
            ("a*c", "abcc", true),
            ("a*c", "abcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("?", "é", true),
            ("??", "é", false),
            ("*é*", "caféine", true),
            ("**a**", "bab", true),
            ("*a*b*c", "xaxbxbxc", true),
            ("Get*", "getUser", true),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn variables_without_an_end_or_a_name_are_refused() {
        let syntax = Syntax { wildcards: true, variables: true };
        for text in ["${", "${}", "${ }", "${a, b}", "${a, 'b}", "${${a}}", "${,'x'}"] {
            assert_eq!(tokens(text, syntax), Err(Malformed::Syntax), "{text}");
        }
        for text in ["$", "$a", "}", "{a}", "${a}", "${a, 'b c'}", "${a,''}", "${*}${?}${$}"] {
            assert!(tokens(text, syntax).is_ok(), "{text}");
        }
    }
}
