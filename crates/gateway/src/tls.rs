//! TLS of the one port: a certificate and its key from two PEM files, replaced while the server runs when the files are.
//!
//! It decides nothing about who may connect; that is the signature's matter. No client certificate is asked for.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};

/// The longest file that is read. A chain of certificates is a few kilobytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What is spoken inside, in the order of preference. hyper finds out by itself which of them the client has chosen.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// How keys say in PEM that a passphrase protects them: PKCS #8's and OpenSSL's old way.
const ENCRYPTED: [&str; 2] = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"];

/// What a connection is encrypted with. Connections that are open keep the certificate they began with.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
    /// The files as they were when they were last read, well or not.
    seen: Mutex<Stamps>,
}

/// Why the files cannot be used; each is one line that names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {}: {why}", path.display())]
    Unreadable { path: PathBuf, why: io::Error },
    #[error("{} has no certificate in PEM (a block that begins with -----BEGIN CERTIFICATE-----)", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} has no private key in PEM (a block that begins with -----BEGIN PRIVATE KEY-----)", path.display())]
    NoKey { path: PathBuf },
    #[error(
        "the private key in {} is encrypted, and nobody is there to type the passphrase; write it without one: \
         openssl pkey -in {} -out plain.pem", path.display(), path.display()
    )]
    EncryptedKey { path: PathBuf },
    #[error("{} is not PEM as it should be: {why}", path.display())]
    Malformed { path: PathBuf, why: pem::Error },
    #[error("the private key in {} does not belong to the first certificate in {}", key.display(), certificate.display())]
    Mismatch { certificate: PathBuf, key: PathBuf },
    #[error("the certificate in {} with the key in {} cannot be used: {why}", certificate.display(), key.display())]
    Unusable { certificate: PathBuf, key: PathBuf, why: rustls::Error },
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads the certificate (with its chain) and its private key.
    ///
    /// # Errors
    /// A file is missing or not what it should be, or the two do not belong together.
    pub fn load(
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Result<Self, TlsError> {
        let (certificate, key) = (certificate.into(), key.into());
        let seen = Mutex::new(Stamps::of(&certificate, &key));
        let provider = Arc::new(ring::default_provider());
        let pair = read_pair(&certificate, &key, &provider)?;
        let current = Arc::new(Current(ArcSwap::from_pointee(pair)));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| {
                let (certificate, key) = (certificate.clone(), key.clone());
                TlsError::Unusable { certificate, key, why }
            })?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
        Ok(Self { certificate, key, current, config: Arc::new(config), seen })
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Reads the files again if either has changed; says whether new connections get another certificate. What cannot
    /// be used changes nothing, and is read again when it has changed once more: whoever replaces the two files does so
    /// one after the other.
    pub(crate) fn reload(&self) -> Result<bool, TlsError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at before they are read, so that a change meanwhile is seen the next time.
        let now = Stamps::of(&self.certificate, &self.key);
        if *seen == now {
            return Ok(false);
        }
        *seen = now;
        let provider = self.config.crypto_provider();
        let pair = read_pair(&self.certificate, &self.key, provider)?;
        self.current.0.store(Arc::new(pair));
        Ok(true)
    }
}

/// What tells one state of a file from the next: inode, time of change to the nanosecond, length. `None` if it cannot
/// be looked at.
type Stamp = Option<(u64, i64, i64, u64)>;

#[derive(Debug, PartialEq, Eq)]
struct Stamps([Stamp; 2]);

impl Stamps {
    fn of(certificate: &Path, key: &Path) -> Self {
        Self([certificate, key].map(|path| {
            let about = std::fs::metadata(path).ok()?;
            Some((about.ino(), about.mtime(), about.mtime_nsec(), about.len()))
        }))
    }
}

