//! Whose a key is and what its owner may do, as the data plane and S3 ask it.

use api::Authority;
use api::authorize::{Asked, Bucket, Denied, S3Call, TokenFault};
use artifact::bucket::service as s3;
use auth::{Credentials, Found};
use domain::name::EndpointName;
use gateway::{Came, Forbidden, PeerInfo, Permission};
use http::header::{HeaderMap, USER_AGENT};

/// The authority, as those who ask for it know it.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) authority: Authority,
    /// Whether the port is served over TLS.
    pub(crate) secure: bool,
}

impl Permission for Keys {
    fn invoke(
        &self,
        caller: &Found,
        endpoint: &EndpointName,
        came: Came<'_>,
    ) -> Result<(), Forbidden> {
        let asked = || Asked {
            access_key_id: caller.access_key_id.clone(),
            source_ip: Some(came.from),
            secure: came.secure,
            user_agent: user_agent(came.headers),
        };
        self.authority.invoke(caller, endpoint.as_str(), asked).map_err(|denied| match denied {
            Denied::Policy(message) => Forbidden::Denied(message),
            Denied::UnknownKey => Forbidden::UnknownKey,
        })
    }
}

impl s3::Guard for Keys {
    fn secret(&self, access_key: &str) -> Option<String> {
        let found = self.authority.find(access_key);
        found.map(|credential| credential.secret.expose().to_owned())
    }

    fn admit(&self, asked: &s3::Asked<'_>) -> Result<(), s3::Denied> {
        self.authority.check_token(asked.access_key, asked.token).map_err(|fault| match fault {
            TokenFault::Bad => s3::Denied::BadToken,
            TokenFault::Expired => s3::Denied::ExpiredToken,
        })?;
        let max_keys = asked.listing.max_keys.map(|count| count.to_string());
        let call = S3Call {
            operation: asked.operation,
            bucket: asked.bucket,
            key: asked.key,
            tagged: asked.tagged,
            listing: Bucket {
                prefix: asked.listing.prefix,
                delimiter: asked.listing.delimiter,
                max_keys: max_keys.as_deref(),
            },
        };
        let peer = asked.extensions.get::<PeerInfo>();
        let came = Asked {
            access_key_id: asked.access_key.to_owned(),
            source_ip: peer.map(|peer| peer.address.ip()),
            secure: self.secure,
            user_agent: user_agent(asked.headers),
        };
        self.authority.s3(&call, came).map_err(|denied| match denied {
            Denied::Policy(message) => s3::Denied::Access(message),
            Denied::UnknownKey => s3::Denied::UnknownKey,
        })
    }
}

pub(super) fn user_agent(headers: &HeaderMap) -> Option<String> {
    headers.get(USER_AGENT)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use api::authorize::{S3Call, s3_actions};

    #[test]
    fn every_operation_of_s3_has_a_case() {
        let names: Vec<_> = artifact::bucket::operation_names().collect();
        assert!(names.contains(&"PutObject") && names.len() > 20, "{names:?}");
        for operation in names {
            let call = S3Call { operation, bucket: "b", key: "k", ..S3Call::default() };
            assert!(s3_actions(&call).is_some(), "{operation} has no case");
        }
    }
}
