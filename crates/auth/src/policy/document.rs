//! A policy document: its text as it was given, and the compiled form.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::action::{Action, Reach};
use super::check;
use super::condition::Condition;
use super::element::{BadSyntax, Elements};
use super::json::{Members, Node, span};
use super::malformed::Malformed;
use super::principal::{self, Trusted};
use super::statement::{Effect, Statement};

/// Longest text that is looked at, in bytes: the limit of `policyDocumentType` in IAM's model. The quotas of `size`, which
/// leave white space out, are far below it.
const TEXT_MAX: usize = 131_072;

/// What a document is for; decides what it must contain and how its faults are worded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A version of a managed policy, whether it is attached or set as a permissions boundary. Version 2012-10-17 only.
    Managed,
    /// A policy embedded in a user, group or role.
    Inline,
    /// A policy passed when a session begins.
    Session,
    /// A role's trust policy.
    Trust,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V2008,
    V2012,
}

/// A place in a document, as `SimulatePrincipalPolicy` counts: from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    /// In characters.
    pub column: usize,
}

/// A policy that can be evaluated.
#[derive(Debug)]
pub struct Document {
    text: Arc<str>,
    reach: Reach,
    /// Beside the statements, since most evaluations look at nothing else of them.
    reaches: Box<[Reach]>,
    statements: Box<[Statement]>,
}

impl Document {
    /// Reads a document. The text is kept as it is, to be given back. Quotas of length are the caller's to check:
    /// [`super::counted_characters`].
    pub fn parse(text: &str, kind: Kind) -> Result<Self, Malformed> {
        if text.starts_with(char::is_whitespace) {
            return Err(Malformed::LeadingSpace);
        }
        let (version, mut statements) = elements(text, kind)?;
        let variables = version == Some(Version::V2012);
        if kind == Kind::Trust {
            check::check_effects(&statements)?;
        } else {
            check::check_elements(&statements)?;
            check::check_version(kind, version)?;
            check::check_effects_case(&statements)?;
        }
        let conditions = statements
            .iter()
            .map(|statement| Condition::compile_all(&statement.conditions, variables))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|fault| if kind == Kind::Trust { Malformed::TrustSyntax } else { fault })?;
        if kind == Kind::Trust {
            check::check_trust(&statements)?;
        } else {
            check::check_identity(&statements)?;
        }
        let principals = statements
            .iter_mut()
            .map(|statement| {
                statement.principal.take().map_or_else(|| Ok(Box::default()), principal::parse)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let statements = statements.into_iter().zip(conditions).zip(principals);
        let statements: Box<[_]> = statements
            .map(|((elements, conditions), principals)| {
                Statement::compile(elements, conditions, principals, variables)
            })
            .collect::<Result<_, _>>()?;
        let reaches: Box<[_]> = statements.iter().map(Statement::reach).collect();
        let reach = reaches.iter().copied().fold(Reach::default(), Reach::and);
        Ok(Self { text: text.into(), reach, reaches, statements })
    }

    /// The text, to the byte.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// How many statements it has.
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// Never true: a document without statements is malformed.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// The `Sid` of a statement, counted from 0.
    pub fn sid(&self, statement: usize) -> Option<&str> {
        self.statements.get(statement)?.sid.as_deref()
    }

    pub fn effect(&self, statement: usize) -> Option<Effect> {
        self.statements.get(statement).map(|statement| statement.effect)
    }

    /// Where a statement, counted from 0, begins, and where the text goes on after it.
    pub fn positions(&self, statement: usize) -> Option<(Position, Position)> {
        let span = &self.statements.get(statement)?.span;
        Some((self.position(span.start), self.position(span.end)))
    }

    fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let last_line = before.rsplit('\n').next().unwrap_or(before);
        Position {
            line: before.split('\n').count(),
            column: last_line.chars().count().saturating_add(1),
        }
    }

    /// The condition keys that it asks for, in conditions and variables, as they are written
    /// (`GetContextKeysForCustomPolicy`; what a simulation was not told).
    pub fn context_keys(&self) -> BTreeSet<&str> {
        self.statements.iter().flat_map(Statement::keys).collect()
    }

    /// Whom a trust policy names in any statement: IAM stores none that names a user or role that does not exist.
    pub fn principals(&self) -> impl Iterator<Item = &Trusted> {
        self.statements.iter().flat_map(|statement| &statement.principals)
    }

    /// The statements that could speak of the action, with their places.
    pub(super) fn candidates<'a>(
        &'a self,
        action: &'a Action<'_>,
    ) -> impl Iterator<Item = (usize, &'a Statement)> {
        let reaches: &[Reach] = if self.reach.may_match(action) { &self.reaches } else { &[] };
        let places = reaches.iter().zip(&self.statements).enumerate();
        places
            .filter(|(_, (reach, _))| reach.may_match(action))
            .map(|(place, (_, statement))| (place, statement))
    }
}

/// The statements' elements; everything that is wrong with JSON types and names is found here.
fn elements(text: &str, kind: Kind) -> Result<(Option<Version>, Vec<Elements>), Malformed> {
    let is_trust = kind == Kind::Trust;
    let json = if is_trust { Malformed::TrustJson } else { Malformed::Syntax };
    let syntax = if is_trust { Malformed::TrustSyntax } else { Malformed::Syntax };
    let wrong_version = if is_trust { Malformed::TrustVersion } else { Malformed::Syntax };
    let empty = if is_trust { Malformed::TrustEmpty } else { Malformed::Syntax };
    if text.len() > TEXT_MAX {
        return Err(json);
    }
    let Members(members) = serde_json::from_str(text).map_err(|_| json)?;
    let (mut version, mut statements) = (None, Vec::new());
    for (name, raw) in members {
        let value = raw.get();
        match &*name {
            "Version" => version = Some(read_version(value).ok_or_else(|| wrong_version.clone())?),
            "Id" => drop(serde_json::from_str::<String>(value).map_err(|_| syntax.clone())?),
            "Statement" => {
                let whole = [raw];
                let list = if value.starts_with('[') {
                    serde_json::from_str(value).map_err(|_| syntax.clone())?
                } else {
                    whole.to_vec()
                };
                for raw in list {
                    let read = read_statement(text, raw).map_err(|BadSyntax| syntax.clone())?;
                    statements.push(read);
                }
            }
            _ => return Err(syntax),
        }
    }
    if statements.is_empty() { Err(empty) } else { Ok((version, statements)) }
}

fn read_version(value: &str) -> Option<Version> {
    match &*serde_json::from_str::<String>(value).ok()? {
        "2008-10-17" => Some(Version::V2008),
        "2012-10-17" => Some(Version::V2012),
        _ => None,
    }
}

fn read_statement(text: &str, raw: &serde_json::value::RawValue) -> Result<Elements, BadSyntax> {
    let node: Node = serde_json::from_str(raw.get()).map_err(|_| BadSyntax)?;
    Elements::read(node, span(text, raw.get()))
}
