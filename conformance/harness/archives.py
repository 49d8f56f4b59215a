"""Model archives, good and hostile."""

import io
import tarfile


def tar_gz(entries):
    """A `model.tar.gz` of `{name: bytes}`, or of ready `TarInfo` objects as keys."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in entries.items():
            entry = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def entry(name, kind=tarfile.REGTYPE, target=""):
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


# Each archive that must be refused whole, with what the refusal must name.
HOSTILE = {
    "escapes its folder": (tar_gz({"fine": b"", entry("../../escaped"): b"x"}), "escaped"),
    "has an absolute path": (tar_gz({entry("/tmp/absolute"): b"x"}), "absolute"),
    "links outside": (tar_gz({entry("passwd", tarfile.SYMTYPE, "/etc/passwd"): b""}), "passwd"),
    "hard-links outside": (tar_gz({entry("shadow", tarfile.LNKTYPE, "/etc/shadow"): b""}), "shadow"),
    "carries a device": (tar_gz({entry("device", tarfile.CHRTYPE): b""}), "device"),
    "is no archive": (b"not a gzip stream", "model.tar.gz"),
    "is cut short": (tar_gz({"weights": bytes(range(256)) * 4096})[:-40], ""),
}
