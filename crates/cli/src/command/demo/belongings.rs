//! What the demonstration makes on a server, under which names, and how it goes away again.

use std::cell::RefCell;

use wire::sagemaker::{
    ContainerDefinition, CreateEndpointConfigInput, CreateEndpointInput, CreateModelInput,
    DeleteEndpointConfigInput, DeleteEndpointInput, DeleteModelInput, ProductionVariant,
};

use crate::Error;
use crate::client::Client;
use crate::command::endpoint::{Fate, settle};
use crate::command::scaling::resource_id;
use crate::output::{Output, Progress};

use super::{artifact, autoscale};

/// The bucket the model goes to.
const BUCKET: &str = "models";

/// The image that runs ONNX models.
const IMAGE: &str = "tidegate/onnx:latest";

/// What the first version runs on, and what all later ones do: labels here, without meaning to the server unless its
/// config gives them one, and yet what UpdateEndpoint goes by.
const INSTANCE_TYPES: [&str; 2] = ["ml.m5.large", "ml.c5.large"];

/// SageMaker's usual name for an only variant.
pub(super) const VARIANT: &str = "AllTraffic";

/// Something that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Thing {
    Bucket,
    Object(String),
    Model(String),
    Config(String),
    Endpoint(String),
    /// The variant of this endpoint, registered.
    Target(String),
}

/// What is to be removed, and the names everything has.
#[derive(Debug)]
pub(super) struct Belongings {
    /// The endpoint's name, and the beginning of all others.
    name: String,
    made: RefCell<Vec<Thing>>,
}

impl Belongings {
    pub(super) fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), made: RefCell::default() }
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.name
    }

    /// The name of the model and the config of one version.
    pub(super) fn version(&self, version: u32) -> String {
        format!("{}-v{version}", self.name)
    }

    /// The instance type that a version runs on.
    pub(super) fn instance_type(version: u32) -> &'static str {
        let [first, later] = INSTANCE_TYPES;
        if version <= 1 { first } else { later }
    }

    /// Uploads the model.
    pub(super) async fn upload(&self, client: &Client) -> Result<(), Error> {
        let archive = artifact::archive()
            .map_err(|cause| Error::Failed(format!("cannot pack the model: {cause}")))?;
        if client.create_bucket(BUCKET).await? {
            self.note(Thing::Bucket);
        }
        let key = self.object_key();
        client.put_object(BUCKET, &key, archive).await?;
        self.note(Thing::Object(key));
        Ok(())
    }

    pub(super) async fn create_model(&self, client: &Client, version: u32) -> Result<(), Error> {
        let input = CreateModelInput {
            model_name: self.version(version),
            primary_container: Some(ContainerDefinition {
                image: Some(IMAGE.to_owned()),
                model_data_url: Some(format!("s3://{BUCKET}/{}", self.object_key())),
                ..ContainerDefinition::default()
            }),
            execution_role_arn: Some(format!(
                "arn:aws:iam::{}:role/tidegate-demo",
                client.account().await?
            )),
            ..CreateModelInput::default()
        };
        client.sagemaker_order("CreateModel", &input).await?;
        self.note(Thing::Model(input.model_name));
        Ok(())
    }

    pub(super) async fn create_config(&self, client: &Client, version: u32) -> Result<(), Error> {
        let input = CreateEndpointConfigInput {
            endpoint_config_name: self.version(version),
            production_variants: vec![ProductionVariant {
                variant_name: VARIANT.to_owned(),
                model_name: Some(self.version(version)),
                initial_instance_count: Some(1),
                instance_type: Some(Self::instance_type(version).to_owned()),
                initial_variant_weight: Some(1.0),
                ..ProductionVariant::default()
            }],
            ..CreateEndpointConfigInput::default()
        };
        client.sagemaker_order("CreateEndpointConfig", &input).await?;
        self.note(Thing::Config(input.endpoint_config_name));
        Ok(())
    }

    pub(super) async fn create_endpoint(&self, client: &Client) -> Result<(), Error> {
        let input = CreateEndpointInput {
            endpoint_name: self.name.clone(),
            endpoint_config_name: self.version(1),
            ..CreateEndpointInput::default()
        };
        client.sagemaker_order("CreateEndpoint", &input).await?;
        self.note(Thing::Endpoint(input.endpoint_name));
        Ok(())
    }

    /// Registers the variant as a scalable target.
    pub(super) async fn register(&self, client: &Client) -> Result<(), Error> {
        autoscale::register(client, &self.name).await?;
        self.note(Thing::Target(self.name.clone()));
        Ok(())
    }

    /// Removes everything, the latest first. What cannot be removed is named, and the rest still is.
    pub(super) async fn remove(
        &self,
        client: &Client,
        output: &Output,
        progress: &Progress<'_>,
    ) -> Result<(), Error> {
        let mut first_error = None;
        // Taken off the list only when it is gone, so that what is left can be named after an interruption.
        while let Some(thing) = self.last() {
            if let Err(error) = thing.remove(client, progress).await {
                output.note(format_args!("cannot remove {}: {error}", thing.in_words()));
                first_error = first_error.or(Some(error));
            }
            self.made.borrow_mut().pop();
        }
        first_error.map_or(Ok(()), Err)
    }

    /// What is still there, for people.
    pub(super) fn left(&self) -> Vec<String> {
        self.made.borrow().iter().map(Thing::in_words).collect()
    }

    fn last(&self) -> Option<Thing> {
        self.made.borrow().last().cloned()
    }

    fn note(&self, thing: Thing) {
        self.made.borrow_mut().push(thing);
    }

    fn object_key(&self) -> String {
        format!("{}/model.tar.gz", self.name)
    }
}

