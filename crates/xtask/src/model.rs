//! A service model as AWS publishes it, reduced to what types, validation and protocols need.
//!
//! The same types read AWS's file (whose `members` is an ordered object) and our trimmed one (whose `members` is
//! a list, because the order of members is part of the model). Fields not listed here, documentation first of
//! all, are dropped by not being listed. A model of our own has its documentation in `about`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;

/// A whole trimmed model: the content of `models/<service>.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// Where it comes from: package, version, service and API version.
    pub(crate) source: String,
    pub(crate) metadata: Metadata,
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) shapes: BTreeMap<String, Shape>,
    /// Operations that AWS has and we do not serve: name to `METHOD uri`.
    pub(crate) unserved: BTreeMap<String, String>,
}

/// What AWS's file holds, as far as we look at it.
#[derive(Debug, Deserialize)]
pub(crate) struct Published {
    pub(crate) metadata: Metadata,
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) shapes: BTreeMap<String, Shape>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) api_version: String,
    /// Present where the service's other protocols tell an error's code of awsQuery too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) aws_query_compatible: Option<Empty>,
    pub(crate) endpoint_prefix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) json_version: Option<String>,
    #[serde(default)]
    pub(crate) protocols: Vec<String>,
    pub(crate) service_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signing_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target_prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) xml_namespace: Option<String>,
}

/// A trait that says all by being there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Empty {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) http: Http,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<Reference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<Reference>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<Reference>,
    /// In which encodings the operation takes a compressed body.
    #[serde(default, rename = "requestcompression", skip_serializing_if = "Option::is_none")]
    pub(crate) compression: Option<Compression>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Compression {
    pub(crate) encodings: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Http {
    pub(crate) method: String,
    pub(crate) request_uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) response_code: Option<u16>,
}

/// A use of a shape, with the traits of the place where it is used.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Reference {
    /// The member's name; empty where the reference is not a member of a structure.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    pub(crate) shape: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result_wrapper: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp_format: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) flattened: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) eventpayload: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) streaming: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the traits of AWS's model")]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "members", skip_serializing_if = "Vec::is_empty")]
    pub(crate) members: Vec<Reference>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) required: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) member: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Reference>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) flattened: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pattern: Option<String>,
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub(crate) values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp_format: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) union: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) exception: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) fault: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ErrorTrait>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) event: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) eventstream: bool,
    /// An error of AWS's framework, that the model names for its clients' sake.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) synthetic: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ErrorTrait {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http_status_code: Option<u16>,
}

impl Shape {
    /// Every shape this one uses.
    pub(crate) fn references(&self) -> impl Iterator<Item = &Reference> {
        self.members.iter().chain(&self.member).chain(&self.key).chain(&self.value)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Members as an ordered object (AWS) or as a list (ours).
fn members<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Reference>, D::Error> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<Reference>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object or a list of members")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((name, member)) = map.next_entry::<String, Reference>()? {
                members.push(Reference { name, ..member });
            }
            Ok(members)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = list.next_element()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    deserializer.deserialize_any(Members)
}
