//! `https://`, against a server of our own that answers, misbehaves and stalls.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::tests::{archive, home_with};
use super::*;

/// What the server does for one path, request by request; the last one from then on.
type Script = HashMap<&'static str, Vec<Reply>>;

#[derive(Clone)]
enum Reply {
    /// These bytes, and the connection is closed.
    Send(Vec<u8>),
    /// These bytes, and silence.
    Stall(Vec<u8>),
    /// The same piece until the client goes.
    Forever(Vec<u8>),
}

struct Site {
    address: SocketAddr,
    roots: RootCertStore,
    asked: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

/// Serves `script` under `localhost`, with a certificate of its own authority.
async fn site(script: Script) -> Site {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = JoinSet::new();
    tasks.spawn(accept(listener, TlsAcceptor::from(Arc::new(tls)), script, Arc::clone(&asked)));
    Site { address, roots, asked, _tasks: tasks }
}

async fn accept(
    listener: TcpListener,
    tls: TlsAcceptor,
    mut script: Script,
    asked: Arc<Mutex<Vec<String>>>,
) {
    let mut held = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(stream) = tls.accept(stream).await else { continue };
        let mut stream = BufReader::new(stream);
        let mut request = String::new();
        while stream.read_line(&mut request).await.is_ok_and(|count| count > 2) {}
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        asked.lock().unwrap().push(path.clone());
        let replies = script.get_mut(path.as_str()).unwrap_or_else(|| panic!("{path}"));
        let reply = if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() };
        held.spawn(async move {
            match reply {
                Reply::Send(bytes) => {
                    drop(stream.write_all(&bytes).await);
                    drop(stream.shutdown().await);
                }
                Reply::Stall(bytes) => {
                    drop(stream.write_all(&bytes).await);
                    drop(stream.flush().await);
                    std::future::pending::<()>().await;
                }
                Reply::Forever(bytes) => while stream.write_all(&bytes).await.is_ok() {},
            }
        });
    }
}

impl Site {
    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn good(body: &[u8]) -> Reply {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    Reply::Send([head.as_bytes(), body].concat())
}

fn status(line: &str) -> Reply {
    Reply::Send(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into())
}

fn to(location: &str) -> Reply {
    status(&format!("302 Found\r\nLocation: {location}"))
}

#[tokio::test]
async fn an_archive_arrives_over_tls_redirected_and_after_a_hiccup() {
    let model = archive("model.onnx", b"weights");
    let script = Script::from([
        ("/model.tar.gz", vec![good(&model)]),
        ("/mirror/model.tar.gz?token=1", vec![good(&model)]),
        ("/latest", vec![to("/mirror/model.tar.gz?token=1")]),
        ("/shaky", vec![status("503 Service Unavailable"), Reply::Send(Vec::new()), good(&model)]),
        (
            // No length: the end of the connection is the end of the archive.
            "/unmeasured",
            vec![Reply::Send([b"HTTP/1.0 200 OK\r\n\r\n", model.as_slice()].concat())],
        ),
    ]);
    let site = site(script).await;
    for path in ["/model.tar.gz", "/latest", "/shaky", "/unmeasured"] {
        let home = home_with(Network::with_roots(site.roots.clone()), Vec::new());
        home.prepare(&site.url(path)).await.unwrap();
        assert_eq!(home.read("model.onnx"), b"weights", "{path}");
    }
    assert_eq!(site.asked().iter().filter(|path| *path == "/shaky").count(), 3);
}

#[tokio::test]
async fn each_failure_says_what_it_is_and_leaves_nothing() {
    let model = archive("model.onnx", b"weights");
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &model].concat();
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_vec();
    let huge = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec();
    let script = Script::from([
        ("/absent", vec![status("404 Not Found")]),
        ("/closed", vec![status("403 Forbidden")]),
        ("/down", vec![status("503 Service Unavailable")]),
        ("/loop", vec![to("/loop")]),
        ("/plain", vec![to("http://localhost/model.tar.gz")]),
        ("/lost", vec![status("302 Found")]),
        ("/text", vec![good(b"not an archive")]),
        ("/cut", vec![Reply::Send([cut.as_slice(), &model].concat())]),
        ("/short", vec![good(&model[..model.len() - 4])]),
        ("/huge", vec![Reply::Stall(huge)]),
        ("/endless", vec![Reply::Forever(endless)]),
    ]);
    let site = site(script).await;
    let home = home_with(Network::with_roots(site.roots.clone()), Vec::new());
    for (path, expected) in [
        ("/absent", "there is nothing at"),
        ("/closed", "answered 403 Forbidden"),
        ("/down", "answered 503 Service Unavailable"),
        ("/loop", "answered more than 5 redirects"),
        ("/plain", "answered a redirect that does not lead to https://"),
        ("/lost", "answered 302 Found"),
        ("/text", "are refused: it is not a whole tar.gz archive"),
        ("/cut", "cannot fetch"),
        ("/short", "are refused"),
        ("/huge", "has more than"),
        ("/endless", "are refused"),
    ] {
        let error = home.prepare(&site.url(path)).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{path}: {error}");
        assert!(error.contains(&site.url(path)), "{path}: {error}");
        assert_eq!(home.instances(), 0, "{path}");
    }
    let asked = |wanted: &str| site.asked().iter().filter(|path| *path == wanted).count();
    assert_eq!((asked("/absent"), asked("/down"), asked("/loop")), (1, 3, 6));
}

#[tokio::test]
async fn who_cannot_be_trusted_or_reached_gets_no_request() {
    let model = archive("model.onnx", b"weights");
    let site = site(Script::from([("/", vec![good(&model)])])).await;
    let trusting = || Network::with_roots(site.roots.clone());
    let other = RootCertStore::empty();
    let nobody = site.address.port();
    let table = [
        // The certificate is for localhost.
        (trusting(), format!("https://127.0.0.1:{nobody}/"), "certificate"),
        (Network::with_roots(other), site.url("/"), "no root certificates"),
        (trusting(), "https://localhost:1/".to_owned(), "Connection refused"),
        (trusting(), "https://no-such-host.invalid/".to_owned(), "cannot fetch"),
    ];
    for (network, url, expected) in table {
        let home = home_with(network, Vec::new());
        let error = home.prepare(&url).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
        assert_eq!(home.instances(), 0);
    }
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_stalls_takes_no_longer_than_the_deadline() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_vec();
    let script = Script::from([
        ("/silent?key=1", vec![Reply::Stall(Vec::new())]),
        ("/half", vec![Reply::Stall(head)]),
    ]);
    let site = site(script).await;
    let home = home_with(Network::with_roots(site.roots.clone()), Vec::new());
    for path in ["/silent?key=1", "/half"] {
        let deadline = Duration::from_millis(300);
        let error =
            home.artifacts.prepare(&site.url(path), &home.place(), deadline).await.unwrap_err();
        assert!(matches!(error, FetchError::TooSlow { .. }), "{path}: {error}");
        assert!(!error.to_string().contains("key=1"), "{error}");
        assert_eq!(home.instances(), 0, "{path}");
    }
}

/// A body that never goes on.
struct Silence;

impl futures_core::Stream for Silence {
    type Item = Result<bytes::Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_download_before_its_deadline() {
    let (feed, _drain) = pipe(1);
    let began = tokio::time::Instant::now();
    let error = web::pump("https://a/m", 1, feed, Silence).await.unwrap_err();
    assert!(error.to_string().ends_with("nothing came for 30 s"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(31));
}
