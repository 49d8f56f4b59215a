//! `tidegate explain VARIANT`: why a variant has as many instances as it has, and what would change that.

mod page;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use domain::name::{EndpointName, VariantName};

use crate::client::Client;
use crate::command::endpoint::{coming, describe, running, with_names};
use crate::command::scaling::{self, Named};
use crate::output::{Ink, Output, json_of};
use crate::target::Target;
use crate::{Environment, Error, Global};

/// Which variant.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "How to read it: docs/scaling.md. All that is told in words stands with its numbers in --json."
)]
pub struct Arguments {
    /// The variant: endpoint/NAME/variant/NAME, NAME/VARIANT, or NAME if the endpoint has only one
    #[arg(value_name = "VARIANT", value_parser = scaling::named)]
    named: Named,
}

pub(super) async fn run(
    arguments: &Arguments,
    global: &Global,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    let client = Client::new(Target::resolve(global, environment)?);
    let ink = Ink::of_data(output, environment);
    told(&client, &arguments.named, ink, output).await
}

async fn told(
    client: &Client,
    named: &Named,
    ink: Ink,
    output: &Output,
) -> Result<ExitCode, Error> {
    let variant = variant(client, named).await?;
    let explained = scaling::explain(client, named.endpoint.as_str(), &variant).await?;
    if output.json {
        output.json(&json_of(&explained))?;
    } else {
        output.data(page::page(&explained, ink))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The variant that is meant, which exists.
async fn variant(client: &Client, named: &Named) -> Result<String, Error> {
    let Named { endpoint, variant } = named;
    let found = match describe(client, endpoint.as_str()).await {
        Ok(found) => found,
        Err(error) => return Err(with_names(client, endpoint.as_str(), error).await),
    };
    let mut there: Vec<String> = running(&found).map(|one| one.variant_name.clone()).collect();
    // Only while an endpoint is being created are its variants all pending.
    if there.is_empty() {
        let pending = found.pending_deployment_summary.iter().flat_map(coming);
        there = pending.map(|one| one.variant_name.clone()).collect();
    }
    pick(endpoint, variant.as_ref().map(VariantName::as_str), there)
}

fn pick(
    endpoint: &EndpointName,
    variant: Option<&str>,
    mut names: Vec<String>,
) -> Result<String, Error> {
    let there = names.join(", ");
    match variant {
        Some(wanted) if names.iter().any(|name| name == wanted) => Ok(wanted.to_owned()),
        Some(wanted) => Err(Error::Usage(format!(
            "endpoint {endpoint} has no variant {wanted}; it has: {there}"
        ))),
        None if names.len() == 1 => Ok(names.remove(0)),
        None if names.is_empty() => {
            Err(Error::Usage(format!("endpoint {endpoint} has no variants to explain")))
        }
        None => Err(Error::Usage(format!(
            "endpoint {endpoint} has {} variants ({there}); say which, as in: tidegate explain {endpoint}/{}",
            names.len(),
            names[0]
        ))),
    }
}
