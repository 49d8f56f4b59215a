//! `ListModels`.

use wire::sagemaker::{ListModelsInput, ListModelsOutput, ModelSortKey, ModelSummary};

use super::members::timestamp;
use super::page::{Item, Order, Query, Range, SortBy, page, query};
use crate::{Context, Error};

pub(super) fn list_models(cx: &Context, input: ListModelsInput) -> Result<ListModelsOutput, Error> {
    let by = match input.sort_by {
        Some(ModelSortKey::Name) => SortBy::Name,
        Some(ModelSortKey::CreationTime) | None => SortBy::CreationTime,
    };
    let query = query!("models" of input sorted by by);
    let state = cx.store.state();
    let items = state.models.values().map(|model| Item {
        name: model.name.to_string(),
        created_at: model.created_at,
        modified_at: model.created_at,
        status: "",
        shown: ModelSummary {
            model_name: model.name.to_string(),
            model_arn: cx.model_arn(&model.name),
            creation_time: timestamp(model.created_at),
        },
    });
    let (models, next_token) = page(items, &query)?;
    Ok(ListModelsOutput { models, next_token })
}
