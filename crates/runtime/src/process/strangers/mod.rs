//! Real model servers against the real kernel: what a hostile one tries in vain, and what an ordinary one needs.

use std::collections::BTreeMap;
use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::Command;

use domain::instance::{Address, ExitCause, InstanceId, Phase};

use crate::driver::Driver as _;
use crate::process::bench::{ProcessBench, image, open};
use crate::process::{Image, ImageTable, OpenError, system};
use crate::suite::{Bench as _, instance_id, order};

/// Runs what follows it, and tells how each attempt ended: `ok`, or the name of the error.
const ATTEMPTS: &str = include_str!("attempts.py");

/// Arguments: the data directory, a folder of the user's, another instance, and the process of the server.
const HOSTILE: &str = include_str!("hostile.py");

/// What servers written in Python do all day. It runs as a file, for multiprocessing starts it again.
const ORDINARY: &str = include_str!("ordinary.py");

/// Runs an image until it ends by itself, and gives what it told of its attempts.
async fn told(data_dir: tempfile::TempDir, image: Image) -> BTreeMap<String, String> {
    let order = order(&image.pattern);
    let bench = ProcessBench::with(data_dir, vec![image]);
    bench.driver.start(order.clone());
    let phase = bench.until(&order.id, |phase| matches!(phase, Phase::Exited(_))).await;
    let log = bench.log_of(&order);
    let Phase::Exited(exit) = phase else { panic!("{phase:?}") };
    assert!(
        matches!(&exit.cause, ExitCause::Ended { status, .. } if status == "exit status 0"),
        "{exit:?}\n{log}"
    );
    bench.close().await;
    let lines = log.lines().filter_map(|line| line.split_once(" out ")?.1.split_once('\t'));
    lines.map(|(name, outcome)| (name.to_owned(), outcome.to_owned())).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn hostile(data_dir: &Path, user: &Path, other: &InstanceId) -> Image {
    let script = format!("{ATTEMPTS}{HOSTILE}");
    let server = std::process::id().to_string();
    let words = [script.as_str(), text(data_dir), text(user), other.as_str(), &server];
    let mut image = image("hostile", &["python3", "-c"]);
    // Words that name paths are open. These go in through a file that only they are in, as if it had guessed them.
    let script = format!("import sys; sys.argv[1:] = {:?}\n{}", &words[1..], words[0]);
    image.command.push(script);
    image
}

#[tokio::test]
async fn a_hostile_model_server_reaches_nothing() {
    let (data_dir, user, other) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), instance_id());
    let data = data_dir.path().canonicalize().unwrap();
    fs::create_dir(user.path().join(".ssh")).unwrap();
    for file in
        [data.join("credentials"), data.join("state.db"), user.path().join(".ssh/id_ed25519")]
    {
        fs::write(file, "secret").unwrap();
    }
    let name = SocketAddr::from_abstract_name(other.as_str()).unwrap();
    let _listener = UnixListener::bind_addr(&name).unwrap();
    let image = hostile(&data, user.path(), &other);
    // The driver removes what lies there when it opens, so the neighbour is made to look like one only then.
    let neighbour = data.join("instances").join(other.as_str());
    let order = order("hostile");
    let bench = ProcessBench::with(data_dir, vec![image]);
    fs::create_dir_all(neighbour.join("model")).unwrap();
    fs::write(neighbour.join("model/weights"), "secret").unwrap();
    bench.driver.start(order.clone());
    bench.until(&order.id, |phase| matches!(phase, Phase::Exited(_))).await;
    let log = bench.log_of(&order);
    let lines = log.lines().filter_map(|line| line.split_once(" out ")?.1.split_once('\t'));
    let (facts, attempts): (BTreeMap<_, _>, BTreeMap<_, _>) =
        lines.partition(|(name, _)| name.starts_with("fact: "));
    assert_eq!((facts.len(), attempts.len()), (4, 32), "{log}");
    for (attempt, outcome) in attempts {
        let enforced = !attempt.starts_with("newer: ") || system::not_confined().is_none();
        let refused = ["EACCES", "EPERM", "EXDEV"].contains(&outcome);
        assert!(refused || !enforced, "{attempt}: {outcome}\n{log}");
    }
    let expected = [
        ("core", "(0, 0)"),
        ("descriptors", "True"),
        ("capabilities", "0"),
        ("no new privileges", "1"),
    ];
    for (fact, value) in expected {
        assert_eq!(facts.get(format!("fact: {fact}").as_str()), Some(&value), "{log}");
    }
    for file in [data.join("credentials"), data.join("state.db"), neighbour.join("model/weights")] {
        assert_eq!(fs::read_to_string(&file).unwrap(), "secret", "{}", file.display());
    }
    fs::remove_dir_all(neighbour).unwrap();
    bench.close().await;
}

