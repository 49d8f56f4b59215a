//! The bundled model as an artefact for `CreateModel`.

use std::io;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// The tide forecaster (`demo/README.md`).
const MODEL: &[u8] = include_bytes!("../../../../../demo/model/model.onnx");

/// `model.tar.gz` with `model.onnx` at its root.
pub(super) fn archive() -> io::Result<Bytes> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(MODEL.len()).map_err(io::Error::other)?);
    header.set_mode(0o644);
    header.set_mtime(0);
    archive.append_data(&mut header, "model.onnx", MODEL)?;
    Ok(archive.into_inner()?.finish()?.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn the_archive_holds_the_model_at_its_root() {
        let bytes = archive().unwrap();
        let mut archive = tar::Archive::new(GzDecoder::new(bytes.as_ref()));
        let mut entries = archive.entries().unwrap();
        let mut entry = entries.next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some("model.onnx"));
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert_eq!(content, MODEL);
        assert!(entries.next().is_none());
    }
}
