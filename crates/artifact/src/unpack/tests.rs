//! Hostile archives, each refused whole with its entry named, and honest ones unpacked as they are.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use super::*;

/// A tar entry whose name is written as it is, whatever it is.
fn entry(kind: EntryType, name: &[u8], mode: u32, data: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(data.len() as u64);
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    if matches!(kind, EntryType::Symlink | EntryType::Link) {
        header.set_link_name_literal("/etc/passwd").unwrap();
    }
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: &str, data: &[u8]) -> Vec<u8> {
    entry(EntryType::Regular, name.as_bytes(), 0o644, data)
}

fn folder(name: &str) -> Vec<u8> {
    entry(EntryType::Directory, name.as_bytes(), 0o755, b"")
}

const END: [u8; 1024] = [0; 1024];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.extend(END);
    gzip(&bytes)
}

/// Unpacks into a fresh folder and gives what is there: contents by path, folders as `None`.
fn unpacked(
    archive: &[u8],
    limits: &Limits,
) -> Result<BTreeMap<String, Option<Vec<u8>>>, UnpackError> {
    let home = tempfile::tempdir().unwrap();
    let into = home.path().join("model");
    let result = unpack(archive, &into, limits, &Stop::default());
    let left: Vec<_> =
        fs::read_dir(home.path()).unwrap().map(|found| found.unwrap().file_name()).collect();
    match result {
        Ok(()) => {
            assert_eq!(left, ["model"]);
            let mut found = BTreeMap::new();
            walk(&into, &into, &mut found);
            Ok(found)
        }
        Err(error) => {
            assert!(left.is_empty(), "left behind: {left:?}");
            Err(error)
        }
    }
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Option<Vec<u8>>>) {
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        assert!(!path.is_symlink());
        if path.is_dir() {
            found.insert(name, None);
            walk(root, &path, found);
        } else {
            found.insert(name, Some(fs::read(&path).unwrap()));
        }
    }
}

