//! The rule of promises S1, S2 and S3: which registered variants an update may not touch. `UpdateEndpoint` and every
//! plan go by this one function.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::facts::Config;
use crate::name::VariantName;

/// A registered variant that must be deregistered before the update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    pub variant: VariantName,
    pub why: Why,
}

/// What the update would do to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// Promise S1. `None` where a variant has no instance type.
    TypeChanges { from: Option<String>, to: Option<String> },
    /// Promise S2.
    Removed,
}

/// Of the registered variants, those that are in the config in use and that the wanted config lacks or gives another
/// instance type; in order of their names, each once. No instance type (serverless) is a type like any other here: a
/// variant that changes to it or from it is bound.
pub fn bound<'a>(
    registered: impl IntoIterator<Item = &'a VariantName>,
    in_use: &Config,
    wanted: &Config,
) -> Vec<Bound> {
    let of = |variant: &VariantName| {
        let before = in_use.variant(variant)?;
        let why = match wanted.variant(variant) {
            None => Why::Removed,
            Some(after) if after.instance_type == before.instance_type => return None,
            Some(after) => Why::TypeChanges {
                from: before.instance_type.clone(),
                to: after.instance_type.clone(),
            },
        };
        Some(Bound { variant: variant.clone(), why })
    };
    let registered: BTreeSet<&VariantName> = registered.into_iter().collect();
    registered.into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(variants: &Value) -> Config {
        let members = serde_json::from_value(json!({"ProductionVariants": variants})).unwrap();
        Config::read("c".parse().unwrap(), &members)
    }

    fn large() -> Value {
        json!({"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1})
    }

    fn serverless() -> Value {
        json!({"VariantName": "a", "ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}})
    }

    fn pools(types: &[&str]) -> Value {
        let pool = |(priority, kind): (usize, &&str)| json!({"InstanceType": kind, "Priority": priority + 1});
        let pools: Vec<Value> = types.iter().enumerate().map(pool).collect();
        json!({"VariantName": "a", "ModelName": "m", "InstancePools": pools, "InitialInstanceCount": 1})
    }

    /// The seed's note, and `reference/sagemaker-hosting.md`, sections 1.0 (kinds of variants) and 3.3.
    #[test]
    fn a_variant_is_bound_by_its_kind_of_instances() {
        let other = |name: &str, value: Value| {
            let mut variant = large();
            variant[name] = value;
            variant
        };
        let table = [
            (large(), large(), false),
            (large(), other("ModelName", json!("n")), false),
            (large(), other("InitialInstanceCount", json!(9)), false),
            (large(), other("InitialVariantWeight", json!(0.5)), false),
            (large(), other("RoutingConfig", json!({"RoutingStrategy": "RANDOM"})), false),
            (large(), other("InstanceType", json!("ml.m5.xlarge")), true),
            (large(), serverless(), true),
            (serverless(), large(), true),
            (serverless(), serverless(), false),
            (
                pools(&["ml.g5.xlarge", "ml.g6.xlarge"]),
                pools(&["ml.g6.xlarge", "ml.g5.xlarge"]),
                false,
            ),
            (pools(&["ml.g5.xlarge", "ml.g6.xlarge"]), pools(&["ml.g5.xlarge"]), true),
            (large(), pools(&["ml.m5.large"]), false),
            (pools(&["ml.m5.large", "ml.m5.xlarge"]), large(), true),
        ];
        let names: [VariantName; 2] = ["a", "z"].map(|name| name.parse().unwrap());
        for (before, after, expected) in table {
            let (in_use, wanted) = (config(&json!([before])), config(&json!([after])));
            let bound = bound(&names, &in_use, &wanted);
            assert_eq!(!bound.is_empty(), expected, "{before} to {after}: {bound:?}");
        }
    }

    #[test]
    fn each_bound_variant_is_named_once_and_in_order() {
        let named = |name: &str, kind: &str| json!({"VariantName": name, "ModelName": "m", "InstanceType": kind});
        let in_use = config(&json!([named("b", "x"), named("a", "x"), named("c", "x")]));
        let wanted = config(&json!([named("c", "x"), named("a", "y")]));
        let registered: Vec<VariantName> =
            ["c", "b", "a", "b"].iter().map(|name| name.parse().unwrap()).collect();
        let to = Why::TypeChanges { from: Some("x".to_owned()), to: Some("y".to_owned()) };
        let expected = [("a", to), ("b", Why::Removed)];
        let expected = expected.map(|(name, why)| Bound { variant: name.parse().unwrap(), why });
        assert_eq!(bound(&registered, &in_use, &wanted), expected);
        assert_eq!(bound(&[], &in_use, &wanted), []);
    }
}
