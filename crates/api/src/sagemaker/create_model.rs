//! `CreateModel`: takes any image and any artefact; whether they can be run shows when an endpoint uses them.

use domain::arn::Kind;
use domain::model::Model;
use domain::name::ModelName;
use store::Changes;
use wire::sagemaker::{CreateModelInput, CreateModelOutput};

use super::{members, tagging};
use crate::Error;
use crate::context::{Context, name};

pub(super) async fn create_model(
    cx: &Context,
    input: CreateModelInput,
) -> Result<CreateModelOutput, Error> {
    let name: ModelName = name("modelName", &input.model_name)?;
    let members = members::kept(&input, &["ModelName", "Tags"]);
    Model::check(&members)?;
    let arn = cx.model_arn(&name);
    let tagged = tagging::first(Kind::Model, &arn, input.tags)?;
    let model = Model { name, created_at: cx.clock.now(), members };
    cx.decide(move |state| {
        if state.models.contains_key(&model.name) {
            return Err(Error::Exists { kind: Kind::Model, arn });
        }
        let changes = Changes::none().put(model);
        Ok((tagging::put(changes, tagged), CreateModelOutput { model_arn: arn }))
    })
    .await
}
