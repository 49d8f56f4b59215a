//! TLS on the port: what is spoken, what is not waited for, and certificates that change.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gateway::Tls;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Behaviour, Client, Http2, ModelServer, World, until};

/// A certificate and its key, in files that can be replaced.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> (Self, CertificateDer<'static>) {
        let files = Self(tempfile::tempdir().unwrap());
        let certificate = files.renew();
        (files, certificate)
    }

    fn paths(&self) -> [PathBuf; 2] {
        ["cert.pem", "key.pem"].map(|name| self.0.path().join(name))
    }

    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let [certificate, key] = self.paths();
        std::fs::write(certificate, made.cert.pem()).unwrap();
        std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    }
}

async fn world(files: &Files) -> (World, ModelServer) {
    let [certificate, key] = files.paths();
    let tls = Arc::new(Tls::load(certificate, key).unwrap());
    let world = World::with(|settings| {
        settings.tls = Some(tls);
        settings.limits.handshake = Duration::from_millis(300);
        settings.limits.certificate_check = Duration::from_millis(20);
    });
    let model = ModelServer::tcp(Behaviour::Echo).await;
    world.publish_one(model.route());
    (world, model)
}

async fn connect(
    world: &World,
    trusted: &CertificateDer<'static>,
    protocols: &[&str],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(world.address()).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_over_both_versions_of_tls() {
    let (files, certificate) = Files::new();
    let (world, _model) = world(&files).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for (offered, chosen) in
            [(&["h2", "http/1.1"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)]
        {
            let stream = connect(&world, &certificate, offered, &[version]).await.unwrap();
            let found = stream.get_ref().1.alpn_protocol().map(String::from_utf8_lossy);
            assert_eq!(found.as_deref(), chosen);
            let answer = if chosen == Some("h2") {
                Http2::over(world.address(), stream).await.invoke("x").await
            } else {
                Client::over(world.address(), stream).await.invoke("x").await
            };
            assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"x"[..]));
        }
    }
    let stream = connect(&world, &certificate, &[], rustls::DEFAULT_VERSIONS).await.unwrap();
    let body = bytes::Bytes::from(vec![b'x'; gateway::BODY_BYTES_MAX]);
    let answer = Client::over(world.address(), stream).await.invoke(body.clone()).await;
    assert!(answer.status == 200 && answer.body == body);
    // A protocol that nobody here speaks is refused in the handshake.
    assert!(connect(&world, &certificate, &["spdy/1"], rustls::DEFAULT_VERSIONS).await.is_err());
}

#[tokio::test]
async fn a_body_that_comes_after_the_refusal_does_not_take_the_answer_away() {
    let (files, certificate) = Files::new();
    let (world, _model) = world(&files).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut stream = connect(&world, &certificate, &["http/1.1"], &[version]).await.unwrap();
        let head = b"POST /refuse HTTP/1.1\r\nhost: x\r\ncontent-length: 65536\r\n\r\n";
        stream.write_all(head).await.unwrap();
        stream.flush().await.unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 403");
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            stream.write_all(&[b'x'; 8 * 1024]).await.expect("the gateway takes it");
        }
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("an answer, not a reset");
        assert!(rest.ends_with(b"refused"));
        drop(stream);
        until("the place is free", || world.gateway.connections() == 0).await;
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_or_is_none_gives_its_place_back() {
    let (files, certificate) = Files::new();
    let (world, model) = world(&files).await;
    let silent = TcpStream::connect(world.address()).await.unwrap();
    let mut half = TcpStream::connect(world.address()).await.unwrap();
    // The beginning of a record that announces more than ever comes.
    half.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
    let mut plain = TcpStream::connect(world.address()).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    for mut stream in [silent, half, plain] {
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        // A reset is a close as well.
        let _ = tokio::time::timeout(Duration::from_secs(20), read).await.expect("it closes");
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    until("the places are free", || world.gateway.connections() == 0).await;
    assert_eq!(model.connections(), 0);
    assert!(connect(&world, &certificate, &[], rustls::DEFAULT_VERSIONS).await.is_ok());
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_and_open_connections_stay() {
    let (files, old) = Files::new();
    let (world, _model) = world(&files).await;
    let stream = connect(&world, &old, &[], rustls::DEFAULT_VERSIONS).await.unwrap();
    let mut early = Client::over(world.address(), stream).await;
    assert_eq!(early.invoke("x").await.status, 200);
    let new = files.renew();
    let renewed = async {
        while connect(&world, &new, &[], rustls::DEFAULT_VERSIONS).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), renewed).await.expect("it is taken");
    assert!(connect(&world, &old, &[], rustls::DEFAULT_VERSIONS).await.is_err());
    assert_eq!(early.invoke("x").await.status, 200);
    // Files that cannot be used change nothing.
    std::fs::write(&files.paths()[0], "not a certificate").unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(connect(&world, &new, &[], rustls::DEFAULT_VERSIONS).await.is_ok());
}

#[tokio::test]
async fn draining_closes_encrypted_connections_too() {
    let (files, certificate) = Files::new();
    let (world, _model) = world(&files).await;
    let mut idle = connect(&world, &certificate, &[], rustls::DEFAULT_VERSIONS).await.unwrap();
    idle.write_all(b"GET /x HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut start = [0; 15];
    idle.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    let drained = world.gateway.drain(Duration::from_secs(20)).await;
    assert_eq!(drained.cut_off, 0);
    // The rest of the answer, and the word of farewell that tells an end from a cut: without it this fails.
    idle.read_to_end(&mut Vec::new()).await.unwrap();
}
