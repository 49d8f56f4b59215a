//! Managed policies.

use auth::policy::Kind;
use domain::arn::Scope;
use domain::iam::{
    Astray, ENTITIES_MAX, ManagedPolicy, NameKey, PolicyArn, Refusal, aws_managed_policies, tagged,
};
use domain::tag::Tags;
use store::{Changes, State};
use wire::iam::{
    CreatePolicyRequest, CreatePolicyResponse, DeletePolicyRequest, EntityType, GetPolicyRequest,
    GetPolicyResponse, ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse,
    ListPoliciesRequest, ListPoliciesResponse, PolicyGroup, PolicyRole, PolicyScopeType,
    PolicyUsageType, PolicyUser,
};

use super::page::Page;
use super::usage::{self, Usage};
use super::{document, shown};
use crate::{Context, Error};

pub(super) async fn create_policy(
    cx: &Context,
    input: CreatePolicyRequest,
) -> Result<CreatePolicyResponse, Error> {
    let (scope, now, entropy) = (cx.scope.clone(), cx.clock.now(), (cx.entropy)());
    document::check(&input.policy_document, Kind::Managed)?;
    cx.decide(move |state| {
        if state.managed_policies.contains_key(&NameKey::new(&input.policy_name)) {
            return Err(Refusal::PolicyExists(input.policy_name).into());
        }
        if state.managed_policies.size() >= ENTITIES_MAX {
            return Err(Refusal::quota("PoliciesPerAccount", ENTITIES_MAX).into());
        }
        let path = input.path.unwrap_or_else(|| "/".to_owned());
        let (name, text) = (input.policy_name, input.policy_document);
        let mut policy = ManagedPolicy::new(name, path, text, entropy, now)?;
        policy.description = input.description;
        policy.tags = tagged(&Tags::default(), shown::pairs(input.tags), "TagsPerPolicy")?;
        let shown = shown::policy_in_list(&scope, &policy, Usage::default());
        let shown = wire::iam::Policy { tags: shown::tags(&policy.tags), ..shown };
        Ok((Changes::none().put(policy), CreatePolicyResponse { policy: Some(shown) }))
    })
    .await
}

/// A policy by its ARN.
pub(super) fn find<'a>(
    state: &'a State,
    scope: &Scope,
    arn: &str,
) -> Result<&'a ManagedPolicy, Refusal> {
    if PolicyArn::parse(scope, arn) == Err(Astray::Malformed) {
        return Err(Refusal::BadArn(arn.to_owned()));
    }
    let found = state.managed_policy(scope, arn);
    found.map(|policy| &**policy).ok_or_else(|| Refusal::NoPolicy(arn.to_owned()))
}

/// A policy that the account may change.
pub(super) fn find_own<'a>(
    state: &'a State,
    scope: &Scope,
    arn: &str,
    action: &'static str,
    caller: &str,
) -> Result<&'a ManagedPolicy, Error> {
    let policy = find(state, scope, arn)?;
    if policy.aws {
        // AWS's policies belong to another account, whose resources nobody here may touch.
        let text = format!(
            "User: {caller} is not authorized to perform: iam:{action} on resource: policy {arn}"
        );
        return Err(super::Refusal::AccessDenied(text).into());
    }
    Ok(policy)
}

pub(super) fn get_policy(
    cx: &Context,
    input: &GetPolicyRequest,
) -> Result<GetPolicyResponse, Error> {
    let state = cx.store.state();
    let policy = find(&state, &cx.scope, &input.policy_arn)?;
    let usage = usage::of(&state, &input.policy_arn);
    Ok(GetPolicyResponse { policy: Some(shown::policy(&cx.scope, policy, usage)) })
}