impl Thing {
    async fn remove(&self, client: &Client, progress: &Progress<'_>) -> Result<(), Error> {
        match self.clone() {
            Self::Bucket => client.delete_bucket_if_empty(BUCKET).await,
            Self::Object(key) => client.delete_object(BUCKET, &key).await,
            Self::Model(model_name) => {
                client.sagemaker_order("DeleteModel", &DeleteModelInput { model_name }).await
            }
            Self::Config(endpoint_config_name) => {
                client
                    .sagemaker_order(
                        "DeleteEndpointConfig",
                        &DeleteEndpointConfigInput { endpoint_config_name },
                    )
                    .await
            }
            Self::Endpoint(endpoint_name) => remove_endpoint(client, endpoint_name, progress).await,
            Self::Target(endpoint_name) => autoscale::deregister(client, &endpoint_name).await,
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Bucket => format!("bucket {BUCKET}"),
            Self::Object(key) => format!("object s3://{BUCKET}/{key}"),
            Self::Model(name) => format!("model {name}"),
            Self::Config(name) => format!("endpoint config {name}"),
            Self::Endpoint(name) => format!("endpoint {name}"),
            Self::Target(name) => format!("scalable target {}", resource_id(name, VARIANT)),
        }
    }
}

/// An endpoint that is busy cannot be deleted, and one that is being deleted is not gone yet.
async fn remove_endpoint(
    client: &Client,
    endpoint_name: String,
    progress: &Progress<'_>,
) -> Result<(), Error> {
    if let Fate::Gone = settle(client, &endpoint_name, progress).await? {
        return Ok(());
    }
    let input = DeleteEndpointInput { endpoint_name };
    client.sagemaker_order("DeleteEndpoint", &input).await?;
    match settle(client, &input.endpoint_name, progress).await? {
        Fate::Gone => Ok(()),
        Fate::Settled(endpoint) => {
            let status = endpoint.endpoint_status;
            Err(Error::Failed(format!("{} was not deleted: it is {status}", input.endpoint_name)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_sagemakers_rules_and_tell_versions_apart() {
        let belongings = Belongings::named("tide-demo-0a1b2c");
        assert!(belongings.endpoint().parse::<domain::name::EndpointName>().is_ok());
        assert!(belongings.version(2).parse::<domain::name::ModelName>().is_ok());
        assert_ne!(belongings.version(1), belongings.version(2));
    }

    #[test]
    fn what_is_left_is_named() {
        let belongings = Belongings::named("tide");
        belongings.note(Thing::Object(belongings.object_key()));
        belongings.note(Thing::Endpoint("tide".into()));
        assert_eq!(belongings.left(), ["object s3://models/tide/model.tar.gz", "endpoint tide"]);
    }
}
