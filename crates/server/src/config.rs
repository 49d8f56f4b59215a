//! Settings of `tidegate up`: a flag wins over the environment, which wins over the TOML file, which wins over defaults.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use control::task::scale::Machine;
use domain::endpoint::Limits;
use domain::instance::Resources;
use serde::Deserialize;

use crate::instance_type::{self, InstanceTypeEntry, InstanceTypeError};
use crate::real_s3::S3Entry;

/// The longest configuration file, in bytes: a mistaken path to something else should not fill the memory.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The fastest server time: beyond it a day passes within a tick of the control loop.
const TIME_SCALE_MAX: f64 = 10_000.0;

/// `tidegate up`.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct UpArgs {
    /// Address to listen on; port 0 takes any free one [default: 127.0.0.1:4280]
    #[arg(long, env = "TIDEGATE_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// Region that the server answers for [default: us-east-1]
    #[arg(long, env = "TIDEGATE_REGION")]
    pub region: Option<String>,

    /// Account that everything belongs to, twelve digits [default: 000000000000]
    #[arg(long, env = "TIDEGATE_ACCOUNT_ID")]
    pub account_id: Option<String>,

    /// How many times as fast as the wall clock server time runs [default: 1]
    #[arg(long, env = "TIDEGATE_TIME_SCALE", value_name = "N")]
    pub time_scale: Option<f64>,

    /// TOML file with these settings and the table of images
    #[arg(long, env = "TIDEGATE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Serve HTTPS with this certificate, a PEM file that may hold its whole chain; replaced files are noticed
    #[arg(long, env = "TIDEGATE_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// Its private key, a PEM file without a passphrase
    #[arg(long, env = "TIDEGATE_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Listen beyond loopback without TLS: whoever sees the traffic can read it
    #[arg(long, env = "TIDEGATE_INSECURE_HTTP", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub insecure_http: Option<bool>,
}

/// The TOML file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data_dir: Option<PathBuf>,
    listen: Option<SocketAddr>,
    region: Option<String>,
    account_id: Option<String>,
    time_scale: Option<f64>,
    insecure_http: Option<bool>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    instance_type: Vec<InstanceTypeEntry>,
    #[serde(default)]
    image: Vec<ImageEntry>,
    #[serde(default)]
    s3: Vec<S3Entry>,
}

/// `[limits]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    instances: Option<u32>,
}

/// `[[image]]`: a command for the images that match.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImageEntry {
    #[serde(rename = "match")]
    pub pattern: String,
    pub command: Vec<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Folders and files that the command reads beyond the system's, absolute.
    #[serde(default)]
    pub readable: Vec<PathBuf>,
    /// Folders that it writes beyond its own, absolute.
    #[serde(default)]
    pub writable: Vec<PathBuf>,
}

/// Settings in force.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub data_dir: PathBuf,
    pub listen: SocketAddr,
    pub region: String,
    pub account_id: String,
    pub time_scale: f64,
    /// Where the certificate and its key lie; `None` is plain HTTP.
    pub tls: Option<TlsFiles>,
    pub images: Vec<ImageEntry>,
    pub s3: Vec<S3Entry>,
    pub limits: Limits,
    /// What an instance may use, by instance type.
    pub resources: BTreeMap<String, Resources>,
}

/// The PEM files of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// A setting that cannot be used: what, why, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the configuration file {}: {why}", path.display())]
    Unreadable { path: PathBuf, why: std::io::Error },
    #[error("{}: {why}", path.display())]
    Malformed { path: PathBuf, why: String },
    #[error("account-id is {0:?}, but an account has twelve digits, such as 000000000000")]
    Account(String),
    #[error(
        "region is {0:?}, but a region has small letters, digits and hyphens, such as us-east-1"
    )]
    Region(String),
    #[error("time-scale is {0}, but it must lie between 1 and {TIME_SCALE_MAX}")]
    TimeScale(f64),
    #[error(
        "listen is {0}, which other machines can reach, and the traffic would not be encrypted; listen on 127.0.0.1, \
         encrypt it with --tls-cert and --tls-key, or add --insecure-http if the network is trusted"
    )]
    Exposed(SocketAddr),
    #[error("{given} is given without {missing}; TLS needs a certificate and its private key")]
    HalfOfTls { given: &'static str, missing: &'static str },
    #[error(transparent)]
    InstanceType(#[from] InstanceTypeError),
}

