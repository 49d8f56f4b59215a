"""A server whose disk refuses every sync while a file is there: a library that is preloaded answers the system's calls.

A kill leaves what was written in the kernel's hands, and so cannot show that it was synced before it was acknowledged.
This can: what is acknowledged while no sync succeeds was not waited for.
"""

import contextlib
import os
import shutil
import subprocess

from .crashes import Crashing

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int refused(void) {
    const char *mark = getenv("SYNC_FAILS_WHILE");
    return mark && access(mark, F_OK) == 0;
}

#define REPLACED(name)                                          \
    int name(int file) {                                        \
        int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, #name); \
        if (!refused()) return real(file);                      \
        errno = EIO;                                            \
        return -1;                                              \
    }

REPLACED(fsync)
REPLACED(fdatasync)
"""


def why_not():
    """Why there can be none here; `None` if there can."""
    return None if shutil.which("cc") else "a C compiler makes the library whose syncs fail"


class FailingSync(Crashing):
    """Everything but its syncs works at all times."""

    def __init__(self, **options):
        super().__init__(**options)
        self._fails = False
        self._mark, library = self.root / "sync-fails", self.root / "sync.so"
        command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library), "-ldl"]
        subprocess.run(command, input=SOURCE, text=True, check=True, capture_output=True)
        self.environment |= {"LD_PRELOAD": str(library), "SYNC_FAILS_WHILE": str(self._mark)}

    @contextlib.contextmanager
    def failing(self):
        """No sync succeeds until the end of this, and 5xx answers are what should come."""
        self._fails = True
        self._mark.touch()
        try:
            yield
        finally:
            os.unlink(self._mark)
            self._fails = False

    def _note_answer(self, **given):
        if not self._fails:
            super()._note_answer(**given)
