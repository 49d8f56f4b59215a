//! What `DeleteEndpoint` would take with it, and which permissions it needs, said before anything is gone (promise S9).
//!
//! Whether the caller has a permission is told from outside: [`DeletionPlan::judged`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::facts::{Running, Scaled};
use super::resource_id;
use crate::endpoint::Refusal;
use crate::name::{EndpointConfigName, EndpointName, VariantName};

/// An endpoint that is to be deleted, and what scales it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeletionFacts {
    pub endpoint: EndpointName,
    /// `EndpointArn`.
    pub arn: String,
    /// `EndpointStatus`.
    pub status: String,
    /// `EndpointConfigName`: the config in use.
    pub config: EndpointConfigName,
    /// The variants that serve; none where the endpoint never served.
    pub running: Vec<Running>,
    /// The endpoint's scalable targets, by variant and dimension.
    pub scaled: Vec<Scaled>,
}

/// What `DeleteEndpoint` would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionPlan {
    pub endpoint: EndpointName,
    pub verdict: DeletionVerdict,
    /// What `DeleteEndpoint` answers because of the endpoint's status, whoever asks.
    pub busy: Option<String>,
    /// The variants whose instances end, as `DescribeEndpoint` lists them.
    pub instances: Vec<Ending>,
    /// The scalable targets that are deregistered, with what goes with each.
    pub targets: Vec<Deregistered>,
    /// What the caller must be allowed to do.
    pub permissions: Vec<Permission>,
    /// What else should be known, each a sentence or two.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeletionVerdict {
    Accepted,
    /// Refused, in the words of the service; nothing at all is deleted then.
    Refused(String),
    /// Nothing speaks against it but permissions that could not be looked up: which.
    Unknown(String),
}

/// Instances that end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    pub variant: VariantName,
    /// `CurrentInstanceCount`; none for serverless variants.
    pub count: Option<u32>,
}

/// A scalable target that is deregistered silently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deregistered {
    pub variant: VariantName,
    /// `ScalableDimension`.
    pub dimension: String,
    /// Policies that are deleted with it, by name.
    pub policies: Vec<String>,
    /// Alarms that are deleted with the policies that made them, by name.
    pub policy_alarms: Vec<String>,
    /// Scheduled actions that are deleted with it, by name.
    pub scheduled_actions: Vec<String>,
    /// The user's own alarms that stay, but have no policy to call any more.
    pub alarms_left: Vec<String>,
}

/// Something that the caller must be allowed to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// As in IAM's policies: `sagemaker:DeleteEndpoint`.
    pub action: String,
    /// The ARN it is asked for; `*` where it is not known.
    pub resource: String,
    /// For people: what of.
    pub on: String,
    pub given: Given,
}

/// Whether the caller has a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Given {
    Allowed,
    Missing,
    /// It could not be looked up.
    Unknown,
}

/// What `DeleteEndpoint` answers where the caller may not deregister a target or delete its policies
/// (`reference/sagemaker-hosting.md`, section 1.1).
const TARGETS_LEFT: &str = "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM \
     identity used to invoke DeleteEndpoint does not have application-autoscaling:DeregisterScalableTarget permission \
     to deregister the scalable target.";

/// The permission that `DeleteEndpoint` always needs.
const DELETE: &str = "sagemaker:DeleteEndpoint";

/// Statuses in which `DeleteEndpoint` is taken (`reference/sagemaker-hosting.md`, section 2).
const DELETABLE: [&str; 4] = ["InService", "Failed", "UpdateRollbackFailed", "OutOfService"];

/// Plans a deletion; no permission is known yet.
pub fn deletion(facts: &DeletionFacts) -> DeletionPlan {
    let ending = |one: &Running| Ending { variant: one.variant.clone(), count: one.current };
    let deregistered = |one: &Scaled| Deregistered {
        variant: one.variant.clone(),
        dimension: one.dimension.clone(),
        policies: one.policies.clone(),
        policy_alarms: one.policy_alarms.clone(),
        scheduled_actions: one.scheduled_actions.clone(),
        alarms_left: one.alarms.clone(),
    };
    let busy = || Refusal::InProgress(facts.endpoint.clone()).in_words(&facts.arn);
    let plan = DeletionPlan {
        endpoint: facts.endpoint.clone(),
        verdict: DeletionVerdict::Accepted,
        busy: (!DELETABLE.contains(&facts.status.as_str())).then(busy),
        instances: facts.running.iter().map(ending).collect(),
        targets: facts.scaled.iter().map(deregistered).collect(),
        permissions: permissions(facts),
        notes: notes(facts),
    };
    plan.judged(|_| Given::Unknown)
}

