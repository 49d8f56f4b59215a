//! ARNs: the resource that a request is about, and the patterns in `Resource`, `NotResource` and ARN conditions.
//!
//! AWS compares the six parts one by one. In `Resource`, a `*` that ends a part may reach over colons; a pattern in which
//! each wildcard of the first five parts is such a `*` is therefore matched against the whole text, any other part by part.
//! The names of SageMaker's resources compare without regard to case.

use super::context::Facts;
use super::malformed::Malformed;
use super::pattern::{FoldFrom, Pattern, Syntax, Token, tokens};

/// Parts of an ARN: `arn`, partition, service, region, account, and the resource with all that follows.
const PARTS: usize = 6;

/// The service whose resources' names have no case.
const SAGEMAKER: &str = "sagemaker";

/// The resource of a request: an ARN, or `*` for operations that have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    text: &'a str,
    /// Unless the text is no ARN.
    parts: Option<[&'a str; PARTS]>,
    fold_from: usize,
}

impl<'a> Arn<'a> {
    /// What operations that have no resource ask for: only `*` matches it.
    pub const ANY: Arn<'static> = Arn { text: "*", parts: None, fold_from: usize::MAX };

    /// Reads an ARN. A text that is none is matched as it stands, by patterns without inner wildcards.
    pub fn new(text: &'a str) -> Self {
        let mut split = text.splitn(PARTS, ':');
        let mut parts = [""; PARTS];
        let complete = parts.iter_mut().all(|part| split.next().map(|text| *part = text).is_some());
        let [.., resource] = parts;
        let fold_from = match parts {
            [_, _, SAGEMAKER, ..] if complete => text.len().saturating_sub(resource.len()),
            _ => usize::MAX,
        };
        Self { text, parts: complete.then_some(parts), fold_from }
    }

    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    const fn resource_fold(&self) -> FoldFrom {
        if self.fold_from == usize::MAX { FoldFrom::NEVER } else { FoldFrom::START }
    }
}

/// One element of `Resource` or `NotResource`.
#[derive(Debug)]
pub(super) enum ResourcePattern {
    /// `*`
    Any,
    Whole(Pattern),
    Parts(Parts),
}

impl ResourcePattern {
    pub(super) fn compile(text: &str, variables: bool) -> Result<Self, Malformed> {
        let tokens = tokens(text, Syntax { wildcards: true, variables })?;
        if tokens == [Token::Star] {
            return Ok(Self::Any);
        }
        let parts = Parts::split(&tokens);
        let crosses = parts.head().all(Pattern::stars_only_at_end);
        Ok(if crosses { Self::Whole(tokens.into()) } else { Self::Parts(parts) })
    }

    pub(super) fn matches(&self, arn: &Arn<'_>, facts: &Facts<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Whole(pattern) => pattern.matches(arn.text, FoldFrom(arn.fold_from), facts),
            Self::Parts(parts) => parts.matches(arn, facts),
        }
    }

    pub(super) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let (whole, parts): (&[Pattern], &[Pattern]) = match self {
            Self::Any => (&[], &[]),
            Self::Whole(pattern) => (std::slice::from_ref(pattern), &[]),
            Self::Parts(parts) => (&[], &parts.0),
        };
        whole.iter().chain(parts)
    }
}

impl Pattern {
    /// Whether it can stand for more than its own part: no `?`, and `*` only at its end.
    fn stars_only_at_end(&self) -> bool {
        let tokens = self.tokens();
        let before = tokens.split_last().map_or(&[] as &[_], |(_, before)| before);
        !tokens.contains(&Token::One) && !before.contains(&Token::Star)
    }
}

/// An ARN pattern that is compared part by part: at most six, fewer only if the last stands for the rest.
#[derive(Debug)]
pub(super) struct Parts(Box<[Pattern]>);

impl Parts {
    pub(super) fn compile(text: &str, variables: bool) -> Result<Self, Malformed> {
        Ok(Self::split(&tokens(text, Syntax { wildcards: true, variables })?))
    }

    /// Colons in variables do not separate: they are no literals.
    fn split(tokens: &[Token]) -> Self {
        let mut parts: Vec<Vec<Token>> = vec![Vec::new()];
        for token in tokens {
            let Token::Literal(text) = token else {
                push(&mut parts, token.clone());
                continue;
            };
            let mut rest = &**text;
            while let Some((before, after)) = rest.split_once(':').filter(|_| parts.len() < PARTS) {
                push_text(&mut parts, before);
                parts.push(Vec::new());
                rest = after;
            }
            push_text(&mut parts, rest);
        }
        Self(parts.into_iter().map(Pattern::from).collect())
    }