fn refusal(archive: &[u8], limits: &Limits) -> Refusal {
    match unpacked(archive, limits) {
        Err(UnpackError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn hostile_entries_are_refused_by_name() {
    let long = "x".repeat(99);
    let table: Vec<(Vec<u8>, &str)> = vec![
        (file("/etc/cron.d/x", b"!"), "entry \"/etc/cron.d/x\" has an absolute path"),
        (file("../x", b"!"), "entry \"../x\" leads outside"),
        (file("a/../../x", b"!"), "entry \"a/../../x\" leads outside"),
        (file("a/..", b"!"), "entry \"a/..\" leads outside"),
        (folder(".."), "entry \"..\" leads outside"),
        (entry(EntryType::Symlink, b"link", 0o777, b""), "entry \"link\" is a symbolic link"),
        (entry(EntryType::Link, b"hard", 0o777, b""), "entry \"hard\" is a hard link"),
        (entry(EntryType::Char, b"null", 0o666, b""), "entry \"null\" is a device"),
        (entry(EntryType::Block, b"disk", 0o666, b""), "entry \"disk\" is a device"),
        (entry(EntryType::Fifo, b"pipe", 0o666, b""), "entry \"pipe\" is a FIFO"),
        (entry(EntryType::new(b'V'), b"label", 0o666, b""), "entry \"label\" is a special entry"),
        (file(".", b"!"), "entry \".\" has a name that no file can have"),
        (file("good", b"again"), "entry \"good\" collides"),
        (file("good/below", b"!"), "entry \"good/below\" collides"),
        (folder("good"), "entry \"good\" collides"),
        (file("folder", b"!"), "entry \"folder\" collides"),
        (file("./folder/deep", b"!"), "entry \"./folder/deep\" collides"),
        (file(&long, b"!"), "has a path that is too long (99 bytes; at most 64)"),
        (file("big", &[7; 5000]), "unpacks to more than 4096 bytes (at entry \"big\")"),
    ];
    let limits = Limits { bytes: 4096, entries: 100, path_bytes: 64 };
    for (hostile, expected) in table {
        let before = [file("good", b"1"), folder("folder"), file("folder/deep", b"2")].concat();
        let text = refusal(&archive(&[before, hostile, file("after", b"3")]), &limits).to_string();
        assert!(text.contains(expected), "{text:?} does not say {expected:?}");
    }
}

#[test]
fn names_beyond_the_header_are_judged_as_well() {
    let mut builder = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, format!("{}/{}", "d".repeat(120), "f".repeat(300)), &b"x"[..])
        .unwrap();
    let archive = gzip(&builder.into_inner().unwrap());
    let refusal = refusal(&archive, &Limits::default());
    assert!(
        matches!(refusal, Refusal::TooLong { bytes: 300, limit: NAME_BYTES_MAX, .. }),
        "{refusal}"
    );

    // A PAX record that says "/abs" where the header says "harmless".
    let record = b"13 path=/abs\n";
    let pax = entry(EntryType::XHeader, b"pax", 0o644, record);
    let refusal = self::refusal(&self::archive(&[pax, file("harmless", b"")]), &Limits::default());
    assert_eq!(refusal, Refusal::Absolute { entry: "/abs".to_owned() });
}

#[test]
fn too_many_entries_are_refused_however_they_are_made() {
    let limits = Limits { entries: 4, ..Limits::default() };
    let files: Vec<_> = (0..5).map(|n| file(&format!("f{n}"), b"")).collect();
    assert!(
        matches!(refusal(&archive(&files), &limits), Refusal::TooMany { entry, limit: 4 } if entry == "f4")
    );
    // One entry that needs five folders.
    assert!(matches!(
        refusal(&archive(&[file("a/b/c/d/e/f", b"")]), &limits),
        Refusal::TooMany { .. }
    ));
    // The same folder again and again.
    assert!(matches!(refusal(&archive(&vec![folder("a"); 5]), &limits), Refusal::TooMany { .. }));
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    let bomb = archive(&[file("small", b"1"), file("bomb", &vec![0; 64 << 20])]);
    assert!(bomb.len() < 1 << 20);
    assert!(matches!(refusal(&bomb, &limits), Refusal::TooLarge { entry, .. } if entry == "bomb"));
    // A header that claims more than there is.
    let mut header = Header::new_gnu();
    header.set_size(u64::MAX >> 1);
    header.set_path("claims").unwrap();
    header.set_cksum();
    assert!(matches!(refusal(&gzip(header.as_bytes()), &limits), Refusal::TooLarge { .. }));
    // A name of many megabytes.
    let name = entry(EntryType::GNULongName, b"././@LongLink", 0o644, &vec![b'n'; 8 << 20]);
    assert!(matches!(refusal(&archive(&[name, file("x", b"")]), &limits), Refusal::Malformed(_)));
}

#[test]
fn broken_archives_are_refused() {
    let whole = archive(&[file("a", b"content"), file("b", &[3; 4000])]);
    let plain = [file("a", b"content"), file("b", &[3; 4000])].concat();
    let malformed =
        |bytes: &[u8]| matches!(refusal(bytes, &Limits::default()), Refusal::Malformed(_));
    let truncated =
        |bytes: &[u8]| matches!(refusal(bytes, &Limits::default()), Refusal::Truncated { .. });
    assert!(unpacked(&whole, &Limits::default()).is_ok());
    assert!(malformed(b"PK\x03\x04 this is a zip file"), "not gzip");
    assert!(malformed(&gzip(b"this is text")) || truncated(&gzip(b"this is text")), "not tar");
    assert!(truncated(b""), "empty");
    assert!(truncated(&whole[..whole.len() / 2]), "half of it");
    assert!(truncated(&whole[..whole.len() - 4]), "without its checksum");
    assert!(truncated(&gzip(&plain)), "without its end marker");
    assert!(truncated(&gzip(&plain[..700])), "within an entry");
    assert!(
        malformed(&[whole.clone(), b"garbage, and more of it".to_vec()].concat()),
        "bytes behind gzip"
    );
    assert!(
        malformed(&gzip(&[plain.clone(), END.to_vec(), file("late", b"!")].concat())),
        "entries behind the end"
    );
    let mut flipped = whole.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    assert!(malformed(&flipped), "a wrong checksum");
}

#[test]
fn honest_archives_arrive_as_they_are() {
    let padded = gzip(
        &[
            folder("./"),
            folder("./code/"),
            file("./code/run.py", b"print"),
            file("model.onnx", b"\0\x01"),
            END.to_vec(),
            vec![0; 9000],
        ]
        .concat(),
    );
    let found = unpacked(&padded, &Limits::default()).unwrap();
    let expected = [
        ("code".to_owned(), None),
        ("code/run.py".to_owned(), Some(b"print".to_vec())),
        ("model.onnx".to_owned(), Some(vec![0, 1])),
    ];
    assert_eq!(found, expected.into());
    // Compressed in two members, as parallel compressors do.
    let all = [file("a", b"1"), END.to_vec()].concat();
    assert!(unpacked(&[gzip(&all[..600]), gzip(&all[600..])].concat(), &Limits::default()).is_ok());
}

#[test]
fn only_the_executable_bit_survives() {
    let home = tempfile::tempdir().unwrap();
    let into = home.path().join("model");
    fs::create_dir(&into).unwrap();
    let entries = [
        entry(EntryType::Regular, b"suid", 0o6755, b"x"),
        entry(EntryType::Regular, b"plain", 0o1600, b"x"),
    ];
    unpack(&archive(&entries)[..], &into, &Limits::default(), &Stop::default()).unwrap();
    let mode = |name: &str| fs::metadata(into.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("suid") & !0o022, 0o755);
    assert_eq!(mode("plain") & !0o022, 0o644);
}

#[test]
fn what_is_there_is_not_touched_and_leftovers_go() {
    let home = tempfile::tempdir().unwrap();
    let into = home.path().join("model");
    fs::create_dir(&into).unwrap();
    fs::write(into.join("mine"), "mine").unwrap();
    fs::create_dir(home.path().join(".model.part-killed")).unwrap();
    let good = archive(&[file("a", b"1")]);
    let result = unpack(&good[..], &into, &Limits::default(), &Stop::default());
    assert!(matches!(result, Err(UnpackError::Write(_))), "{result:?}");
    assert_eq!(fs::read(into.join("mine")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

/// A disk that cannot be read.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is on fire"))
    }
}

#[test]
fn a_stop_ends_it_and_a_failing_source_is_not_the_archives_fault() {
    let home = tempfile::tempdir().unwrap();
    let into = home.path().join("model");
    let stop = Stop::default();
    stop.stop();
    let good = archive(&[file("a", b"1")]);
    assert!(matches!(
        unpack(&good[..], &into, &Limits::default(), &stop),
        Err(UnpackError::Stopped(_))
    ));
    let half = (&good[..20]).chain(Broken);
    assert!(matches!(
        unpack(half, &into, &Limits::default(), &Stop::default()),
        Err(UnpackError::Read(_))
    ));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever bytes: no panic, nothing left, nothing outside. (`unpacked` checks what is on disk.)
    #[test]
    fn no_tar_whatsoever_escapes(blocks in prop::collection::vec(any::<u8>(), 0..3000)) {
        let _ = unpacked(&gzip(&blocks), &Limits { bytes: 1 << 16, entries: 50, path_bytes: 100 });
        let _ = unpacked(&blocks, &Limits::default());
    }

    /// A good archive with bytes changed is unpacked in full or not at all.
    #[test]
    fn damage_is_noticed(at in 0_usize..4000, with in 1_u8..=255) {
        let mut tar = [file("a/b", b"content"), folder("c"), file("d", &[9; 700]), END.to_vec()].concat();
        let at = at % tar.len();
        tar[at] ^= with;
        let _ = unpacked(&gzip(&tar), &Limits { bytes: 1 << 16, entries: 50, path_bytes: 100 });
    }

    /// Names of any kind end up below the folder.
    #[test]
    fn places_stay_below(name in prop::collection::vec(prop::sample::select(b"ab./\\\0 \xff".to_vec()), 0..40)) {
        if let Ok(Some(path)) = place(&name, &Limits::default()) {
            prop_assert!(path.is_relative());
            prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
        }
    }
}
