//! The one access key there is: the root user's.

use std::sync::Arc;

use auth::key::AccessKey;
use auth::{Credential, Credentials, Principal};
use domain::arn::Scope;

/// The root access key as a source of credentials.
#[derive(Debug)]
pub(crate) struct RootKey(Arc<Credential>);

impl RootKey {
    pub(crate) fn new(key: AccessKey, scope: &Scope) -> Self {
        let principal = Principal {
            account: scope.account.clone(),
            arn: scope.root(),
            user_id: scope.account.clone(),
        };
        let AccessKey { access_key_id, secret } = key;
        Self(Arc::new(Credential { access_key_id, secret, session: None, principal }))
    }
}

impl Credentials for RootKey {
    fn find(&self, access_key_id: &str) -> Option<Arc<Credential>> {
        (self.0.access_key_id == access_key_id).then(|| Arc::clone(&self.0))
    }
}
