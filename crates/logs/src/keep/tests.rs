//! What is on the disk after what was written.

use std::fs;
use std::path::Path;

use domain::instance::{DeploymentId, FleetId, InstanceId};
use domain::time::Timestamp;

use super::*;

pub(crate) fn fleet(endpoint: &str, variant: &str) -> FleetId {
    let (endpoint, variant) = (endpoint.parse().unwrap(), variant.parse().unwrap());
    FleetId { endpoint, deployment: DeploymentId(1), variant }
}

pub(crate) fn id(number: u128) -> InstanceId {
    InstanceId::from_entropy(number)
}

pub(crate) const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// The files of a variant: name and text.
fn files(root: &Path, folder: &str) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect();
    files.sort_unstable();
    files
}

fn small(segment_bytes: u64) -> Bounds {
    Bounds { segment_bytes, ..Bounds::DEFAULT }
}

#[tokio::test]
async fn what_is_appended_is_there_after_a_flush() {
    let root = tempfile::tempdir().unwrap();
    let logs = Logs::open(root.path().to_owned(), Bounds::DEFAULT).unwrap();
    let log = logs.log(&fleet("Chat", "main"), &id(7), at(5));
    log.append(at(6), Output::Out, b"a\n\nb\n".to_vec());
    log.append(at(7), Output::Err, Vec::new());
    log.append(at(8), Output::Err, b"c".to_vec());
    log.flush().await;
    let found = files(root.path(), "Chat/main");
    let wanted =
        ("i-00000000000000007.5.0.log".to_owned(), "6 out a\n6 out b\n8 err c\n".to_owned());
    assert_eq!(found, [wanted]);
}

#[tokio::test]
async fn a_stream_begins_with_its_instance_and_goes_on_with_it() {
    let root = tempfile::tempdir().unwrap();
    let logs = Logs::open(root.path().to_owned(), Bounds::DEFAULT).unwrap();
    let silent = logs.log(&fleet("e", "v"), &id(1), at(5));
    silent.flush().await;
    assert_eq!(files(root.path(), "e/v")[0].1, "");
    let again = logs.log(&fleet("e", "v"), &id(1), at(9));
    again.append(at(9), Output::Out, b"b\n".to_vec());
    silent.append(at(9), Output::Out, b"c\n".to_vec());
    again.append(at(9), Output::Out, b"d\n".to_vec());
    again.flush().await;
    let found = files(root.path(), "e/v");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, "9 out b\n9 out c\n9 out d\n");
}

