//! Permissions boundaries of users and roles.

use domain::arn::Scope;
use domain::iam::{Refusal, Role, User};
use store::{Changes, State};
use wire::iam::{
    DeleteRolePermissionsBoundaryRequest, DeleteUserPermissionsBoundaryRequest,
    PutRolePermissionsBoundaryRequest, PutUserPermissionsBoundaryRequest,
};

use super::attached_policy::attachable;
use super::holder;
use crate::{Context, Error};

/// A boundary that is to be set, if its policy exists.
pub(super) fn given(
    state: &State,
    scope: &Scope,
    arn: Option<String>,
) -> Result<Option<String>, Refusal> {
    arn.map(|arn| attachable(state, scope, &arn).map(|_| arn)).transpose()
}

async fn of_user(cx: &Context, name: String, arn: Option<String>) -> Result<(), Error> {
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        let user = holder::user(state, &name)?;
        let boundary = given(state, &scope, arn)?;
        Ok((Changes::none().put(User { boundary, ..(**user).clone() }), ()))
    })
    .await
}

async fn of_role(cx: &Context, name: String, arn: Option<String>) -> Result<(), Error> {
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        let role = holder::role(state, &name)?;
        role.admit_change()?;
        let boundary = given(state, &scope, arn)?;
        Ok((Changes::none().put(Role { boundary, ..(**role).clone() }), ()))
    })
    .await
}

pub(super) async fn put_user_permissions_boundary(
    cx: &Context,
    input: PutUserPermissionsBoundaryRequest,
) -> Result<(), Error> {
    of_user(cx, input.user_name, Some(input.permissions_boundary)).await
}

pub(super) async fn delete_user_permissions_boundary(
    cx: &Context,
    input: DeleteUserPermissionsBoundaryRequest,
) -> Result<(), Error> {
    of_user(cx, input.user_name, None).await
}

pub(super) async fn put_role_permissions_boundary(
    cx: &Context,
    input: PutRolePermissionsBoundaryRequest,
) -> Result<(), Error> {
    of_role(cx, input.role_name, Some(input.permissions_boundary)).await
}

pub(super) async fn delete_role_permissions_boundary(
    cx: &Context,
    input: DeleteRolePermissionsBoundaryRequest,
) -> Result<(), Error> {
    of_role(cx, input.role_name, None).await
}
