//! `tidegate endpoint delete NAME --plan`: what would go, said before anything does.

use std::process::ExitCode;

use domain::name::EndpointName;
use domain::safe_update::{DeletionVerdict, Given, deletion};
use safe_update::{shown, survey_deletion};
use wire::sagemaker::DeleteEndpointInput;
use wire::value::Value as _;

use crate::Error;
use crate::client::Client;
use crate::command::endpoint::dry_run::{Rehearsed, rehearse};
use crate::command::endpoint::with_names;
use crate::output::{Ink, Output, json_of};
use crate::remote::ClientRemote;

use super::page::page;
use super::permissions::given;

/// The exit code of a plan whose deletion would be refused.
const REFUSED: u8 = 10;

pub(super) async fn run(
    client: &Client,
    name: &EndpointName,
    ink: Ink,
    output: &Output,
) -> Result<ExitCode, Error> {
    let remote = ClientRemote::meet(client).await?;
    let facts = match survey_deletion(&remote, name).await {
        Ok(facts) => facts,
        Err(fault) => {
            return Err(with_names(client, name.as_str(), remote.explained(&fault)).await);
        }
    };
    let mut plan = deletion(&facts);
    let input = DeleteEndpointInput { endpoint_name: name.to_string() }.to_document();
    let rehearsed = rehearse(&remote, name.as_str(), "DeleteEndpoint", &input).await?;
    if rehearsed == Rehearsed::Accepted {
        // The caller has whatever the call needs.
        plan = plan.judged(|_| Given::Allowed);
    } else {
        let known = given(client, &plan.permissions).await;
        plan = plan.judged(|one| {
            known
                .get(&(one.action.clone(), one.resource.clone()))
                .copied()
                .unwrap_or(Given::Unknown)
        });
        if let Rehearsed::Refused(words) = rehearsed {
            plan.verdict = DeletionVerdict::Refused(words);
        }
    }
    if output.json {
        output.json(&json_of(&shown::deletion(&plan)))?;
    } else {
        output.data(page(&facts, &plan, ink))?;
    }
    Ok(match plan.verdict {
        DeletionVerdict::Accepted | DeletionVerdict::Unknown(_) => ExitCode::SUCCESS,
        DeletionVerdict::Refused(_) => ExitCode::from(REFUSED),
    })
}
