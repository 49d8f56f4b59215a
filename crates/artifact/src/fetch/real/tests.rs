//! A real S3, played by the embedded one behind a socket.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::SystemTime;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::super::tests::{archive, home_with};
use super::*;
use crate::{Buckets, S3Service, service};

/// Serves `s3` on loopback until the set is dropped.
async fn served(s3: S3Service) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let s3 = s3.clone();
            connections.spawn(async move {
                let answer = service_fn(move |request| {
                    let s3 = s3.clone();
                    async move { Ok::<_, Infallible>(s3.call(request).await) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                drop(http.serve_connection(TokioIo::new(stream), answer).await);
            });
        }
    });
    (address, tasks)
}

#[expect(clippy::disallowed_methods, reason = "signatures are of the machine's time")]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

struct Store {
    _dir: tempfile::TempDir,
    _tasks: JoinSet<()>,
    buckets: Buckets,
    endpoint: String,
}

async fn store() -> Store {
    let dir = tempfile::tempdir().unwrap();
    let buckets = Buckets::open(&dir.path().join("s3"), wall_clock).unwrap();
    let keys = |id: &str| (id == "AKIAREAL").then(|| "real secret".to_owned());
    let (address, tasks) = served(service(buckets.clone(), keys, "eu-west-1")).await;
    Store { _dir: dir, _tasks: tasks, buckets, endpoint: format!("http://{address}/") }
}

fn key(secret: &str) -> Keys {
    Keys::environment([("AWS_ACCESS_KEY_ID", "AKIAREAL"), ("AWS_SECRET_ACCESS_KEY", secret)])
}

fn asked(secret: &'static str) -> Keys {
    Keys::Asked(Arc::new(move || {
        Ok(AccessKey { id: "AKIAREAL".into(), secret: secret.into(), session_token: None })
    }))
}

impl Store {
    fn real(&self, pattern: &str, region: &str, keys: Keys) -> RealBucket {
        RealBucket::new(pattern, Some(&self.endpoint), region, keys).unwrap()
    }
}

#[tokio::test]
async fn objects_of_a_real_bucket_arrive_and_the_others_stay_here() {
    let store = store().await;
    store.buckets.create_bucket("prod-models").unwrap();
    for keys in [key("real secret"), asked("real secret")] {
        let real = store.real("prod-*", "eu-west-1", keys);
        for name in ["model.tar.gz", "a/b c+d%20é.tar.gz", "~x/(1)!*'&=?#.tgz"] {
            let model = archive("model.onnx", name.as_bytes());
            store.buckets.put_for_test("prod-models", name, &model);
            let home = home_with(Network::default(), vec![real.clone()]);
            home.prepare(&format!("s3://prod-models/{name}")).await.unwrap();
            assert_eq!(home.read("model.onnx"), name.as_bytes());
        }
        // The embedded S3 has no such object, and the real one is not asked.
        store.buckets.put_for_test("models", "there", &archive("model.onnx", b"there"));
        let home = home_with(Network::default(), vec![real]);
        let error = home.prepare("s3://models/there").await.unwrap_err();
        assert!(matches!(error, FetchError::NotFound { .. }), "{error}");
    }
}

/// A machine's metadata service that hands out the key, to who asks as the second version wants it.
async fn metadata_service() -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}/", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let http = hyper::server::conn::http1::Builder::new();
            connections.spawn(async move {
                drop(http.serve_connection(TokioIo::new(stream), service_fn(metadata)).await);
            });
        }
    });
    (place, tasks)
}

async fn metadata(
    request: http::Request<hyper::body::Incoming>,
) -> Result<http::Response<http_body_util::Full<bytes::Bytes>>, Infallible> {
    let token = request.headers().get("x-aws-ec2-metadata-token");
    let known = token.is_some_and(|token| token == "a token");
    let key = r#"{"Code":"Success","AccessKeyId":"AKIAREAL","SecretAccessKey":"real secret",
        "Token":"session","Expiration":"2099-01-01T00:00:00Z"}"#;
    let roles = "/latest/meta-data/iam/security-credentials/";
    let (status, body) = match (request.method().as_str(), request.uri().path()) {
        ("PUT", "/latest/api/token") => (200, "a token"),
        ("GET", path) if known && path == roles => (200, "role"),
        ("GET", path) if known && path.strip_prefix(roles) == Some("role") => (200, key),
        _ => (401, ""),
    };
    Ok(http::Response::builder().status(status).body(body.into()).unwrap())
}

