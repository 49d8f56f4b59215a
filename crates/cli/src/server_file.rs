//! `DIR/server.json`: how the commands find the server that runs on a data directory. The server writes it when its
//! port is bound and removes it when it stops cleanly; one that is left over names a port nobody listens on.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;

/// The file is a few hundred bytes; more is not ours.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What the running server says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFile {
    /// `http://127.0.0.1:4280` or with `https`, without a path.
    pub endpoint_url: String,
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
    pub pid: u32,
    /// The file of the certificate that it serves with, if it does; whoever can read this file may trust it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<PathBuf>,
}

impl ServerFile {
    /// Where it lies in this data directory.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("server.json")
    }

    /// What the data directory says about its server; `None` if no server runs there.
    pub fn read(data_dir: &Path) -> Result<Option<Self>, Error> {
        let path = Self::path(data_dir);
        let problem = |problem: String| Error::Malformed { path: path.clone(), problem };
        let mut text = String::new();
        let read = std::fs::File::open(&path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
        match read {
            Ok(_) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(problem(error.to_string())),
        }
        serde_json::from_str(&text).map(Some).map_err(|error| problem(error.to_string()))
    }

    /// Writes the file with mode 0600, whole or not at all.
    pub fn write(&self, data_dir: &Path) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(data_dir)?;
        let mut text = serde_json::to_string(self).map_err(io::Error::other)?;
        text.push('\n');
        file.write_all(text.as_bytes())?;
        file.persist(Self::path(data_dir))?;
        Ok(())
    }

    /// Removes the file if it is there.
    pub fn remove(data_dir: &Path) -> io::Result<()> {
        match std::fs::remove_file(Self::path(data_dir)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(ServerFile::read(folder.path()).unwrap(), None);
        let file = ServerFile {
            endpoint_url: "http://127.0.0.1:1".into(),
            region: "us-east-1".into(),
            account_id: "000000000000".into(),
            pid: 7,
            tls_cert: None,
        };
        file.write(folder.path()).unwrap();
        assert_eq!(ServerFile::read(folder.path()).unwrap(), Some(file));
        let mode = std::fs::metadata(ServerFile::path(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        ServerFile::remove(folder.path()).unwrap();
        ServerFile::remove(folder.path()).unwrap();
        assert_eq!(ServerFile::read(folder.path()).unwrap(), None);
    }

    #[test]
    fn a_broken_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(ServerFile::path(folder.path()), "{\"region\":1}").unwrap();
        let message = ServerFile::read(folder.path()).unwrap_err().to_string();
        assert!(message.contains("server.json") && message.contains("invalid type"), "{message}");
    }
}
