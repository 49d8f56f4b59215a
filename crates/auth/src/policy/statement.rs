//! A statement, compiled: what it says of an action on a resource.

use std::ops::Range;

use super::action::{Action, ActionPattern, Reach};
use super::arn::{Arn, ResourcePattern};
use super::condition::Condition;
use super::context::Facts;
use super::element::Elements;
use super::malformed::Malformed;
use super::pattern::Pattern;
use super::principal::Trusted;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// A list in its plain form or that of `NotAction` and `NotResource`.
#[derive(Debug)]
pub(super) struct Listed<T> {
    excluded: bool,
    list: Box<[T]>,
}

#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sid: Option<Box<str>>,
    pub(super) effect: Effect,
    actions: Listed<ActionPattern>,
    /// `None` in trust policies, which are about the role that they belong to.
    resources: Option<Listed<ResourcePattern>>,
    /// Empty but in trust policies.
    pub(super) principals: Box<[Trusted]>,
    conditions: Box<[Condition]>,
    /// Byte offsets in the document.
    pub(super) span: Range<usize>,
}

impl Statement {
    /// `elements` have been checked; `conditions` and `principals` were compiled from them before.
    pub(super) fn compile(
        elements: Elements,
        conditions: Vec<Condition>,
        principals: Box<[Trusted]>,
        variables: bool,
    ) -> Result<Self, Malformed> {
        let actions = elements.actions().iter().map(|action| ActionPattern::compile(action));
        let resources = elements.resources().iter();
        let resources = resources.map(|resource| ResourcePattern::compile(resource, variables));
        let has_resources = elements.resource.is_some() || elements.not_resource.is_some();
        Ok(Self {
            effect: match elements.effect.as_deref() {
                Some("Allow") => Effect::Allow,
                _ => Effect::Deny,
            },
            actions: Listed {
                excluded: elements.not_action.is_some(),
                list: actions.collect::<Result<_, _>>()?,
            },
            resources: has_resources
                .then(|| {
                    let list = resources.collect::<Result<_, _>>()?;
                    Ok(Listed { excluded: elements.not_resource.is_some(), list })
                })
                .transpose()?,
            principals,
            conditions: conditions.into(),
            sid: elements.sid.map(Into::into),
            span: elements.span,
        })
    }

    pub(super) fn reach(&self) -> Reach {
        if self.actions.excluded {
            return Reach::EVERYTHING;
        }
        self.actions.list.iter().map(ActionPattern::reach).fold(Reach::default(), Reach::and)
    }

    /// Whether it speaks of this action on this resource under these conditions. Principals are looked at elsewhere.
    pub(super) fn applies(
        &self,
        action: &Action<'_>,
        resource: &Arn<'_>,
        facts: &Facts<'_>,
    ) -> bool {
        let listed = self.actions.list.iter().any(|pattern| pattern.matches(action));
        listed != self.actions.excluded
            && self.covers(resource, facts)
            && self.conditions.iter().all(|condition| condition.holds(self.effect, facts))
    }

    /// An exclusion that cannot be read, because a variable has no value, excludes everything from what is allowed and
    /// nothing from what is denied.
    fn covers(&self, resource: &Arn<'_>, facts: &Facts<'_>) -> bool {
        let Some(resources) = &self.resources else { return true };
        let mut patterns = resources.list.iter().flat_map(ResourcePattern::patterns);
        if resources.excluded
            && self.effect == Effect::Allow
            && patterns.any(|pattern| pattern.unresolved(facts))
        {
            return false;
        }
        let listed = resources.list.iter().any(|pattern| pattern.matches(resource, facts));
        listed != resources.excluded
    }

    /// The condition keys that it asks for, in conditions and variables, as they are written.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let resources = self.resources.iter().flat_map(|resources| &resources.list);
        let variables =
            resources.flat_map(ResourcePattern::patterns).flat_map(Pattern::variable_names);
        self.conditions.iter().flat_map(Condition::keys).chain(variables)
    }
}
