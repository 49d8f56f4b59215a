//! Which Rust type stands for which shape.

use std::collections::BTreeSet;

use crate::codegen::names;
use crate::failure::{Failure, Outcome};
use crate::model::{Model, Shape};

/// Enums with more values than this stay strings: a list that grows every month is data, not a type.
const ENUM_VALUES_MAX: usize = 60;

/// A model with the questions codegen asks of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Types<'a>(pub(crate) &'a Model);

impl<'a> Types<'a> {
    pub(crate) fn shape(self, name: &str) -> Outcome<&'a Shape> {
        self.0
            .shapes
            .get(name)
            .ok_or_else(|| Failure::new(format!("the model has no shape {name}")))
    }

    pub(crate) fn is_enum(shape: &Shape) -> bool {
        shape.kind == "string" && (1..=ENUM_VALUES_MAX).contains(&shape.values.len())
    }

    pub(crate) fn rust(self, name: &str) -> Outcome<String> {
        let shape = self.shape(name)?;
        let inner = |reference: &Option<crate::model::Reference>| -> Outcome<String> {
            let reference = reference
                .as_ref()
                .ok_or_else(|| Failure::new(format!("{name} lacks its element")))?;
            self.rust(&reference.shape)
        };
        Ok(match shape.kind.as_str() {
            "structure" => names::type_name(name),
            "string" if Self::is_enum(shape) => names::type_name(name),
            "string" => "String".to_owned(),
            "integer" => "i32".to_owned(),
            "long" => "i64".to_owned(),
            "float" | "double" => "f64".to_owned(),
            "boolean" => "bool".to_owned(),
            "timestamp" => "Timestamp".to_owned(),
            "blob" => "Bytes".to_owned(),
            "list" => format!("Vec<{}>", inner(&shape.member)?),
            "map" => format!("BTreeMap<String, {}>", inner(&shape.value)?),
            kind => return Err(Failure::new(format!("{name}: codegen has no type for {kind}"))),
        })
    }

    /// Whether the Rust type has a default: an enum has none, nor has what must contain one.
    pub(crate) fn has_default(self, name: &str) -> Outcome<bool> {
        let shape = self.shape(name)?;
        if shape.kind != "structure" {
            return Ok(!Self::is_enum(shape));
        }
        for member in shape.members.iter().filter(|member| shape.required.contains(&member.name)) {
            if !self.has_default(&member.shape)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a member of `owner` that holds `target` must be boxed, because `target` holds `owner` in turn.
    pub(crate) fn is_recursive(self, owner: &str, target: &str) -> Outcome<bool> {
        let mut seen = BTreeSet::new();
        let mut open = vec![target.to_owned()];
        while let Some(name) = open.pop() {
            let shape = self.shape(&name)?;
            if shape.kind != "structure" || !seen.insert(name.clone()) {
                continue;
            }
            if name == owner {
                return Ok(true);
            }
            open.extend(shape.members.iter().map(|member| member.shape.clone()));
        }
        Ok(false)
    }
}
