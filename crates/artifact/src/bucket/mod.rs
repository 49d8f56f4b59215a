//! The embedded S3's storage: buckets of objects that survive a crash.
//!
//! `DIR/index.sqlite` says which keys there are and which blobs hold their bytes; `DIR/blobs/` holds the bytes. An upload
//! writes a new blob, syncs it, and then changes the index in one synced transaction: whenever the process dies, the key holds
//! the old object or the new one, whole. Blobs that the index does not name are swept at the next start. Keys never become
//! paths. This must not know HTTP (that is [`service`]) nor read a clock (it is given one).

mod blob;
mod condition;
mod digest;
mod error;
mod fault;
mod index;
mod ingest;
mod name;
mod operation;
mod reader;
mod record;
mod reserve;
pub mod service;
mod space;
#[cfg(test)]
mod tests;

pub use condition::WriteCondition;
pub use error::BucketError;
pub use index::{Completion, Cursor, Listed, Page, Query, UploadPage};
pub use operation::operation_names;
pub use reader::ObjectReader;
pub use record::{
    Attributes, Checksums, ObjectRecord, PartRecord, Piece, UploadChecksum, UploadRecord,
};

use std::fmt;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use blob::{Blobs, Draft, Sealed};
use index::object::NewObject;
use index::{Freed, Index};
use reserve::Reserve;

/// The bucket that is there from the first start.
pub const FIRST_BUCKET: &str = "models";

/// S3's limit for one PUT and for one part.
pub const PUT_BYTES_MAX: u64 = 5 << 30;

/// S3's limit for an object, which only a multipart upload reaches.
pub const OBJECT_BYTES_MAX: u64 = 5 << 40;

/// S3's limit for parts, and the highest part number.
pub const PARTS_MAX: i32 = 10_000;

/// S3's minimum for every part but the last.
pub const PART_BYTES_MIN: u64 = 5 << 20;

/// How long an upload is kept that nothing is added to, and its answer once it is complete. S3 keeps abandoned uploads for
/// ever unless a lifecycle rule says otherwise, and 7 days is what its documentation uses in such rules.
pub const UPLOAD_LIFE: Duration = Duration::from_hours(7 * 24);

/// S3's older default quota of buckets in an account; `ListBuckets` answers them all at once.
pub const BUCKETS_MAX: usize = 1_000;

/// The object store. Cheap to clone. Its methods block: call them where blocking is allowed.
#[derive(Clone)]
pub struct Buckets {
    shared: Arc<Shared>,
}

struct Shared {
    index: Index,
    blobs: Arc<Blobs>,
    /// Locked while a deletion uses it: the next one waits for the room that this one frees.
    reserve: Mutex<Reserve>,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets").field("blobs", &self.shared.blobs).finish_non_exhaustive()
    }
}

impl Buckets {
    /// Opens the store in `dir`, making it (and the bucket [`FIRST_BUCKET`]) if it is not there, and removes what a killed
    /// process left behind. One process at a time; the caller sees to that. `clock` is the wall clock, S3's dates are its.
    ///
    /// # Errors
    /// The folder cannot be written, or does not hold what it should.
    pub fn open(
        dir: &Path,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Result<Self, BucketError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let blobs = Blobs::open(dir.join("blobs"))?;
        let path = dir.join("index.sqlite");
        // Without its index every blob looks like rubbish; sweeping then would delete every object.
        if !path.exists() && blobs.any()? {
            return Err(BucketError::Damaged {
                what: format!("{} is missing but there are objects", path.display()),
            });
        }
        let now = record::to_ms(clock());
        // With the index or not at all: a first start that is killed must not be taken for a later one.
        let index = Index::open(&path, |tx| {
            index::bucket::create(tx, FIRST_BUCKET, now, BUCKETS_MAX).map(drop)
        })?;
        let missing = blobs.sweep(index.named_blobs()?)?;
        if !missing.is_empty() {
            tracing::error!(count = missing.len(), dir = %dir.display(), "objects have lost their bytes; reading them will fail");
        }
        File::open(dir)?.sync_all()?;
        let (blobs, reserve) = (Arc::new(blobs), Mutex::new(Reserve::open(dir)?));
        let buckets =
            Self { shared: Arc::new(Shared { index, blobs, reserve, clock: Box::new(clock) }) };
        buckets.freeing(|tx| index::upload::expire(tx, buckets.expiry_ms()))?;
        Ok(buckets)
    }

    /// Makes a bucket whose name was checked; `false` if it was there.
    pub fn create_bucket(&self, name: &str) -> Result<bool, BucketError> {
        let now = self.now_ms();
        self.write(|tx| index::bucket::create(tx, name, now, BUCKETS_MAX))
    }

    /// Removes an empty bucket.
    pub fn delete_bucket(&self, name: &str) -> Result<(), BucketError> {
        self.removing(|tx| index::bucket::delete(tx, name).map(|()| Freed::new()))
    }