fn read_pair(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let chain = read_chain(certificate)?;
    let secret = read_key(key)?;
    CertifiedKey::from_der(chain, secret, provider).map_err(|why| {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        match why {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::Mismatch { certificate, key }
            }
            why => TlsError::Unusable { certificate, key, why },
        }
    })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(TlsError::NoCertificate { path: path.to_owned() }),
        Ok(chain) => Ok(chain),
        Err(why) => Err(TlsError::Malformed { path: path.to_owned(), why }),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let (text, path) = (read(path)?, path.to_owned());
    let is_encrypted =
        ENCRYPTED.iter().any(|mark| text.windows(mark.len()).any(|part| part == mark.as_bytes()));
    if is_encrypted {
        return Err(TlsError::EncryptedKey { path });
    }
    match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => Err(TlsError::NoKey { path }),
        Err(why) => Err(TlsError::Malformed { path, why }),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    use io::Read as _;

    let unreadable = |why| TlsError::Unreadable { path: path.to_owned(), why };
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let why = format!("it is longer than {FILE_BYTES_MAX} bytes; is it the right file?");
        return Err(unreadable(io::Error::other(why)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// A new certificate in `NAME.pem` and its key in `NAME.key`.
        fn pair(&self, name: &str) {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            std::fs::write(self.path(&format!("{name}.pem")), made.cert.pem()).unwrap();
            std::fs::write(self.path(&format!("{name}.key")), made.signing_key.serialize_pem())
                .unwrap();
        }

        fn load(&self, certificate: &str, key: &str) -> Result<Tls, String> {
            Tls::load(self.path(certificate), self.path(key)).map_err(|why| why.to_string())
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_in_one_line() {
        let folder = Folder::new();
        folder.pair("a");
        folder.pair("b");
        std::fs::write(folder.path("empty"), "").unwrap();
        std::fs::write(folder.path("half"), "-----BEGIN CERTIFICATE-----\nMIIB\n").unwrap();
        std::fs::write(
            folder.path("garbage"),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        std::fs::write(
            folder.path("pkcs8"),
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        )
        .unwrap();
        std::fs::write(
            folder.path("old"),
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n\
             -----END RSA PRIVATE KEY-----\n",
        )
        .unwrap();
        std::fs::write(folder.path("long"), vec![b'x'; 1024 * 1024 + 1]).unwrap();
        let table = [
            ("absent", "a.key", "cannot read", "absent: No such file"),
            ("a.pem", "absent", "cannot read", "absent: No such file"),
            (".", "a.key", "cannot read", "directory"),
            ("long", "a.key", "cannot read", "longer than 1048576 bytes"),
            ("empty", "a.key", "", "empty has no certificate in PEM"),
            ("a.key", "a.key", "", "a.key has no certificate in PEM"),
            ("half", "a.key", "", "half is not PEM as it should be"),
            ("garbage", "a.key", "the certificate in", "cannot be used"),
            ("a.pem", "empty", "", "empty has no private key in PEM"),
            ("a.pem", "a.pem", "", "a.pem has no private key in PEM"),
            ("a.pem", "pkcs8", "the private key in", "pkcs8 is encrypted"),
            ("a.pem", "old", "the private key in", "old is encrypted"),
            ("a.pem", "b.key", "the private key in", "does not belong to the first certificate in"),
        ];
        for (certificate, key, start, part) in table {
            let why = folder.load(certificate, key).unwrap_err();
            assert!(
                why.starts_with(start) && why.contains(part) && !why.contains('\n'),
                "{certificate} {key}: {why}"
            );
        }
        assert!(folder.load("a.pem", "a.key").is_ok());
    }

    #[test]
    fn changed_files_are_taken_when_both_fit_and_not_before() {
        let folder = Folder::new();
        folder.pair("a");
        folder.pair("b");
        let tls = folder.load("a.pem", "a.key").unwrap();
        let now = || tls.current.0.load().cert[0].clone();
        let first = now();
        assert!(!tls.reload().unwrap(), "nothing has changed");
        // Replaced one after the other, as such tools do.
        std::fs::rename(folder.path("b.pem"), folder.path("a.pem")).unwrap();
        assert!(matches!(tls.reload(), Err(TlsError::Mismatch { .. })));
        assert_eq!(now(), first, "the old pair stays");
        assert!(!tls.reload().unwrap(), "it is complained about once");
        std::fs::rename(folder.path("b.key"), folder.path("a.key")).unwrap();
        assert!(tls.reload().unwrap());
        assert_ne!(now(), first);
        std::fs::remove_file(folder.path("a.pem")).unwrap();
        assert!(matches!(tls.reload(), Err(TlsError::Unreadable { .. })));
    }
}
