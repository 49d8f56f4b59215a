//! `DeleteEndpoint`: the record stays, as `Deleting`, until its last instance is gone. Its scalable targets go at once,
//! with all that hangs on them (promise S9).

use domain::name::{EndpointKey, EndpointName};
use store::Changes;
use wire::sagemaker::DeleteEndpointInput;

use super::lookup;
use crate::Error;
use crate::autoscaling;
use crate::context::{Context, name};

pub(super) async fn delete_endpoint(cx: &Context, input: DeleteEndpointInput) -> Result<(), Error> {
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let (scope, now) = (cx.scope.clone(), cx.clock.now());
    cx.decide(move |state| {
        let endpoint = lookup::endpoint(state, &scope, &name)?;
        let after = endpoint.request_delete(now).map_err(lookup::refuse(&scope))?;
        let targets: Vec<_> = state.targets_of(&EndpointKey::from(&name)).collect();
        let changes = autoscaling::remove(Changes::none().put(after), state, &scope, &targets, now);
        Ok((changes, ()))
    })
    .await
}
