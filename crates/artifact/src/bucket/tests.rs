//! The store survives a death or a failure at every step, and lists as S3 does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::fault::{Fault, Step};
use super::index::list::{after_marker, successor};
use super::*;

fn open(dir: &Path) -> Buckets {
    Buckets::open(dir, || SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123))
        .unwrap()
}

impl Buckets {
    /// Stores an object as an upload does.
    pub(crate) fn put_for_test(&self, bucket: &str, key: &str, bytes: &[u8]) {
        self.try_put(bucket, key, bytes).unwrap();
    }

    fn try_put(&self, bucket: &str, key: &str, bytes: &[u8]) -> Result<(), BucketError> {
        let mut draft = self.draft()?;
        let (start, end) = bytes.split_at(bytes.len() / 2);
        draft.write(start)?;
        draft.write(end)?;
        self.put_object(
            (bucket, key),
            draft.seal()?,
            "etag",
            &Attributes::default(),
            &WriteCondition::None,
        )
    }

    fn try_part(&self, id: &str, number: i32, bytes: &[u8]) -> Result<PartRecord, BucketError> {
        let mut draft = self.draft()?;
        draft.write(bytes)?;
        self.put_part(
            ("models", "key", id),
            draft.seal()?,
            number,
            ("0".repeat(32), Checksums::default()),
        )
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.open_object("models", key) {
            Ok(mut reader) => reader.read_to_end(&mut bytes).unwrap(),
            Err(BucketError::NoSuchKey) => return None,
            Err(error) => panic!("{error}"),
        };
        Some(bytes)
    }

    fn start_upload(&self, id: &str) {
        let upload = UploadRecord {
            id: id.to_owned(),
            key: "key".to_owned(),
            started_ms: 0,
            attributes: Attributes::default(),
            checksum: None,
        };
        self.create_upload("models", &upload).unwrap();
    }

    fn finish_upload(&self, id: &str) -> Result<ObjectRecord, BucketError> {
        let target =
            Completion { bucket: "models", key: "key", id, condition: &WriteCondition::None };
        self.complete_upload(&target, |upload, parts| {
            Ok((parts, "etag-2".to_owned(), upload.attributes))
        })
    }
}

fn blobs(dir: &Path) -> usize {
    fs::read_dir(dir.join("blobs")).unwrap().count()
}

type Attempt = (&'static str, fn(&Buckets) -> Result<(), BucketError>, Option<&'static [u8]>);

/// What is tried at every step: an overwrite, a delete, a completion; and the values that are whole before and after.
fn attempts() -> [Attempt; 4] {
    [
        ("overwrite", |buckets| buckets.try_put("models", "key", b"new"), Some(b"new")),
        ("delete", |buckets| buckets.delete_object("models", "key", &WriteCondition::None), None),
        ("complete", |buckets| buckets.finish_upload("u").map(drop), Some(b"part one, part two")),
        (
            "copy",
            |buckets| {
                let attributes = |record: &ObjectRecord| Ok(record.attributes.clone());
                buckets
                    .copy_object(
                        ("models", "other"),
                        ("models", "key"),
                        &WriteCondition::None,
                        attributes,
                    )
                    .map(drop)
            },
            Some(b"other"),
        ),
    ]
}

fn prepared(dir: &Path) -> Buckets {
    let buckets = open(dir);
    buckets.try_put("models", "key", b"old").unwrap();
    buckets.try_put("models", "other", b"other").unwrap();
    buckets.start_upload("u");
    buckets.try_part("u", 1, b"part one, ").unwrap();
    buckets.try_part("u", 2, b"part two").unwrap();
    buckets
}

#[test]
fn a_death_at_any_step_leaves_the_old_or_the_new_object_whole() {
    for (what, attempt, new) in attempts() {
        for step in Step::ALL {
            let dir = tempfile::tempdir().unwrap();
            let buckets = prepared(dir.path());
            buckets.shared.blobs.faults.plan(step, Fault::Death);
            let acknowledged = attempt(&buckets).is_ok();
            drop(buckets);
            let buckets = open(dir.path());
            let found = buckets.get("key");
            let is_new = found.as_deref() == new;
            assert!(
                is_new || (found.as_deref() == Some(b"old") && !acknowledged),
                "{what} at {step:?}: {found:?}"
            );
            assert_eq!(buckets.get("other").as_deref(), Some(&b"other"[..]));
            // Nothing but what the index names is left: no parts cut off, no orphans.
            assert_eq!(
                blobs(dir.path()),
                buckets.shared.index.named_blobs().unwrap().len(),
                "{what} at {step:?}"
            );
            // And the store works.
            buckets.try_put("models", "key", b"next").unwrap();
            assert_eq!(buckets.get("key").as_deref(), Some(&b"next"[..]));
        }
    }
}

