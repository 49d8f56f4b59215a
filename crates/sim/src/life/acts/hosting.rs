//! Calls of SageMaker.

use serde_json::{Value, json};
use wire::sagemaker::SERVICE;

use crate::life::Life;
use crate::life::server::Asked;

/// Most configs that one life makes: the later ones of an endless life would only make it slow.
const CONFIGS_MAX: usize = 60;

impl Life {
    pub(super) fn draw_hosting(&mut self, endpoint: &'static str) -> Asked {
        let state = self.server.store.state();
        let there = state.endpoints.values().any(|one| one.name.as_str() == endpoint);
        let named = json!({"EndpointName": endpoint});
        match self.dice.below(20) {
            _ if !there && self.dice.percent(60) => self.create(endpoint),
            0 => self.create(endpoint),
            1..=5 => self.update(endpoint),
            6..=8 => self.resize(endpoint),
            9..=10 if self.dice.percent(40) => {
                let asked = self.asked(&SERVICE, "DeleteEndpoint", named);
                if self.dice.percent(40) {
                    return Asked { by: self.restricted.clone(), restricted: true, ..asked };
                }
                asked
            }
            11..=12 => {
                let config = self.a_config();
                let input = json!({"EndpointConfigName": config});
                self.asked(&SERVICE, "DescribeEndpointConfig", input)
            }
            13 => {
                let config = self.a_config();
                self.asked(&SERVICE, "DeleteEndpointConfig", json!({"EndpointConfigName": config}))
            }
            14 => self.asked(&SERVICE, "DescribeEndpoint", named),
            15..=16 => self.asked(&wire::tidegate::SERVICE, "RollBackUpdate", named),
            _ => self.config(),
        }
    }

    fn create(&mut self, endpoint: &str) -> Asked {
        let config = self.a_config();
        let mut input = json!({"EndpointName": endpoint, "EndpointConfigName": config});
        if self.dice.percent(30) {
            input["Tags"] = json!([{"Key": "of", "Value": endpoint}]);
        }
        self.asked(&SERVICE, "CreateEndpoint", input)
    }

    fn update(&mut self, endpoint: &str) -> Asked {
        let config = self.a_config();
        let mut input = json!({"EndpointName": endpoint, "EndpointConfigName": config});
        if self.dice.percent(60) {
            input["RetainAllVariantProperties"] = true.into();
            if self.dice.percent(30) {
                let one = self.dice.pick(["DesiredInstanceCount", "DesiredWeight"]);
                input["ExcludeRetainedVariantProperties"] = json!([{"VariantPropertyType": one}]);
            }
        }
        if self.dice.percent(60) {
            input["DeploymentConfig"] = self.guardrails();
        } else if self.dice.percent(30) {
            input["RetainDeploymentConfig"] = true.into();
        }
        self.asked(&SERVICE, "UpdateEndpoint", input)
    }

    /// A `DeploymentConfig` of any kind.
    fn guardrails(&mut self) -> Value {
        let (wait, size) = (self.dice.number(0, 60), self.size());
        let limit = self.dice.percent(25).then_some(600);
        let mut config = if self.dice.percent(60) {
            let (kind, member) = self.dice.pick([
                ("ALL_AT_ONCE", ""),
                ("CANARY", "CanarySize"),
                ("CANARY", "CanarySize"),
                ("LINEAR", "LinearStepSize"),
            ]);
            let mut routing = json!({"Type": kind, "WaitIntervalInSeconds": wait});
            if !member.is_empty() {
                routing[member] = size;
            }
            let mut policy = json!({"TrafficRoutingConfiguration": routing});
            if self.dice.percent(50) {
                policy["TerminationWaitInSeconds"] = self.dice.number(0, 60).into();
            }
            json!({"BlueGreenUpdatePolicy": policy})
        } else {
            let mut policy = json!({"MaximumBatchSize": size, "WaitIntervalInSeconds": wait});
            if self.dice.percent(40) {
                policy["RollbackMaximumBatchSize"] = policy["MaximumBatchSize"].clone();
            }
            json!({"RollingUpdatePolicy": policy})
        };
        if let (Some(limit), Some(policies)) = (limit, config.as_object_mut()) {
            for policy in policies.values_mut() {
                policy["MaximumExecutionTimeoutInSeconds"] = limit.into();
            }
        }
        let state = self.server.store.state();
        let mut alarms = state.alarms.keys().map(ToString::to_string);
        let alarm = alarms.find(|name| name.starts_with("own-"));
        if let Some(alarm) = alarm.filter(|_| self.dice.percent(50)) {
            config["AutoRollbackConfiguration"] = json!({"Alarms": [{"AlarmName": alarm}]});
        }
        config
    }

    fn size(&mut self) -> Value {
        if self.dice.percent(50) {
            return json!({"Type": "CAPACITY_PERCENT", "Value": self.dice.pick([20, 34, 50])});
        }
        json!({"Type": "INSTANCE_COUNT", "Value": self.dice.pick([1, 1, 2])})
    }

    fn resize(&mut self, endpoint: &str) -> Asked {
        let mut change = json!({"VariantName": self.variant()});
        if self.dice.percent(80) {
            change["DesiredInstanceCount"] = self.dice.number(1, 4).into();
        }
        if self.dice.percent(20) {
            change["DesiredWeight"] = self.dice.number(0, 3).into();
        }
        let input = json!({"EndpointName": endpoint, "DesiredWeightsAndCapacities": [change]});
        self.asked(&SERVICE, "UpdateEndpointWeightsAndCapacities", input)
    }

    /// One of those that were asked for so far, whether or not it was made.
    fn a_config(&mut self) -> String {
        // The latest ones are the most likely to be there.
        let back = self.dice.below(self.configs.min(8));
        format!("c{}", self.configs.saturating_sub(1 + back))
    }

    pub(in crate::life) fn config(&mut self) -> Asked {
        if self.configs >= CONFIGS_MAX {
            return self.asked(&SERVICE, "ListEndpointConfigs", json!({}));
        }
        let name = format!("c{}", self.configs);
        self.configs += 1;
        let kind = if self.dice.percent(85) { "ml.m5.large" } else { "ml.c5.large" };
        let variants: &[&str] =
            self.dice.pick([&["a"][..], &["a"], &["a", "b"], &["a", "b"], &["b"]]);
        let variants: Vec<Value> = variants
            .iter()
            .map(|variant| {
                let model = self.dice.pick(["good", "good", "fickle"]);
                json!({"VariantName": variant, "ModelName": model, "InstanceType": kind,
                       "InitialInstanceCount": self.dice.number(1, 3),
                       "InitialVariantWeight": self.dice.number(1, 2),
                       "ContainerStartupHealthCheckTimeoutInSeconds": 60})
            })
            .collect();
        let input = json!({"EndpointConfigName": name, "ProductionVariants": variants});
        self.asked(&SERVICE, "CreateEndpointConfig", input)
    }
}
