//! Fetches botocore from the Python registry and reads the models inside. Nothing is installed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;

use crate::failure::{Failure, Outcome};
use crate::model::Published;
use crate::services::BOTOCORE_VERSION;

/// An unpacked botocore.
#[derive(Debug)]
pub(crate) struct Package {
    data: PathBuf,
}

/// Downloads the pinned version below `folder`, unless it is there already.
pub(crate) fn botocore(folder: &Path) -> Outcome<Package> {
    let unpacked = folder.join(BOTOCORE_VERSION);
    let data = unpacked.join("botocore/data");
    if !data.is_dir() {
        fs::create_dir_all(folder).map_err(Failure::at(folder))?;
        let wheel = folder.join(format!("botocore-{BOTOCORE_VERSION}-py3-none-any.whl"));
        let requirement = format!("botocore=={BOTOCORE_VERSION}");
        let pip =
            ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"];
        python(Command::new("python3").args(pip).arg(folder).arg(requirement))?;
        python(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(&unpacked))?;
    }
    Ok(Package { data })
}

fn python(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| Failure::new(format!("python3: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{command:?} failed: {status}")))
    }
}

impl Package {
    pub(crate) fn model(&self, folder: &str, api_version: &str) -> Outcome<Published> {
        let path = self.data.join(folder).join(api_version).join("service-2.json.gz");
        let file = File::open(&path).map_err(Failure::at(&path))?;
        serde_json::from_reader(GzDecoder::new(file)).map_err(Failure::at(&path))
    }
}
