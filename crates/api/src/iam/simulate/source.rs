//! A policy of a simulation, and how its statements are told.

use std::sync::Arc;

use auth::policy::{Document, Position};
use wire::iam::{PolicySourceType, Statement};

use super::super::Refusal;
use super::parse;

/// A policy and where it comes from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) id: String,
    pub(super) kind: PolicySourceType,
    pub(super) document: Arc<Document>,
}

impl Source {
    /// Policies given as texts: `PolicyInputList.1` is the first.
    pub(super) fn given(list: &str, texts: Vec<String>) -> Result<Vec<Self>, Refusal> {
        let numbered = (1_usize..).zip(texts);
        let sources = numbered.map(|(number, text)| {
            let id = format!("{list}.{number}");
            Ok(Self { id, kind: PolicySourceType::None, document: parse(&text)? })
        });
        sources.collect()
    }

    /// A statement by its place, counted from 0.
    pub(super) fn statement(&self, place: usize) -> Statement {
        let (start, end) = self.document.positions(place).unzip();
        Statement {
            source_policy_id: Some(self.id.clone()),
            source_policy_type: Some(self.kind),
            start_position: start.map(shown),
            end_position: end.map(shown),
        }
    }
}

fn shown(position: Position) -> wire::iam::Position {
    // Both are bounded by a document's length.
    let number = |number: usize| i32::try_from(number).ok();
    wire::iam::Position { line: number(position.line), column: number(position.column) }
}
