//! From the text of an expression to its steps in postfix order.
//!
//! Texts are strangers': the parser looks at each character a bounded number of times, and recurses only through
//! [`Parser::operand`], which counts.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::BTreeSet;

use super::error::{MathError, Problem};
use super::function::{self, Function, Word};
use super::operator::Operator;
use super::{EXPRESSION_LENGTH_MAX, NESTING_MAX};

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    steps: Vec<Step>,
}

/// One step of a program: it takes what it needs from the top of the stack, and leaves one value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Number(f64),
    Word(Word),
    /// The value of another query.
    Load(Box<str>),
    /// Every metric whose id contains a text.
    Metrics(Box<str>),
    Array(usize),
    Negate,
    Binary(Operator),
    Call(Function, usize),
}

/// Parses an expression, and knows nothing of the queries that it names.
pub fn parse(text: &str) -> Result<Expression, MathError> {
    parse_text(text).map_err(MathError::Text)
}

pub(super) fn parse_text(text: &str) -> Result<Expression, Problem> {
    if text.chars().nth(EXPRESSION_LENGTH_MAX).is_some() {
        return Err(Problem::TooLong);
    }
    let mut parser = Parser { text, rest: text, depth: 0, steps: Vec::new() };
    match parser.whole() {
        Ok(()) => Ok(Expression { steps: parser.steps }),
        Err(_) if is_insights(text) => Err(Problem::Insights),
        Err(problem) => Err(problem),
    }
}

/// Metrics Insights has a language of its own, after SQL.
fn is_insights(text: &str) -> bool {
    text.split_ascii_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("select"))
}

impl Expression {
    /// The ids that the expression names. What `METRICS()` adds depends on the request.
    pub fn references(&self) -> BTreeSet<&str> {
        let named = self.steps.iter().filter_map(|step| match step {
            Step::Load(id) => Some(&**id),
            _ => None,
        });
        named.collect()
    }

    /// Texts of which one stands in the id of every metric that `METRICS` means; empty for all metrics.
    pub(super) fn filters(&self) -> BTreeSet<&str> {
        let filters = self.steps.iter().filter_map(|step| match step {
            Step::Metrics(filter) => Some(&**filter),
            _ => None,
        });
        filters.collect()
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

struct Parser<'a> {
    text: &'a str,
    /// What is still to be read.
    rest: &'a str,
    depth: usize,
    steps: Vec<Step>,
}

impl<'a> Parser<'a> {
    fn expected(&self, expected: &'static str) -> Problem {
        self.expected_at(self.rest, expected)
    }

    /// That something else was expected where so much was still to be read.
    fn expected_at(&self, rest: &str, expected: &'static str) -> Problem {
        let read = self.text.chars().count().saturating_sub(rest.chars().count());
        Problem::Syntax { at: read.saturating_add(1), expected }
    }

    fn whole(&mut self) -> Result<(), Problem> {
        self.binary(1)?;
        self.skip_space();
        if self.rest.is_empty() { Ok(()) } else { Err(self.expected("an operator or the end")) }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &'static str) -> Result<(), Problem> {
        if self.eat(token) { Ok(()) } else { Err(self.expected(token)) }
    }