impl Config {
    /// Puts flags, environment (which clap has merged into the flags) and file together.
    pub(crate) fn gather(
        args: UpArgs,
        data_dir: Option<PathBuf>,
        default_data_dir: PathBuf,
    ) -> Result<Self, ConfigError> {
        let file = args.config.as_deref().map_or_else(|| Ok(File::default()), read)?;
        let types = instance_type::check(file.instance_type, machine())?;
        let config = Self {
            data_dir: data_dir.or(file.data_dir).unwrap_or(default_data_dir),
            listen: args
                .listen
                .or(file.listen)
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 4280))),
            region: args.region.or(file.region).unwrap_or_else(|| "us-east-1".into()),
            account_id: args
                .account_id
                .or(file.account_id)
                .unwrap_or_else(|| "000000000000".into()),
            time_scale: args.time_scale.or(file.time_scale).unwrap_or(1.0),
            tls: tls(args.tls_cert.or(file.tls_cert), args.tls_key.or(file.tls_key))?,
            images: file.image,
            s3: file.s3,
            limits: Limits {
                instances: file.limits.instances.unwrap_or_else(|| default_instances(machine())),
                by_type: types.quotas,
            },
            resources: types.resources,
        };
        config.check(args.insecure_http.or(file.insecure_http).unwrap_or(false))?;
        Ok(config)
    }

    fn check(&self, insecure_http: bool) -> Result<(), ConfigError> {
        if self.account_id.len() != 12 || !self.account_id.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(ConfigError::Account(self.account_id.clone()));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.region.is_empty() || self.region.len() > 32 || !self.region.bytes().all(plain) {
            return Err(ConfigError::Region(self.region.clone()));
        }
        if !(1.0..=TIME_SCALE_MAX).contains(&self.time_scale) {
            return Err(ConfigError::TimeScale(self.time_scale));
        }
        if !self.listen.ip().is_loopback() && self.tls.is_none() && !insecure_http {
            return Err(ConfigError::Exposed(self.listen));
        }
        Ok(())
    }
}

/// Memory that an instance is taken to need at the least: a small Python server.
const INSTANCE_MEMORY_BYTES: u64 = 128 << 20;

/// Instances that a core is taken to carry at the most, most of them idle.
const INSTANCES_PER_CORE: u64 = 64;

/// What this machine has for all instances together.
pub(crate) fn machine() -> Machine {
    let info = rustix::system::sysinfo();
    let memory = u64::from(info.mem_unit).saturating_mul(info.totalram);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    Machine { cores: u32::try_from(cores).unwrap_or(u32::MAX), memory_bytes: memory }
}

/// How many instances the machine is trusted with when the configuration does not say.
fn default_instances(machine: Machine) -> u32 {
    let by_cores = u64::from(machine.cores).saturating_mul(INSTANCES_PER_CORE);
    let most = (machine.memory_bytes / INSTANCE_MEMORY_BYTES).min(by_cores);
    u32::try_from(most.max(2)).unwrap_or(u32::MAX)
}

