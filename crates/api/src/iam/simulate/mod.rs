//! `SimulateCustomPolicy` and `SimulatePrincipalPolicy`: what policies would say, without anybody doing anything.

mod context;
mod principal;
mod source;

use std::sync::Arc;

use auth::policy::{
    Action, Arn, Caller, CallerKind, Cause, Decision, Document, Kind, Layer, Policies, Request,
    evaluate, matching,
};
use wire::iam::{
    ContextEntry, EvaluationResult, PermissionsBoundaryDecisionDetail,
    PolicyEvaluationDecisionType, SimulateCustomPolicyRequest, SimulatePolicyResponse,
    SimulatePrincipalPolicyRequest, Statement,
};

use self::context::Given;
use self::source::Source;
use super::Refusal;
use super::page::Page;
use crate::{Context, Error};

/// Pairs of an action and a resource in one request.
const PAIRS_MAX: usize = 10_000;

/// Everything that one simulation goes by.
struct Simulation {
    identity: Vec<Source>,
    boundary: Option<Source>,
    given: Given,
    caller_arn: String,
    account: String,
    /// The caller's unique id, where the caller exists.
    user_id: String,
}

/// What both operations have besides their policies.
struct Question {
    actions: Vec<String>,
    resources: Vec<String>,
    page: Page,
}

/// Refuses members whose meaning does not exist here: a server has one account, and its resources have no policies.
macro_rules! refuse_unsupported {
    ($input:ident) => {
        if $input.resource_policy.is_some() || $input.resource_owner.is_some() {
            return Err(Refusal::Unsupported("ResourcePolicy and ResourceOwner").into());
        }
        if $input.resource_handling_option.is_some() {
            return Err(Refusal::Unsupported("ResourceHandlingOption").into());
        }
    };
}

macro_rules! question {
    ($input:ident) => {
        Question {
            actions: $input.action_names,
            resources: $input.resource_arns.unwrap_or_else(|| vec!["*".to_owned()]),
            page: Page::read("simulation", $input.max_items, $input.marker.as_deref())?,
        }
    };
}

pub(super) fn simulate_custom_policy(
    cx: &Context,
    input: SimulateCustomPolicyRequest,
) -> Result<SimulatePolicyResponse, Error> {
    refuse_unsupported!(input);
    if input.ordered_organization_policy_input_list.is_some() {
        return Err(Refusal::Unsupported("OrderedOrganizationPolicyInputList").into());
    }
    let simulation = Simulation {
        identity: Source::given("PolicyInputList", input.policy_input_list)?,
        boundary: boundary(input.permissions_boundary_policy_input_list)?,
        given: context(input.context_entries),
        caller_arn: input.caller_arn.unwrap_or_default(),
        account: cx.scope.account.clone(),
        user_id: String::new(),
    };
    simulation.answer(&question!(input))
}

pub(super) fn simulate_principal_policy(
    cx: &Context,
    input: SimulatePrincipalPolicyRequest,
) -> Result<SimulatePolicyResponse, Error> {
    refuse_unsupported!(input);
    let state = cx.store.state();
    let excluded = input.policy_exclusion_list.unwrap_or_default();
    let found = principal::find(&state, &cx.scope, &input.policy_source_arn, &excluded)?;
    let more = Source::given("PolicyInputList", input.policy_input_list.unwrap_or_default())?;
    let given = boundary(input.permissions_boundary_policy_input_list)?;
    let simulation = Simulation {
        identity: found.policies.into_iter().chain(more).collect(),
        boundary: given.or(found.boundary),
        given: context(input.context_entries),
        caller_arn: input.caller_arn.unwrap_or(found.arn),
        account: cx.scope.account.clone(),
        user_id: found.id,
    };
    simulation.answer(&question!(input))
}

fn context(entries: Option<Vec<ContextEntry>>) -> Given {
    Given::new(entries.unwrap_or_default())
}

/// There is one boundary, if any.
fn boundary(texts: Option<Vec<String>>) -> Result<Option<Source>, Refusal> {
    let texts = texts.unwrap_or_default();
    if texts.len() > 1 {
        return Err(Refusal::Unsupported("more than one permissions boundary"));
    }
    Ok(Source::given("PermissionsBoundaryPolicyInputList", texts)?.pop())
}