#[test]
fn a_failure_at_any_step_is_an_error_and_leaves_nothing() {
    // Behind the commit there is nothing left that could fail the caller.
    let steps = [
        Step::CreateBlob,
        Step::WriteBlob,
        Step::SyncBlob,
        Step::NameBlob,
        Step::SyncFolder,
        Step::Commit,
    ];
    for step in steps {
        let dir = tempfile::tempdir().unwrap();
        let buckets = prepared(dir.path());
        let before = blobs(dir.path());
        buckets.shared.blobs.faults.plan(step, Fault::Error(io::ErrorKind::StorageFull));
        let error = buckets.try_put("models", "key", b"new").unwrap_err();
        assert!(matches!(error, BucketError::DiskFull), "{step:?}: {error}");
        assert_eq!(blobs(dir.path()), before, "{step:?}");
        buckets.shared.blobs.faults.clear();
        assert_eq!(buckets.get("key").as_deref(), Some(&b"old"[..]));
        buckets.try_put("models", "key", b"new").unwrap();
        assert_eq!(buckets.get("key").as_deref(), Some(&b"new"[..]));
        assert_eq!(blobs(dir.path()), before, "the old blob went, the new one came");
    }
}

#[test]
fn a_deletion_that_finds_no_room_at_all_changes_nothing_and_keeps_the_reserve() {
    let dir = tempfile::tempdir().unwrap();
    let buckets = prepared(dir.path());
    let reserve = || fs::metadata(dir.path().join("reserve")).unwrap().len();
    let (before, kept) = (blobs(dir.path()), reserve());
    assert!(kept > 0);
    buckets.shared.blobs.faults.plan(Step::Commit, Fault::Error(io::ErrorKind::StorageFull));
    let error = buckets.delete_object("models", "key", &WriteCondition::None).unwrap_err();
    assert!(matches!(error, BucketError::DiskFull), "{error}");
    assert_eq!((blobs(dir.path()), reserve()), (before, kept));
    assert_eq!(buckets.get("key").as_deref(), Some(&b"old"[..]));
    buckets.shared.blobs.faults.clear();
    buckets.delete_object("models", "key", &WriteCondition::None).unwrap();
    assert_eq!(buckets.get("key"), None);
}

#[test]
fn a_reader_keeps_what_it_began_to_read() {
    let dir = tempfile::tempdir().unwrap();
    let buckets = prepared(dir.path());
    buckets.finish_upload("u").unwrap();
    let mut reader = buckets.open_object("models", "key").unwrap();
    let mut again = buckets.open_object("models", "key").unwrap();
    buckets.try_put("models", "key", b"new").unwrap();
    buckets.delete_object("models", "key", &WriteCondition::None).unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "part one, part two");
    drop(reader);
    text.clear();
    again.read_to_string(&mut text).unwrap();
    assert_eq!(text, "part one, part two");
    drop(again);
    assert_eq!(blobs(dir.path()), 1, "only the other object's blob is left");
}

#[test]
fn copies_share_blobs_and_outlive_their_source() {
    let dir = tempfile::tempdir().unwrap();
    let buckets = open(dir.path());
    buckets.try_put("models", "a", b"shared").unwrap();
    let attributes = |record: &ObjectRecord| Ok(record.attributes.clone());
    buckets
        .copy_object(("models", "a"), ("models", "b"), &WriteCondition::None, attributes)
        .unwrap();
    // Onto itself, which must not lose the bytes in between.
    buckets
        .copy_object(("models", "b"), ("models", "b"), &WriteCondition::None, attributes)
        .unwrap();
    assert_eq!(blobs(dir.path()), 1);
    buckets.delete_object("models", "a", &WriteCondition::None).unwrap();
    assert_eq!(buckets.get("b").as_deref(), Some(&b"shared"[..]));
    buckets.delete_object("models", "b", &WriteCondition::None).unwrap();
    assert_eq!(blobs(dir.path()), 0);
}

