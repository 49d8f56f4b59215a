//! `DeleteModel`: never refused for being in use; endpoints keep copies.

use domain::arn::Kind;
use domain::model::Model;
use domain::name::ModelName;
use store::Changes;
use wire::sagemaker::DeleteModelInput;

use super::{lookup, tagging};
use crate::Error;
use crate::context::{Context, name};

pub(super) async fn delete_model(cx: &Context, input: DeleteModelInput) -> Result<(), Error> {
    let name: ModelName = name("modelName", &input.model_name)?;
    let scope = cx.scope.clone();
    cx.decide(move |state| {
        lookup::model(state, &scope, &name)?;
        let arn = scope.sagemaker(Kind::Model, &name);
        let changes = Changes::none().delete::<Model>(name);
        Ok((tagging::delete(changes, Kind::Model, &arn), ()))
    })
    .await
}
