"""A file system of a few megabytes, mounted as a server's data directory: what a full disk is tried on."""

import contextlib
import os
import subprocess

from .server import Server

FILLER = "filler"


def why_not():
    """Why none can be mounted here; `None` if one can."""
    return None if os.geteuid() == 0 else "only root can mount a small file system"


class SmallDisk(Server):
    """A server whose data directory is a disk of its own."""

    def __init__(self, mib, **options):
        super().__init__(**options)
        self._no_room = False
        self.data_dir.mkdir(mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=700", "tmpfs", str(self.data_dir)]
        subprocess.run(command, check=True, capture_output=True)

    def close(self):
        try:
            super().close()
        finally:
            # A process that should have been gone must not keep the disk, whatever else has gone wrong.
            subprocess.run(["umount", "--lazy", str(self.data_dir)], check=False, capture_output=True)
            with contextlib.suppress(OSError):
                self.data_dir.rmdir()
                self.root.rmdir()

    def free_bytes(self):
        seen = os.statvfs(self.data_dir)
        return seen.f_bavail * seen.f_frsize

    @contextlib.contextmanager
    def short_of_room(self):
        """While this lasts, a 5xx answer is no fault: AWS has no code for a disk that is full."""
        self._no_room = True
        try:
            yield
        finally:
            self._no_room = False

    @contextlib.contextmanager
    def filled(self):
        """Not one byte is free until the end of this."""
        filler = self.data_dir / FILLER
        try:
            with filler.open("wb", buffering=0) as file:
                for size in (1 << 20, 4096, 1):
                    with contextlib.suppress(OSError):
                        while file.write(bytes(size)):
                            pass
            with self.short_of_room():
                yield
        finally:
            filler.unlink()

    def _note_answer(self, **given):
        if not self._no_room:
            super()._note_answer(**given)
