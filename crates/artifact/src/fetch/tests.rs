//! Fetching, from files, folders and buckets.

use std::fs;
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// A place to prepare artefacts in.
pub(super) struct Home {
    dir: tempfile::TempDir,
    pub(super) artifacts: Artifacts,
}

const DEADLINE: Duration = Duration::from_secs(30);

fn home() -> Home {
    home_with(Network::default(), Vec::new())
}

pub(super) fn home_with(network: Network, real: Vec<RealBucket>) -> Home {
    let dir = tempfile::tempdir().unwrap();
    let buckets = Buckets::open(&dir.path().join("data/s3"), || SystemTime::UNIX_EPOCH).unwrap();
    let shared = Shared {
        buckets,
        real,
        network: Arc::new(network),
        limits: Limits { bytes: 1 << 20, ..Limits::default() },
        closed: vec![dir.path().join("data")],
    };
    fs::create_dir(dir.path().join("instances")).unwrap();
    Home { dir, artifacts: Artifacts { shared: Arc::new(shared) } }
}

impl Home {
    pub(super) async fn prepare(&self, url: &str) -> Result<(), FetchError> {
        self.artifacts.prepare(url, &self.dir.path().join("instances/one"), DEADLINE).await
    }

    fn url(&self, name: &str) -> String {
        format!("file://{}", self.dir.path().join(name).display())
    }

    pub(super) fn place(&self) -> PathBuf {
        self.dir.path().join("instances/one")
    }

    pub(super) fn instances(&self) -> usize {
        fs::read_dir(self.dir.path().join("instances")).unwrap().count()
    }

    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.dir.path().join("instances/one").join(name)).unwrap()
    }
}

pub(super) fn archive(name: &str, data: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(data.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, data).unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}

#[tokio::test]
async fn an_archive_arrives_from_a_file_and_from_a_bucket() {
    let home = home();
    fs::write(home.dir.path().join("my model.tar.gz"), archive("model.onnx", b"weights")).unwrap();
    home.prepare(&home.url("my%20model.tar.gz")).await.unwrap();
    assert_eq!(home.read("model.onnx"), b"weights");

    let home = self::home();
    home.artifacts.shared.buckets.put_for_test(
        "models",
        "a/../b//",
        &archive("model.onnx", b"stored"),
    );
    home.prepare("s3://models/a/../b//").await.unwrap();
    assert_eq!(home.read("model.onnx"), b"stored");
}

#[tokio::test]
async fn a_folder_is_copied_and_a_link_in_it_refuses() {
    let home = home();
    let folder = home.dir.path().join("folder");
    fs::create_dir_all(folder.join("code")).unwrap();
    fs::write(folder.join("code/run.py"), "print").unwrap();
    home.prepare(&home.url("folder")).await.unwrap();
    assert_eq!(home.read("code/run.py"), b"print");

    let home = self::home();
    let folder = home.dir.path().join("folder");
    fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("secrets")).unwrap();
    let error = home.prepare(&home.url("folder")).await.unwrap_err();
    assert!(error.to_string().contains("entry \"secrets\" is a symbolic link"), "{error}");
    fs::remove_file(folder.join("secrets")).unwrap();
    fs::write(folder.join("huge"), vec![0; (1 << 20) + 1]).unwrap();
    let error = home.prepare(&home.url("folder")).await.unwrap_err();
    assert!(
        error.to_string().contains("unpacks to more than 1048576 bytes (at entry \"huge\")"),
        "{error}"
    );
    assert_eq!(home.instances(), 0);
}

#[tokio::test]
async fn each_failure_says_what_it_is() {
    let home = home();
    fs::write(home.dir.path().join("text"), "not an archive").unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, home.dir.path().join("fifo"), rustix::fs::Mode::RWXU)
        .unwrap();
    let table = [
        (home.url("absent"), "no such file or folder"),
        (home.url("text"), "refused: it is not a whole tar.gz archive"),
        (home.url("fifo"), "neither a file nor a folder"),
        (home.url("data/s3/index.sqlite"), "which no model may read"),
        (home.url("folder/../data"), "no such file or folder"),
        (home.url("."), "which no model may read"),
        ("s3://nobody/x".to_owned(), "no bucket \"nobody\""),
        ("s3://models/x".to_owned(), "no object \"x\" in bucket \"models\""),
        ("http://example.com/model.tar.gz".to_owned(), "it must be s3://"),
    ];
    for (url, expected) in table {
        let error = home.prepare(&url).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
        assert!(error.contains(&url), "{url}: {error}");
        assert_eq!(home.instances(), 0);
    }
}

#[test]
fn time_that_is_up_stops_the_work() {
    let home = home();
    let folder = home.dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("weights"), [0; 5000]).unwrap();
    // The one thread that may block is taken until the time is up, so that no disk is fast enough.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let (free, taken) = std::sync::mpsc::channel::<()>();
    runtime.block_on(async {
        let taken = tokio::task::spawn_blocking(move || taken.recv());
        let (url, into) = (home.url("folder"), home.place());
        let preparing = home.artifacts.prepare(&url, &into, Duration::from_millis(1));
        let (prepared, ()) = tokio::join!(preparing, async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            free.send(()).unwrap();
        });
        taken.await.unwrap().unwrap();
        assert!(matches!(prepared, Err(FetchError::TooSlow { .. })), "{prepared:?}");
    });
    assert_eq!(home.instances(), 0);
}

#[test]
fn a_full_disk_is_told_from_a_broken_one() {
    let full = FetchError::writing("u", std::io::ErrorKind::StorageFull.into());
    assert!(matches!(full, FetchError::DiskFull { .. }));
    let broken = FetchError::writing("u", std::io::ErrorKind::PermissionDenied.into());
    assert!(matches!(broken, FetchError::Unwritable { .. }));
}
