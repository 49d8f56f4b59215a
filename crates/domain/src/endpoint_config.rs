//! An endpoint config: the variants that an endpoint is to have. It never changes once made.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::members::Members;
use crate::name::{EndpointConfigName, ModelName, VariantName};
use crate::route::Strategy;
use crate::time::Timestamp;

/// What `ContainerStartupHealthCheckTimeoutInSeconds` is when a variant does not say
/// (`reference/sagemaker-hosting.md`, section 6: 8 minutes).
pub const STARTUP_TIMEOUT: Duration = Duration::from_mins(8);

/// What `ModelDataDownloadTimeoutInSeconds` is when a variant does not say; AWS's own default is not documented.
pub const DOWNLOAD_TIMEOUT: Duration = Duration::from_hours(1);

/// The members that list variants, and whether those are shadows.
const LISTS: [(&str, bool); 2] = [(PRODUCTION, false), (SHADOW, true)];
const PRODUCTION: &str = "ProductionVariants";
const SHADOW: &str = "ShadowProductionVariants";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointConfig {
    pub name: EndpointConfigName,
    pub created_at: Timestamp,
    /// `CreateEndpointConfig`'s members, but for the tags; defaults that AWS fills in are filled in.
    pub members: Members,
}

/// A variant as Tidegate runs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    pub name: VariantName,
    /// Whether it gets copies of the production variant's requests, and answers nobody.
    pub shadow: bool,
    pub model: ModelName,
    pub instance_type: String,
    pub initial_instance_count: u32,
    /// As sent, to the last digit: a 32-bit float in AWS's model.
    pub initial_weight: f64,
    pub strategy: Strategy,
    pub startup_timeout: Duration,
    pub download_timeout: Duration,
}

/// Why a `CreateEndpointConfig` request is refused although each member is well formed
/// (`reference/sagemaker-hosting.md`, section 1.0; the wording of most is not known).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("Could not find model \"{0}\".")]
    NoSuchModel(String),
    #[error("The variant name \"{0}\" was non-unique within the request.")]
    DuplicateVariant(String),
    #[error(
        "Specify exactly one of InstanceType, InstancePools and ServerlessConfig for the production variant \"{0}\"."
    )]
    NotOneKindOfCapacity(String),
    #[error("InitialInstanceCount is required for the instance-based production variant \"{0}\".")]
    NoInstanceCount(String),
    #[error(
        "InitialInstanceCount cannot be specified for the serverless production variant \"{0}\"."
    )]
    CountOfServerless(String),
    #[error(
        "ModelName is required for the production variant \"{0}\" unless ExecutionRoleArn is specified."
    )]
    NoModelName(String),
    #[error("InitialVariantWeight of the production variant \"{0}\" must be a finite number.")]
    WeightNotFinite(String),
    #[error(
        "If you specify ShadowProductionVariants, you can only specify one variant for ProductionVariants and one \
         variant for ShadowProductionVariants."
    )]
    ShadowNotOneOfEach,
    #[error("ManagedInstanceScaling is only supported for inference component endpoints.")]
    ManagedScalingOfModel,
}

impl EndpointConfig {
    /// Fills in what AWS fills in, so that Describe tells it: a weight of 1.0 for each variant that has none.
    pub fn fill_defaults(members: &mut Members) {
        for (list, _) in LISTS {
            let variants =
                members.0.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            for variant in variants.filter_map(Value::as_object_mut) {
                let weight = variant.entry("InitialVariantWeight").or_insert(Value::Null);
                if weight.is_null() {
                    *weight = Value::from(1.0);
                }
            }
        }
    }

