//! What only the process driver promises: nothing of an instance outlives it, whoever is killed, and its output and
//! environment are as said.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use domain::instance::{Address, Exit, ExitCause, InstanceId, Order, Phase};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

use super::bench::{
    FORKING, PATIENCE, ProcessBench, helper, image, is_supervisor, processes_of, until_none_is_left,
};
use crate::driver::Driver as _;
use crate::suite::{Bench as _, instance_id, order};

/// Supervisor, command, and the two workers that it forks.
const FAMILY: usize = 4;

const NOBODY: Vec<PathBuf> = Vec::new();

fn kill(process: &Path, signal: Signal) {
    let pid = process.file_name().unwrap().to_str().unwrap().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Waits until `count` processes of an instance run.
async fn until_there_are(count: usize, id: &InstanceId) -> Vec<PathBuf> {
    let counted = async {
        while processes_of(id).len() != count {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(
        timeout(PATIENCE, counted).await.is_ok(),
        "not {count} of {id}: {:?}",
        processes_of(id)
    );
    processes_of(id)
}

/// Waits until all of a family run: the workers come before the first good ping, but their forks take a moment.
async fn family_of(id: &InstanceId) -> Vec<PathBuf> {
    until_there_are(FAMILY, id).await
}

async fn start_family(bench: &ProcessBench, order: &Order) -> Vec<PathBuf> {
    bench.driver.start(order.clone());
    bench.until(&order.id, Phase::is_ready).await;
    family_of(&order.id).await
}

async fn exit_of(bench: &ProcessBench, id: &InstanceId) -> Exit {
    match bench.until(id, |phase| matches!(phase, Phase::Exited(_))).await {
        Phase::Exited(exit) => exit,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_stop_ends_all_workers() {
    let (bench, order) = (ProcessBench::open().await, order("forks"));
    start_family(&bench, &order).await;
    bench.driver.stop(&order.id);
    assert_eq!(exit_of(&bench, &order.id).await.cause, ExitCause::Stopped);
    assert_eq!(processes_of(&order.id), NOBODY);
    bench.close().await;
}

#[tokio::test]
async fn who_ignores_sigterm_is_killed_when_the_grace_is_over() {
    let stubborn = image("stubborn", &["python3", "-c", FORKING, "ignore"]);
    let (bench, order) =
        (ProcessBench::with(tempfile::tempdir().unwrap(), vec![stubborn]), order("stubborn"));
    start_family(&bench, &order).await;
    let begun = tokio::time::Instant::now();
    bench.driver.stop(&order.id);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(processes_of(&order.id).len(), FAMILY, "the grace is theirs");
    assert_eq!(exit_of(&bench, &order.id).await.cause, ExitCause::Stopped);
    assert_eq!(processes_of(&order.id), NOBODY);
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
    bench.close().await;
}

#[tokio::test]
async fn workers_do_not_outlive_a_command_that_ends() {
    let (bench, order) = (ProcessBench::open().await, order("forks"));
    start_family(&bench, &order).await;
    bench.end(&order.id);
    let exit = exit_of(&bench, &order.id).await;
    assert!(
        matches!(&exit.cause, ExitCause::Ended { status, .. } if status == "exit status 3"),
        "{exit:?}"
    );
    assert_eq!(processes_of(&order.id), NOBODY);
    bench.close().await;
}

#[tokio::test]
async fn a_command_that_is_killed_is_told_and_takes_its_workers_along() {
    let (bench, order) = (ProcessBench::open().await, order("forks"));
    let family = start_family(&bench, &order).await;
    let command = family
        .iter()
        .filter(|process| !is_supervisor(process))
        .min_by_key(|process| started_at(process));
    kill(command.unwrap(), Signal::KILL);
    let exit = exit_of(&bench, &order.id).await;
    assert!(
        matches!(&exit.cause, ExitCause::Ended { status, .. } if status == "signal 9"),
        "{exit:?}"
    );
    assert_eq!(processes_of(&order.id), NOBODY);
    bench.close().await;
}

/// Ticks since boot: the command starts before its workers.
fn started_at(process: &Path) -> (u64, u64) {
    let stat = fs::read_to_string(process.join("stat")).unwrap();
    let ticks =
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
    (ticks, process.file_name().unwrap().to_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn nothing_outlives_a_supervisor_that_is_killed() {
    let (bench, order) = (ProcessBench::open().await, order("forks"));
    let family = start_family(&bench, &order).await;
    let supervisors: Vec<_> = family.iter().filter(|process| is_supervisor(process)).collect();
    assert_eq!(supervisors.len(), 1);
    kill(supervisors[0], Signal::KILL);
    let exit = exit_of(&bench, &order.id).await;
    assert!(
        matches!(&exit.cause, ExitCause::Ended { status, .. } if status.contains("supervisor")),
        "{exit:?}"
    );
    assert_eq!(processes_of(&order.id), NOBODY);
    bench.close().await;
}

/// A server in a process of its own with one family, ready.
fn server(data_dir: &Path, id: &InstanceId) -> std::process::Child {
    let mut server = Command::new(helper())
        .args(["server".as_ref(), data_dir.as_os_str(), id.as_str().as_ref()])
        .args(["python3", "-c", FORKING])
        .stdout(Stdio::piped())
        // As a shell does it: a signal to the group must not be what ends the instances.
        .process_group(0)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    server
}

#[tokio::test]
async fn nothing_outlives_a_server_that_is_killed() {
    let (data_dir, id) = (tempfile::tempdir().unwrap(), instance_id());
    let mut server = server(data_dir.path(), &id);
    family_of(&id).await;
    server.kill().unwrap();
    server.wait().unwrap();
    until_none_is_left(&id).await;
    assert!(data_dir.path().join(format!("instances/{id}")).exists());
    ProcessBench::with(data_dir, Vec::new()).close().await; // it checks that the folder is gone
}

#[tokio::test]
async fn the_next_server_ends_what_outlived_a_server_and_its_supervisor() {
    let (data_dir, id) = (tempfile::tempdir().unwrap(), instance_id());
    let mut server = server(data_dir.path(), &id);
    let family = family_of(&id).await;
    // Stopped processes cannot react, so that killing both at once is really at once for the supervisor.
    let supervisor = family.iter().find(|process| is_supervisor(process)).unwrap();
    kill(supervisor, Signal::STOP);
    server.kill().unwrap();
    server.wait().unwrap();
    kill(supervisor, Signal::KILL);
    // The command dies with its supervisor, and nobody is there to end its workers.
    until_there_are(2, &id).await;
    let bench = ProcessBench::with(data_dir, Vec::new());
    assert_eq!(processes_of(&id), NOBODY);
    bench.close().await;
}

#[tokio::test]
async fn a_command_that_is_not_there_is_a_launch_error() {
    let missing = image("missing", &["no-such-program", "x"]);
    let (bench, order) =
        (ProcessBench::with(tempfile::tempdir().unwrap(), vec![missing]), order("missing"));
    bench.driver.start(order.clone());
    let exit = exit_of(&bench, &order.id).await;
    let ExitCause::Launch(text) = exit.cause else { panic!("{exit:?}") };
    assert_eq!(text, "cannot run 'no-such-program': No such file or directory (os error 2)");
    bench.close().await;
}

#[tokio::test]
async fn the_last_words_of_a_command_are_told_and_its_log_is_kept() {
    let (bench, order) = (ProcessBench::open().await, order("ends-early"));
    bench.driver.start(order.clone());
    let exit = exit_of(&bench, &order.id).await;
    let expected =
        ExitCause::Ended { status: "exit status 3".into(), last_words: "no weights".into() };
    assert_eq!(exit.cause, expected);
    let mut lines: Vec<_> = bench.log_of(&order).lines().map(str::to_owned).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["1700000000000 err no weights", "1700000000000 out on its way"]);
    bench.close().await;
}

#[tokio::test]
async fn a_command_that_writes_much_is_not_blocked_and_its_log_is_bounded() {
    let exe = helper();
    let chatter = image("chatter", &[exe.to_str().unwrap(), "chatter", "20"]);
    let (bench, order) =
        (ProcessBench::with(tempfile::tempdir().unwrap(), vec![chatter]), order("chatter"));
    bench.driver.start(order.clone());
    bench.until(&order.id, Phase::is_ready).await;
    bench.driver.stop(&order.id);
    exit_of(&bench, &order.id).await;
    let log = bench.log_of(&order);
    // A disk that cannot keep up costs lines, which is told, and never holds the command up.
    let whole = log.lines().any(|line| line.ends_with("err that was all"));
    assert!(whole || log.contains("lines were dropped here"), "{}", log.len());
    let folder = fs::read_dir(bench.data_dir.path().join("logs/chat/AllTraffic")).unwrap();
    let bytes: u64 = folder.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes <= 16 * 1024 * 1024, "{bytes}");
    bench.close().await;
}

#[tokio::test]
async fn a_command_inherits_nothing_but_what_it_is_given() {
    let exe = helper();
    let tells = image("tells", &[exe.to_str().unwrap(), "environment"]);
    let bench = ProcessBench::with(tempfile::tempdir().unwrap(), vec![tells]);
    let mut order = order("tells");
    order.environment = [("LD_PRELOAD", "/nonexistent.so"), ("GREETING", "grüß\ngott")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    bench.driver.start(order.clone());
    let exit = exit_of(&bench, &order.id).await;
    assert!(
        matches!(&exit.cause, ExitCause::Ended { status, .. } if status == "exit status 0"),
        "{exit:?}"
    );
    let log = bench.log_of(&order);
    let told: Vec<_> =
        log.lines().filter_map(|line| line.split_once(" out ")).map(|(_, text)| text).collect();
    let names: Vec<_> =
        told.iter().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let mut expected =
        vec!["AWS_REGION", "GREETING", "HOME", "LANG", "LD_PRELOAD", "PATH", "SAGEMAKER_BASE_DIR"];
    expected.extend(["SAGEMAKER_BIND_TO_PORT", "SM_MODEL_DIR", "TIDEGATE_INSTANCE_ID", "TMPDIR"]);
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected, "{log}");
    assert!(told.contains(&"SigBlk:\t0000000000000000"), "{log}");
    // The last is the one that reads the list.
    let descriptors: Vec<_> = told.iter().filter(|line| line.starts_with("fd ")).collect();
    assert_eq!(descriptors.len(), 4, "{descriptors:?}");
    assert!(descriptors[0].ends_with("/dev/null"), "{descriptors:?}");
    // The loader of the command itself complains, the ones of the stages before it have not seen the variable.
    assert_eq!(log.matches("LD_PRELOAD cannot be preloaded").count(), 1, "{log}");
    bench.close().await;
}

#[tokio::test]
async fn a_built_in_image_listens_on_a_socket_and_the_model_is_in_its_folder() {
    let bench = ProcessBench::open().await;
    let order = Order { model_data_url: Some("weights".into()), ..order("tidegate/echo:1") };
    bench.driver.start(order.clone());
    let Phase::Ready { address: Address::Unix(path) } =
        bench.until(&order.id, Phase::is_ready).await
    else {
        panic!("a socket")
    };
    let folder =
        bench.data_dir.path().canonicalize().unwrap().join(format!("instances/{}", order.id));
    assert_eq!(path, folder.join("socket"));
    assert_eq!(fs::read_to_string(folder.join("model/model")).unwrap(), "weights");
    bench.close().await;
}

#[tokio::test]
async fn a_shutdown_ends_everything_and_starts_nothing_more() {
    let bench = ProcessBench::open().await;
    let orders = ["serves", "forks", "never-ready"].map(order);
    for order in &orders {
        bench.driver.start(order.clone());
    }
    bench.until(&orders[1].id, Phase::is_ready).await;
    assert!(bench.driver.shutdown().await);
    let late = order("serves");
    bench.driver.start(late.clone());
    for seen in bench.driver.observe() {
        assert!(
            matches!(&seen.phase, Phase::Exited(exit) if exit.cause == ExitCause::Stopped),
            "{seen:?}"
        );
        assert_eq!(processes_of(&seen.id), NOBODY);
    }
    assert_eq!(bench.driver.observe().len(), 4);
    bench.close().await;
}