#[tokio::test]
async fn the_machines_own_key_opens_a_bucket() {
    let (place, _tasks) = metadata_service().await;
    let keys = Keys::environment([
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", place.as_str()),
        // Not ours to follow: after `tidegate env` this names the very server.
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ]);
    let store = store().await;
    store.buckets.put_for_test("models", "m", &archive("model.onnx", b"weights"));
    let home = home_with(Network::default(), vec![store.real("*", "eu-west-1", keys)]);
    home.prepare("s3://models/m").await.unwrap();
    assert_eq!(home.read("model.onnx"), b"weights");
}

#[tokio::test]
async fn the_first_entry_that_matches_counts() {
    let store = store().await;
    let elsewhere =
        RealBucket::new("mod*", Some("http://127.0.0.1:1"), "x", Keys::Anonymous).unwrap();
    store.buckets.put_for_test("models", "m", &archive("model.onnx", b"first"));
    let first = store.real("models", "eu-west-1", key("real secret"));
    let home = home_with(Network::default(), vec![first, elsewhere]);
    home.prepare("s3://models/m").await.unwrap();
    assert_eq!(home.read("model.onnx"), b"first");
}

#[tokio::test]
async fn each_failure_says_what_it_is_and_no_secret() {
    let store = store().await;
    let real = |region: &str, keys: Keys| store.real("*", region, keys);
    let no_key = Keys::environment([("AWS_EC2_METADATA_DISABLED", "true")]);
    let unasked = Keys::Asked(Arc::new(|| Err("no profile \"prod\"".to_owned())));
    let table = [
        (real("eu-west-1", key("real secret")), "s3://models/absent", "no object \"absent\""),
        (real("eu-west-1", key("real secret")), "s3://nobody/x", "no bucket \"nobody\""),
        (real("eu-west-1", key("wrong secret")), "s3://models/m", "403: SignatureDoesNotMatch"),
        (real("us-east-1", key("real secret")), "s3://models/m", "AuthorizationHeaderMalformed"),
        (real("eu-west-1", Keys::Anonymous), "s3://models/m", "403: AccessDenied"),
        (real("eu-west-1", no_key), "s3://models/m", "no key for it"),
        (real("eu-west-1", unasked), "s3://models/m", "no profile \"prod\""),
        (real("eu-west-1", key("real secret")), "s3://models/a//b", "must not begin or end"),
        (real("eu-west-1", key("real secret")), "s3://models/a/../b", "must not begin or end"),
        (real("eu-west-1", key("real secret")), "s3://models/a/", "must not begin or end"),
        (real("eu-west-1", key("real secret")), "s3://a%2fb/c", "not a bucket's name"),
    ];
    for (real, url, expected) in table {
        let shown = format!("{real:?}");
        let home = home_with(Network::default(), vec![real]);
        let error = home.prepare(url).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(expected), "{url}: {text}");
        assert!(!text.contains("secret") && !shown.contains("secret"), "{text} {shown}");
        assert_eq!(home.instances(), 0, "{url}");
    }
}

#[tokio::test]
async fn a_refused_archive_ends_the_download() {
    let store = store().await;
    store.buckets.put_for_test("models", "junk", &vec![b'x'; 3 << 20]);
    let real = store.real("*", "eu-west-1", key("real secret"));
    let home = home_with(Network::default(), vec![real]);
    let error = home.prepare("s3://models/junk").await.unwrap_err();
    assert!(matches!(error, FetchError::Refused { .. }), "{error}");
}

#[test]
fn a_key_goes_only_where_nobody_listens() {
    let good = [
        "https://s3.example",
        "https://s3.example:9000/",
        "http://127.0.0.1:9000",
        "http://[::1]:1",
        "http://localhost",
        "https://gateway.example/s3",
    ];
    let bad = [
        "http://s3.example",
        "http://10.0.0.1:9000",
        "http://localhost.example",
        "s3.example",
        "ftp://s3.example",
        "https://me:secret@s3.example",
        "https://s3.example/?x=1",
        "https://s3.example/#x",
        "",
        "http://0.0.0.0",
    ];
    for (endpoints, expected) in [(good.as_slice(), true), (bad.as_slice(), false)] {
        for endpoint in endpoints {
            let made = RealBucket::new("*", Some(endpoint), "us-east-1", Keys::Anonymous);
            assert_eq!(made.is_ok(), expected, "{endpoint}");
        }
    }
    let error = RealBucket::new("a[", None, "us-east-1", Keys::Anonymous).unwrap_err();
    assert!(error.to_string().contains("a["), "{error}");
}