impl DeletionPlan {
    /// The plan with what is known of each permission, and the verdict that follows.
    #[must_use]
    pub fn judged(mut self, given: impl Fn(&Permission) -> Given) -> Self {
        for one in &mut self.permissions {
            one.given = given(one);
        }
        self.verdict = self.reached();
        self
    }

    /// In the order in which the service looks: at the call itself, at the endpoint, at its targets.
    fn reached(&self) -> DeletionVerdict {
        let of = |given: Given| self.permissions.iter().filter(move |one| one.given == given);
        if let Some(missing) = of(Given::Missing).find(|one| one.action == DELETE) {
            let Permission { action, resource, .. } = missing;
            return DeletionVerdict::Refused(format!(
                "The caller is not authorized to perform: {action} on resource: {resource}"
            ));
        }
        if let Some(words) = &self.busy {
            return DeletionVerdict::Refused(words.clone());
        }
        if of(Given::Missing).next().is_some() {
            return DeletionVerdict::Refused(TARGETS_LEFT.to_owned());
        }
        let unknown: BTreeSet<&str> = of(Given::Unknown).map(|one| one.action.as_str()).collect();
        if unknown.is_empty() {
            return DeletionVerdict::Accepted;
        }
        let unknown: Vec<&str> = unknown.into_iter().collect();
        DeletionVerdict::Unknown(format!(
            "It could not be looked up whether the caller has {}.",
            unknown.join(", ")
        ))
    }
}

/// `DeleteEndpoint` asks for what deregistering by hand would ask for: promise S9.
fn permissions(facts: &DeletionFacts) -> Vec<Permission> {
    let permission = |action: &str, resource: String, on: String| Permission {
        action: action.to_owned(),
        resource,
        on,
        given: Given::Unknown,
    };
    // Policies are matched against the name in lower case (`reference/autoscaling-and-cloudwatch.md`, section 8.1).
    let endpoint = facts.arn.to_ascii_lowercase();
    let mut needed = vec![permission(DELETE, endpoint, format!("endpoint/{}", facts.endpoint))];
    for one in &facts.scaled {
        let resource = || one.arn.clone().unwrap_or_else(|| "*".to_owned());
        let on = || resource_id(&facts.endpoint, &one.variant);
        let deregister = "application-autoscaling:DeregisterScalableTarget";
        needed.push(permission(deregister, resource(), on()));
        if !one.policies.is_empty() {
            let delete = "application-autoscaling:DeleteScalingPolicy";
            needed.push(permission(delete, resource(), on()));
        }
    }
    needed
}

