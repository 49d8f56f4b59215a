//! A model: the image to run, its environment, and where its artefacts lie.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::members::Members;
use crate::name::ModelName;
use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub name: ModelName,
    pub created_at: Timestamp,
    /// `CreateModel`'s members, but for the tags.
    pub members: Members,
}

/// The one container that an instance of a model runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub image: String,
    /// An archive (`model.tar.gz`); a model may have none.
    pub model_data_url: Option<String>,
    pub environment: BTreeMap<String, String>,
}

/// Why a `CreateModel` request is refused although each member is well formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("Specify one of either PrimaryContainer or Containers.")]
    BothContainers,
    #[error("Specify one of either PrimaryContainer or Containers in the model.")]
    NoContainer,
    /// `reference/sagemaker-hosting.md`, section 1.1.
    #[error(
        "Specify one of either Image and Model Data URL or ModelPackageName in container definition."
    )]
    NoImage,
}

impl Model {
    /// Checks what AWS checks of a model beyond the form of each member.
    pub fn check(members: &Members) -> Result<(), Malformed> {
        let several =
            members.at(&["Containers"]).and_then(Value::as_array).filter(|list| !list.is_empty());
        let containers: Vec<&Value> = match (members.at(&["PrimaryContainer"]), several) {
            (Some(_), Some(_)) => return Err(Malformed::BothContainers),
            (Some(one), None) => vec![one],
            (None, Some(list)) => list.iter().collect(),
            (None, None) => return Err(Malformed::NoContainer),
        };
        let has = |container: &Value, name: &str| {
            container.get(name).is_some_and(|value| !value.is_null())
        };
        let complete =
            |container: &&Value| has(container, "Image") != has(container, "ModelPackageName");
        if containers.iter().all(complete) { Ok(()) } else { Err(Malformed::NoImage) }
    }

    /// The container that Tidegate runs, or the members that ask for what it cannot do.
    pub fn container(&self) -> Result<Container, Vec<String>> {
        let lacking = self.lacking();
        if !lacking.is_empty() {
            return Err(lacking);
        }
        let containers = containers(&self.members);
        let Some((_, container)) = containers.first() else {
            return Err(vec!["PrimaryContainer".into()]);
        };
        let text = |path: &[&str]| -> Option<String> {
            let found = path.iter().try_fold(*container, |value, name| value.get(name))?;
            found.as_str().map(str::to_owned)
        };
        let environment =
            container.get("Environment").and_then(Value::as_object).into_iter().flatten();
        Ok(Container {
            image: text(&["Image"]).unwrap_or_default(),
            model_data_url: text(&["ModelDataUrl"])
                .or_else(|| text(&["ModelDataSource", "S3DataSource", "S3Uri"])),
            environment: environment
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
        })
    }

    /// Members that need behaviour which Tidegate lacks, by their paths.
    fn lacking(&self) -> Vec<String> {
        let containers = containers(&self.members);
        let mut lacking = Vec::new();
        if containers.len() > 1 {
            lacking.push("Containers (more than one)".to_owned());
        }
        if self.members.text(&["InferenceExecutionConfig", "Mode"]) == Some("Direct") {
            lacking.push("InferenceExecutionConfig.Mode Direct".to_owned());
        }
        for (path, container) in containers {
            lacking.extend(lacking_of_container(&path, container));
        }
        lacking
    }
}

fn containers(members: &Members) -> Vec<(String, &Value)> {
    let primary = members.at(&["PrimaryContainer"]).map(|one| ("PrimaryContainer".to_owned(), one));
    let several = members.at(&["Containers"]).and_then(Value::as_array).into_iter().flatten();
    let several = several.enumerate().map(|(index, one)| (format!("Containers[{index}]"), one));
    primary.into_iter().chain(several).collect()
}

