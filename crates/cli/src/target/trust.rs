//! Which server certificates are trusted: those of the system's authorities, or those of a bundle that is named (by a flag,
//! a variable or a profile), and the very certificate that the local server says it serves with.
//!
//! A certificate that is listed itself is trusted as it is. Those that people make for themselves are often marked as an
//! authority's, and would not do as a server's by the rules for chains.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::environment::{Environment, variable};
use crate::server_file::ServerFile;
use crate::{Error, Global};

use super::files;
use super::url::BaseUrl;

/// The variable in which AWS's tools name a bundle.
const BUNDLE_VARIABLE: &str = "AWS_CA_BUNDLE";

/// What is trusted beyond chains that end at an authority.
#[derive(Debug, Default)]
struct Listed {
    /// Whatever name the server is reached by: the local server has said that it is this one.
    under_any_name: Vec<CertificateDer<'static>>,
    /// Under the names that are in the certificate.
    under_its_names: Vec<CertificateDer<'static>>,
}

/// Trusts what is listed, and whatever the authorities vouch for.
#[derive(Debug)]
struct Verifier {
    listed: Listed,
    /// Nothing if there are no authorities.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

/// How connections to this server are secured. Nothing is read for one that is spoken to in the clear.
pub(crate) fn resolve(
    url: &BaseUrl,
    local: Option<&ServerFile>,
    global: &Global,
    environment: &Environment,
) -> Result<Arc<ClientConfig>, Error> {
    let (mut listed, mut roots) = (Listed::default(), RootCertStore::empty());
    if url.is_secure() {
        if let Some(path) = bundle(global, environment)? {
            listed.under_its_names = read(&path)?;
            roots.add_parsable_certificates(listed.under_its_names.iter().cloned());
        } else {
            // What of the system's cannot be read is left out; who needed it is told that the certificate is unknown.
            let system = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(system.certs);
        }
        if let Some(path) = local.and_then(|file| file.tls_cert.as_deref()) {
            listed.under_any_name = read(path)?.into_iter().take(1).collect();
        }
    }
    config(listed, roots)
        .map(Arc::new)
        .map_err(|why| Error::Failed(format!("TLS cannot be used: {why}")))
}

/// `--ca-bundle`, else the variable, else `ca_bundle` of the profile in AWS's config file.
fn bundle(global: &Global, environment: &Environment) -> Result<Option<PathBuf>, Error> {
    if let Some(path) = &global.ca_bundle {
        return Ok(Some(path.clone()));
    }
    if let Some(path) = variable(environment, BUNDLE_VARIABLE) {
        return Ok(Some(path.into()));
    }
    let found = files::find_in_config(&files::profile_name(global, environment), environment)?;
    let named = found.and_then(|(_, profile)| profile.ca_bundle);
    Ok(named.map(|path| files::expanded(&path, environment)))
}

/// The certificates of a file, at least one.
fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let problem = |problem: String| Error::Malformed { path: path.to_owned(), problem };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|why| problem(format!("cannot be read as certificates in PEM: {why}")))?;
    if certificates.is_empty() {
        return Err(problem("has no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned()));
    }
    Ok(certificates)
}

fn config(listed: Listed, roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let authorities = if roots.is_empty() {
        None
    } else {
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        Some(builder.build().map_err(|why| rustls::Error::General(why.to_string()))?)
    };
    let verifier = Verifier { listed, authorities, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // That the server has the certificate's key is proven by the handshake's signature, below.
        if self.listed.under_any_name.contains(end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        if self.listed.under_its_names.contains(end_entity) {
            let parsed = ParsedCertificate::try_from(end_entity)?;
            rustls::client::verify_server_name(&parsed, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        match &self.authorities {
            Some(authorities) => authorities.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            None => Err(rustls::CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// botocore's order: what is said on the command line, the variable, the profile in the config file.
    #[test]
    fn the_first_that_names_a_bundle_wins() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        let config = "[default]\nca_bundle = /default.pem\n[profile work]\nca_bundle = ~/work.pem\n[profile bare]\n";
        std::fs::write(home.path().join(".aws/config"), config).unwrap();
        let in_home = home.path().join("work.pem").display().to_string();
        let table = [
            (Some("flag.pem"), Some("variable.pem"), "work", Some("flag.pem")),
            (None, Some("variable.pem"), "work", Some("variable.pem")),
            (None, None, "work", Some(in_home.as_str())),
            (None, Some(""), "default", Some("/default.pem")),
            (None, None, "bare", None),
            (None, None, "none", None),
        ];
        for (flag, set, profile, wanted) in table {
            let mut environment: Environment = [
                ("HOME".to_owned(), home.path().display().to_string()),
                ("AWS_PROFILE".to_owned(), profile.to_owned()),
            ]
            .into();
            environment.extend(set.map(|path| (BUNDLE_VARIABLE.to_owned(), path.to_owned())));
            let global = Global { ca_bundle: flag.map(Into::into), ..Global::default() };
            let found = bundle(&global, &environment).unwrap();
            assert_eq!(found, wanted.map(PathBuf::from), "{flag:?} {set:?} {profile}");
        }
    }
}