fn notes(facts: &DeletionFacts) -> Vec<String> {
    let mut notes =
        vec![format!("The endpoint config {} stays, and so do the models it names.", facts.config)];
    if !facts.scaled.is_empty() {
        notes.push(
            "The scalable targets go with their policies, alarms and scheduled actions. The answer does not tell of it."
                .to_owned(),
        );
    }
    let left: BTreeSet<&str> =
        facts.scaled.iter().flat_map(|one| &one.alarms).map(String::as_str).collect();
    notes.extend(left.into_iter().map(|alarm| {
        format!("The alarm {alarm} stays, but the policy that it calls is gone. Delete the alarm, or give it another action.")
    }));
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/My-Ep";
    const DEREGISTER: &str = "application-autoscaling:DeregisterScalableTarget";
    const DELETE_POLICY: &str = "application-autoscaling:DeleteScalingPolicy";

    fn scaled(variant: &str, policies: &[&str]) -> Scaled {
        Scaled {
            variant: variant.parse().unwrap(),
            dimension: crate::scaling::DIMENSION.to_owned(),
            arn: Some(format!("arn:of:{variant}")),
            min: 1,
            max: 4,
            scale_in_suspended: false,
            tagged: false,
            policies: policies.iter().map(|name| (*name).to_owned()).collect(),
            policy_alarms: policies.iter().map(|name| format!("{name}-high")).collect(),
            scheduled_actions: vec!["nightly".to_owned()],
            alarms: vec!["pager".to_owned()],
        }
    }

    fn facts(status: &str, scaled: Vec<Scaled>) -> DeletionFacts {
        let running = |variant: &str, count| Running {
            variant: variant.parse().unwrap(),
            current: count,
            desired: count,
            weight: 1.0,
        };
        DeletionFacts {
            endpoint: "My-Ep".parse().unwrap(),
            arn: ARN.to_owned(),
            status: status.to_owned(),
            config: "conf".parse().unwrap(),
            running: vec![running("a", Some(3)), running("s", None)],
            scaled,
        }
    }

    fn two() -> DeletionFacts {
        facts("InService", vec![scaled("a", &["p", "q"]), scaled("s", &[])])
    }

    #[test]
    fn all_that_goes_and_all_that_stays_is_named() {
        let plan = deletion(&two());
        let counts: Vec<_> =
            plan.instances.iter().map(|one| (one.variant.as_str(), one.count)).collect();
        assert_eq!(counts, [("a", Some(3)), ("s", None)]);
        let a = &plan.targets[0];
        assert_eq!(
            (a.policies.join(" "), a.policy_alarms.join(" ")),
            ("p q".into(), "p-high q-high".into())
        );
        assert_eq!(
            (a.scheduled_actions.join(" "), a.alarms_left.join(" ")),
            ("nightly".into(), "pager".into())
        );
        assert_eq!(plan.targets.len(), 2);
        assert!(plan.notes[0].contains("config conf stays"));
        let alarms = plan.notes.iter().filter(|note| note.contains("alarm pager stays")).count();
        assert_eq!(alarms, 1, "{:?}", plan.notes);
    }

    /// The seed's "if you have permission to deregister"; policies only where there are any.
    #[test]
    fn the_permissions_are_those_of_deregistering_by_hand() {
        let plan = deletion(&two());
        let asked: Vec<_> = plan
            .permissions
            .iter()
            .map(|one| (one.action.as_str(), one.resource.as_str(), one.on.as_str(), one.given))
            .collect();
        let endpoint = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/my-ep";
        let (a, s) = ("endpoint/My-Ep/variant/a", "endpoint/My-Ep/variant/s");
        assert_eq!(
            asked,
            [
                (DELETE, endpoint, "endpoint/My-Ep", Given::Unknown),
                (DEREGISTER, "arn:of:a", a, Given::Unknown),
                (DELETE_POLICY, "arn:of:a", a, Given::Unknown),
                (DEREGISTER, "arn:of:s", s, Given::Unknown),
            ]
        );
        let mut unnamed = two();
        unnamed.scaled[0].arn = None;
        assert_eq!(deletion(&unnamed).permissions[1].resource, "*");
    }

    #[test]
    fn the_verdict_follows_from_status_and_permissions() {
        let busy = format!("Cannot update in-progress endpoint \"{ARN}\".");
        let denied = "The caller is not authorized to perform: sagemaker:DeleteEndpoint on resource: \
                      arn:aws:sagemaker:us-east-1:111122223333:endpoint/my-ep";
        let unknown = format!("It could not be looked up whether the caller has {DELETE_POLICY}.");
        // Status, what is missing, what is unknown, the verdict's words; "" is accepted.
        let table: [(&str, &str, &str, &str); 12] = [
            ("InService", "", "", ""),
            ("Failed", "", "", ""),
            ("UpdateRollbackFailed", "", "", ""),
            ("InService", DEREGISTER, "", TARGETS_LEFT),
            ("InService", DELETE_POLICY, "", TARGETS_LEFT),
            ("InService", DELETE_POLICY, DELETE, TARGETS_LEFT),
            ("InService", DELETE, DEREGISTER, denied),
            ("InService", "", DELETE_POLICY, &unknown),
            ("Updating", "", "", &busy),
            ("Creating", DEREGISTER, "", &busy),
            ("Deleting", "", DELETE_POLICY, &busy),
            ("Updating", DELETE, "", denied),
        ];
        for (status, missing, unknown, words) in table {
            let mut facts = two();
            facts.status = status.to_owned();
            let plan = deletion(&facts).judged(|one| match one.action.as_str() {
                action if action == missing => Given::Missing,
                action if action == unknown => Given::Unknown,
                _ => Given::Allowed,
            });
            match (&plan.verdict, words) {
                (DeletionVerdict::Accepted, "") => {}
                (DeletionVerdict::Refused(said) | DeletionVerdict::Unknown(said), words) => {
                    assert_eq!(said, words, "{status} {missing} {unknown}");
                }
                (verdict, words) => panic!("{status}: {verdict:?}, not {words}"),
            }
            // Judged anew, it forgets what was said before.
            let accepted = plan.judged(|_| Given::Allowed).verdict == DeletionVerdict::Accepted;
            assert_eq!(accepted, DELETABLE.contains(&status), "{status}");
        }
    }

    #[test]
    fn an_endpoint_that_nothing_scales_needs_one_permission() {
        let plan = deletion(&facts("InService", Vec::new()));
        assert_eq!(plan.permissions.len(), 1);
        assert_eq!(plan.notes.len(), 1);
        assert_eq!(plan.judged(|_| Given::Allowed).verdict, DeletionVerdict::Accepted);
    }
}
