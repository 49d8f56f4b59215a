//! What the process driver is told once. Where the values come from (flags, environment, file) is the server's business.

use std::path::PathBuf;
use std::time::Duration;

use super::ImageTable;

/// From SIGTERM to SIGKILL, as on the platform (`reference/sagemaker-hosting.md`, section 6).
pub const GRACE_DEFAULT: Duration = Duration::from_secs(30);

/// Where programs are looked for when nothing else is said.
pub const PATH_DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Settings of a [`ProcessDriver`](super::ProcessDriver).
#[derive(Debug, Clone)]
pub struct ProcessSettings {
    /// The server's data directory, which exists: `instances/` and `logs/` below it are the driver's.
    pub data_dir: PathBuf,
    /// The server's own binary, with the hidden subcommands `__supervise`, `__exec` and `__serve`.
    pub exe: PathBuf,
    pub images: ImageTable,
    /// `AWS_REGION` of the model servers.
    pub region: String,
    /// From SIGTERM to SIGKILL.
    pub grace: Duration,
    /// PATH of the model servers: the server's own, so that the `python3` of its shell is theirs.
    pub path: String,
    /// LANG of the model servers.
    pub lang: String,
}

impl ProcessSettings {
    /// Settings with the platform's grace and a plain PATH and LANG.
    pub fn new(data_dir: PathBuf, exe: PathBuf, images: ImageTable, region: String) -> Self {
        let (path, lang) = (PATH_DEFAULT.to_owned(), "C.UTF-8".to_owned());
        Self { data_dir, exe, images, region, grace: GRACE_DEFAULT, path, lang }
    }
}