#[test]
fn the_first_bucket_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let buckets = open(dir.path());
    assert_eq!(buckets.buckets().unwrap(), [(FIRST_BUCKET.to_owned(), 1_700_000_000_123)]);
    assert!(!buckets.create_bucket(FIRST_BUCKET).unwrap());
    buckets.try_put("models", "key", b"1").unwrap();
    assert!(matches!(buckets.delete_bucket("models"), Err(BucketError::BucketNotEmpty)));
    buckets.delete_object("models", "key", &WriteCondition::None).unwrap();
    buckets.delete_bucket("models").unwrap();
    drop(buckets);
    assert!(open(dir.path()).buckets().unwrap().is_empty());
}

#[test]
fn a_lost_index_is_not_taken_for_an_empty_store() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).try_put("models", "key", b"precious").unwrap();
    for found in fs::read_dir(dir.path()).unwrap() {
        let path = found.unwrap().path();
        if path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
    let clock = || SystemTime::UNIX_EPOCH;
    assert!(matches!(Buckets::open(dir.path(), clock), Err(BucketError::Damaged { .. })));
    assert_eq!(blobs(dir.path()), 1);
}

#[test]
fn keys_are_never_paths() {
    let dir = tempfile::tempdir().unwrap();
    let buckets = open(dir.path());
    let long = "k".repeat(1024);
    let keys =
        ["..", "../../escape", "/abs", "a//b", "a/", "a", ".", "\0", "ü/\u{1F30A}", long.as_str()];
    for key in keys {
        buckets.try_put("models", key, key.as_bytes()).unwrap();
    }
    for key in keys {
        assert_eq!(buckets.get(key).as_deref(), Some(key.as_bytes()), "{key:?}");
    }
    assert_eq!(blobs(dir.path()), keys.len());
}

fn listed(buckets: &Buckets, prefix: &str, delimiter: &str, most: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut from = None;
    loop {
        let page = buckets.list("models", &Query { prefix, delimiter, from, most }).unwrap();
        assert!(page.lines.len() <= most);
        found.extend(page.lines.iter().map(|line| match line {
            Listed::Object(key, _) => key.clone(),
            Listed::Prefix(prefix) => format!("{prefix} (prefix)"),
        }));
        match page.next {
            Some(next) => from = Some(next),
            None => return found,
        }
    }
}

/// What S3's documentation says a listing is, written the slow way.
fn expected(keys: &BTreeSet<String>, prefix: &str, delimiter: &str) -> Vec<String> {
    let mut lines = BTreeMap::new();
    for key in keys.iter().filter(|key| key.starts_with(prefix)) {
        let rest = &key[prefix.len()..];
        match rest.find(delimiter).filter(|_| !delimiter.is_empty()) {
            Some(at) => {
                let common = format!("{prefix}{}", &rest[..at + delimiter.len()]);
                lines.insert(common.clone(), format!("{common} (prefix)"));
            }
            None => {
                lines.insert(key.clone(), key.clone());
            }
        }
    }
    lines.into_values().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn listing_is_what_s3_says(
        keys in prop::collection::btree_set("[abü/]{1,6}", 0..25),
        prefix in "[abü/]{0,2}",
        delimiter in prop::sample::select(vec!["", "/", "a", "b/"]),
        most in 1_usize..7,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let buckets = open(dir.path());
        for key in &keys {
            buckets.try_put("models", key, b"").unwrap();
        }
        prop_assert_eq!(listed(&buckets, &prefix, delimiter, most), expected(&keys, &prefix, delimiter));
    }

    #[test]
    fn a_successor_is_the_first_behind_a_prefix(prefix in prop::collection::vec(any::<u8>(), 0..6), rest in prop::collection::vec(any::<u8>(), 0..6)) {
        let within = [prefix.clone(), rest].concat();
        match successor(&prefix) {
            Some(next) => prop_assert!(within < next && next > prefix),
            None => prop_assert!(prefix.iter().all(|byte| *byte == u8::MAX)),
        }
    }
}

