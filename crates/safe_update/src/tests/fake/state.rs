//! What the server holds: descriptions of what is there, and changed by each call as the services change it.

use serde_json::{Value, json};

use super::{LOOKS, State};
use crate::Fault;

fn refused(code: &str, message: &str) -> Fault {
    Fault::Refused { code: code.to_owned(), message: message.to_owned(), status: 400 }
}

/// Whether a description is of what an input names, by members that both have.
fn is_of(description: &Value, input: &Value, by: &[&str]) -> bool {
    by.iter().all(|member| description[*member] == input[*member])
}

const TARGET: [&str; 2] = ["ResourceId", "ScalableDimension"];

fn paged(list: &str, found: &[Value], input: &Value, page: usize) -> Value {
    let from: usize = input["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
    let to = (from + page).min(found.len());
    let next = (to < found.len()).then(|| to.to_string());
    json!({(list): found[from..to], "NextToken": next})
}

impl State {
    /// The answer of an operation that changes nothing; none for the others.
    pub(super) fn described(
        &mut self,
        operation: &str,
        input: &Value,
        page: usize,
    ) -> Option<Result<Value, Fault>> {
        let of_target = |all: &[Value]| -> Vec<Value> {
            all.iter().filter(|one| is_of(one, input, &TARGET)).cloned().collect()
        };
        let answer = match operation {
            "DescribeEndpoint" => self.endpoint(),
            "DescribeEndpointConfig" => {
                let name = input["EndpointConfigName"].as_str().unwrap();
                let missing =
                    || refused("ValidationException", "Could not find endpoint configuration");
                return Some(self.configs.get(name).cloned().ok_or_else(missing));
            }
            "DescribeScalableTargets" => {
                let ids = input["ResourceIds"].as_array().unwrap();
                let found = self.targets.iter().filter(|one| ids.contains(&one["ResourceId"]));
                paged("ScalableTargets", &found.cloned().collect::<Vec<_>>(), input, page)
            }
            "DescribeScalingPolicies" => {
                let mut policies = of_target(&self.policies);
                for policy in policies.iter_mut().filter(|one| one["PolicyType"] == "StepScaling") {
                    // A step policy lists the users' alarms that call it.
                    let calls = |alarm: &&Value| {
                        alarm["AlarmActions"].as_array().unwrap().contains(&policy["PolicyARN"])
                    };
                    let alarms: Vec<Value> = self
                        .alarms
                        .iter()
                        .filter(calls)
                        .map(|alarm| json!({"AlarmName": alarm["AlarmName"], "AlarmARN": "arn"}))
                        .collect();
                    policy["Alarms"] = alarms.into();
                }
                paged("ScalingPolicies", &policies, input, page)
            }
            "DescribeScheduledActions" => {
                paged("ScheduledActions", &of_target(&self.actions), input, page)
            }
            "ListTagsForResource" => {
                json!({"Tags": self.tags.get(input["ResourceARN"].as_str().unwrap())})
            }
            "DescribeAlarms" => {
                let prefix = input["ActionPrefix"].as_str().unwrap();
                let calls = |alarm: &&Value| {
                    let actions = alarm["AlarmActions"].as_array().unwrap();
                    actions.iter().any(|action| action.as_str().unwrap().starts_with(prefix))
                };
                paged(
                    "MetricAlarms",
                    &self.alarms.iter().filter(calls).cloned().collect::<Vec<_>>(),
                    input,
                    page,
                )
            }
            "GetMetricData" => {
                json!({"MetricDataResults": [{"Id": "m1", "Values": [84.0, 84.0, 84.0]}]})
            }
            _ => return None,
        };
        Some(Ok(answer))
    }

    fn endpoint(&mut self) -> Value {
        self.moving = self.moving.saturating_sub(1);
        if self.moving == 0
            && let Some(config) = self.pending.take()
        {
            self.config = config;
        }
        let variants: Vec<Value> = self
            .counts
            .iter()
            .map(|(name, count)| {
                json!({"VariantName": name, "CurrentInstanceCount": count, "DesiredInstanceCount": count,
                       "DesiredWeight": 0.5})
            })
            .collect();
        let status = if self.moving > 0 { "Updating" } else { "InService" };
        let pending = self.pending.as_ref().map(|config| json!({"EndpointConfigName": config}));
        json!({"EndpointName": "e", "EndpointArn": "arn:aws:sagemaker:us-east-1:0:endpoint/e",
               "EndpointConfigName": self.config, "EndpointStatus": status, "ProductionVariants": variants,
               "PendingDeploymentSummary": pending, "CreationTime": 0, "LastModifiedTime": 0})
    }

    pub(super) fn change(&mut self, operation: &str, input: &Value) -> Result<Value, Fault> {
        match operation {
            "RegisterScalableTarget" => return Ok(self.register(input)),
            "DeregisterScalableTarget" | "DeleteScalingPolicy" => {
                return self.remove(operation, input);
            }
            "PutScalingPolicy" => {
                let mut policy = input.clone();
                let target = self.targets.iter().find(|one| is_of(one, input, &TARGET)).unwrap();
                let id = target["ScalableTargetARN"].as_str().unwrap().rsplit_once('/').unwrap().1;
                let (resource, name) =
                    (input["ResourceId"].as_str().unwrap(), input["PolicyName"].as_str().unwrap());
                let arn = format!(
                    "arn:aws:autoscaling:us-east-1:0:scalingPolicy:{id}:resource/sagemaker/{resource}:policyName/{name}"
                );
                policy["PolicyARN"] = arn.as_str().into();
                policy["CreationTime"] = 0.into();
                let made = format!("TargetTracking-{resource}-AlarmHigh-{name}");
                if input["PolicyType"] == "TargetTrackingScaling" {
                    policy["Alarms"] = json!([{"AlarmName": made, "AlarmARN": made}]);
                    put(
                        &mut self.alarms,
                        &["AlarmName"],
                        json!({"AlarmName": made,
                        "AlarmActions": [format!("{arn}:createdBy/1"), arn]}),
                    );
                }
                put(&mut self.policies, &["ResourceId", "ScalableDimension", "PolicyName"], policy);
            }
            "PutScheduledAction" => {
                let mut action = input.clone();
                action["CreationTime"] = 1_700_000_000.into();
                action["ScheduledActionARN"] = "arn".into();
                put(&mut self.actions, &["ResourceId", "ScheduledActionName"], action);
            }
            "PutMetricAlarm" => put(&mut self.alarms, &["AlarmName"], input.clone()),
            "TagResource" => {
                let arn = input["ResourceARN"].as_str().unwrap();
                let tags = serde_json::from_value(input["Tags"].clone()).unwrap();
                self.tags.insert(arn.to_owned(), tags);
            }
            "UpdateEndpointWeightsAndCapacities" => {
                self.refuse_while_moving()?;
                for change in input["DesiredWeightsAndCapacities"].as_array().unwrap() {
                    let name = change["VariantName"].as_str().unwrap().to_owned();
                    self.counts.insert(name, change["DesiredInstanceCount"].as_u64().unwrap());
                }
                self.moving = LOOKS;
            }
            "UpdateEndpoint" => {
                self.refuse_while_moving()?;
                if !self.targets.is_empty() {
                    return Err(refused(
                        "ValidationException",
                        "must be deregistered as scalable targets",
                    ));
                }
                assert_eq!(input["RetainAllVariantProperties"], true);
                self.pending = Some(input["EndpointConfigName"].as_str().unwrap().to_owned());
                self.moving = LOOKS;
            }
            other => panic!("{other}"),
        }
        Ok(json!({"EndpointArn": "arn:aws:sagemaker:us-east-1:0:endpoint/e", "PolicyARN": "arn"}))
    }

    fn register(&mut self, input: &Value) -> Value {
        if let Some(target) = self.targets.iter_mut().find(|one| is_of(one, input, &TARGET)) {
            for (member, value) in input.as_object().unwrap() {
                target[member] = value.clone();
            }
            return json!({});
        }
        self.registrations += 1;
        let id = self.registrations;
        let mut target = input.clone();
        target["ScalableTargetARN"] =
            format!("arn:aws:application-autoscaling:us-east-1:0:scalable-target/{id}").into();
        target["RoleARN"] = "arn:aws:iam::0:role/service-linked".into();
        target["CreationTime"] = 0.into();
        self.targets.push(target);
        json!({})
    }

    fn remove(&mut self, operation: &str, input: &Value) -> Result<Value, Fault> {
        let whole = operation == "DeregisterScalableTarget";
        let named: &[&str] =
            if whole { &TARGET } else { &["ResourceId", "ScalableDimension", "PolicyName"] };
        let goes = |one: &Value| is_of(one, input, named);
        if !(if whole { &self.targets } else { &self.policies }).iter().any(goes) {
            return Err(refused("ObjectNotFoundException", "No such thing found"));
        }
        for policy in self.policies.iter().filter(|one| goes(one)) {
            for alarm in &mut self.alarms {
                let actions = alarm["AlarmActions"].as_array_mut().unwrap();
                actions.retain(|action| *action != policy["PolicyARN"]);
            }
            let made: Vec<&Value> = policy["Alarms"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|alarm| &alarm["AlarmName"])
                .collect();
            self.alarms.retain(|alarm| !made.contains(&&alarm["AlarmName"]));
        }
        self.policies.retain(|one| !goes(one));
        if whole {
            self.targets.retain(|one| !goes(one));
            self.actions.retain(|one| !goes(one));
        }
        Ok(json!({}))
    }

    fn refuse_while_moving(&self) -> Result<(), Fault> {
        let busy = || refused("ValidationException", "Cannot update in-progress endpoint \"e\".");
        if self.moving > 0 { Err(busy()) } else { Ok(()) }
    }

    /// What is there, without the ids that change with every registration.
    pub(in crate::tests) fn scaling(&self) -> Value {
        let told = json!([
            self.targets,
            self.policies,
            self.actions,
            self.alarms,
            self.tags.values().next_back(),
            self.counts
        ]);
        let mut text = told.to_string();
        for id in 1..=self.registrations {
            text = text.replace(&format!("scalable-target/{id}\""), "scalable-target/N\"");
            text = text.replace(&format!("scalingPolicy:{id}:"), "scalingPolicy:N:");
        }
        serde_json::from_str(&text).unwrap()
    }
}

fn put(all: &mut Vec<Value>, named: &[&str], one: Value) {
    match all.iter_mut().find(|other| is_of(other, &one, named)) {
        Some(other) => *other = one,
        None => all.push(one),
    }
    all.sort_by_cached_key(Value::to_string);
}
