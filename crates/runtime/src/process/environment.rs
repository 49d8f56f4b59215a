//! The environment of a model server, built from nothing: nothing of the server's own (credentials, proxies, loader
//! settings) may leak into a stranger's process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use domain::instance::Address;

use super::ProcessSettings;
use super::block::Environment;

/// What a process of an instance can be told by, whatever became of its parents.
pub(crate) const MARK: &str = "TIDEGATE_INSTANCE_ID";

/// What an environment is made of.
pub(crate) struct Parts<'a> {
    pub(crate) settings: &'a ProcessSettings,
    /// The instance's own folder.
    pub(crate) folder: &'a Path,
    pub(crate) address: &'a Address,
    pub(crate) id: &'a str,
    /// The image table's.
    pub(crate) image: &'a BTreeMap<String, String>,
    /// `CreateModel`'s.
    pub(crate) model: &'a BTreeMap<String, String>,
}

/// `CreateModel`'s Environment wins over the image table's, and that over ours; but nothing wins over where to listen
/// and whose process it is.
pub(crate) fn build(parts: &Parts<'_>) -> Environment {
    let Parts { settings, folder, address, .. } = *parts;
    let mut all = BTreeMap::<OsString, OsString>::new();
    let folders = [
        ("HOME", folder.to_owned()),
        ("TMPDIR", folder.join("tmp")),
        ("SAGEMAKER_BASE_DIR", folder.to_owned()),
        ("SM_MODEL_DIR", folder.join("model")),
    ];
    all.extend(folders.map(|(name, path)| (name.into(), path.into())));
    let plain =
        [("PATH", &settings.path), ("LANG", &settings.lang), ("AWS_REGION", &settings.region)];
    all.extend(plain.map(|(name, value)| (name.into(), value.into())));
    let given = parts.image.iter().chain(parts.model);
    all.extend(given.map(|(name, value)| (name.into(), value.into())));
    let (bind, unused, value): (_, _, OsString) = match address {
        Address::Tcp(address) => (PORT, SOCKET, address.port().to_string().into()),
        Address::Unix(path) => (SOCKET, PORT, path.into()),
    };
    all.remove(&OsString::from(unused));
    all.insert(bind.into(), value);
    all.insert(MARK.into(), parts.id.into());
    all.into_iter().collect()
}

/// The port to listen on, as SageMaker names it (`reference/sagemaker-hosting.md`, section 6).
const PORT: &str = "SAGEMAKER_BIND_TO_PORT";

/// The Unix socket to listen on, for the built-in model servers.
const SOCKET: &str = "TIDEGATE_BIND_TO_SOCKET";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::ImageTable;

    fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn built(
        address: &Address,
        image: &[(&str, &str)],
        model: &[(&str, &str)],
    ) -> BTreeMap<String, String> {
        let settings = ProcessSettings::new(
            "/data".into(),
            "/t".into(),
            ImageTable::default(),
            "eu-west-1".into(),
        );
        let (image, model) = (pairs(image), pairs(model));
        let folder = Path::new("/data/instances/i-1");
        let parts =
            Parts { settings: &settings, folder, address, id: "i-1", image: &image, model: &model };
        let text = |text: OsString| text.into_string().unwrap();
        build(&parts).into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    #[test]
    fn nothing_is_in_it_but_what_is_said_here() {
        let tcp = Address::Tcp("127.0.0.1:4711".parse().unwrap());
        let expected = pairs(&[
            ("AWS_REGION", "eu-west-1"),
            ("HOME", "/data/instances/i-1"),
            ("LANG", "C.UTF-8"),
            ("PATH", crate::process::PATH_DEFAULT),
            ("SAGEMAKER_BASE_DIR", "/data/instances/i-1"),
            ("SAGEMAKER_BIND_TO_PORT", "4711"),
            ("SM_MODEL_DIR", "/data/instances/i-1/model"),
            ("TIDEGATE_INSTANCE_ID", "i-1"),
            ("TMPDIR", "/data/instances/i-1/tmp"),
        ]);
        assert_eq!(built(&tcp, &[], &[]), expected);
    }

    #[test]
    fn the_model_wins_over_the_image_and_neither_over_where_to_listen() {
        let unix = Address::Unix("/s".into());
        let model = [
            ("A", "model"),
            ("PATH", "/opt"),
            ("TIDEGATE_BIND_TO_SOCKET", "/evil"),
            (MARK, "i-2"),
            (PORT, "1"),
        ];
        let built = built(&unix, &[("A", "image"), ("B", "image"), ("LANG", "de")], &model);
        let at = |name: &str| built.get(name).map(String::as_str);
        assert_eq!(
            [at("A"), at("B"), at("LANG"), at("PATH")],
            [Some("model"), Some("image"), Some("de"), Some("/opt")]
        );
        assert_eq!([at(SOCKET), at(MARK), at(PORT)], [Some("/s"), Some("i-1"), None]);
    }
}