#[test]
fn a_marker_that_is_a_common_prefix_stands_for_all_of_it() {
    let query = Query { prefix: "", delimiter: "/", from: None, most: 1 };
    assert_eq!(after_marker("", &query), None);
    assert_eq!(after_marker("a/", &query), Some(Cursor::At(b"a0".to_vec())));
    assert_eq!(after_marker("a/b", &query), Some(Cursor::After(b"a/b".to_vec())));
    assert_eq!(
        after_marker("a/", &Query { delimiter: "", ..query }),
        Some(Cursor::After(b"a/".to_vec()))
    );
}

#[test]
fn stretches_cross_the_borders_of_blobs() {
    let dir = tempfile::tempdir().unwrap();
    let buckets = prepared(dir.path());
    buckets.finish_upload("u").unwrap();
    let whole = b"part one, part two";
    for start in 0..=whole.len() {
        for end in start..=whole.len() {
            let choose =
                |_: &ObjectRecord, _: &[Piece]| Ok::<_, BucketError>(start as u64..end as u64);
            let (_, mut reader) = buckets.open_stretch("models", "key", choose).unwrap();
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, &whole[start..end]);
        }
    }
}

#[test]
fn an_upload_completed_again_is_the_object_it_became_while_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let buckets = prepared(dir.path());
    let first = buckets.finish_upload("u").unwrap();
    drop(buckets);
    let buckets = open(dir.path());
    let again = buckets.finish_upload("u").unwrap();
    assert_eq!((again.etag, again.size), (first.etag, first.size));
    assert_eq!(buckets.get("key").unwrap(), b"part one, part two");
    buckets.try_put("models", "key", b"newer").unwrap();
    assert!(matches!(buckets.finish_upload("u"), Err(BucketError::NoSuchUpload)));
    assert_eq!(buckets.get("key").unwrap(), b"newer");
}

#[test]
fn an_abandoned_upload_ends_a_week_after_its_last_part() {
    let dir = tempfile::tempdir().unwrap();
    let week = UPLOAD_LIFE.as_secs();
    let at = |secs: u64| {
        Buckets::open(dir.path(), move || SystemTime::UNIX_EPOCH + Duration::from_secs(secs))
            .unwrap()
    };
    let blobs = || fs::read_dir(dir.path().join("blobs")).unwrap().count();
    let before = at(1000);
    before.start_upload("with a part");
    before.try_part("with a part", 1, b"part").unwrap();
    before.start_upload("without");
    drop(before);
    // Its part keeps the first alive for a week; the second began in 1970.
    let then = at(1000 + week);
    assert!(then.upload("models", "key", "with a part").is_ok());
    assert!(matches!(then.upload("models", "key", "without"), Err(BucketError::NoSuchUpload)));
    assert_eq!(blobs(), 1);
    drop(then);
    // Beginning another one sweeps too, without a restart.
    let hour = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let clock = std::sync::Arc::clone(&hour);
    let later = Buckets::open(dir.path(), move || {
        let hours = clock.load(std::sync::atomic::Ordering::Relaxed);
        SystemTime::UNIX_EPOCH + Duration::from_secs(1000 + week) + Duration::from_hours(hours)
    })
    .unwrap();
    hour.store(1, std::sync::atomic::Ordering::Relaxed);
    later.start_upload("next");
    assert!(matches!(later.upload("models", "key", "with a part"), Err(BucketError::NoSuchUpload)));
    assert_eq!(blobs(), 0);
}

#[test]
fn a_store_of_the_first_layout_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    drop(prepared(dir.path()));
    let index = rusqlite::Connection::open(dir.path().join("index.sqlite")).unwrap();
    index.execute_batch("DROP TABLE completed; PRAGMA user_version = 1;").unwrap();
    drop(index);
    let buckets = open(dir.path());
    assert_eq!(buckets.get("other").unwrap(), b"other");
    buckets.finish_upload("u").unwrap();
    assert_eq!(buckets.get("key").unwrap(), b"part one, part two");
    drop(buckets);
    let index = rusqlite::Connection::open(dir.path().join("index.sqlite")).unwrap();
    index.execute_batch("PRAGMA user_version = 99;").unwrap();
    drop(index);
    let clock = || SystemTime::UNIX_EPOCH;
    assert!(matches!(Buckets::open(dir.path(), clock), Err(BucketError::Damaged { .. })));
}
