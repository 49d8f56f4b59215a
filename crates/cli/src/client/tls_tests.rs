//! Calls over TLS: whom the commands believe to be their server, and what they say of others.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use super::*;
use crate::target::{BaseUrl, trust};
use crate::testing::FakeServer;
use crate::{Environment, Global};

const ACCOUNT: (u16, &str) = (
    200,
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>\
     </GetCallerIdentityResult></GetCallerIdentityResponse>",
);

/// What a server has, and what can be named as trusted.
struct Made {
    chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    key: KeyPair,
    folder: tempfile::TempDir,
}

impl Made {
    /// A certificate for this name, signed with its own key; marked as an authority's if told so.
    fn alone(name: &str, is_ca: bool) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let certificate = params.self_signed(&key).unwrap();
        Self::with(&certificate.pem(), vec![certificate.der().clone()], key)
    }

    /// A certificate for this name that an authority has signed, which is what can be named.
    fn signed(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        Self::with(&authority.pem(), vec![certificate.der().clone()], key)
    }

    fn with(
        pem: &str,
        chain: Vec<rustls::pki_types::CertificateDer<'static>>,
        key: KeyPair,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("named.pem"), pem).unwrap();
        Self { chain, key, folder }
    }

    fn named(&self) -> PathBuf {
        self.folder.path().join("named.pem")
    }

    async fn serve(&self, answers: &[(u16, &str)]) -> FakeServer {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .unwrap();
        FakeServer::secure(config, answers).await
    }
}

/// What `GetCallerIdentity` says of a server at this URL.
async fn ask(target: Target, url: &str, global: &Global, is_local: bool) -> Result<String, String> {
    let mut target = target;
    let mut file = target.server.local.take().unwrap().1;
    let url = BaseUrl::parse(url, &target.server.origin).unwrap();
    file.tls_cert = global.ca_bundle.clone().filter(|_| is_local);
    let bundle =
        Global { ca_bundle: global.ca_bundle.clone().filter(|_| !is_local), ..Global::default() };
    target.server.trust = trust::resolve(&url, Some(&file), &bundle, &Environment::new())
        .map_err(|error| error.to_string())?;
    target.server.url = url;
    Client::new(target).account().await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn who_is_named_or_vouched_for_is_believed() {
    let (any, own) = ("elsewhere.example", "127.0.0.1");
    let table = [
        ("the local server, whatever its name", Made::alone(any, false), true, Ok(())),
        ("the local server, as people make them", Made::alone(any, true), true, Ok(())),
        ("named itself", Made::alone(own, false), false, Ok(())),
        ("named itself, as people make them", Made::alone(own, true), false, Ok(())),
        ("named itself, of another name", Made::alone(any, true), false, Err("not valid for name")),
        ("signed by who is named", Made::signed(own), false, Ok(())),
        ("signed, of another name", Made::signed(any), false, Err("not valid for name")),
        (
            "signed, but the local server shows another",
            Made::signed(own),
            true,
            Err("UnknownIssuer"),
        ),
    ];
    for (what, made, is_local, expected) in table {
        let answers = if expected.is_ok() { &[ACCOUNT][..] } else { &[] };
        let server = made.serve(answers).await;
        let target = server.target();
        let url = target.server.url.to_string();
        let global = Global { ca_bundle: Some(made.named()), ..Global::default() };
        let answer = ask(target, &url, &global, is_local).await;
        match expected {
            Ok(()) => assert_eq!(answer.as_deref(), Ok("123456789012"), "{what}"),
            Err(part) => {
                let error = answer.unwrap_err();
                assert!(
                    error.starts_with(&format!("the certificate of {url} is not trusted (")),
                    "{what}: {error}"
                );
                assert!(
                    error.contains(part) && error.contains("--ca-bundle FILE"),
                    "{what}: {error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn strangers_are_not_believed() {
    let server = Made::alone("127.0.0.1", false).serve(&[]).await;
    let target = server.target();
    let url = target.server.url.to_string();
    let error = ask(target, &url, &Global::default(), false).await.unwrap_err();
    assert!(error.contains("is not trusted (") && !error.contains('\n'), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_a_bad_certificate() {
    let server = FakeServer::answering(&[]).await;
    let target = server.target();
    let url = target.server.url.to_string().replace("http:", "https:");
    let error = ask(target, &url, &Global::default(), false).await.unwrap_err();
    assert!(error.contains("does the server speak https there?"), "{error}");
}

#[tokio::test]
async fn a_bundle_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for (path, problem) in [
        (empty, "empty.pem: has no certificate in PEM"),
        (folder.path().join("absent.pem"), "absent.pem: cannot be read as certificates in PEM"),
    ] {
        let server = FakeServer::answering(&[]).await;
        let global = Global { ca_bundle: Some(path), ..Global::default() };
        let error = ask(server.target(), "https://127.0.0.1:1", &global, false).await.unwrap_err();
        assert!(error.contains(problem) && !error.contains('\n'), "{error}");
    }
}
