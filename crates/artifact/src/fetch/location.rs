//! The URL of a model, understood once.

use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use super::FetchError;

/// What is accepted, as the error says it.
const RULE: &str = "it must be file:///absolute/path/model.tar.gz, a file:// folder, or s3://bucket/key in this server's own S3";

/// Where a model's artefacts are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// A file or folder of this machine.
    File(PathBuf),
    /// An object of the embedded S3.
    Object { bucket: String, key: String },
}

impl Location {
    pub(super) fn parse(url: &str) -> Result<Self, FetchError> {
        let unsupported = || FetchError::Unsupported { url: url.to_owned(), rule: RULE };
        if let Some(rest) = url.strip_prefix("file://") {
            let path =
                rest.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(rest);
            let bytes: Vec<u8> = percent_decode_str(path).collect();
            if !bytes.starts_with(b"/") || bytes.contains(&0) {
                return Err(unsupported());
            }
            return Ok(Self::File(PathBuf::from(std::ffi::OsString::from_vec(bytes))));
        }
        match url.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self::Object { bucket: bucket.to_owned(), key: key.to_owned() })
            }
            _ => Err(unsupported()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_understood_or_refused() {
        let file = |path: &str| Some(Location::File(PathBuf::from(path)));
        let object = |bucket: &str, key: &str| {
            Some(Location::Object { bucket: bucket.into(), key: key.into() })
        };
        let table = [
            ("file:///a/model.tar.gz", file("/a/model.tar.gz")),
            ("file://localhost/a", file("/a")),
            ("file:///a%20b/100%/m", file("/a b/100%/m")),
            ("file:///a%00b", None),
            ("file://elsewhere/a", None),
            ("file://relative", None),
            ("file://", None),
            ("s3://models/a/b.tar.gz", object("models", "a/b.tar.gz")),
            ("s3://models/a%20b", object("models", "a%20b")),
            ("s3://models/", None),
            ("s3://models", None),
            ("s3:///key", None),
            ("https://example.com/model.tar.gz", None),
            ("/a/model.tar.gz", None),
            ("", None),
        ];
        for (url, expected) in table {
            assert_eq!(Location::parse(url).ok(), expected, "{url}");
        }
    }
}
