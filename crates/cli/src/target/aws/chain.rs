//! Whose key signs requests to AWS: the one that AWS's own tools would take, found by AWS's own library in the variables and
//! files of the process. Roles, SSO, processes, containers and instances are followed.
//!
//! Keys that are lent end while a long update runs, so they are asked for again in time.

use std::error::Error as _;
use std::fmt;
use std::time::{Duration, SystemTime};

use auth::{SecretKey, SessionToken};
use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use rustls::ClientConfig;
use tokio::sync::{Mutex, OnceCell};

use crate::target::Key;
use crate::{Error, wall};

use super::Aws;
use super::web::client;

/// How long before its end a key is no longer used: longer than a call may take.
const SPARE: Duration = Duration::from_mins(2);

/// How long a key may take to find: a role of a role asks STS twice, and a process asks whom it wants.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where keys come from, and the last that did.
pub(crate) struct Chain {
    config: ProviderConfig,
    region: Region,
    /// `--profile`: then nothing else counts.
    profile: Option<String>,
    url: String,
    provider: OnceCell<SharedCredentialsProvider>,
    last: Mutex<Option<Lent>>,
}

/// A key and when it ends, in Unix seconds.
struct Lent {
    key: Key,
    ends_at: Option<i64>,
}

impl Chain {
    pub(crate) fn new(aws: &Aws, profile: Option<&str>, trust: &ClientConfig) -> Self {
        let region = Region::new(aws.region().to_owned());
        let config = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_http_client(client(trust));
        Self {
            config,
            region,
            profile: profile.map(str::to_owned),
            url: aws.url().to_string(),
            provider: OnceCell::new(),
            last: Mutex::new(None),
        }
    }

    /// The key to sign with now.
    pub(crate) async fn key(&self) -> Result<Key, Error> {
        let mut last = self.last.lock().await;
        if let Some(lent) = last.as_ref().filter(|lent| lent.lasts(wall::now_secs())) {
            return Ok(lent.key.clone());
        }
        let provider = self.provider.get_or_init(|| self.provider()).await;
        let found = tokio::time::timeout(TIMEOUT, provider.provide_credentials()).await;
        let credentials = match found {
            Ok(Ok(credentials)) => credentials,
            Ok(Err(error)) => return Err(self.failed(&told(&error))),
            Err(_) => return Err(self.failed(&format!("none within {} s", TIMEOUT.as_secs()))),
        };
        let lent = self.lent(&credentials);
        Ok(last.insert(lent).key.clone())
    }

    /// The key that was found last.
    pub(crate) fn last(&self) -> Option<Key> {
        self.last.try_lock().ok()?.as_ref().map(|lent| lent.key.clone())
    }

    async fn provider(&self) -> SharedCredentialsProvider {
        match &self.profile {
            Some(name) => SharedCredentialsProvider::new(
                ProfileFileCredentialsProvider::builder()
                    .configure(&self.config)
                    .profile_name(name)
                    .build(),
            ),
            None => SharedCredentialsProvider::new(
                DefaultCredentialsChain::builder()
                    .configure(self.config.clone())
                    .region(self.region.clone())
                    .build()
                    .await,
            ),
        }
    }

    fn lent(&self, credentials: &Credentials) -> Lent {
        let source = match &self.profile {
            Some(name) => format!("profile `{name}`"),
            None => "AWS's chain of credentials".to_owned(),
        };
        Lent {
            key: Key {
                access_key_id: credentials.access_key_id().to_owned(),
                secret: SecretKey::new(credentials.secret_access_key()),
                session_token: credentials.session_token().map(SessionToken::new),
                source,
            },
            ends_at: credentials.expiry().map(|end| {
                let since = end.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            }),
        }
    }

    fn failed(&self, why: &str) -> Error {
        Error::NoKey { url: self.url.clone(), tried: why.to_owned() }
    }
}

impl Lent {
    fn lasts(&self, now_secs: i64) -> bool {
        let spare = i64::try_from(SPARE.as_secs()).unwrap_or(i64::MAX);
        self.ends_at.is_none_or(|end| now_secs.saturating_add(spare) < end)
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Chain").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// The error with what is below it, in a line: the library says the cause last.
fn told(error: &CredentialsError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use aws_credential_types::provider::future;

    use super::*;

    /// Lends keys that end so many seconds after now, each with a number of its own.
    #[derive(Debug)]
    struct Lender {
        lasting_secs: u64,
        lent: AtomicI64,
    }

    impl ProvideCredentials for Lender {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let number = self.lent.fetch_add(1, Ordering::SeqCst);
            let now = Duration::from_secs(u64::try_from(wall::now_secs()).unwrap());
            let ends = SystemTime::UNIX_EPOCH + now + Duration::from_secs(self.lasting_secs);
            future::ProvideCredentials::ready(Ok(Credentials::new(
                format!("ASIA{number}"),
                "secret",
                Some("token".into()),
                Some(ends),
                "test",
            )))
        }
    }

    fn chain(provider: impl ProvideCredentials + 'static) -> Chain {
        let aws = Aws::of("eu-west-1").unwrap();
        Chain {
            config: ProviderConfig::empty(),
            region: Region::new(aws.region().to_owned()),
            profile: None,
            url: aws.url().to_string(),
            provider: OnceCell::new_with(Some(SharedCredentialsProvider::new(provider))),
            last: Mutex::new(None),
        }
    }

    #[tokio::test]
    async fn a_key_is_asked_for_again_before_it_ends() {
        let spare = SPARE.as_secs();
        for (lasting_secs, second) in [(spare + 60, "ASIA0"), (spare - 1, "ASIA1")] {
            let chain = chain(Lender { lasting_secs, lent: AtomicI64::new(0) });
            assert_eq!(chain.key().await.unwrap().access_key_id, "ASIA0");
            let key = chain.key().await.unwrap();
            assert_eq!(key.access_key_id, second, "{lasting_secs}");
            assert_eq!(key.session_token.as_ref().map(SessionToken::expose), Some("token"));
        }
    }

    #[tokio::test]
    async fn that_there_is_none_is_told_with_its_cause() {
        #[derive(Debug)]
        struct Nobody;
        impl ProvideCredentials for Nobody {
            fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
            where
                Self: 'a,
            {
                let error = CredentialsError::not_loaded("no key:\n  of any profile");
                future::ProvideCredentials::ready(Err(error))
            }
        }
        let why = chain(Nobody).key().await.unwrap_err().to_string();
        assert!(
            why.starts_with("no access key for https://api.sagemaker.eu-west-1.amazonaws.com: ")
                && why.ends_with("no key: of any profile"),
            "{why}"
        );
    }
}
