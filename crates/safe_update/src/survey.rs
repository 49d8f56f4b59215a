//! A server as it is before anything is done: what an update, or a deletion, is planned from.

use std::collections::BTreeSet;

use domain::members::Members;
use domain::name::{EndpointConfigName, EndpointName, VariantName};
use domain::safe_update::{Config, DeletionFacts, Facts, Saved};
use serde_json::Value;

use crate::observe::{self, Described, Scaling};
use crate::{Fault, Remote};

/// What is there: for plans, and to be put back.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    pub facts: Facts,
    pub saved: Saved,
}

/// Looks at an endpoint that is to get another config. Nothing is changed.
///
/// # Errors
/// The first call that failed: the endpoint, the config in use or the wanted one does not exist, say, or the caller may
/// not read what scales it.
pub async fn survey(
    remote: &impl Remote,
    endpoint: &EndpointName,
    wanted: &EndpointConfigName,
) -> Result<Survey, Fault> {
    let Described { name, arn, seen } = observe::endpoint(remote, endpoint).await?;
    let in_use = config(remote, &seen.config).await.map_err(|fault| match fault {
        Fault::Refused { code, message, status } => Fault::Refused {
            code,
            message: format!(
                "{message} It is the config that endpoint {name} uses; without it nobody can tell what an update would change."
            ),
            status,
        },
        lost @ Fault::Lost(_) => lost,
    })?;
    let wanted = config(remote, wanted).await?;
    let now = remote.now().await;
    let variants = in_use.variants.iter().chain(&wanted.variants).map(|one| &one.name);
    let variants: BTreeSet<&VariantName> = variants.collect();
    let Scaling { saved, scaled } = observe::scaling(remote, &name, variants, now).await?;
    let facts = Facts {
        endpoint: name,
        arn,
        status: seen.status,
        in_use,
        wanted,
        running: seen.running,
        scaled,
    };
    Ok(Survey { facts, saved })
}

/// Looks at an endpoint that is to be deleted. Nothing is changed.
///
/// # Errors
/// The first call that failed. That the config in use is gone is none: the variants that serve are known without it.
pub async fn survey_deletion(
    remote: &impl Remote,
    endpoint: &EndpointName,
) -> Result<DeletionFacts, Fault> {
    let Described { name, arn, seen } = observe::endpoint(remote, endpoint).await?;
    let config = config(remote, &seen.config).await.ok();
    let now = remote.now().await;
    let configured = config.iter().flat_map(|config| &config.variants).map(|one| &one.name);
    let variants: BTreeSet<&VariantName> =
        seen.running.iter().map(|one| &one.variant).chain(configured).collect();
    let scaled = observe::scaling(remote, &name, variants, now).await?.scaled;
    Ok(DeletionFacts {
        endpoint: name,
        arn,
        status: seen.status,
        config: seen.config,
        running: seen.running,
        scaled,
    })
}

async fn config(remote: &impl Remote, name: &EndpointConfigName) -> Result<Config, Fault> {
    let members = match observe::config(remote, name).await? {
        Value::Object(members) => Members(members),
        _ => Members::default(),
    };
    Ok(Config::read(name.clone(), &members))
}
