//! `ETags` and S3's additional checksums.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};

use super::record::{Checksums, PartRecord};

/// The five algorithms of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(super) const ALL: [Self; 5] =
        [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// As S3's `ChecksumAlgorithm` spells it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn from_header(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.header().eq_ignore_ascii_case(name.trim()))
    }

    pub(super) fn of(self, checksums: &Checksums) -> Option<&str> {
        match self {
            Self::Crc32 => checksums.crc32.as_deref(),
            Self::Crc32c => checksums.crc32c.as_deref(),
            Self::Crc64Nvme => checksums.crc64nvme.as_deref(),
            Self::Sha1 => checksums.sha1.as_deref(),
            Self::Sha256 => checksums.sha256.as_deref(),
        }
    }

    pub(super) fn set(self, checksums: &mut Checksums, value: String) {
        let place = match self {
            Self::Crc32 => &mut checksums.crc32,
            Self::Crc32c => &mut checksums.crc32c,
            Self::Crc64Nvme => &mut checksums.crc64nvme,
            Self::Sha1 => &mut checksums.sha1,
            Self::Sha256 => &mut checksums.sha256,
        };
        *place = Some(value);
    }

    /// The checksum of a stretch of bytes, as the protocol writes it.
    fn checksum(self, bytes: &[u8]) -> String {
        match self {
            Self::Crc32 => STANDARD.encode(Crc32::checksum(bytes)),
            Self::Crc32c => STANDARD.encode(Crc32c::checksum(bytes)),
            Self::Crc64Nvme => STANDARD.encode(Crc64Nvme::checksum(bytes)),
            Self::Sha1 => STANDARD.encode(Sha1::checksum(bytes)),
            Self::Sha256 => STANDARD.encode(Sha256::checksum(bytes)),
        }
    }

    /// CRCs of neighbours give the CRC of both; hashes do not.
    fn combining(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }
}

/// MD5 and the wanted checksums in one pass.
pub(super) struct Digester {
    md5: Md5,
    sums: ChecksumHasher,
}

impl Digester {
    pub(super) fn new(algorithms: &[Algorithm]) -> Self {
        let mut sums = ChecksumHasher::default();
        for algorithm in algorithms {
            match algorithm {
                Algorithm::Crc32 => sums.crc32 = Some(Crc32::new()),
                Algorithm::Crc32c => sums.crc32c = Some(Crc32c::new()),
                Algorithm::Crc64Nvme => sums.crc64nvme = Some(Crc64Nvme::new()),
                Algorithm::Sha1 => sums.sha1 = Some(Sha1::new()),
                Algorithm::Sha256 => sums.sha256 = Some(Sha256::new()),
            }
        }
        Self { md5: Md5::new(), sums }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sums.update(bytes);
    }

    /// The MD5's bytes, and the checksums.
    pub(super) fn finish(self) -> ([u8; 16], Checksums) {
        let sums = self.sums.finalize();
        let checksums = Checksums {
            crc32: sums.checksum_crc32,
            crc32c: sums.checksum_crc32c,
            crc64nvme: sums.checksum_crc64nvme,
            sha1: sums.checksum_sha1,
            sha256: sums.checksum_sha256,
            composite: false,
        };
        (self.md5.finalize(), checksums)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

/// The `ETag` of a multipart object: the MD5 of its parts' MD5s, and how many there were.
pub(super) fn multipart_etag(parts: &[PartRecord]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(&unhex(&part.etag));
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len())
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A checksum of the parts' checksums (S3's COMPOSITE): `base64-N`. `None` if a part lacks its own.
pub(super) fn composite(algorithm: Algorithm, parts: &[PartRecord]) -> Option<String> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(STANDARD.decode(algorithm.of(&part.checksums)?).ok()?);
    }
    Some(format!("{}-{}", algorithm.checksum(&all), parts.len()))
}

/// The checksum of the whole from those of its parts (S3's `FULL_OBJECT`), without reading a byte again.
pub(super) fn full_object(algorithm: Algorithm, parts: &[PartRecord]) -> Option<String> {
    let combining = algorithm.combining()?;
    let mut whole: Option<u64> = None;
    let mut width = 8;
    for part in parts {
        let bytes = STANDARD.decode(algorithm.of(&part.checksums)?).ok()?;
        width = bytes.len();
        let value = bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        whole = Some(match whole {
            None => value,
            Some(before) => crc_fast::checksum_combine(combining, before, value, part.size),
        });
    }
    let bytes = whole?.to_be_bytes();
    Some(STANDARD.encode(bytes.get(8_usize.checked_sub(width)?..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: i32, bytes: &[u8]) -> PartRecord {
        let mut digester = Digester::new(&Algorithm::ALL);
        digester.update(bytes);
        let (md5, checksums) = digester.finish();
        PartRecord {
            number,
            blob: 1,
            size: bytes.len() as u64,
            etag: hex(&md5),
            modified_ms: 0,
            checksums,
        }
    }

    #[test]
    fn known_values() {
        let hello = part(1, b"hello");
        assert_eq!(hello.etag, "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(hello.checksums.crc32.as_deref(), Some("NhCmhg=="));
        assert_eq!(hello.checksums.sha1.as_deref(), Some("qvTGHdzF6KLavt4PO0gs2a6pQ00="));
        // As `md5(md5("hello") + md5("hello"))` by any other tool.
        assert_eq!(multipart_etag(&[hello.clone(), hello]), "616b22817b80eed9f65c3aa38cd29054-2");
    }

    #[test]
    fn a_whole_objects_crc_comes_from_its_parts() {
        let (a, b, c) = (vec![7_u8; 5000], b"middle".to_vec(), vec![0_u8; 31]);
        let whole = part(1, &[a.as_slice(), &b, &c].concat());
        let parts = [part(1, &a), part(2, &b), part(3, &c)];
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            assert_eq!(
                full_object(algorithm, &parts).as_deref(),
                algorithm.of(&whole.checksums),
                "{algorithm:?}"
            );
        }
        assert_eq!(full_object(Algorithm::Sha256, &parts), None);
    }

    #[test]
    fn a_composite_needs_every_part() {
        let mut parts = [part(1, b"a"), part(2, b"b")];
        assert!(composite(Algorithm::Sha256, &parts).is_some_and(|sum| sum.ends_with("-2")));
        parts[1].checksums = Checksums::default();
        assert_eq!(composite(Algorithm::Sha256, &parts), None);
    }
}
