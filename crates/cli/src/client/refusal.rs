//! Refusals as the service words them, with what we know about who signed.

use wire::ResponseError;

use crate::Error;
use crate::error::Refusal;
use crate::target::Target;

/// What AWS appends to a signature that does not match: pages of canonical text, for those who write signers.
const SIGNERS_DETAILS: &str = "\n\nThe Canonical String";

/// The error that an answer is. `target` is who was asked, and as whom.
pub(super) fn refused(operation: &'static str, error: ResponseError, target: &Target) -> Error {
    match error {
        ResponseError::Service(error) => {
            refusal(operation, &error.code, &error.message, error.status.as_u16(), target)
        }
        ResponseError::Malformed(problem) => Error::Answer { operation, problem },
    }
}

pub(super) fn refusal(
    operation: &'static str,
    code: &str,
    message: &str,
    status: u16,
    target: &Target,
) -> Error {
    let message =
        message.split_once(SIGNERS_DETAILS).map_or(message, |(sentence, _)| sentence).trim_end();
    let hint = hint(code, message, target);
    Error::Refused(Box::new(Refusal {
        operation,
        code: code.to_owned(),
        message: message.to_owned(),
        status,
        hint,
    }))
}

/// What to do about a signature that was not accepted.
fn hint(code: &str, message: &str, target: &Target) -> Option<String> {
    let key = target.keys.last()?;
    let (id, source) = (&key.access_key_id, &key.source);
    if message.starts_with("Credential should be scoped to a valid region") {
        return Some(format!(
            "the requests are signed for region {}; name the server's own with --region",
            target.region
        ));
    }
    match code {
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId"
            if target.server.aws.is_some() =>
        {
            Some(format!("AWS does not know access key {id} (from {source})"))
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" => {
            Some(format!(
                "the server does not know access key {id} (from {source}); its root key lies in its data directory, which \
             --data-dir names"
            ))
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch"
            if message.starts_with("The request signature") =>
        {
            Some(format!("the server has another secret for access key {id} than {source} has"))
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "RequestTimeTooSkewed"
            if message.contains("expired")
                || message.contains("not yet current")
                || code == "RequestTimeTooSkewed" =>
        {
            Some("this machine's clock and the server's are apart; set them right".to_owned())
        }
        _ => None,
    }
}
