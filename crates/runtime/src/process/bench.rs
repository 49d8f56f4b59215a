//! The process driver in the suite and in its own tests, with a helper in place of the server's binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::instance::{InstanceId, Order};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::{Image, ImageTable, OpenError, ProcessDriver, ProcessSettings};
use crate::artifacts::{ArtifactError, Artifacts, BoxFuture};
use crate::driver::Driver;
use crate::suite::{Bench, Case, ManualClock, order};

/// Wall time after which a test gives up; nothing here takes more than a moment on a machine that does nothing else.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct ProcessBench {
    pub(super) driver: ProcessDriver,
    pub(super) data_dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    changed: Arc<Notify>,
}

/// The example `instance_helper`, which cargo builds next to the tests.
pub(super) fn helper() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let helper = test.ancestors().nth(2).unwrap().join("examples/instance_helper");
    assert!(helper.exists(), "cargo build -p runtime --examples makes {}", helper.display());
    helper
}

/// A model server in Python that forks two workers, one of them a daemon with a session and an environment of its own.
pub(super) const FORKING: &str = r#"
import os, signal, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
if "ignore" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    while True: time.sleep(1000)
if os.fork() == 0:
    os.setsid()
    if os.fork() != 0: os._exit(0)
    while True: time.sleep(1000)
class Ping(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
server = HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Ping)
server.timeout = 0.05
while not os.path.exists("end"): server.handle_request()
os._exit(3)
"#;

/// A model server whose work is done by children that end one after another. One of its two processes waits for its
/// children, so that their time is added to its own; of the other one's time nothing is left.
const WORKING: &str = r#"
import os, signal, time
from http.server import BaseHTTPRequestHandler, HTTPServer
def child(seconds):
    pid = os.fork()
    if pid == 0:
        while time.process_time() < seconds: pass
        os._exit(0)
    return pid
if os.fork() == 0:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        child(0.15)
        time.sleep(0.3)
class Ping(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
server = HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Ping)
server.timeout = 0.02
while True:
    os.waitpid(child(0.05), 0)
    server.handle_request()
"#;

pub(super) fn image(pattern: &str, command: &[&str]) -> Image {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    let (environment, readable, writable) = <_>::default();
    Image { pattern: pattern.to_owned(), command, environment, readable, writable }
}

/// The processes that belong to an instance, their supervisor included.
pub(super) fn processes_of(id: &InstanceId) -> Vec<PathBuf> {
    let mark = format!("{}={id}", super::environment::MARK);
    let marked = |process: &PathBuf| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|line| line == mark.as_bytes())
    };
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    processes.filter(marked).collect()
}

pub(super) fn is_supervisor(process: &Path) -> bool {
    let command = fs::read(process.join("cmdline")).unwrap_or_default();
    command.split(|byte| *byte == 0).nth(1) == Some(b"__supervise")
}

/// A driver on a folder, with an exe and artefacts that nobody asks for.
pub(super) fn open(data_dir: &Path, images: ImageTable) -> Result<ProcessDriver, OpenError> {
    let settings = ProcessSettings::new(data_dir.to_owned(), helper(), images, "us-east-1".into());
    let clock = Arc::new(ManualClock::default());
    ProcessDriver::open(settings, Arc::new(TestArtifacts), clock, Arc::new(|| {}))
}

/// Waits until no process of an instance is left.
pub(super) async fn until_none_is_left(id: &InstanceId) {
    let none_left = async {
        while !processes_of(id).is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let gone = timeout(PATIENCE, none_left).await;
    assert!(gone.is_ok(), "left of {id}: {:?}", processes_of(id));
}

struct TestArtifacts;

impl Artifacts for TestArtifacts {
    fn prepare<'a>(
        &'a self,
        url: &'a str,
        into: &'a Path,
        _: Duration,
    ) -> BoxFuture<'a, Result<(), ArtifactError>> {
        Box::pin(async move {
            match url {
                "slow" => std::future::pending().await,
                "missing" => Err(ArtifactError { message: "there is no such object".to_owned() }),
                text => fs::write(into.join("model"), text)
                    .map_err(|e| ArtifactError { message: e.to_string() }),
            }
        })
    }
}

impl ProcessBench {
    /// A driver with further images.
    pub(super) fn with(data_dir: tempfile::TempDir, images: Vec<Image>) -> Self {
        let (clock, changed) = (Arc::new(ManualClock::default()), Arc::new(Notify::new()));
        let helper = helper();
        let exe = helper.to_str().unwrap();
        let own = [
            image("serves", &[exe, "serve"]),
            image("forks", &["python3", "-c", FORKING]),
            image("works", &["python3", "-c", WORKING]),
            image("ends-early", &["sh", "-c", "echo on its way; echo no weights >&2; exit 3"]),
            image("never-ready", &["sleep", "1000"]),
        ];
        let images = ImageTable::new(own.into_iter().chain(images).collect()).unwrap();
        let mut settings = ProcessSettings::new(
            data_dir.path().to_owned(),
            helper.clone(),
            images,
            "us-east-1".into(),
        );
        settings.path = std::env::var_os("PATH").unwrap().into_string().unwrap();
        settings.grace = Duration::from_secs(3);
        let nudge = Arc::clone(&changed);
        let nudge = Arc::new(move || nudge.notify_one());
        let driver =
            ProcessDriver::open(settings, Arc::new(TestArtifacts), Arc::clone(&clock) as _, nudge)
                .unwrap();
        Self { driver, data_dir, clock, changed }
    }

    /// The log of an instance.
    pub(super) fn log_of(&self, order: &Order) -> String {
        let folder = fs::read_dir(self.data_dir.path().join("logs/chat/AllTraffic")).unwrap();
        let files = folder.map(|entry| entry.unwrap().path());
        let own = |path: &PathBuf| path.to_string_lossy().contains(order.id.as_str());
        let mut texts: Vec<_> =
            files.filter(own).map(|path| fs::read_to_string(path).unwrap()).collect();
        // One that has become long has two files; the one with the older times is the older one.
        texts.sort_unstable();
        texts.concat()
    }
}

impl Bench for ProcessBench {
    async fn open() -> Self {
        Self::with(tempfile::tempdir().unwrap(), Vec::new())
    }

    fn driver(&self) -> &impl Driver {
        &self.driver
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn order(&self, case: Case) -> Order {
        let (image, url) = match case {
            Case::Serves => ("serves", Some("the model")),
            Case::ServesUntilEnded => ("forks", None),
            Case::Works => ("works", None),
            Case::EndsEarly => ("ends-early", None),
            Case::NeverReady => ("never-ready", None),
            Case::UnknownImage => ("nobody/knows:this", None),
            Case::ArtifactFails => ("serves", Some("missing")),
            Case::ArtifactIsSlow => ("serves", Some("slow")),
        };
        Order { model_data_url: url.map(str::to_owned), ..order(image) }
    }

    async fn wait(&self) {
        timeout(PATIENCE, self.changed.notified()).await.expect("something changes");
    }

    async fn work(&self) {
        sleep(Duration::from_millis(120)).await;
    }

    fn end(&self, id: &InstanceId) {
        fs::write(self.data_dir.path().join(format!("instances/{id}/end")), "").unwrap();
    }

    async fn close(self) {
        let seen = self.driver.observe();
        assert!(self.driver.shutdown().await);
        for instance in seen {
            until_none_is_left(&instance.id).await;
        }
        let left: Vec<_> =
            fs::read_dir(self.data_dir.path().join("instances")).unwrap().flatten().collect();
        assert!(left.is_empty(), "folders that outlive their instance: {left:?}");
    }
}
