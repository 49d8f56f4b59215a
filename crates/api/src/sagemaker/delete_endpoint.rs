//! `DeleteEndpoint`: the record stays, as `Deleting`, until its last instance is gone.

use domain::name::EndpointName;
use store::Changes;
use wire::sagemaker::DeleteEndpointInput;

use super::lookup;
use crate::Error;
use crate::context::{Context, name};

pub(super) async fn delete_endpoint(cx: &Context, input: DeleteEndpointInput) -> Result<(), Error> {
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let (scope, now) = (cx.scope.clone(), cx.clock.now());
    cx.decide(move |state| {
        let endpoint = lookup::endpoint(state, &scope, &name)?;
        let after = endpoint.request_delete(now).map_err(lookup::refuse(&scope))?;
        Ok((Changes::none().put(after), ()))
    })
    .await
}
