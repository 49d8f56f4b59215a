//! STS: two operations that everybody may call, and one that the role's trust policy decides about too.

use wire::sts::Operation;

use super::super::need::Need;
use super::Ask;

pub(super) fn needs(_: &Ask<'_>, operation: Operation) -> Vec<Need> {
    match operation {
        // The trust policy may admit a caller whom no identity-based policy does: the operation asks both.
        Operation::AssumeRole
        // AWS asks for no permission (`reference/autoscaling-and-cloudwatch.md`, section 8.5).
        | Operation::GetCallerIdentity
        | Operation::GetSessionToken => Vec::new(),
    }
}
