//! Policy documents on their way in and out: checked by `auth::policy`, and shown as IAM shows them.

use auth::policy::{Document, Kind, Trusted};
use domain::arn::Scope;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use store::State;

use super::Refusal;

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// As IAM shows documents.
pub(super) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, ENCODED).to_string()
}

/// Refuses a text that is no policy.
pub(super) fn check(text: &str, kind: Kind) -> Result<(), Refusal> {
    Document::parse(text, kind)?;
    Ok(())
}

/// Refuses a text that is no trust policy, or one that trusts a user or role of this account that does not exist.
pub(super) fn check_trust(state: &State, scope: &Scope, text: &str) -> Result<(), Refusal> {
    let document = Document::parse(text, Kind::Trust)?;
    let own_users = format!("arn:aws:iam::{}:user/", scope.account);
    let own_roles = format!("arn:aws:iam::{}:role/", scope.account);
    for trusted in document.principals() {
        let Trusted::Arn(arn) = trusted else { continue };
        let missing = (arn.starts_with(&own_users) && state.user_of(scope, arn).is_none())
            || (arn.starts_with(&own_roles) && state.role_of(scope, arn).is_none());
        if missing {
            return Err(Refusal::NoPrincipal(arn.to_string()));
        }
    }
    Ok(())
}
