"""A file system of a few megabytes, mounted as a server's data directory: what a full disk is tried on."""

import contextlib
import functools
import os
import subprocess
import tempfile

from .server import Server

FILLER = "filler"


def _mount(place, mib):
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=700", "tmpfs", str(place)]
    subprocess.run(command, check=True, capture_output=True)


def _unmount(place):
    # A process that should have been gone must not keep the disk, whatever else has gone wrong.
    subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)


@functools.cache
def why_not():
    """Why none can be mounted here; `None` if one can."""
    if os.geteuid() != 0:
        return "only root can mount a small file system"
    with tempfile.TemporaryDirectory(prefix="tg-") as place:
        try:
            _mount(place, 1)
        except (OSError, subprocess.CalledProcessError):
            return "this machine's root may not mount a small file system"
        _unmount(place)
    return None


class SmallDisk(Server):
    """A server whose data directory is a disk of its own."""

    def __init__(self, mib, **options):
        super().__init__(**options)
        self._no_room = False
        self.data_dir.mkdir(mode=0o700)
        _mount(self.data_dir, mib)

    def close(self):
        try:
            super().close()
        finally:
            _unmount(self.data_dir)
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
