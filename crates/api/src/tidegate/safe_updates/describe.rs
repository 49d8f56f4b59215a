//! `DescribeSafeUpdate`.

use domain::name::EndpointName;
use wire::tidegate::{DescribeSafeUpdateInput, SafeUpdate};

use crate::Error;
use crate::context::{Context, name};

pub(in crate::tidegate) fn describe_safe_update(
    cx: &Context,
    input: &DescribeSafeUpdateInput,
) -> Result<SafeUpdate, Error> {
    let name: EndpointName = name("endpointName", &input.endpoint_name)?;
    let state = cx.store.state();
    Ok(super::shown(cx, super::found(&state, &name)?))
}