    /// Checks what AWS checks of a config beyond the form of each member. `missing_model` answers with the ARN of a
    /// model that does not exist.
    pub fn check(
        members: &Members,
        missing_model: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Malformed> {
        let count = |list| variants(members, list).count();
        if count(SHADOW) > 0 && (count(PRODUCTION), count(SHADOW)) != (1, 1) {
            return Err(Malformed::ShadowNotOneOfEach);
        }
        let mut names = BTreeSet::new();
        for variant in Self::listed(members) {
            let name = text(variant, "VariantName").unwrap_or_default().to_owned();
            if !names.insert(name.clone()) {
                return Err(Malformed::DuplicateVariant(name));
            }
            check_variant(members, variant, &name, &missing_model)?;
        }
        Ok(())
    }

    /// The variants as a config lists them, the shadow after the production variants.
    pub fn listed(members: &Members) -> impl Iterator<Item = &Value> {
        LISTS.into_iter().flat_map(|(list, _)| variants(members, list))
    }

    /// The variants that Tidegate runs, in that order, or the members that ask for what it cannot do.
    pub fn variants(&self) -> Result<Vec<Variant>, Vec<String>> {
        let mut lacking = lacking_of_config(&self.members);
        let mut read = Vec::new();
        for (list, shadow) in LISTS {
            for (index, variant) in variants(&self.members, list).enumerate() {
                match read_variant(&format!("{list}[{index}]"), variant) {
                    Ok(variant) => read.push(Variant { shadow, ..variant }),
                    Err(more) => lacking.extend(more),
                }
            }
        }
        if lacking.is_empty() { Ok(read) } else { Err(lacking) }
    }

    /// Instance type by variant name, whether or not Tidegate could run the variant.
    pub fn instance_type(&self, variant: &VariantName) -> Option<&str> {
        let of_name = |one: &&Value| text(one, "VariantName") == Some(variant.as_str());
        Self::listed(&self.members).find(of_name).and_then(|one| text(one, "InstanceType"))
    }
}

fn variants<'a>(members: &'a Members, list: &str) -> impl Iterator<Item = &'a Value> {
    members.at(&[list]).and_then(Value::as_array).into_iter().flatten()
}