fn lacking_of_container(path: &str, container: &Value) -> Vec<String> {
    let given = |name: &str| {
        container.get(name).is_some_and(|value| !value.is_null() && value != &Value::Array(vec![]))
    };
    let mut lacking: Vec<String> =
        ["ModelPackageName", "InferenceSpecificationName", "AdditionalModelDataSources"]
            .into_iter()
            .filter(|name| given(name))
            .map(|name| format!("{path}.{name}"))
            .collect();
    if container.get("Mode").and_then(Value::as_str) == Some("MultiModel") {
        lacking.push(format!("{path}.Mode MultiModel"));
    }
    if let Some(source) =
        container.get("ModelDataSource").and_then(|source| source.get("S3DataSource"))
    {
        let of = |name: &str| source.get(name).and_then(Value::as_str);
        if (of("S3DataType"), of("CompressionType")) != (Some("S3Object"), Some("Gzip")) {
            lacking.push(format!("{path}.ModelDataSource (other than an S3Object with Gzip)"));
        }
    }
    lacking
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(value: Value) -> Members {
        serde_json::from_value(value).unwrap()
    }

    fn model(value: Value) -> Model {
        Model {
            name: "m".parse().unwrap(),
            created_at: Timestamp::default(),
            members: members(value),
        }
    }

    #[test]
    fn exactly_one_kind_of_container_is_asked_for() {
        for (given, verdict) in [
            (json!({"PrimaryContainer": {"Image": "a"}}), Ok(())),
            (json!({"Containers": [{"Image": "a"}]}), Ok(())),
            (json!({"PrimaryContainer": {"ModelPackageName": "p"}}), Ok(())),
            (json!({}), Err(Malformed::NoContainer)),
            (json!({"Containers": []}), Err(Malformed::NoContainer)),
            (
                json!({"PrimaryContainer": {"Image": "a"}, "Containers": [{"Image": "a"}]}),
                Err(Malformed::BothContainers),
            ),
            (json!({"PrimaryContainer": {"Environment": {}}}), Err(Malformed::NoImage)),
            (
                json!({"PrimaryContainer": {"Image": "a", "ModelPackageName": "p"}}),
                Err(Malformed::NoImage),
            ),
        ] {
            assert_eq!(Model::check(&members(given.clone())), verdict, "{given}");
        }
    }

    #[test]
    fn a_container_is_read_from_either_member() {
        let container = json!({"Image": "tidegate/echo", "ModelDataUrl": "s3://b/k", "Environment": {"A": "1"}});
        for given in [json!({"PrimaryContainer": container}), json!({"Containers": [container]})] {
            let read = model(given).container().unwrap();
            assert_eq!(read.image, "tidegate/echo");
            assert_eq!(read.model_data_url.as_deref(), Some("s3://b/k"));
            assert_eq!(read.environment.get("A").map(String::as_str), Some("1"));
        }
    }

    #[test]
    fn what_cannot_be_done_is_named() {
        let s3 = |kind, packed| json!({"S3DataSource": {"S3Uri": "s3://b/k", "S3DataType": kind, "CompressionType": packed}});
        for (given, named) in [
            (
                json!({"Containers": [{"Image": "a"}, {"Image": "b"}]}),
                Some("Containers (more than one)"),
            ),
            (
                json!({"PrimaryContainer": {"Image": "a", "Mode": "MultiModel"}}),
                Some("PrimaryContainer.Mode MultiModel"),
            ),
            (json!({"PrimaryContainer": {"Image": "a", "Mode": "SingleModel"}}), None),
            (
                json!({"PrimaryContainer": {"ModelPackageName": "p"}}),
                Some("PrimaryContainer.ModelPackageName"),
            ),
            (
                json!({"PrimaryContainer": {"Image": "a", "ModelDataSource": s3("S3Object", "Gzip")}}),
                None,
            ),
            (
                json!({"PrimaryContainer": {"Image": "a", "ModelDataSource": s3("S3Prefix", "None")}}),
                Some("PrimaryContainer.ModelDataSource (other than an S3Object with Gzip)"),
            ),
        ] {
            let lacking = model(given.clone()).container().err().unwrap_or_default();
            assert_eq!(lacking.first().map(String::as_str), named, "{given}");
        }
    }
}
