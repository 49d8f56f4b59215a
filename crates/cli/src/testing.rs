//! A server with answers written in advance, which checks every signature as a real one does.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use auth::sigv4::{Expectation, Payload, SigningKeys, sha256};
use auth::{Claim, Credential, Principal, SecretKey};
use bytes::Bytes;
use domain::safe_update::{self, Config, Facts, Phase, Run, Saved, Variant};
use domain::time::Timestamp;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::target::{BaseUrl, Key, Keys, Origin, Server, Target, trust};
use crate::{Environment, Global, ServerFile, wall};

const KEY_ID: &str = "AKIATESTTESTTESTTEST";
const SECRET: &str = "the secret of the test";

/// What a request was: the operation or the path, and the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) what: String,
    pub(crate) body: String,
}

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<(u16, Bytes)>,
    asked: Vec<Asked>,
    problems: Vec<String>,
}

/// The server. It ends with the test, which fails if an answer was not asked for or a request had none.
#[derive(Debug)]
pub(crate) struct FakeServer {
    url: String,
    script: Arc<Mutex<Script>>,
    tasks: JoinSet<()>,
}

impl FakeServer {
    pub(crate) async fn answering(answers: &[(u16, &str)]) -> Self {
        Self::start(None, texts(answers)).await
    }

    /// The same with bodies that are no text.
    pub(crate) async fn answering_bytes(answers: &[(u16, Bytes)]) -> Self {
        Self::start(None, answers.iter().cloned().collect()).await
    }

    /// The same over TLS.
    pub(crate) async fn secure(tls: ServerConfig, answers: &[(u16, &str)]) -> Self {
        Self::start(Some(TlsAcceptor::from(Arc::new(tls))), texts(answers)).await
    }

    async fn start(tls: Option<TlsAcceptor>, answers: VecDeque<(u16, Bytes)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script { answers, ..Script::default() }));
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&script);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (script, tls) = (Arc::clone(&shared), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(stream, script).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, script).await;
                            }
                        }
                    }
                });
            }
        });
        Self { url, script, tasks }
    }

    /// The server as a local one, with the key that it knows.
    pub(crate) fn target(&self) -> Target {
        let data_dir = std::path::PathBuf::from("/data");
        let origin = Origin::Local { data_dir: data_dir.clone(), by_flag: false };
        let file = ServerFile {
            endpoint_url: self.url.clone(),
            region: "eu-west-1".into(),
            account_id: "123456789012".into(),
            pid: 1,
            tls_cert: None,
        };
        let url = BaseUrl::parse(&self.url, &origin).unwrap();
        let trust =
            trust::resolve(&url, Some(&file), &Global::default(), &Environment::new()).unwrap();
        Target {
            server: Server { url, origin, local: Some((data_dir, file)), aws: None, trust },
            region: "eu-west-1".into(),
            keys: Keys::Fixed(Key {
                access_key_id: KEY_ID.into(),
                secret: SecretKey::new(SECRET),
                session_token: None,
                source: "the test".into(),
            }),
        }
    }

    /// What was asked, in order. Every answer must have been used, and every signature been right.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let script = self.script.lock().unwrap();
        assert_eq!(script.problems, Vec::<String>::new());
        assert_eq!(script.answers, [], "answers nobody asked for");
        script.asked.clone()
    }

    /// The names of the operations asked for.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.what).collect()
    }

    /// Stops listening; connections that are open break.
    pub(crate) async fn stop(mut self) -> Target {
        self.tasks.shutdown().await;
        self.target()
    }
}

/// A safe update that has taken scaling away and stands still, of an endpoint `tide` from the config `one` to `two`.
pub(crate) fn run_under_way() -> Run {
    let config = |name: &str, kind: &str| Config {
        name: name.parse().unwrap(),
        variants: vec![Variant {
            name: "a".parse().unwrap(),
            instance_type: Some(kind.to_owned()),
            model: Some("m".to_owned()),
            initial_count: Some(1),
            initial_weight: 1.0,
        }],
    };
    let facts = Facts {
        endpoint: "tide".parse().unwrap(),
        arn: "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/tide".to_owned(),
        status: "InService".to_owned(),
        in_use: config("one", "ml.m5.large"),
        wanted: config("two", "ml.m5.xlarge"),
        running: Vec::new(),
        scaled: Vec::new(),
    };
    let now = Timestamp::from_millis(60_000);
    let begun = Run::begin(facts, Saved::default(), safe_update::Request::default(), now).unwrap();
    Run { phase: Phase::Updating, ..begun.paused("it was interrupted", now) }
}

fn texts(answers: &[(u16, &str)]) -> VecDeque<(u16, Bytes)> {
    answers.iter().map(|(status, body)| (*status, Bytes::from((*body).to_owned()))).collect()
}

async fn serve<S>(stream: S, script: Arc<Mutex<Script>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(move |request| answer(request, Arc::clone(&script)));
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    script: Arc<Mutex<Script>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let what =
        target.and_then(|target| target.split_once('.')).map(|(_, operation)| operation.to_owned());
    let mut what = what.unwrap_or_else(|| format!("{} {}", parts.method, parts.uri));
    if parts.headers.get("x-tidegate-dry-run").is_some_and(|value| value == "true") {
        what.push_str(" (dry run)");
    }
    let mut script = script.lock().unwrap();
    if parts.uri.path() != "/tidegate/clock"
        && let Err(problem) = verify(&parts, &body)
    {
        script.problems.push(format!("{what}: {problem}"));
    }
    let (status, answer) = script.answers.pop_front().unwrap_or_else(|| {
        let what = what.clone();
        script.problems.push(format!("no answer for {what}"));
        (500, Bytes::new())
    });
    script.asked.push(Asked { what, body: String::from_utf8_lossy(&body).into_owned() });
    let mut response = Response::new(Full::new(answer));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Ok(response)
}

fn verify(parts: &http::request::Parts, body: &Bytes) -> Result<(), String> {
    let credential = Arc::new(Credential {
        access_key_id: KEY_ID.into(),
        secret: SecretKey::new(SECRET),
        session: None,
        principal: Principal {
            account: "123456789012".into(),
            arn: "arn:aws:iam::123456789012:root".into(),
            user_id: "1".into(),
        },
    });
    let find = move |id: &str| (id == KEY_ID).then(|| Arc::clone(&credential));
    let expect = Expectation {
        regions: &["eu-west-1"],
        services: &[
            "sagemaker",
            "s3",
            "sts",
            "logs",
            "application-autoscaling",
            "monitoring",
            "iam",
            "tidegate",
        ],
        now: wall::now_secs(),
        skew_secs: 60,
    };
    let claim = Claim::parse(parts).map_err(|problem| format!("{problem:?}"))?;
    claim
        .authenticate(Payload::Sha256(sha256(body)), &find, &mut SigningKeys::new(), &expect)
        .map(drop)
        .map_err(|problem| format!("{problem:?}"))
}
