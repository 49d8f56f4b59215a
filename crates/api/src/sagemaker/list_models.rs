//! `ListModels`.

use domain::model::Model;
use wire::sagemaker::{ListModelsInput, ListModelsOutput, ModelSortKey, ModelSummary};

use super::members::timestamp;
use super::page::{Order, Query, Range, SortBy, page, query};
use crate::{Context, Error};

pub(super) fn list_models(cx: &Context, input: ListModelsInput) -> Result<ListModelsOutput, Error> {
    let by = match input.sort_by {
        Some(ModelSortKey::Name) => SortBy::Name,
        Some(ModelSortKey::CreationTime) | None => SortBy::CreationTime,
    };
    let query = query!(input sorted by by);
    let state = cx.store.state();
    let (found, next_token) = page(&state, &query, |_: &Model| true)?;
    let shown = |model: &Model| ModelSummary {
        model_name: model.name.to_string(),
        model_arn: cx.model_arn(&model.name),
        creation_time: timestamp(model.created_at),
    };
    Ok(ListModelsOutput { models: found.into_iter().map(shown).collect(), next_token })
}
