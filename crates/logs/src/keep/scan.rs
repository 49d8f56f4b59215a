//! What earlier servers left on the disk. A record that a crash has torn is not seen again.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Weak;

use domain::name::{EndpointName, VariantName};

use super::index::{Kept, Segment};
use crate::bounds::{PEEK_BYTES, RECORD_BYTES_MAX};
use crate::{StreamKey, StreamName, event};

/// Everything below `root` that has the name of a log. What has not is left alone.
pub(super) fn scan(root: &Path) -> BTreeMap<StreamKey, Kept> {
    let mut found: BTreeMap<StreamKey, Kept> = BTreeMap::new();
    for (endpoint, folder) in entries(root) {
        let Ok(endpoint) = endpoint.parse::<EndpointName>() else { continue };
        for (variant, folder) in entries(&folder) {
            if variant.parse::<VariantName>().is_err() {
                continue;
            }
            for (name, file) in entries(&folder) {
                let Some((instance, created, base)) = parse(&name) else { continue };
                let stream = StreamName::from_text(&format!("{variant}/{instance}"));
                let key = StreamKey { endpoint: endpoint.clone(), stream };
                let Ok((len, span)) = survey(&file) else { continue };
                let kept = found.entry(key).or_insert_with(|| Kept {
                    created,
                    writer: Weak::new(),
                    ..Kept::default()
                });
                if kept.created == created {
                    kept.segments.push_back(Segment { base, len, span });
                }
            }
        }
    }
    for kept in found.values_mut() {
        let mut segments: Vec<Segment> = kept.segments.drain(..).collect();
        segments.sort_unstable_by_key(|segment| segment.base);
        kept.end = segments.iter().map(Segment::end).max().unwrap_or(0);
        kept.segments = VecDeque::from(segments);
    }
    found
}

fn entries(folder: &Path) -> Vec<(String, std::path::PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let named = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.file_name().into_string().ok()?, entry.path()))
    });
    named.collect()
}

/// `INSTANCE.CREATED.BASE.log`
fn parse(name: &str) -> Option<(&str, i64, u64)> {
    let mut parts = name.strip_suffix(".log")?.split('.');
    let (instance, created, base) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !instance.starts_with("i-") {
        return None;
    }
    Some((instance, created.parse().ok()?, base.parse().ok()?))
}

/// The bytes of whole records in a file, and the times of the first and the last.
fn survey(path: &Path) -> io::Result<(u64, Option<(i64, i64)>)> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let first = first(&file, size)?;
    let (len, last) = last(&file, size)?;
    Ok((len, first.zip(last)))
}

fn first(file: &File, size: u64) -> io::Result<Option<i64>> {
    let head = read(file, 0, size.min(RECORD_BYTES_MAX as u64).min(PEEK_BYTES as u64))?;
    // The text may go on beyond what was read; the time does not.
    Ok(event::parse(head.split(|byte| *byte == b'\n').next().unwrap_or_default()).map(|(at, _)| at))
}

/// Where the whole records end, and the time of the last one.
fn last(file: &File, size: u64) -> io::Result<(u64, Option<i64>)> {
    for window in [PEEK_BYTES as u64, 2 * RECORD_BYTES_MAX as u64] {
        let from = size.saturating_sub(window);
        let tail = read(file, from, size - from)?;
        let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else { continue };
        let lines = tail.get(..end).unwrap_or_default();
        let time = lines.rsplit(|byte| *byte == b'\n').find_map(event::parse).map(|(at, _)| at);
        if time.is_some() || window >= size {
            return Ok((from + end as u64 + 1, time));
        }
    }
    Ok((0, None))
}

fn read(file: &File, at: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}
