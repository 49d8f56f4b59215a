//! Real processes against the real kernel: what an instance may use is what its order says.

use std::collections::BTreeSet;
use std::fs;

use domain::instance::{ExitCause, Order, Phase, Resources};
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity};

use crate::driver::Driver as _;
use crate::process::bench::{ProcessBench, image, is_supervisor, processes_of};
use crate::process::system;
use crate::suite::{Bench as _, order};

/// What a test gives: far more than an interpreter needs, far less than a machine has.
const MEMORY_BYTES: u64 = 256 << 20;

/// Instances that a test starts at the most, on a machine of many processors.
const INSTANCES_MAX: usize = 8;

/// Takes as many MiB as its argument says, tells that it has them, and serves. `forked`: takes them in a child.
const TAKES: &str = r#"
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Ping(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
if "forked" in sys.argv and (child := os.fork()) != 0:
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
weights = bytearray(int(sys.argv[1]) << 20)
print("has", len(weights) >> 20, flush=True)
HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Ping).serve_forever()
"#;

/// Tells which processors a process that it starts may run on, and its bound of memory.
const TELLS: &str = r#"
import os, resource, subprocess, sys
def lift(limit):
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        return "lifted"
    except (ValueError, PermissionError):
        return "kept"
told = "import os; print(*os.sched_getaffinity(0))"
print("on", subprocess.check_output([sys.executable, "-c", told], text=True), flush=True)
bound = resource.getrlimit(resource.RLIMIT_DATA)
print("bound", *bound, lift(bound[1] * 2) if bound[1] > 0 else "none", flush=True)
"#;

fn bounded(image: &str, cpus: Option<u32>, memory_bytes: Option<u64>) -> Order {
    Order { resources: Resources { cpus, memory_bytes }, ..order(image) }
}

fn bench(pattern: &str, command: &[&str]) -> ProcessBench {
    ProcessBench::with(tempfile::tempdir().unwrap(), vec![image(pattern, command)])
}

/// How an instance ended by itself, and its last words.
async fn ended(bench: &ProcessBench, order: &Order) -> (String, String) {
    bench.driver.start(order.clone());
    match bench.until(&order.id, |phase| matches!(phase, Phase::Exited(_))).await {
        Phase::Exited(exit) => match exit.cause {
            ExitCause::Ended { status, last_words } => (status, last_words),
            cause => panic!("{cause:?}"),
        },
        phase => panic!("{phase:?}"),
    }
}

#[tokio::test]
async fn who_takes_more_memory_than_is_given_fails_and_says_why() {
    for more in [&["300"][..], &["300", "forked"]] {
        let bench = bench("takes", &[&["python3", "-c", TAKES], more].concat());
        let order = bounded("takes", None, Some(MEMORY_BYTES));
        let (status, last_words) = ended(&bench, &order).await;
        assert_eq!(status, "exit status 1", "{last_words}");
        assert!(last_words.contains("MemoryError"), "{last_words}");
        assert!(!bench.log_of(&order).contains("has"), "{}", bench.log_of(&order));
        bench.close().await;
    }
}

#[tokio::test]
async fn who_takes_less_or_has_no_bound_serves() {
    for (mebibytes, memory_bytes) in [("100", Some(MEMORY_BYTES)), ("300", None)] {
        let bench = bench("takes", &["python3", "-c", TAKES, mebibytes]);
        let order = bounded("takes", None, memory_bytes);
        bench.driver.start(order.clone());
        bench.until(&order.id, Phase::is_ready).await;
        assert!(bench.log_of(&order).contains(&format!("has {mebibytes}")));
        bench.close().await;
    }
}

/// The processors that an instance told to run on, and the rest of what it told.
async fn told(bench: &ProcessBench, order: &Order) -> (BTreeSet<usize>, String) {
    let (status, last_words) = ended(bench, order).await;
    let log = bench.log_of(order);
    assert_eq!(status, "exit status 0", "{last_words}\n{log}");
    let line = |word: &str| log.lines().find_map(|line| line.split_once(word)).unwrap().1;
    let numbers = line(" out on ").split_whitespace().map(|number| number.parse().unwrap());
    (numbers.collect(), line(" out bound ").to_owned())
}

#[tokio::test]
async fn a_process_is_held_to_its_processors_and_memory_and_cannot_lift_them() {
    let bench = bench("tells", &["python3", "-c", TELLS]);
    let all: BTreeSet<_> = system::processors().unwrap().into_iter().collect();
    let (on, bound) = told(&bench, &order("tells")).await;
    assert_eq!((&on, bound.as_str()), (&all, "-1 -1 none"));
    let (on, bound) = told(&bench, &bounded("tells", Some(1), Some(MEMORY_BYTES))).await;
    assert_eq!((on.len(), on.is_subset(&all)), (1, true));
    assert_eq!(bound, format!("{MEMORY_BYTES} {MEMORY_BYTES} kept"));
    // Fewer than were configured: an instance has to make do with what is left.
    let (on, _) = told(&bench, &bounded("tells", Some(u32::MAX), None)).await;
    assert_eq!(on, all);
    bench.close().await;
}

/// The processors of the command of an instance that is ready, and its bound of memory as the kernel tells it.
async fn started(bench: &ProcessBench, order: &Order) -> (Vec<usize>, String) {
    bench.driver.start(order.clone());
    bench.until(&order.id, Phase::is_ready).await;
    let family = processes_of(&order.id);
    let commands: Vec<_> = family.iter().filter(|process| !is_supervisor(process)).collect();
    let [command] = commands[..] else { panic!("{commands:?}") };
    let pid = command.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let set = sched_getaffinity(Pid::from_raw(pid)).unwrap();
    let limits = fs::read_to_string(command.join("limits")).unwrap();
    let bound = limits.lines().find_map(|line| line.strip_prefix("Max data size")).unwrap();
    let numbers = (0..CpuSet::MAX_CPU).filter(|number| set.is_set(*number));
    (numbers.collect(), bound.split_whitespace().next().unwrap().to_owned())
}

#[tokio::test]
async fn instances_of_one_processor_do_not_share_it_while_there_are_others() {
    let bench = ProcessBench::open().await;
    let one = || bounded("serves", Some(1), None);
    let mut free: BTreeSet<_> =
        system::processors().unwrap().into_iter().take(INSTANCES_MAX).collect();
    let mut instances = Vec::new();
    while !free.is_empty() {
        let order = one();
        let (on, _) = started(&bench, &order).await;
        assert!(on.len() == 1 && free.remove(&on[0]), "{on:?} of {free:?}");
        instances.push((order.id, on));
    }
    if instances.len() < INSTANCES_MAX {
        // All are taken, so that the one that was left is the only one for who comes next.
        let (gone, freed) = instances.remove(0);
        bench.driver.stop(&gone);
        bench.until(&gone, |phase| matches!(phase, Phase::Exited(_))).await;
        assert_eq!(started(&bench, &one()).await.0, freed);
    }
    bench.close().await;
}

#[tokio::test]
async fn built_in_images_are_bounded_too() {
    let bench = ProcessBench::open().await;
    let order = bounded("tidegate/echo:1", Some(1), Some(MEMORY_BYTES));
    let (on, bound) = started(&bench, &order).await;
    assert_eq!((on.len(), bound), (1, MEMORY_BYTES.to_string()));
    let order = bounded("tidegate/echo:1", None, None);
    let (on, bound) = started(&bench, &order).await;
    assert_eq!((on, bound.as_str()), (system::processors().unwrap(), "unlimited"));
    bench.close().await;
}
