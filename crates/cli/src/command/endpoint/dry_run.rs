//! What a call would meet, as a Tidegate server says itself: the same refusal, permissions and limits included.

use wire::tidegate::{self, DescribeLastUpdateInput};
use wire::value::Value as _;
use wire::{Document, sagemaker};

use crate::Error;
use crate::remote::ClientRemote;

/// What became of a dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rehearsed {
    Accepted,
    /// In the service's words.
    Refused(String),
    /// The server has no dry runs.
    NotDone,
}

/// Makes one, if the server is known to heed it. SageMaker's operations only.
pub(super) async fn rehearse(
    remote: &ClientRemote<'_>,
    endpoint: &str,
    operation: &'static str,
    input: &Document,
) -> Result<Rehearsed, Error> {
    if !remote.is_tidegate() || !heeds(remote, endpoint).await {
        return Ok(Rehearsed::NotDone);
    }
    match remote.client().dry_run(&sagemaker::SERVICE, operation, input).await {
        Ok(()) => Ok(Rehearsed::Accepted),
        Err(Error::Refused(refusal)) if refusal.status < 500 => {
            Ok(Rehearsed::Refused(refusal.message))
        }
        Err(error) => Err(error),
    }
}

/// Whether a Tidegate server has dry runs: they came together with what became of the last update. An older one would not
/// see the header, and do what the call says.
async fn heeds(remote: &ClientRemote<'_>, endpoint: &str) -> bool {
    let input = DescribeLastUpdateInput { endpoint_name: endpoint.to_owned() };
    let operation = "DescribeLastUpdate";
    match remote.client().call(&tidegate::SERVICE, operation, &input.to_document()).await {
        Ok(_) => true,
        Err(Error::Refused(refusal)) => {
            let codes = ["AccessDenied", "AccessDeniedException", "ResourceNotFound"];
            codes.contains(&refusal.code.as_str())
        }
        Err(_) => false,
    }
}
