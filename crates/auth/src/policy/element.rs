//! The elements of a statement as they are written: which there may be and of what JSON type.

use std::ops::Range;

use super::condition;
use super::json::Node;

/// A JSON type or a name that the grammar does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadSyntax;

/// One operator with one key and its values.
#[derive(Debug)]
pub(super) struct RawCondition {
    pub(super) operator: condition::Operator,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

/// A statement whose elements have the right types.
#[derive(Debug, Default)]
pub(super) struct Elements {
    pub(super) sid: Option<String>,
    pub(super) effect: Option<String>,
    pub(super) action: Option<Vec<String>>,
    pub(super) not_action: Option<Vec<String>>,
    pub(super) resource: Option<Vec<String>>,
    pub(super) not_resource: Option<Vec<String>>,
    pub(super) principal: Option<Node>,
    pub(super) not_principal: bool,
    pub(super) conditions: Vec<RawCondition>,
    /// Byte offsets in the document.
    pub(super) span: Range<usize>,
}

impl Elements {
    pub(super) fn read(node: Node, span: Range<usize>) -> Result<Self, BadSyntax> {
        let Node::Object(members) = node else { return Err(BadSyntax) };
        let mut elements = Self { span, ..Self::default() };
        for (name, value) in members {
            match &*name {
                "Sid" => elements.sid = Some(text(value)?),
                "Effect" => elements.effect = Some(text(value)?),
                "Action" => elements.action = Some(texts(value)?),
                "NotAction" => elements.not_action = Some(texts(value)?),
                "Resource" => elements.resource = Some(texts(value)?),
                "NotResource" => elements.not_resource = Some(texts(value)?),
                "Principal" => elements.principal = Some(value),
                "NotPrincipal" => elements.not_principal = true,
                "Condition" => elements.conditions = conditions(value)?,
                _ => return Err(BadSyntax),
            }
        }
        let both = |one: &Option<_>, other: &Option<_>| one.is_some() && other.is_some();
        if both(&elements.action, &elements.not_action)
            || both(&elements.resource, &elements.not_resource)
        {
            return Err(BadSyntax);
        }
        Ok(elements)
    }

    pub(super) fn actions(&self) -> &[String] {
        self.action.as_ref().or(self.not_action.as_ref()).map_or(&[], |list| list)
    }

    pub(super) fn resources(&self) -> &[String] {
        self.resource.as_ref().or(self.not_resource.as_ref()).map_or(&[], |list| list)
    }
}

pub(super) fn text(node: Node) -> Result<String, BadSyntax> {
    match node {
        Node::Text(text) => Ok(text),
        Node::Null | Node::Bare(_) | Node::List(_) | Node::Object(_) => Err(BadSyntax),
    }
}

/// One text, or a list of them.
pub(super) fn texts(node: Node) -> Result<Vec<String>, BadSyntax> {
    match node {
        Node::List(items) => items.into_iter().map(text).collect(),
        node => text(node).map(|text| vec![text]),
    }
}

/// An operator that does not exist is forgiven as long as it says nothing (moto's recorded cases).
fn conditions(node: Node) -> Result<Vec<RawCondition>, BadSyntax> {
    let Node::Object(operators) = node else { return Err(BadSyntax) };
    let mut conditions = Vec::new();
    for (name, keys) in operators {
        let Node::Object(keys) = keys else { return Err(BadSyntax) };
        for (key, values) in keys {
            let operator = condition::Operator::parse(&name).ok_or(BadSyntax)?;
            let values = match values {
                Node::List(items) => items.into_iter().map(scalar).collect::<Result<_, _>>()?,
                value => vec![scalar(value)?],
            };
            conditions.push(RawCondition { operator, key, values });
        }
    }
    Ok(conditions)
}

fn scalar(node: Node) -> Result<String, BadSyntax> {
    match node {
        Node::Text(text) | Node::Bare(text) => Ok(text),
        Node::Null | Node::List(_) | Node::Object(_) => Err(BadSyntax),
    }
}