/// Both files or none. Set to nothing, as a variable may be, is the same as not set.
fn tls(cert: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<TlsFiles>, ConfigError> {
    let is_set = |path: &PathBuf| !path.as_os_str().is_empty();
    match (cert.filter(is_set), key.filter(is_set)) {
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(ConfigError::HalfOfTls { given: "tls-cert", missing: "--tls-key" }),
        (None, Some(_)) => Err(ConfigError::HalfOfTls { given: "tls-key", missing: "--tls-cert" }),
    }
}

fn read(path: &Path) -> Result<File, ConfigError> {
    let unreadable = |why| ConfigError::Unreadable { path: path.to_owned(), why };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > FILE_BYTES_MAX {
        let why = format!("it has {size} bytes, more than {FILE_BYTES_MAX}; is it the right file?");
        return Err(ConfigError::Malformed { path: path.to_owned(), why });
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let malformed = |why: toml::de::Error| {
        let line =
            why.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count().max(1));
        ConfigError::Malformed {
            path: path.to_owned(),
            why: format!("line {line}: {}", why.message()),
        }
    };
    toml::from_str(&text).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(args: UpArgs) -> Result<Config, String> {
        Config::gather(args, None, "/d".into()).map_err(|why| why.to_string())
    }

    fn with_file(text: &str, args: UpArgs) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tidegate.toml");
        std::fs::write(&path, text).unwrap();
        gather(UpArgs { config: Some(path), ..args })
    }

    #[test]
    fn defaults_are_those_of_the_design() {
        let config = gather(UpArgs::default()).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:4280");
        assert_eq!(
            (config.region.as_str(), config.account_id.as_str()),
            ("us-east-1", "000000000000")
        );
        assert_eq!(config.data_dir, Path::new("/d"));
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let text = "region = 'eu-west-1'\naccount_id = '111111111111'\n[[image]]\nmatch = '*'\ncommand = ['a']\n";
        let args = UpArgs { region: Some("eu-north-1".into()), ..UpArgs::default() };
        let config = with_file(text, args).unwrap();
        assert_eq!(
            (config.region.as_str(), config.account_id.as_str()),
            ("eu-north-1", "111111111111")
        );
        assert_eq!(config.images[0].command, ["a"]);
    }

    #[test]
    fn limits_come_from_the_file_or_the_machine() {
        let of = |memory_bytes, cores| default_instances(Machine { cores, memory_bytes });
        assert_eq!(of(24 << 30, 2), 128);
        assert_eq!(of(1 << 30, 16), 8);
        assert_eq!(of(0, 0), 2, "an update needs two");
        let text =
            "[limits]\ninstances = 5\n[[instance_type]]\nname = 'ml.g5.xlarge'\ninstances = 1\n";
        let limits = with_file(text, UpArgs::default()).unwrap().limits;
        assert_eq!((limits.instances, limits.by_type.get("ml.g5.xlarge")), (5, Some(&1)));
        assert!(gather(UpArgs::default()).unwrap().limits.instances >= 2);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let args = UpArgs::default;
        for (config, named) in [
            (gather(UpArgs { account_id: Some("12".into()), ..args() }), "account-id"),
            (gather(UpArgs { region: Some("EU west".into()), ..args() }), "region"),
            (gather(UpArgs { time_scale: Some(0.0), ..args() }), "time-scale"),
            (gather(UpArgs { time_scale: Some(f64::NAN), ..args() }), "time-scale"),
            (gather(UpArgs { listen: "0.0.0.0:1".parse().ok(), ..args() }), "--insecure-http"),
            (gather(UpArgs { listen: "0.0.0.0:1".parse().ok(), ..args() }), "--tls-cert"),
            (gather(UpArgs { tls_cert: Some("c".into()), ..args() }), "without --tls-key"),
            (with_file("tls_key = 'k'", args()), "without --tls-cert"),
            (gather(UpArgs { config: Some("/no/such/file".into()), ..args() }), "/no/such/file"),
            (with_file("regio = 'x'", args()), "line 1: unknown field `regio`"),
            (with_file("region = 'a'\nlisten = 5", args()), "line 2"),
            (with_file("not toml", args()), "line 1"),
            (with_file("[[instance_type]]\nname = 'x'\ncpus = 9999999", args()), "cpus is 9999999"),
        ] {
            let why = config.unwrap_err();
            assert!(why.contains(named), "{why}");
        }
    }

    #[test]
    fn the_open_network_needs_a_word() {
        let listen = "0.0.0.0:1".parse().ok();
        assert!(gather(UpArgs { listen, insecure_http: Some(true), ..UpArgs::default() }).is_ok());
        // Or encryption; the flag wins over the file, one file at a time.
        let args = UpArgs { listen, tls_key: Some("flag".into()), ..UpArgs::default() };
        let config = with_file("tls_cert = 'file'\ntls_key = 'file'", args).unwrap();
        let expected = TlsFiles { cert: "file".into(), key: "flag".into() };
        assert_eq!(config.tls, Some(expected));
        let empty = UpArgs { tls_cert: Some("".into()), ..UpArgs::default() };
        assert_eq!(gather(empty).unwrap().tls, None);
    }
}
