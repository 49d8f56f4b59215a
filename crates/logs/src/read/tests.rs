//! Pages of what was written.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::keep::tests::{at, fleet, id};
use crate::{Bounds, Output};

struct World {
    root: tempfile::TempDir,
    logs: Logs,
    /// Time, stream and text of every event, in the order of writing.
    written: Vec<(i64, String, String)>,
}

/// A step of a random life: which instance says what, how much later.
type Said = (u128, i64, String);

async fn world(said: &[Said], bounds: Bounds) -> World {
    let root = tempfile::tempdir().unwrap();
    let logs = Logs::open(root.path().to_owned(), bounds).unwrap();
    let (mut writers, mut written, mut now) = (BTreeMap::new(), Vec::new(), 1000);
    for (who, later, text) in said {
        now += later;
        let variant = if who.is_multiple_of(2) { "even" } else { "odd" };
        let fleet = fleet("e", variant);
        let log = writers.entry(*who).or_insert_with(|| logs.log(&fleet, &id(*who), at(now)));
        log.append(at(now), Output::Out, text.clone().into_bytes());
        let stream = StreamName::new(&fleet.variant, &id(*who)).to_string();
        for line in text.lines().filter(|line| !line.is_empty()) {
            written.push((now, stream.clone(), line.to_owned()));
        }
        // A queue that overflows would drop lines.
        log.flush().await;
    }
    World { root, logs, written }
}

fn query() -> Query {
    Query {
        endpoint: "e".parse().unwrap(),
        names: None,
        prefix: None,
        from: i64::MIN,
        until: i64::MAX,
        pattern: Pattern::default(),
        limit: 10_000,
        direction: Direction::Ascending,
        after: None,
    }
}

fn flat(events: &[Event]) -> Vec<(i64, String, String)> {
    let flat = events.iter();
    flat.map(|one| (one.at.as_millis(), one.stream.to_string(), one.message.clone())).collect()
}

impl World {
    async fn all(&self, mut query: Query) -> Vec<Event> {
        let mut found = Vec::new();
        for _ in 0..10_000 {
            let page = self.logs.events(query.clone()).await.unwrap().unwrap();
            assert!(page.events.len() <= query.limit);
            found.extend(page.events);
            query.after = page.next;
            if query.after.is_none() {
                return found;
            }
        }
        panic!("the pages do not end");
    }

    fn wanted(&self, keep: impl Fn(&(i64, String, String)) -> bool) -> Vec<(i64, String, String)> {
        let mut wanted: Vec<_> = self.written.iter().filter(|one| keep(one)).cloned().collect();
        wanted.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        wanted
    }

    async fn page(&self, who: u128, position: StreamPosition, limit: usize) -> StreamPage {
        let fleet = fleet("e", if who.is_multiple_of(2) { "even" } else { "odd" });
        let stream = StreamName::new(&fleet.variant, &id(who));
        let key = StreamKey { endpoint: fleet.endpoint, stream };
        let query = StreamQuery { key, from: i64::MIN, until: i64::MAX, limit, position };
        self.logs.stream(query).await.unwrap().unwrap()
    }
}

