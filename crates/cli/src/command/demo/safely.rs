//! The demonstration's update of a variant that scales: what UpdateEndpoint says to it, and the safe update that does it.
//!
//! It is the update of `tidegate endpoint update`, but for the journal: here nothing needs to outlive the command, which
//! removes the endpoint whatever happens.

use std::future::Future;

use domain::name::{EndpointConfigName, EndpointName, NameError};
use domain::safe_update::{Outcome, Request, Run};
use safe_update::{Journal, Remote as _, carry_on, survey};
use wire::sagemaker::UpdateEndpointInput;

use crate::Error;
use crate::client::Client;
use crate::output::Progress;
use crate::remote::ClientRemote;

/// Asks for the update as a program would that knows of no scaling. Gives back the words it is refused with.
pub(super) async fn refused(
    client: &Client,
    endpoint: &str,
    config: &str,
) -> Result<String, Error> {
    let input = UpdateEndpointInput {
        endpoint_name: endpoint.to_owned(),
        endpoint_config_name: config.to_owned(),
        // Without it, the count would go back to the config's.
        retain_all_variant_properties: Some(true),
        ..UpdateEndpointInput::default()
    };
    match client.sagemaker_order("UpdateEndpoint", &input).await {
        Err(Error::Refused(refusal)) if refusal.code == "ValidationException" => {
            Ok(refusal.message)
        }
        Err(error) => Err(error),
        Ok(()) => {
            let wrong = format!("{endpoint} took {config}, which its scaling stands in the way of");
            Err(Error::Failed(wrong))
        }
    }
}

/// Makes the update all the same.
pub(super) async fn update(
    client: &Client,
    endpoint: &str,
    config: &str,
    progress: &Progress<'_>,
) -> Result<(), Error> {
    let unnamed =
        |error: NameError| Error::Failed(format!("the demonstration's own names: {error}"));
    let endpoint: EndpointName = endpoint.parse().map_err(unnamed)?;
    let config: EndpointConfigName = config.parse().map_err(unnamed)?;
    let remote = ClientRemote::meet(client).await?;
    let seen =
        survey(&remote, &endpoint, &config).await.map_err(|fault| remote.explained(&fault))?;
    let now = remote.now().await;
    let run = Run::begin(seen.facts, seen.saved, Request::default(), now).map_err(Error::Failed)?;
    let mut told = Told { progress, problem: None };
    match carry_on(&remote, &mut told, run).await {
        Ok(Outcome::Applied) => Ok(()),
        Ok(Outcome::Undone) => {
            let why = told.problem.unwrap_or_else(|| "no reason given".to_owned());
            Err(Error::Failed(format!("the update did not come about: {why}")))
        }
        Err(stopped) => Err(Error::Failed(format!("the update stands still: {stopped}"))),
    }
}

/// Shows how far it is.
struct Told<'a> {
    progress: &'a Progress<'a>,
    problem: Option<String>,
}

impl Journal for Told<'_> {
    fn keep(&mut self, run: &Run) -> impl Future<Output = Result<(), String>> + Send {
        self.problem.clone_from(&run.problem);
        std::future::ready(Ok(()))
    }

    fn tell(&mut self, line: &str) {
        self.progress.remark(line.to_owned());
    }
}
