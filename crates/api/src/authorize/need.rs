//! What a caller must be allowed before an operation runs: an action on a resource, and what is known of both.

use std::borrow::Cow;

use auth::policy::{Action, Values};
use wire::Document;

/// One thing that must be allowed. An operation runs when all of its needs are met.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    pub(super) action: Action<'static>,
    /// The ARN that policies are matched against; `*` where the operation has no resource.
    pub(super) resource: String,
    /// What a refusal names in place of the resource.
    pub(super) shown: Option<String>,
    /// Condition keys of this need alone, in lower case, with their values.
    keys: Vec<(Cow<'static, str>, Vec<String>)>,
}

impl Need {
    pub(crate) fn on(service: &'static str, name: &'static str, resource: String) -> Self {
        Self { action: Action::new(service, name), resource, shown: None, keys: Vec::new() }
    }

    /// An action without a resource.
    pub(super) fn any(service: &'static str, name: &'static str) -> Self {
        Self::on(service, name, "*".to_owned())
    }

    #[must_use]
    pub(super) fn shown_as(self, shown: String) -> Self {
        Self { shown: Some(shown), ..self }
    }

    /// A condition key, its name in lower case, with its values; none of them is the same as no key.
    #[must_use]
    pub(crate) fn with(
        mut self,
        key: impl Into<Cow<'static, str>>,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        let values: Vec<String> = values.into_iter().collect();
        if !values.is_empty() {
            self.keys.push((key.into(), values));
        }
        self
    }

    /// A key that is a member of the input, if it was sent.
    #[must_use]
    pub(super) fn with_member(self, key: &'static str, member: Option<&Document>) -> Self {
        self.with(key, member.and_then(Document::as_str).map(str::to_owned))
    }

    /// `aws:RequestTag/…` and `aws:TagKeys` of the tags that a request gives.
    #[must_use]
    pub(crate) fn with_tags(self, tags: &[(String, String)]) -> Self {
        let keys = tags.iter().map(|(key, _)| key.clone());
        let with_keys = self.with(TAG_KEYS, keys);
        tags.iter().fold(with_keys, |need, (key, value)| {
            need.with(format!("aws:requesttag/{}", key.to_lowercase()), [value.clone()])
        })
    }

    /// `aws:TagKeys` of the tags that a request takes away.
    #[must_use]
    pub(super) fn with_tag_keys(self, keys: Vec<String>) -> Self {
        self.with(TAG_KEYS, keys)
    }

    pub(super) fn key(&self, key: &str) -> Option<Values<'_>> {
        let (name, values) = self.keys.iter().find(|(name, _)| *name == key)?;
        let several = MULTI_VALUED.contains(&&**name);
        match values.as_slice() {
            [only] if !several => Some(Values::from(only.as_str())),
            _ => Some(Values::Many(values.iter().map(|value| value.as_str().into()).collect())),
        }
    }

    pub(super) fn resource_shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.resource)
    }
}

const TAG_KEYS: &str = "aws:tagkeys";

/// Keys that may have several values (`reference/autoscaling-and-cloudwatch.md`, section 8.1).
const MULTI_VALUED: [&str; 5] = [
    TAG_KEYS,
    "cloudwatch:alarmactions",
    "sagemaker:instancetypes",
    "sagemaker:modelarn",
    "sts:transitivetagkeys",
];

/// Tags as an input has them: a list of `Key` and `Value`, or a map.
pub(super) fn tags(input: &Document, member: &str) -> Vec<(String, String)> {
    let text = |value: Option<&Document>| value.and_then(Document::as_str).map(str::to_owned);
    match input.get(member) {
        Some(Document::List(tags)) => tags
            .iter()
            .filter_map(|tag| Some((text(tag.get("Key"))?, text(tag.get("Value"))?)))
            .collect(),
        Some(Document::Map(tags)) => {
            tags.iter().filter_map(|(key, value)| Some((key.clone(), text(Some(value))?))).collect()
        }
        _ => Vec::new(),
    }
}

/// The texts of a list.
pub(super) fn texts(input: &Document, member: &str) -> Vec<String> {
    let list = input.get(member).and_then(Document::as_list).unwrap_or_default();
    list.iter().filter_map(Document::as_str).map(str::to_owned).collect()
}

/// A text; empty where it is not given, which the model's constraints have refused where it matters.
pub(super) fn text<'a>(input: &'a Document, member: &str) -> &'a str {
    input.get(member).and_then(Document::as_str).unwrap_or_default()
}