fn lives() -> impl Strategy<Value = Vec<Said>> {
    let text = prop_oneof![
        4 => "[ab ]{1,8}",
        1 => "([ab]{1,4}\n){1,9}",
        1 => (1_usize..200).prop_map(|length| "ä".repeat(length)),
    ];
    proptest::collection::vec((1_u128..6, 0_i64..4, text), 1..60)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pages_give_every_event_once_in_order_in_both_directions(
        said in lives(), limit in 1_usize..9, from in 990_i64..1100, length in 0_i64..100,
    ) {
        run(async {
            let world = world(&said, Bounds { segment_bytes: 200, segments_per_stream: 1000, ..Bounds::DEFAULT }).await;
            let range = from..from + length;
            let ask = Query { from, until: range.end, limit, ..query() };
            let found = world.all(ask.clone()).await;
            let wanted = world.wanted(|one| range.contains(&one.0));
            prop_assert_eq!(flat(&found), wanted.clone());
            let mut backwards = flat(&world.all(Query { direction: Direction::Descending, ..ask.clone() }).await);
            backwards.reverse();
            prop_assert_eq!(backwards, wanted);
            let odd = world.all(Query { prefix: Some("odd/".into()), pattern: Pattern::parse("-b").unwrap(), ..ask }).await;
            let wanted = world.wanted(|one| range.contains(&one.0) && one.1.starts_with("odd/") && !one.2.contains('b'));
            prop_assert_eq!(flat(&odd), wanted);
            let mut ids: Vec<String> = found.iter().map(|event| event.id().to_string()).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), found.len());
            Ok(())
        })?;
    }

    #[test]
    fn a_stream_is_read_forwards_and_backwards(said in lives(), limit in 1_usize..9) {
        run(async {
            let world = world(&said, Bounds { segment_bytes: 200, segments_per_stream: 1000, ..Bounds::DEFAULT }).await;
            let who = said[0].0;
            let stream = id(who).to_string();
            let wanted = world.wanted(|one| one.1.ends_with(&stream));
            let mut found = Vec::new();
            let mut page = world.page(who, StreamPosition::Head, limit).await;
            while !page.events.is_empty() {
                found.extend(flat(&page.events));
                let next = page.forward;
                page = world.page(who, StreamPosition::From(next), limit).await;
            }
            prop_assert_eq!(&found, &wanted);
            let end = page.forward;
            let again = world.page(who, StreamPosition::From(end), limit).await;
            prop_assert_eq!(again.forward, end);
            let (mut found, mut page) = (Vec::new(), world.page(who, StreamPosition::Tail, limit).await);
            while !page.events.is_empty() {
                found.splice(0..0, flat(&page.events));
                let next = page.backward;
                page = world.page(who, StreamPosition::Before(next), limit).await;
            }
            prop_assert_eq!(found, wanted);
            Ok(())
        })?;
    }

    #[test]
    fn any_position_is_answered_with_whole_events(said in lives(), at in 0_u64..4000) {
        run(async {
            let world = world(&said, Bounds { segment_bytes: 200, ..Bounds::DEFAULT }).await;
            let who = said[0].0;
            for position in [StreamPosition::From(at), StreamPosition::Before(at)] {
                for event in flat(&world.page(who, position, 100).await.events) {
                    prop_assert!(world.written.contains(&event), "{:?}", event);
                }
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn records_of_every_size_are_found_by_time_in_large_segments() {
    let sizes = [1, 30, 5000, 70_000, crate::EVENT_BYTES_MAX, 1, 1, 100_000];
    let said: Vec<Said> =
        (0..64).map(|number| (2, 2, "x".repeat(sizes[number % sizes.len()]))).collect();
    let world = world(&said, Bounds::DEFAULT).await;
    for (time, _, text) in &world.written {
        let ask = Query { from: time - 1, limit: 1, ..query() };
        assert_eq!(
            world.all(Query { until: time + 1, ..ask.clone() }).await[0].message.len(),
            text.len()
        );
        let back =
            Query { direction: Direction::Descending, from: i64::MIN, until: time + 1, ..ask };
        let page = world.logs.events(back).await.unwrap().unwrap();
        assert_eq!(page.events[0].at.as_millis(), *time);
    }
    // A page has a mebibyte at most, and so several are needed.
    let page = world.logs.events(query()).await.unwrap().unwrap();
    let bytes: usize = page.events.iter().map(|event| event.message.len()).sum();
    assert!(bytes <= 1024 * 1024 && page.next.is_some(), "{bytes}");
    assert_eq!(flat(&world.all(query()).await), world.written);
}

#[tokio::test]
async fn a_scan_without_a_match_ends_early_and_goes_on() {
    let line = format!("{}\n", "x".repeat(99));
    let said: Vec<Said> = (0..100).map(|_| (2, 1, line.repeat(7500))).collect();
    let bounds = Bounds { segments_per_stream: 100, ..Bounds::DEFAULT };
    let world = world(&said, bounds).await;
    let mut ask = Query { pattern: Pattern::parse("y").unwrap(), ..query() };
    let mut pages = 0;
    loop {
        let page = world.logs.events(ask.clone()).await.unwrap().unwrap();
        assert!(page.events.is_empty());
        ask.after = page.next;
        if ask.after.is_none() {
            break;
        }
        pages += 1;
    }
    assert_eq!(pages, 2, "75 MB and what stands before each line, 32 MiB at a time");
}

#[tokio::test]
async fn bytes_that_are_no_text_come_back_as_text() {
    let root = tempfile::tempdir().unwrap();
    let logs = Logs::open(root.path().to_owned(), Bounds::DEFAULT).unwrap();
    let log = logs.log(&fleet("e", "even"), &id(2), at(1));
    log.append(at(1), Output::Err, b"\x1b[31mred\x1b[0m \xff\xfe\0\n".to_vec());
    log.flush().await;
    let page = logs.events(query()).await.unwrap().unwrap();
    assert_eq!(page.events[0].message, "\u{1b}[31mred\u{1b}[0m \u{fffd}\u{fffd}\0");
}

#[tokio::test]
async fn files_that_vanish_while_they_are_read_read_as_empty() {
    let said: Vec<Said> = (0..30).map(|number| (number % 3, 1, "hello".into())).collect();
    let world = world(&said, Bounds::DEFAULT).await;
    std::fs::remove_dir_all(world.root.path().join("e/even")).unwrap();
    let found = flat(&world.all(query()).await);
    assert_eq!(found, world.wanted(|one| one.1.starts_with("odd/")));
    let page = world.page(2, StreamPosition::Tail, 10).await;
    assert!(page.events.is_empty());
}

#[tokio::test]
async fn groups_and_streams_say_what_there_is() {
    let said: Vec<Said> = vec![(2, 0, "a".into()), (1, 5, "b".into()), (2, 5, "cc".into())];
    let world = world(&said, Bounds::DEFAULT).await;
    let silent = world.logs.log(&fleet("E2", "v"), &id(9), at(2000));
    silent.flush().await;
    let groups = world.logs.groups().await.unwrap();
    let names: Vec<_> = groups.iter().map(|group| group.endpoint.as_str()).collect();
    assert_eq!(names, ["E2", "e"]);
    assert_eq!((groups[1].created, groups[1].bytes), (at(1000), 34));
    let streams = world.logs.streams("e".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(streams[0].span, Some((at(1000), at(1010))));
    assert_eq!(streams[1].span, Some((at(1005), at(1005))));
    let silent = world.logs.streams("E2".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((silent[0].span, silent[0].created), (None, at(2000)));
    assert_eq!(world.logs.streams("E".parse().unwrap()).await.unwrap(), None);
    assert_eq!(
        world.logs.events(Query { endpoint: "E".parse().unwrap(), ..query() }).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn too_many_requests_are_told_to_come_back() {
    let world = world(&[(2, 1, "a".into())], Bounds::DEFAULT).await;
    let permits = Arc::clone(&world.logs.readers).acquire_many_owned(4).await.unwrap();
    world.logs.readers_waiting.store(READERS_WAITING_MAX, Ordering::Relaxed);
    assert_eq!(world.logs.groups().await, Err(Busy));
    assert_eq!(world.logs.readers_waiting.load(Ordering::Relaxed), READERS_WAITING_MAX);
    world.logs.readers_waiting.store(0, Ordering::Relaxed);
    drop(permits);
    assert!(world.logs.groups().await.is_ok());
}