    /// Name and creation time (milliseconds since 1970), by name.
    pub fn buckets(&self) -> Result<Vec<(String, i64)>, BucketError> {
        self.shared.index.buckets()
    }

    /// Whether the bucket is there.
    pub fn has_bucket(&self, name: &str) -> Result<bool, BucketError> {
        self.shared.index.has_bucket(name)
    }

    /// What is known of an object, and its pieces.
    pub fn object(
        &self,
        bucket: &str,
        key: &str,
    ) -> Result<(ObjectRecord, Vec<Piece>), BucketError> {
        self.shared.index.read(|connection| {
            let (id, record) = index::object::find(connection, bucket, key)?;
            Ok((record, index::object::pieces(connection, id)?))
        })
    }

    /// Reads the whole of an object.
    pub fn open_object(&self, bucket: &str, key: &str) -> Result<ObjectReader, BucketError> {
        self.open_stretch(bucket, key, |record, _| Ok(0..record.size)).map(|(_, reader)| reader)
    }

    /// Reads the stretch of an object that `choose` picks when it sees what is there now.
    fn open_stretch<E: From<BucketError>>(
        &self,
        bucket: &str,
        key: &str,
        choose: impl FnOnce(&ObjectRecord, &[Piece]) -> Result<Range<u64>, E>,
    ) -> Result<(ObjectRecord, ObjectReader), E> {
        let (record, pieces, pin) = self.shared.index.read(|connection| {
            let (id, record) = index::object::find(connection, bucket, key)?;
            let pieces = index::object::pieces(connection, id)?;
            let pin = self.shared.blobs.pin(pieces.iter().map(|piece| piece.blob).collect());
            Ok((record, pieces, pin))
        })?;
        let range = choose(&record, &pieces)?;
        let reader = ObjectReader::new(Arc::clone(&self.shared.blobs), pieces, &range, pin);
        Ok((record, reader))
    }

    /// Objects and common prefixes, by key.
    pub fn list(&self, bucket: &str, query: &Query<'_>) -> Result<Page, BucketError> {
        self.shared.index.list(bucket, query)
    }

    /// Removes an object; one that is not there is fine unless `condition` wants something.
    pub fn delete_object(
        &self,
        bucket: &str,
        key: &str,
        condition: &WriteCondition,
    ) -> Result<(), BucketError> {
        self.removing(|tx| index::object::delete(tx, bucket, key, condition))
    }

    /// Gives `key` the bytes of `source` without copying them: blobs never change, so objects may share them.
    fn copy_object(
        &self,
        source: (&str, &str),
        target: (&str, &str),
        condition: &WriteCondition,
        attributes: impl FnOnce(&ObjectRecord) -> Result<Attributes, BucketError>,
    ) -> Result<ObjectRecord, BucketError> {
        let now = self.now_ms();
        let mut copied = None;
        self.freeing(|tx| {
            let (id, record) = index::object::find(tx, source.0, source.1)?;
            let pieces = index::object::pieces(tx, id)?;
            let attributes = attributes(&record)?;
            let object = NewObject {
                pieces: &pieces,
                etag: &record.etag,
                modified_ms: now,
                attributes: &attributes,
            };
            let freed = index::object::replace(tx, target.0, target.1, &object, condition)?;
            copied = Some(ObjectRecord { modified_ms: now, attributes, ..record });
            Ok(freed)
        })?;
        copied.ok_or(BucketError::NoSuchKey)
    }

    /// Changes what is said of an object.
    fn update_attributes(
        &self,
        bucket: &str,
        key: &str,
        change: impl FnOnce(&mut Attributes),
    ) -> Result<(), BucketError> {
        self.write(|tx| {
            let (id, record) = index::object::find(tx, bucket, key)?;
            let mut attributes = record.attributes;
            change(&mut attributes);
            index::object::set_attributes(tx, id, &attributes)
        })
    }

    /// Begins to write bytes.
    fn draft(&self) -> Result<Draft, BucketError> {
        Ok(self.shared.blobs.create()?)
    }

    /// Makes `sealed` the object under `key`. Durable when it returns.
    fn put_object(
        &self,
        target: (&str, &str),
        sealed: Sealed,
        etag: &str,
        attributes: &Attributes,
        condition: &WriteCondition,
    ) -> Result<(), BucketError> {
        let piece = [Piece { blob: sealed.number(), size: sealed.size() }];
        let object = NewObject { pieces: &piece, etag, modified_ms: self.now_ms(), attributes };
        self.landing(sealed, |tx| {
            index::object::replace(tx, target.0, target.1, &object, condition)
        })
    }

    /// Begins a multipart upload; the caller makes up its id. Abandoned ones make room for it.
    fn create_upload(&self, bucket: &str, upload: &UploadRecord) -> Result<(), BucketError> {
        self.freeing(|tx| {
            let freed = index::upload::expire(tx, self.expiry_ms())?;
            index::upload::create(tx, bucket, upload)?;
            Ok(freed)
        })
    }

