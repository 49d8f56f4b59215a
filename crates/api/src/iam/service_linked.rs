//! Service-linked roles: made for a service, and deleted when the service needs them no more.

use domain::iam::{
    AUTOSCALING_SERVICE, DeletionTask, Refusal, Role, scaling_role_name, service_linked_role,
};
use domain::time::Timestamp;
use domain::uuid::Uuid;
use store::{Changes, State};
use wire::iam::{
    CreateServiceLinkedRoleRequest, CreateServiceLinkedRoleResponse,
    DeleteServiceLinkedRoleRequest, DeleteServiceLinkedRoleResponse, DeletionTaskFailureReasonType,
    DeletionTaskStatusType, GetServiceLinkedRoleDeletionStatusRequest,
    GetServiceLinkedRoleDeletionStatusResponse, RoleUsageType,
};

use super::{holder, shown};
use crate::{Context, Error};

/// Deletion tasks that can be asked after; the oldest goes first. A deletion is done when it is answered, so that
/// nobody asks for long.
const TASKS_MAX: usize = 100;

/// Makes the role that scaling of endpoints goes by, as the first `RegisterScalableTarget` does, unless it is there.
pub(crate) fn ensure_scaling_role(
    changes: Changes,
    state: &State,
    entropy: u128,
    now: Timestamp,
) -> Changes {
    if state.roles.contains_key(&scaling_role_name()) {
        return changes;
    }
    let role = service_linked_role(AUTOSCALING_SERVICE, None, None, entropy, now);
    role.into_iter().fold(changes, Changes::put)
}

pub(super) async fn create_service_linked_role(
    cx: &Context,
    input: CreateServiceLinkedRoleRequest,
) -> Result<CreateServiceLinkedRoleResponse, Error> {
    let (scope, now, entropy) = (cx.scope.clone(), cx.clock.now(), (cx.entropy)());
    cx.decide(move |state| {
        let suffix = input.custom_suffix.as_deref();
        let service = &input.aws_service_name;
        let role = service_linked_role(service, suffix, input.description, entropy, now)?;
        if state.roles.contains_key(&role.key()) {
            return Err(Refusal::ServiceRoleTaken(role.name).into());
        }
        let output =
            CreateServiceLinkedRoleResponse { role: Some(shown::role(state, &scope, &role)) };
        Ok((Changes::none().put(role), output))
    })
    .await
}

/// Refused later, as AWS does: the task says that the role is in use.
pub(super) async fn delete_service_linked_role(
    cx: &Context,
    input: DeleteServiceLinkedRoleRequest,
) -> Result<DeleteServiceLinkedRoleResponse, Error> {
    let (scope, asked_at) = (cx.scope.clone(), cx.clock.now());
    let id = Uuid::from_entropy((cx.entropy)());
    cx.decide(move |state| {
        let role = holder::role(state, &input.role_name)?;
        if !role.is_service_linked() {
            return Err(Refusal::NotServiceLinked(role.name.clone()).into());
        }
        let used_by: Vec<_> = state.targets.values().map(|target| target.arn(&scope)).collect();
        let (path, name) = (role.path.clone(), role.name.clone());
        let task = DeletionTask { id, path, role: name, asked_at, used_by };
        let output = DeleteServiceLinkedRoleResponse { deletion_task_id: task.to_string() };
        let mut changes = Changes::none();
        if task.used_by.is_empty() {
            changes = changes.delete::<Role>(role.key());
        }
        if state.deletion_tasks.size() >= TASKS_MAX {
            let oldest = state.deletion_tasks.values().min_by_key(|task| task.asked_at);
            changes = oldest
                .map(|task| task.id)
                .into_iter()
                .fold(changes, Changes::delete::<DeletionTask>);
        }
        Ok((changes.put(task), output))
    })
    .await
}

pub(super) fn get_service_linked_role_deletion_status(
    cx: &Context,
    input: &GetServiceLinkedRoleDeletionStatusRequest,
) -> Result<GetServiceLinkedRoleDeletionStatusResponse, Error> {
    let state = cx.store.state();
    let id = DeletionTask::id_of(&input.deletion_task_id);
    let task = id.and_then(|id| state.deletion_tasks.get(&id));
    let task = task.filter(|task| task.to_string() == input.deletion_task_id);
    let task = task.ok_or_else(|| Refusal::NoDeletionTask(input.deletion_task_id.clone()))?;
    if task.used_by.is_empty() {
        let status = DeletionTaskStatusType::Succeeded;
        return Ok(GetServiceLinkedRoleDeletionStatusResponse { status, reason: None });
    }
    let usage = RoleUsageType {
        region: Some(cx.scope.region.clone()),
        resources: Some(task.used_by.clone()),
    };
    let why = "The role is in use: deregister the scalable targets of all endpoints first.";
    Ok(GetServiceLinkedRoleDeletionStatusResponse {
        status: DeletionTaskStatusType::Failed,
        reason: Some(DeletionTaskFailureReasonType {
            reason: Some(why.to_owned()),
            role_usage_list: Some(vec![usage]),
        }),
    })
}
