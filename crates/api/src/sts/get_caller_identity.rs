//! `GetCallerIdentity`: needs no permission (`reference/autoscaling-and-cloudwatch.md`, section 8.5).

use wire::sts::GetCallerIdentityResponse;

use crate::Context;

pub(super) fn get_caller_identity(cx: &Context) -> GetCallerIdentityResponse {
    GetCallerIdentityResponse {
        user_id: Some(cx.caller.user_id.clone()),
        account: Some(cx.caller.account.clone()),
        arn: Some(cx.caller.arn.clone()),
    }
}