    /// The longest beginning of the rest whose characters all pass; perhaps nothing.
    fn take_while(&mut self, passes: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|char| !passes(char)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// The next operator, if it binds at least so strongly. Powers belong to [`Self::operand`].
    fn operator(&mut self, least: u8) -> Option<Operator> {
        self.skip_space();
        let (rest, operator) =
            Operator::SPELLINGS.into_iter().find_map(|(spelling, operator)| {
                let rest = self.rest.strip_prefix(spelling)?;
                let is_word = spelling.starts_with(|char: char| char.is_ascii_alphabetic());
                (!is_word || !rest.starts_with(is_name_char)).then_some((rest, operator))
            })?;
        if operator.rank() < least || operator == Operator::Power {
            return None;
        }
        self.rest = rest;
        Some(operator)
    }

    /// Operands joined by operators that bind at least so strongly, from left to right.
    fn binary(&mut self, least: u8) -> Result<(), Problem> {
        self.operand()?;
        while let Some(operator) = self.operator(least) {
            self.binary(operator.rank().saturating_add(1))?;
            self.steps.push(Step::Binary(operator));
        }
        Ok(())
    }

    /// A signed operand, or one with a power, whose exponent may have a sign and a power again.
    fn operand(&mut self) -> Result<(), Problem> {
        if self.depth >= NESTING_MAX {
            return Err(Problem::TooDeep);
        }
        self.depth = self.depth.saturating_add(1);
        if self.eat("-") {
            self.operand()?;
            self.steps.push(Step::Negate);
        } else {
            self.primary()?;
            if self.eat("^") {
                self.operand()?;
                self.steps.push(Step::Binary(Operator::Power));
            }
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    fn primary(&mut self) -> Result<(), Problem> {
        self.skip_space();
        match self.rest.chars().next() {
            Some('(') => {
                self.expect("(")?;
                self.binary(1)?;
                self.expect(")")
            }
            Some('[') => {
                self.expect("[")?;
                let elements = self.list("]")?;
                self.steps.push(Step::Array(elements));
                Ok(())
            }
            Some('0'..='9' | '.') => self.number(),
            Some('a'..='z') => {
                let id = self.take_while(is_name_char);
                self.steps.push(Step::Load(id.into()));
                Ok(())
            }
            Some('A'..='Z') => self.named(),
            _ => Err(self.expected("a value")),
        }
    }

    /// One value or more between commas, and what ends them. Gives how many.
    fn list(&mut self, end: &'static str) -> Result<usize, Problem> {
        let mut count = 0_usize;
        loop {
            self.binary(1)?;
            count = count.saturating_add(1);
            if self.eat(end) {
                return Ok(count);
            }
            if !self.eat(",") {
                return Err(self.expected("a comma or the end of the list"));
            }
        }
    }

    fn number(&mut self) -> Result<(), Problem> {
        let whole = self.rest;
        self.take_while(|char| char.is_ascii_digit() || char == '.');
        if let Some(exponent) = self.rest.strip_prefix(['e', 'E']) {
            self.rest = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            self.take_while(|char| char.is_ascii_digit());
        }
        let length = whole.len().saturating_sub(self.rest.len());
        let number = whole.get(..length).and_then(|digits| digits.parse().ok());
        let number = number.filter(|number: &f64| number.is_finite());
        let number = number.ok_or_else(|| self.expected_at(whole, "a number"))?;
        self.steps.push(Step::Number(number));
        Ok(())
    }

    /// A call, or a bare word.
    fn named(&mut self) -> Result<(), Problem> {
        let whole = self.rest;
        let name = self.take_while(is_name_char);
        if !self.eat("(") {
            let word = Word::named(name).ok_or_else(|| self.expected_at(whole, "a value"))?;
            self.steps.push(Step::Word(word));
            return Ok(());
        }
        if let Some(refused) = function::refused(name) {
            return Err(Problem::Unsupported(refused));
        }
        if name == "METRICS" {
            return self.metrics();
        }
        let function = Function::named(name).ok_or_else(|| Problem::NoSuchFunction(name.into()))?;
        let arguments = if self.eat(")") { 0 } else { self.list(")")? };
        if !function.takes(arguments) {
            return Err(Problem::Arguments { function: function.name(), given: arguments });
        }
        self.steps.push(Step::Call(function, arguments));
        Ok(())
    }

    /// What follows `METRICS(`: perhaps a text in single or double quotes.
    fn metrics(&mut self) -> Result<(), Problem> {
        let mut filter = "";
        for quote in ['"', '\''] {
            if self.rest.trim_ascii_start().starts_with(quote) {
                self.skip_space();
                let (text, rest) = self
                    .rest
                    .strip_prefix(quote)
                    .and_then(|rest| rest.split_once(quote))
                    .ok_or_else(|| self.expected("a text with its closing quote"))?;
                (filter, self.rest) = (text, rest);
                break;
            }
        }
        self.expect(")")?;
        self.steps.push(Step::Metrics(filter.into()));
        Ok(())
    }
}

fn is_name_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}