    /// An upload in progress.
    pub fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<UploadRecord, BucketError> {
        self.shared.index.read(|connection| index::upload::find(connection, bucket, key, id))
    }

    /// Uploads in progress whose key starts with `prefix`, behind (`key`, `id`).
    pub fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        after: (&str, &str),
        most: usize,
    ) -> Result<UploadPage, BucketError> {
        self.shared.index.uploads(bucket, prefix, after, most)
    }

    /// Parts of an upload with numbers above `after`.
    pub fn parts(
        &self,
        target: (&str, &str, &str),
        after: i32,
        most: usize,
    ) -> Result<(UploadRecord, Vec<PartRecord>), BucketError> {
        self.shared.index.read(|connection| {
            let upload = index::upload::find(connection, target.0, target.1, target.2)?;
            Ok((upload, index::upload::parts(connection, target.2, after, most)?))
        })
    }

    /// Adds `sealed` to an upload as part `number`. Durable when it returns.
    fn put_part(
        &self,
        target: (&str, &str, &str),
        sealed: Sealed,
        number: i32,
        (etag, checksums): (String, Checksums),
    ) -> Result<PartRecord, BucketError> {
        let (blob, size) = (sealed.number(), sealed.size());
        let part = PartRecord { number, blob, size, etag, modified_ms: self.now_ms(), checksums };
        self.landing(sealed, |tx| index::upload::put_part(tx, target, &part))?;
        Ok(part)
    }

    /// Makes an object of the upload's parts that `choose` returns, with its `ETag` and attributes. Durable when it returns.
    /// Done again, it finds the object that it made.
    fn complete_upload(
        &self,
        target: &Completion<'_>,
        choose: impl FnOnce(
            UploadRecord,
            Vec<PartRecord>,
        ) -> Result<(Vec<PartRecord>, String, Attributes), BucketError>,
    ) -> Result<ObjectRecord, BucketError> {
        let now = self.now_ms();
        let mut made = None;
        self.freeing(|tx| {
            made = index::upload::completed(tx, target)?;
            if made.is_some() {
                return Ok(Freed::new());
            }
            let upload = index::upload::find(tx, target.bucket, target.key, target.id)?;
            let parts = index::upload::parts(tx, target.id, 0, PARTS_MAX.unsigned_abs() as usize)?;
            let (chosen, etag, attributes) = choose(upload, parts)?;
            let pieces = index::upload::pieces_of(&chosen);
            let object = NewObject {
                pieces: &pieces,
                etag: &etag,
                modified_ms: now,
                attributes: &attributes,
            };
            let freed = index::upload::complete(tx, target, &object)?;
            let size = pieces.iter().map(|piece| piece.size).sum();
            made = Some(ObjectRecord { size, etag, modified_ms: now, attributes });
            Ok(freed)
        })?;
        made.ok_or(BucketError::NoSuchUpload)
    }

    /// Forgets an upload and its parts.
    pub fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> Result<(), BucketError> {
        self.removing(|tx| index::upload::abort(tx, bucket, key, id))
    }

    /// What was last touched before this is abandoned.
    fn expiry_ms(&self) -> i64 {
        let life = i64::try_from(UPLOAD_LIFE.as_millis()).unwrap_or(i64::MAX);
        self.now_ms().saturating_sub(life)
    }

    fn now_ms(&self) -> i64 {
        record::to_ms((self.shared.clock)())
    }

    fn write<T>(
        &self,
        change: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, BucketError>,
    ) -> Result<T, BucketError> {
        self.shared.index.write(&self.shared.blobs.faults, change)
    }

    /// A change after which blobs may be without a name.
    fn freeing(
        &self,
        change: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<Freed, BucketError>,
    ) -> Result<(), BucketError> {
        let freed = self.write(change)?;
        self.shared.blobs.discard(&freed);
        Ok(())
    }

    /// A change that only takes away. It must be possible on a full disk, since it is the way out of one.
    fn removing(
        &self,
        change: impl Fn(&rusqlite::Transaction<'_>) -> Result<Freed, BucketError>,
    ) -> Result<(), BucketError> {
        match self.freeing(&change) {
            Err(BucketError::DiskFull) => {}
            decided => return decided,
        }
        let reserve = self.shared.reserve.lock().unwrap_or_else(PoisonError::into_inner);
        reserve.release();
        let result = self.freeing(&change);
        // Or the log, which the deletion has made longer, would take for good what was kept.
        self.shared.index.shrink_log();
        reserve.refill();
        result
    }

    /// A change that gives `sealed` a name.
    fn landing(
        &self,
        sealed: Sealed,
        change: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<Freed, BucketError>,
    ) -> Result<(), BucketError> {
        let result = self.freeing(change);
        // When a commit fails in the middle, the index may turn out to name the blob after a crash. Keep it for the next sweep,
        // which knows; in every other case the transaction was rolled back for certain.
        if matches!(result, Ok(()) | Err(BucketError::Index(_) | BucketError::Io(_))) {
            sealed.keep();
        }
        result
    }
}