fn given(value: &Value, name: &str) -> bool {
    value.get(name).is_some_and(|member| !member.is_null())
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn check_variant(
    members: &Members,
    variant: &Value,
    name: &str,
    missing_model: impl Fn(&str) -> Option<String>,
) -> Result<(), Malformed> {
    let kinds = ["InstanceType", "InstancePools", "ServerlessConfig"];
    if kinds.into_iter().filter(|kind| given(variant, kind)).count() != 1 {
        return Err(Malformed::NotOneKindOfCapacity(name.to_owned()));
    }
    if given(variant, "ServerlessConfig") && given(variant, "InitialInstanceCount") {
        return Err(Malformed::CountOfServerless(name.to_owned()));
    }
    let model = text(variant, "ModelName");
    if model.is_some() && given(variant, "InstanceType") && !given(variant, "InitialInstanceCount")
    {
        return Err(Malformed::NoInstanceCount(name.to_owned()));
    }
    // The protocols can spell an infinity, as text, which no share of traffic can be reckoned from.
    let weight = variant.get("InitialVariantWeight").filter(|weight| !weight.is_null());
    if weight.is_some_and(|weight| !weight.is_number()) {
        return Err(Malformed::WeightNotFinite(name.to_owned()));
    }
    match model {
        None if members.at(&["ExecutionRoleArn"]).is_none() => {
            Err(Malformed::NoModelName(name.to_owned()))
        }
        Some(_) if given(variant, "ManagedInstanceScaling") => {
            Err(Malformed::ManagedScalingOfModel)
        }
        Some(model) => missing_model(model).map_or(Ok(()), |arn| Err(Malformed::NoSuchModel(arn))),
        None => Ok(()),
    }
}

fn lacking_of_config(members: &Members) -> Vec<String> {
    let mut lacking: Vec<String> =
        ["AsyncInferenceConfig", "ExplainerConfig", "CrossRegionTrafficConfig"]
            .into_iter()
            .filter(|name| members.at(&[name]).is_some())
            .map(str::to_owned)
            .collect();
    let captures = members.at(&["DataCaptureConfig"]).is_some();
    // AWS's default is to capture when the config is there at all.
    if captures && members.at(&["DataCaptureConfig", "EnableCapture"]) != Some(&Value::Bool(false))
    {
        lacking.push("DataCaptureConfig.EnableCapture".to_owned());
    }
    lacking
}

fn read_variant(path: &str, variant: &Value) -> Result<Variant, Vec<String>> {
    let mut lacking: Vec<String> = [
        "InstancePools",
        "ServerlessConfig",
        "ManagedInstanceScaling",
        "AcceleratorPartitionLayouts",
    ]
    .into_iter()
    .filter(|name| given(variant, name))
    .map(|name| format!("{path}.{name}"))
    .collect();
    let strategy =
        variant.get("RoutingConfig").and_then(|routing| text(routing, "RoutingStrategy"));
    let strategy = match strategy {
        None | Some("LEAST_OUTSTANDING_REQUESTS") => Strategy::LeastOutstanding,
        Some("RANDOM") => Strategy::Random,
        Some(other) => {
            lacking.push(format!("{path}.RoutingConfig.RoutingStrategy {other}"));
            Strategy::default()
        }
    };
    let seconds = |name: &str| variant.get(name).and_then(Value::as_u64).map(Duration::from_secs);
    let count = variant
        .get("InitialInstanceCount")
        .and_then(Value::as_u64)
        .and_then(|count| count.try_into().ok());
    let parsed = |name: &str| text(variant, name).map(str::to_owned);
    let name = parsed("VariantName").and_then(|name| name.parse().ok());
    let model = parsed("ModelName").and_then(|name| name.parse().ok());
    if model.is_none() {
        lacking.push(format!("{path} without ModelName (inference components)"));
    }
    match (name, model, parsed("InstanceType"), count) {
        (Some(name), Some(model), Some(instance_type), Some(initial_instance_count))
            if lacking.is_empty() =>
        {
            Ok(Variant {
                name,
                shadow: false,
                model,
                instance_type,
                initial_instance_count,
                initial_weight: variant
                    .get("InitialVariantWeight")
                    .and_then(Value::as_f64)
                    .unwrap_or(1.0),
                strategy,
                startup_timeout: seconds("ContainerStartupHealthCheckTimeoutInSeconds")
                    .unwrap_or(STARTUP_TIMEOUT),
                download_timeout: seconds("ModelDataDownloadTimeoutInSeconds")
                    .unwrap_or(DOWNLOAD_TIMEOUT),
            })
        }
        _ if lacking.is_empty() => {
            Err(vec![format!("{path} without InstanceType and InitialInstanceCount")])
        }
        _ => Err(lacking),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(value: Value) -> Members {
        serde_json::from_value(value).unwrap()
    }

    fn one(variant: impl Into<Value>) -> Members {
        let variant = variant.into();
        members(json!({"ProductionVariants": [variant]}))
    }

    fn mirrored(production: &[Value], shadow: &[Value]) -> Members {
        members(json!({"ProductionVariants": production, "ShadowProductionVariants": shadow}))
    }

    fn named(name: &str) -> Value {
        with("VariantName", json!(name))
    }

    fn plain() -> Value {
        json!({"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut variant = plain();
        variant[name] = value;
        variant
    }

    #[test]
    fn configs_are_checked_as_aws_checks_them() {
        let missing = |name: &str| (name == "gone").then(|| "arn:gone".to_owned());
        let a = || "a".to_owned();
        for (given, verdict) in [
            (one(plain()), Ok(())),
            (
                members(json!({"ProductionVariants": [plain(), plain()]})),
                Err(Malformed::DuplicateVariant(a())),
            ),
            (mirrored(&[plain()], &[named("b")]), Ok(())),
            (mirrored(&[plain()], &[plain()]), Err(Malformed::DuplicateVariant(a()))),
            (mirrored(&[plain(), named("b")], &[named("c")]), Err(Malformed::ShadowNotOneOfEach)),
            (mirrored(&[plain()], &[named("b"), named("c")]), Err(Malformed::ShadowNotOneOfEach)),
            (mirrored(&[], &[plain()]), Err(Malformed::ShadowNotOneOfEach)),
            (
                mirrored(&[named("b")], &[with("ModelName", json!("gone"))]),
                Err(Malformed::NoSuchModel("arn:gone".into())),
            ),
            (one(with("ModelName", json!("gone"))), Err(Malformed::NoSuchModel("arn:gone".into()))),
            (one(with("InstanceType", json!(null))), Err(Malformed::NotOneKindOfCapacity(a()))),
            (one(with("ServerlessConfig", json!({}))), Err(Malformed::NotOneKindOfCapacity(a()))),
            (one(with("InitialInstanceCount", json!(null))), Err(Malformed::NoInstanceCount(a()))),
            (one(with("ModelName", json!(null))), Err(Malformed::NoModelName(a()))),
            (one(with("ManagedInstanceScaling", json!({}))), Err(Malformed::ManagedScalingOfModel)),
            (
                one(with("InitialVariantWeight", json!("Infinity"))),
                Err(Malformed::WeightNotFinite(a())),
            ),
        ] {
            assert_eq!(EndpointConfig::check(&given, missing), verdict, "{given:?}");
        }
    }

    #[test]
    fn a_weight_is_kept_to_the_last_digit_and_defaults_to_one() {
        let mut given = members(
            json!({"ProductionVariants": [plain(), with("InitialVariantWeight", json!(0.1))]}),
        );
        EndpointConfig::fill_defaults(&mut given);
        let weights: Vec<String> = variants(&given, PRODUCTION)
            .map(|one| one["InitialVariantWeight"].to_string())
            .collect();
        assert_eq!(weights, ["1.0", "0.1"]);
    }

    fn config(members: Members) -> EndpointConfig {
        EndpointConfig { name: "c".parse().unwrap(), created_at: Timestamp::default(), members }
    }

    #[test]
    fn a_shadow_is_a_variant_like_others_but_for_what_it_gets() {
        let mut shadow = named("b");
        shadow["InstanceType"] = json!("ml.g5.xlarge");
        let mut given = mirrored(&[plain()], &[shadow]);
        EndpointConfig::fill_defaults(&mut given);
        let config = config(given);
        let read: Vec<_> = config
            .variants()
            .unwrap()
            .into_iter()
            .map(|one| {
                (one.name.to_string(), one.shadow, one.instance_type, one.initial_weight.to_bits())
            })
            .collect();
        let weight = 1.0_f64.to_bits();
        assert_eq!(
            read,
            [
                ("a".to_owned(), false, "ml.m5.large".to_owned(), weight),
                ("b".to_owned(), true, "ml.g5.xlarge".to_owned(), weight),
            ]
        );
        assert_eq!(config.instance_type(&"b".parse().unwrap()), Some("ml.g5.xlarge"));
    }

    #[test]
    fn what_cannot_be_done_is_named() {
        let lacking = |members| config(members).variants().err().unwrap_or_default();
        assert!(lacking(one(plain())).is_empty());
        for (name, value, named) in [
            ("ServerlessConfig", json!({}), "ProductionVariants[0].ServerlessConfig"),
            (
                "RoutingConfig",
                json!({"RoutingStrategy": "KV_AWARE"}),
                "ProductionVariants[0].RoutingConfig.RoutingStrategy KV_AWARE",
            ),
            (
                "ModelName",
                json!(null),
                "ProductionVariants[0] without ModelName (inference components)",
            ),
        ] {
            assert_eq!(lacking(one(with(name, value))).first().map(String::as_str), Some(named));
        }
        let capture = members(
            json!({"ProductionVariants": [plain()], "DataCaptureConfig": {"EnableCapture": true}}),
        );
        assert_eq!(lacking(capture), ["DataCaptureConfig.EnableCapture"]);
        let mut serverless = named("b");
        serverless["ServerlessConfig"] = json!({});
        let serverless = mirrored(&[plain()], &[serverless]);
        assert_eq!(lacking(serverless), ["ShadowProductionVariants[0].ServerlessConfig"]);
    }
}
