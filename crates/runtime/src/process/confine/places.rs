//! Places that every model server may use. No secret of the user may lie below them, whoever the user is.

use std::fs;
use std::path::{Path, PathBuf};

/// Programs, libraries, settings and facts of the machine. `/run` and `/var` are open in parts only: they also hold
/// sockets, mounts of secrets and the data of services.
pub(super) const SYSTEM: [&str; 21] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/snap",
    "/proc",
    "/sys",
    "/run/current-system",
    "/run/opengl-driver",
    "/run/systemd/resolve",
    "/run/NetworkManager",
    "/run/resolvconf",
    "/var/lib/ca-certificates",
    "/var/cache/fontconfig",
];

/// Settings that may be links to anywhere.
pub(super) const LINKS: [&str; 3] = ["/etc/resolv.conf", "/etc/hosts", "/etc/localtime"];

/// Where shared memory lies; `multiprocessing` in Python is nothing without it. All users' processes share it.
pub(super) const SCRATCH: [&str; 1] = ["/dev/shm"];

/// Devices without a user's data, and folders that hold only such. No terminals: the user's own are among them.
const DEVICES: [&str; 10] =
    ["null", "zero", "full", "random", "urandom", "tty", "dri", "accel", "kfd", "dxg"];

/// How the devices of graphics cards begin that come in any number.
const NUMBERED: [&str; 1] = ["nvidia"];

/// Devices that every model server may use, those of accelerators included.
pub(super) fn devices() -> Vec<PathBuf> {
    let folder = Path::new("/dev");
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let numbered = names.map(|entry| entry.file_name()).filter(|name| {
        let name = name.as_encoded_bytes();
        NUMBERED.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
    });
    DEVICES
        .iter()
        .map(|name| folder.join(name))
        .chain(numbered.map(|name| folder.join(name)))
        .collect()
}