/// The ordinary server as a file, with a module beside it.
fn ordinary(folder: &Path) -> std::path::PathBuf {
    let script = folder.join("app/server.py");
    fs::create_dir(folder.join("app")).unwrap();
    fs::write(&script, format!("{ATTEMPTS}{ORDINARY}")).unwrap();
    fs::write(folder.join("app/sibling.py"), "VALUE = 3\n").unwrap();
    script
}

fn assert_all_ok(told: &BTreeMap<String, String>) {
    assert!(told.len() > 25, "{told:#?}");
    let failed: Vec<_> = told.iter().filter(|(_, outcome)| *outcome != "ok").collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[tokio::test]
async fn an_ordinary_model_server_has_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let script = ordinary(folder.path());
    let image = image("ordinary", &["python3", text(&script)]);
    assert_all_ok(&told(tempfile::tempdir().unwrap(), image).await);
}

#[tokio::test]
async fn a_virtual_environment_runs_beside_a_data_directory() {
    let folder = tempfile::tempdir().unwrap();
    let (script, venv) = (ordinary(folder.path()), folder.path().join("venv"));
    let made = Command::new("python3").args(["-m", "venv", "--without-pip", text(&venv)]).status();
    assert!(made.unwrap().success());
    let weights = folder.path().join("weights/w");
    fs::create_dir(folder.path().join("weights")).unwrap();
    fs::write(&weights, "w").unwrap();
    let data_dir = tempfile::tempdir_in(folder.path()).unwrap();
    let python = venv.join("bin/python");
    let mut image = image("venv", &[text(&python), text(&script), text(&weights)]);
    image.readable = vec![folder.path().to_owned()];
    assert_all_ok(&told(data_dir, image).await);
}

#[tokio::test]
async fn what_an_entry_lists_can_be_used_and_no_more() {
    let (folder, closed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    for name in ["readable", "writable"] {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("old"), "old").unwrap();
    }
    fs::write(closed.path().join("old"), "old").unwrap();
    let script = format!(
        "{ATTEMPTS}\nfor name, path in {:?}:\n    attempt('read ' + name, lambda: read(path + '/old'))\n    attempt('write ' + name, lambda: write(path + '/new'))\n",
        [
            ("readable", at("readable")),
            ("writable", at("writable")),
            ("closed", closed.path().into())
        ],
    );
    let mut image = image("lists", &["python3", "-c", &script]);
    (image.readable, image.writable) = (vec![at("readable")], vec![at("writable")]);
    let told = told(tempfile::tempdir().unwrap(), image).await;
    for (attempt, outcome) in [
        ("read readable", "ok"),
        ("write readable", "EACCES"),
        ("read writable", "ok"),
        ("write writable", "ok"),
        ("read closed", "EACCES"),
        ("write closed", "EACCES"),
    ] {
        assert_eq!(told.get(attempt).map(String::as_str), Some(outcome), "{attempt}: {told:?}");
    }
}

#[tokio::test]
async fn a_built_in_image_listens_where_a_long_data_directory_leaves_room() {
    let root = tempfile::tempdir().unwrap();
    let long = tempfile::Builder::new().prefix(&"x".repeat(100)).tempdir_in(root.path()).unwrap();
    let (bench, order) = (ProcessBench::with(long, Vec::new()), order("tidegate/echo:1"));
    bench.driver.start(order.clone());
    let phase = bench.until(&order.id, Phase::is_ready).await;
    let Phase::Ready { address: Address::Unix(path) } = phase else { panic!("{phase:?}") };
    assert!(!path.starts_with(root.path()), "{}", path.display());
    assert!(bench.driver.shutdown().await);
}

#[tokio::test]
async fn a_driver_does_not_open_with_an_image_that_exposes_the_data_directory() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut exposing = image("exposes", &["python3"]);
    exposing.writable = data_dir.path().parent().map(Path::to_owned).into_iter().collect();
    let images = ImageTable::new(vec![exposing]).unwrap();
    let error = open(data_dir.path(), images).unwrap_err();
    assert!(matches!(error, OpenError::Exposed(_)), "{error}");
    let shared = tempfile::tempdir_in("/dev/shm").unwrap();
    let error = open(shared.path(), ImageTable::default()).unwrap_err();
    assert!(matches!(error, OpenError::InScratch { .. }), "{error}");
}
