//! The URL of a model, understood once.

use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

use super::FetchError;

/// What is accepted, as the error says it.
const RULE: &str = "it must be s3://bucket/key, https://host/path/model.tar.gz without a user name, file:///absolute/path/model.tar.gz or a \
                    file:// folder";

/// Where a model's artefacts are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// A file or folder of this machine.
    File(PathBuf),
    /// An object of the embedded S3, or of a real one.
    Object { bucket: String, key: String },
    /// An answer to GET over TLS.
    Web(Url),
}

impl Location {
    pub(super) fn parse(url: &str) -> Result<Self, FetchError> {
        let unsupported = || unsupported(url);
        if let Some(rest) = url.strip_prefix("file://") {
            let path =
                rest.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(rest);
            let bytes: Vec<u8> = percent_decode_str(path).collect();
            if !bytes.starts_with(b"/") || bytes.contains(&0) {
                return Err(unsupported());
            }
            return Ok(Self::File(PathBuf::from(std::ffi::OsString::from_vec(bytes))));
        }
        if url.starts_with("https://") {
            return web(url).map(Self::Web).ok_or_else(unsupported);
        }
        match url.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self::Object { bucket: bucket.to_owned(), key: key.to_owned() })
            }
            _ => Err(unsupported()),
        }
    }
}

pub(super) fn unsupported(url: &str) -> FetchError {
    FetchError::Unsupported { url: url.to_owned(), rule: RULE }
}

/// An `https://` URL that may be asked: a user name and password in it would show up wherever the URL does.
pub(super) fn web(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok()?;
    let named = !url.username().is_empty() || url.password().is_some();
    if url.scheme() != "https" || url.host().is_none() || named {
        return None;
    }
    url.set_fragment(None);
    Some(url)
}

/// The URL as messages and logs may show it: a presigned URL's query is as good as a key, and so is a password.
pub(super) fn presentable(url: &str) -> String {
    let Some(rest) = url.strip_prefix("https://") else { return url.to_owned() };
    let (place, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let place =
        place.rsplit_once('@').map_or_else(|| place.to_owned(), |(_, host)| format!("…@{host}"));
    let path =
        path.split_once('?').map_or_else(|| path.to_owned(), |(before, _)| format!("{before}?…"));
    format!("https://{place}{path}")
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
            ("https://a.example/m?x=1#top", web("https://a.example/m?x=1").map(Location::Web)),
            (
                "https://a.example:8443/m",
                Url::parse("https://a.example:8443/m").ok().map(Location::Web),
            ),
            ("https://me:secret@a.example/m", None),
            ("https://me@a.example/m", None),
            ("https://", None),
            ("https:///m", Url::parse("https://m/").ok().map(Location::Web)),
            ("http://a.example/model.tar.gz", None),
            ("ftp://a.example/model.tar.gz", None),
            ("/a/model.tar.gz", None),
            ("", None),
        ];
        for (url, expected) in table {
            assert_eq!(Location::parse(url).ok(), expected, "{url}");
        }
    }

    #[test]
    fn what_opens_a_door_is_not_shown() {
        for (url, shown) in [
            ("https://a/m?X-Amz-Signature=1", "https://a/m?…"),
            ("https://a?x=1", "https://a?…"),
            ("https://me:secret@a/m@n", "https://…@a/m@n"),
            ("https://a:1/m", "https://a:1/m"),
            ("s3://models/what?", "s3://models/what?"),
            ("", ""),
        ] {
            assert_eq!(presentable(url), shown);
        }
    }
}
