//! Roles.

use std::collections::BTreeSet;

use domain::iam::{ENTITIES_MAX, Holder, NameKey, Refusal, Role, SESSION_SECS, tagged};
use domain::tag::Tags;
use store::Changes;
use wire::iam::{
    CreateRoleRequest, CreateRoleResponse, DeleteRoleRequest, GetRoleRequest, GetRoleResponse,
    ListRolesRequest, ListRolesResponse, UpdateAssumeRolePolicyRequest,
    UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse, UpdateRoleRequest,
    UpdateRoleResponse,
};

use super::page::Page;
use super::{boundary, document, holder, shown, trust};
use crate::{Context, Error};

pub(super) async fn create_role(
    cx: &Context,
    input: CreateRoleRequest,
) -> Result<CreateRoleResponse, Error> {
    let (scope, now, entropy) = (cx.scope.clone(), cx.clock.now(), (cx.entropy)());
    cx.decide(move |state| {
        let text = input.assume_role_policy_document;
        document::check_trust(state, &scope, &text)?;
        Role::admit_trust(&text)?;
        if let Some(there) = state.roles.get(&NameKey::new(&input.role_name)) {
            let name = there.name.clone();
            return Err(Refusal::HolderExists { holder: Holder::Role, name }.into());
        }
        if state.roles.size() >= ENTITIES_MAX {
            return Err(Refusal::quota("RolesPerAccount", ENTITIES_MAX).into());
        }
        let path = input.path.unwrap_or_else(|| "/".to_owned());
        let mut role = Role::new(input.role_name, path, text, entropy, now);
        // Paths of services' roles are theirs.
        role.admit_change()?;
        role.description = input.description;
        role.max_session_secs =
            seconds(input.max_session_duration).unwrap_or(role.max_session_secs);
        role.tags = tagged(&Tags::default(), shown::pairs(input.tags), "TagsPerRole")?;
        role.boundary = boundary::given(state, &scope, input.permissions_boundary)?;
        let output = CreateRoleResponse { role: shown::role(state, &scope, &role) };
        Ok((Changes::none().put(role), output))
    })
    .await
}

/// The model admits positive numbers only.
fn seconds(given: Option<i32>) -> Option<u32> {
    given.and_then(|seconds| u32::try_from(seconds).ok())
}

pub(super) fn get_role(cx: &Context, input: &GetRoleRequest) -> Result<GetRoleResponse, Error> {
    let state = cx.store.state();
    let role = holder::role(&state, &input.role_name)?;
    Ok(GetRoleResponse { role: shown::role(&state, &cx.scope, role) })
}

pub(super) fn list_roles(
    cx: &Context,
    input: &ListRolesRequest,
) -> Result<ListRolesResponse, Error> {
    let state = cx.store.state();
    let page = Page::read("roles", input.max_items, input.marker.as_deref())?;
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let found = page.rest(&state.roles).filter(|(_, role)| role.path.starts_with(prefix));
    let page =
        page.of(found.map(|(key, role)| (key.to_string(), shown::role_in_list(&cx.scope, role))));
    Ok(ListRolesResponse {
        roles: page.records,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// A description that is not given stays as it is; a duration that is not given becomes the default, as AWS documents it.
pub(super) async fn update_role(
    cx: &Context,
    input: UpdateRoleRequest,
) -> Result<UpdateRoleResponse, Error> {
    cx.decide(move |state| {
        let before = holder::role(state, &input.role_name)?;
        before.admit_change()?;
        let mut role = (**before).clone();
        role.description = input.description.or(role.description);
        role.max_session_secs =
            seconds(input.max_session_duration).unwrap_or(*SESSION_SECS.start());
        Ok((Changes::none().put(role), UpdateRoleResponse {}))
    })
    .await
}

/// The one change that a service's role admits too.
pub(super) async fn update_role_description(
    cx: &Context,
    input: UpdateRoleDescriptionRequest,
) -> Result<UpdateRoleDescriptionResponse, Error> {
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        let before = holder::role(state, &input.role_name)?;
        let role = Role { description: Some(input.description), ..(**before).clone() };
        let output =
            UpdateRoleDescriptionResponse { role: Some(shown::role(state, &scope, &role)) };
        Ok((Changes::none().put(role), output))
    })
    .await
}

pub(super) async fn update_assume_role_policy(
    cx: &Context,
    input: UpdateAssumeRolePolicyRequest,
) -> Result<(), Error> {
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        let before = holder::role(state, &input.role_name)?;
        before.admit_change()?;
        document::check_trust(state, &scope, &input.policy_document)?;
        Role::admit_trust(&input.policy_document)?;
        let role = Role { trust: input.policy_document, ..(**before).clone() };
        Ok((Changes::none().put(role), ()))
    })
    .await
}

pub(super) async fn delete_role(cx: &Context, input: DeleteRoleRequest) -> Result<(), Error> {
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        let role = holder::role(state, &input.role_name)?;
        role.admit_deletion()?;
        let gone = BTreeSet::from([role.key()]);
        let changes = Changes::none().delete::<Role>(role.key());
        let changes = changes.delete::<domain::iam::LastUsed>(role.id.clone());
        Ok((trust::forgotten(changes, state, &gone, &role.arn(&scope), &role.id), ()))
    })
    .await
}