#[tokio::test]
async fn a_stream_never_grows_beyond_its_bound_and_keeps_the_newest() {
    let root = tempfile::tempdir().unwrap();
    let logs = Logs::open(root.path().to_owned(), small(100)).unwrap();
    let log = logs.log(&fleet("e", "v"), &id(1), at(0));
    for number in 0..50 {
        log.append(at(number), Output::Out, format!("{number:02}").into_bytes());
    }
    log.flush().await;
    let found = files(root.path(), "e/v");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|(_, text)| text.len() <= 100));
    let mut numbers: Vec<i64> = found
        .iter()
        .flat_map(|(_, text)| text.lines().map(|line| line[line.len() - 2..].parse().unwrap()))
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (numbers[0]..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn times_never_fall_even_if_lines_are_handed_over_late() {
    let root = tempfile::tempdir().unwrap();
    let logs = Logs::open(root.path().to_owned(), Bounds::DEFAULT).unwrap();
    let (one, two) =
        (logs.log(&fleet("e", "v"), &id(1), at(0)), logs.log(&fleet("e", "w"), &id(2), at(0)));
    one.append(at(20), Output::Out, b"a".to_vec());
    two.append(at(10), Output::Out, b"b".to_vec());
    two.flush().await;
    assert_eq!(files(root.path(), "e/w")[0].1, "20 out b\n");
    // What a reader has seen lies behind it: the next record is later.
    drop(logs.shelf.index().cut(root.path(), &"e".parse().unwrap(), |_| true));
    one.append(at(20), Output::Out, b"c".to_vec());
    two.append(at(20), Output::Out, b"d".to_vec());
    two.flush().await;
    assert_eq!(files(root.path(), "e/v")[0].1, "20 out a\n21 out c\n");
    assert_eq!(files(root.path(), "e/w")[0].1, "20 out b\n21 out d\n");
}

#[test]
fn a_full_queue_drops_lines_and_does_not_wait() {
    let root = tempfile::tempdir().unwrap();
    let logs = Logs::open(root.path().to_owned(), Bounds::DEFAULT).unwrap();
    let (queue, work) = queue(3);
    let own =
        |number| Log { queue: queue.clone(), ..logs.log(&fleet("e", "v"), &id(number), at(0)) };
    let dropped = |log: &Log| log.file.dropped.load(Ordering::Relaxed);
    let (one, two) = (own(1), own(2));
    one.append(at(1), Output::Out, vec![b'x'; WAITING_BYTES_PER_LOG_MAX + 1]);
    assert_eq!(dropped(&one), 1, "too much of one instance");
    one.append(at(1), Output::Out, vec![b'x'; WAITING_BYTES_PER_LOG_MAX]);
    one.append(at(1), Output::Out, b"a\nb\n".to_vec());
    assert_eq!(dropped(&one), 3, "one instance is behind");
    two.append(at(1), Output::Out, b"a\n".to_vec());
    two.append(at(1), Output::Out, b"b\n".to_vec());
    assert_eq!(dropped(&two), 0, "the other is not");
    two.append(at(1), Output::Out, b"c\n".to_vec());
    assert_eq!(dropped(&two), 1, "too many pieces");
    drop(work);
}

#[tokio::test]
async fn dropped_lines_are_told_of() {
    let root = tempfile::tempdir().unwrap();
    let logs = Logs::open(root.path().to_owned(), Bounds::DEFAULT).unwrap();
    let log = logs.log(&fleet("e", "v"), &id(1), at(0));
    log.file.dropped.store(3, Ordering::Relaxed);
    log.append(at(17), Output::Out, b"a\n".to_vec());
    log.append(at(18), Output::Out, b"b\n".to_vec());
    log.flush().await;
    let text = &files(root.path(), "e/v")[0].1;
    assert_eq!(text.lines().count(), 3);
    assert!(text.starts_with("17 err tidegate: 3 lines were dropped"), "{text}");
    log.file.dropped.store(2, Ordering::Relaxed);
    log.flush().await;
    let text = &files(root.path(), "e/v")[0].1;
    let last = text.lines().last();
    assert!(
        last.is_some_and(|line| line.contains(" err tidegate: 2 lines were dropped")),
        "{text}"
    );
}

#[tokio::test]
async fn only_the_newest_streams_of_a_variant_are_kept_and_running_ones_first() {
    let root = tempfile::tempdir().unwrap();
    let bounds = Bounds { streams_per_variant: 3, streams: 5, ..Bounds::DEFAULT };
    let logs = Logs::open(root.path().to_owned(), bounds).unwrap();
    let running = logs.log(&fleet("e", "v"), &id(1), at(1));
    running.append(at(1), Output::Out, b"a".to_vec());
    for number in 2..8 {
        let log = logs.log(&fleet("e", "v"), &id(number), at(1));
        log.append(at(1), Output::Out, b"a".to_vec());
        log.flush().await;
    }
    let names = |folder: &str| -> Vec<String> {
        let found = files(root.path(), folder).into_iter();
        found.map(|(name, _)| name.split('.').next().unwrap()[15..].to_owned()).collect()
    };
    assert_eq!(names("e/v"), ["0001", "0006", "0007"]);
    for (number, endpoint) in (8..).zip(["f", "g", "h", "i"]) {
        logs.log(&fleet(endpoint, "v"), &id(number), at(2)).flush().await;
    }
    assert_eq!(names("e/v"), ["0001"]);
    assert_eq!(logs.shelf.index().streams, 5);
    assert!(!root.path().join("x").exists());
}

#[tokio::test]
async fn bytes_are_bounded_over_all_and_the_oldest_go_first() {
    let root = tempfile::tempdir().unwrap();
    let bounds = Bounds { segment_bytes: 1000, bytes: 3000, ..Bounds::DEFAULT };
    let logs = Logs::open(root.path().to_owned(), bounds).unwrap();
    let kept = || {
        let folders =
            ["a", "b", "c", "d"].map(|endpoint| files(root.path(), &format!("{endpoint}/v")));
        folders.map(|files| files.iter().map(|(_, text)| text.len()).sum::<usize>())
    };
    for (number, endpoint) in (1..).zip(["a", "b", "c", "d"]) {
        let log = logs.log(&fleet(endpoint, "v"), &id(number), at(1));
        for _ in 0..9 {
            log.append(at(1), Output::Out, vec![b'x'; 93]);
        }
        log.flush().await;
    }
    assert_eq!(kept(), [0, 900, 900, 900]);
    assert!(!root.path().join("a").exists(), "empty folders go");
    let log = logs.log(&fleet("d", "v"), &id(9), at(2));
    for _ in 0..200 {
        log.append(at(2), Output::Out, vec![b'x'; 93]);
    }
    log.flush().await;
    let [_, b, c, d] = kept();
    assert_eq!((b, c), (0, 0));
    assert!(b + c + d <= 3000);
    assert_eq!(logs.shelf.index().bytes, (b + c + d) as u64);
}

#[tokio::test]
async fn a_restart_finds_what_was_kept_and_no_torn_record() {
    let root = tempfile::tempdir().unwrap();
    let open = || Logs::open(root.path().to_owned(), small(40)).unwrap();
    let log = open().log(&fleet("e", "v"), &id(1), at(10));
    for (number, word) in (10..).zip(["one", "two", "three", "four"]) {
        log.append(at(number), Output::Out, word.as_bytes().to_vec());
    }
    log.flush().await;
    drop(log);
    let files = files(root.path(), "e/v");
    let newest = root.path().join("e/v").join(&files.last().unwrap().0);
    let whole = fs::read(&newest).unwrap();
    fs::write(&newest, [&whole[..], b"14 out torn"].concat()).unwrap();
    fs::write(root.path().join("e/v/stranger.log"), "x").unwrap();
    fs::create_dir_all(root.path().join("e/not a variant")).unwrap();

    let logs = open();
    let mut index = logs.shelf.index();
    let kept = index.stream(&log_key(1)).unwrap();
    assert_eq!(kept.created, 10);
    assert_eq!(kept.segments.back().unwrap().len, whole.len() as u64);
    assert_eq!(kept.segments.back().unwrap().span.unwrap().1, 13);
    assert_eq!(kept.segments.front().unwrap().span.unwrap().0, 10);
    assert_eq!(index.streams, 1);
    drop(index);
    assert!(root.path().join("e/v/stranger.log").exists());
}

#[tokio::test]
async fn a_disk_that_does_not_take_a_record_loses_it_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let logs = Logs::open(root.path().to_owned(), Bounds::DEFAULT).unwrap();
    // A file where the endpoint's folder should be.
    fs::write(root.path().join("e"), "").unwrap();
    let log = logs.log(&fleet("e", "v"), &id(1), at(1));
    log.append(at(1), Output::Out, b"a\nb".to_vec());
    log.flush().await;
    fs::remove_file(root.path().join("e")).unwrap();
    log.append(at(2), Output::Out, b"c".to_vec());
    log.flush().await;
    let text = &files(root.path(), "e/v")[0].1;
    assert!(text.starts_with("2 err tidegate: 2 lines were dropped"), "{text}");
    assert!(text.ends_with("2 out c\n"), "{text}");
}

fn log_key(number: u128) -> StreamKey {
    let fleet = fleet("e", "v");
    StreamKey { endpoint: fleet.endpoint, stream: StreamName::new(&fleet.variant, &id(number)) }
}