impl Simulation {
    fn answer(&self, question: &Question) -> Result<SimulatePolicyResponse, Error> {
        let Question { actions, resources, page } = question;
        if actions.len().saturating_mul(resources.len()) > PAIRS_MAX {
            return Err(
                Refusal::Unsupported("more than 10,000 pairs of action and resource").into()
            );
        }
        let pairs = actions
            .iter()
            .flat_map(|action| resources.iter().map(move |resource| (action, resource)));
        let page = page.of_places(pairs);
        let results: Result<Vec<_>, Refusal> =
            page.records.iter().map(|(action, resource)| self.one(action, resource)).collect();
        Ok(SimulatePolicyResponse {
            evaluation_results: Some(results?),
            is_truncated: page.is_truncated,
            marker: page.marker,
        })
    }

    fn caller(&self) -> Caller<'_> {
        let resource = self.caller_arn.splitn(6, ':').nth(5).unwrap_or_default();
        let (kind, path) = resource.split_once('/').unwrap_or((resource, ""));
        let kind = match kind {
            "role" => CallerKind::Session { role_arn: &self.caller_arn },
            // Policies are asked of root too, whom in earnest they do not bind.
            _ => CallerKind::User { name: path.rsplit('/').next().unwrap_or(path) },
        };
        Caller { arn: &self.caller_arn, account: &self.account, user_id: &self.user_id, kind }
    }

    fn one(&self, action_name: &str, resource: &str) -> Result<EvaluationResult, Refusal> {
        let action = Action::parse(action_name);
        let action = action.ok_or_else(|| Refusal::NotAnAction(action_name.to_owned()))?;
        let arn = if resource == "*" { Arn::ANY } else { Arn::new(resource) };
        let resources = [arn];
        let caller = self.caller();
        let request = Request { caller, action, resources: &resources, context: &self.given };
        let identity: Vec<Arc<Document>> =
            self.identity.iter().map(|source| Arc::clone(&source.document)).collect();
        let boundary = self.boundary.as_ref().map(|source| &source.document);
        let policies = Policies { identity: &identity, boundary, session: None };
        let decision = match evaluate(&policies, &request) {
            Decision::Allowed => PolicyEvaluationDecisionType::Allowed,
            Decision::Denied(why) => match why.cause {
                Cause::Implicit(_) => PolicyEvaluationDecisionType::ImplicitDeny,
                Cause::Explicit(_) => PolicyEvaluationDecisionType::ExplicitDeny,
            },
        };
        let matched = matching(&policies, &request, &arn);
        let statements = matched.iter().filter_map(|found| {
            let source = match found.layer {
                Layer::Identity => self.identity.get(found.policy)?,
                Layer::Boundary => self.boundary.as_ref()?,
                Layer::Session | Layer::Trust => return None,
            };
            Some(source.statement(found.statement))
        });
        Ok(EvaluationResult {
            eval_action_name: action_name.to_owned(),
            eval_resource_name: Some(resource.to_owned()),
            eval_decision: decision,
            matched_statements: Some(statements.collect::<Vec<Statement>>()),
            missing_context_values: Some(self.given.missing(self.documents())),
            organizations_decision_detail: None,
            permissions_boundary_decision_detail: boundary.map(|document| {
                let alone =
                    Policies { identity: std::slice::from_ref(document), ..Policies::default() };
                let allowed = evaluate(&alone, &request).is_allowed();
                PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary: Some(allowed) }
            }),
            eval_decision_details: None,
            resource_specific_results: None,
        })
    }

    fn documents(&self) -> impl Iterator<Item = &Document> {
        self.identity.iter().chain(&self.boundary).map(|source| &*source.document)
    }
}

/// A policy that was given as text. AWS answers a bad one as bad input, not as a malformed document.
fn parse(text: &str) -> Result<Arc<Document>, Refusal> {
    let parsed = Document::parse(text, Kind::Inline);
    Ok(Arc::new(parsed.map_err(|why| Refusal::BadPolicyInput(why.to_string()))?))
}