    /// All parts but the resource.
    fn head(&self) -> impl Iterator<Item = &Pattern> {
        self.0.iter().take(PARTS.saturating_sub(1))
    }

    pub(super) fn matches_text(&self, text: &str, facts: &Facts<'_>) -> bool {
        self.matches(&Arn::new(text), facts)
    }

    fn matches(&self, arn: &Arn<'_>, facts: &Facts<'_>) -> bool {
        let Some(parts) = &arn.parts else { return false };
        let whole = self.0.len() == PARTS || self.0.last().is_some_and(Pattern::ends_with_star);
        let mut pairs = self.0.iter().zip(parts).enumerate();
        whole
            && pairs.all(|(index, (pattern, part))| {
                let is_resource = index == PARTS.saturating_sub(1);
                let fold = if is_resource { arn.resource_fold() } else { FoldFrom::NEVER };
                pattern.matches(part, fold, facts)
            })
    }

    pub(super) fn patterns(&self) -> &[Pattern] {
        &self.0
    }
}

fn push(parts: &mut [Vec<Token>], token: Token) {
    parts.last_mut().expect("there is always one").push(token);
}

fn push_text(parts: &mut [Vec<Token>], text: &str) {
    if !text.is_empty() {
        push(parts, Token::Literal(text.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::context::{Caller, Values};
    use super::*;

    fn matches(pattern: &str, arn: &str) -> bool {
        let context = |_: &str| None::<Values<'static>>;
        let caller = Caller::service("none");
        let facts = Facts { caller: &caller, context: &context };
        ResourcePattern::compile(pattern, true).unwrap().matches(&Arn::new(arn), &facts)
    }

    /// The rules of the IAM user guide's page on `Resource`, one a row.
    #[test]
    fn patterns_match_resources_as_documented() {
        let endpoint = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/Forecast";
        let alarm = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:Busy";
        let cases = [
            ("*", "*", true),
            ("arn:aws:sagemaker:*:*:*", "*", false),
            ("*", endpoint, true),
            ("arn:aws:sagemaker:us-east-1:000000000000:endpoint/*", endpoint, true),
            // a name's case does not count for SageMaker, that of the rest does
            ("arn:aws:sagemaker:*:*:endpoint/forecast", endpoint, true),
            ("arn:aws:sagemaker:*:*:ENDPOINT/FORE*", endpoint, true),
            ("arn:aws:sagemaker:US-EAST-1:*:endpoint/forecast", endpoint, false),
            ("arn:aws:cloudwatch:*:*:alarm:busy", alarm, false),
            // a wildcard within a part stays in it, with more or fewer parts too
            ("arn:aws:sagemaker:us-*-1:*:endpoint/forecast", endpoint, true),
            ("arn:aws:cloudwatch:us-*-1:alarm:Busy", alarm, false),
            ("arn:aws:cloudwatch:us-east-?:000000000000:alarm:B*", alarm, true),
            ("arn:aws:cloudwatch:us-eas*1:*", alarm, true),
            ("arn:aws:cloudwatch:us-eas*1:000000000000", alarm, false),
            // one that ends a part reaches over colons
            ("arn:aws:cloudwatch:*", alarm, true),
            ("arn:aws:cloudwatch:*:alarm:Busy", alarm, true),
            ("arn:aws:cloudwatch", alarm, false),
            // and so does every wildcard of the resource
            ("arn:aws:cloudwatch:us-east-1:000000000000:a*y", alarm, true),
            ("arn:aws:cloudwatch:us-east-1:000000000000:alarm?Busy", alarm, true),
            // a resource that is not known yet is asked for by its wildcard form
            ("arn:aws:sagemaker:*:*:endpoint/*", "arn:aws:sagemaker:r:1:endpoint/*", true),
            ("arn:aws:sagemaker:*:*:endpoint/a*", "arn:aws:sagemaker:r:1:endpoint/*", false),
        ];
        for (pattern, arn, expected) in cases {
            assert_eq!(matches(pattern, arn), expected, "{pattern} {arn}");
        }
    }
}