pub(super) fn list_policies(
    cx: &Context,
    input: &ListPoliciesRequest,
) -> Result<ListPoliciesResponse, Error> {
    let state = cx.store.state();
    let page = Page::read("policies", input.max_items, input.marker.as_deref())?;
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let scope = input.scope.unwrap_or(PolicyScopeType::All);
    let own = state.managed_policies.values().filter(|_| scope != PolicyScopeType::Aws);
    let aws = aws_managed_policies().iter().filter(|_| scope != PolicyScopeType::Local);
    let uses = usage::of_all(&state);
    let only_attached = input.only_attached == Some(true);
    let wanted = |usage: Usage| match input.policy_usage_filter {
        Some(PolicyUsageType::PermissionsPolicy) => usage.attached > 0,
        Some(PolicyUsageType::PermissionsBoundary) => usage.boundaries > 0,
        None => !only_attached || usage.attached > 0,
    };
    let mut found: Vec<_> = own
        .chain(aws)
        .filter(|policy| policy.path.starts_with(prefix))
        .filter_map(|policy| {
            let usage = uses.get(&*policy.arn(&cx.scope)).copied().unwrap_or_default();
            let key = format!("{}\n{}", policy.key(), if policy.aws { "aws" } else { "own" });
            wanted(usage).then(|| (key, shown::policy_in_list(&cx.scope, policy, usage)))
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    let page = page.of(found);
    Ok(ListPoliciesResponse {
        policies: Some(page.records),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

pub(super) async fn delete_policy(cx: &Context, input: DeletePolicyRequest) -> Result<(), Error> {
    let (scope, caller) = (cx.scope.clone(), cx.caller.arn.clone());
    cx.decide(move |state| {
        let policy = find_own(state, &scope, &input.policy_arn, "DeletePolicy", &caller)?;
        policy.admit_deletion(usage::of(state, &input.policy_arn).is_used())?;
        Ok((Changes::none().delete::<ManagedPolicy>(policy.key()), ()))
    })
    .await
}

/// One user, group or role that uses a policy.
enum Entity {
    Group(PolicyGroup),
    Role(PolicyRole),
    User(PolicyUser),
}

pub(super) fn list_entities_for_policy(
    cx: &Context,
    input: &ListEntitiesForPolicyRequest,
) -> Result<ListEntitiesForPolicyResponse, Error> {
    let state = cx.store.state();
    find(&state, &cx.scope, &input.policy_arn)?;
    let page = Page::read("entities", input.max_items, input.marker.as_deref())?;
    let page = page.of(entities(&state, input));
    let mut output = ListEntitiesForPolicyResponse {
        policy_groups: Some(Vec::new()),
        policy_users: Some(Vec::new()),
        policy_roles: Some(Vec::new()),
        is_truncated: page.is_truncated,
        marker: page.marker,
    };
    for entity in page.records {
        match entity {
            Entity::Group(group) => output.policy_groups.get_or_insert_default().push(group),
            Entity::Role(role) => output.policy_roles.get_or_insert_default().push(role),
            Entity::User(user) => output.policy_users.get_or_insert_default().push(user),
        }
    }
    Ok(output)
}

/// Groups, then roles, then users, each by name.
fn entities(state: &State, input: &ListEntitiesForPolicyRequest) -> Vec<(String, Entity)> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    // The two kinds of policies, which the filter admits as well, are no kinds of what uses one.
    let is_policy =
        |kind| matches!(kind, EntityType::LocalManagedPolicy | EntityType::AWSManagedPolicy);
    let is_wanted =
        |kind| input.entity_filter.is_none_or(|wanted| wanted == kind || is_policy(wanted));
    let has = |path: &str, grants: &domain::iam::Grants, boundary: Option<&String>| {
        let attached = grants.attached.contains(&input.policy_arn);
        let bounded = boundary == Some(&input.policy_arn);
        path.starts_with(prefix)
            && match input.policy_usage_filter {
                Some(PolicyUsageType::PermissionsPolicy) => attached,
                Some(PolicyUsageType::PermissionsBoundary) => bounded,
                None => attached || bounded,
            }
    };
    let groups = state.groups.iter().filter(|_| is_wanted(EntityType::Group));
    let groups = groups.filter(|(_, one)| has(&one.path, &one.grants, None)).map(|(key, one)| {
        let (group_name, group_id) = (Some(one.name.clone()), Some(one.id.clone()));
        (format!("group/{key}"), Entity::Group(PolicyGroup { group_name, group_id }))
    });
    let roles = state.roles.iter().filter(|_| is_wanted(EntityType::Role));
    let roles = roles.filter(|(_, one)| has(&one.path, &one.grants, one.boundary.as_ref()));
    let roles = roles.map(|(key, one)| {
        let (role_name, role_id) = (Some(one.name.clone()), Some(one.id.clone()));
        (format!("role/{key}"), Entity::Role(PolicyRole { role_name, role_id }))
    });
    let users = state.users.iter().filter(|_| is_wanted(EntityType::User));
    let users = users.filter(|(_, one)| has(&one.path, &one.grants, one.boundary.as_ref()));
    let users = users.map(|(key, one)| {
        let (user_name, user_id) = (Some(one.name.clone()), Some(one.id.clone()));
        (format!("user/{key}"), Entity::User(PolicyUser { user_name, user_id }))
    });
    groups.chain(roles).chain(users).collect()
}
