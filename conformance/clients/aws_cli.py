"""The AWS CLI of version 1 (in the venv, from PyPI) and of version 2 (Debian's, or any on the PATH), kept apart."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

READS_AWS_ENDPOINT_URL = (2, 13)
LIMIT_SECONDS = 120


class Cli:
    """One installed `aws`, what it answers with, and how it is told where the server is."""

    def __init__(self, program, version):
        self.program = program
        self.version = version
        self.major = version[0]
        # What a script sees of a call that the service refuses, of a wrong command line, and of a wait without success.
        self.refused, self.misused, self.gave_up = {1: (255, 2, 255), 2: (254, 252, 255)}[self.major]

    def run(self, server, *arguments, credentials=None):
        """Ends as a shell sees it; the server is named as `tidegate env` and its note tell people to name it."""
        needs_url = self.major == 2 and self.version < READS_AWS_ENDPOINT_URL
        named = ["--endpoint-url", server.url] if needs_url else []
        environment = server.client_environment(AWS_MAX_ATTEMPTS="1")
        if credentials:
            environment["AWS_SHARED_CREDENTIALS_FILE"] = str(credentials)
        return subprocess.run(
            [self.program, *named, *map(str, arguments)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )


def version_of(program):
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=LIMIT_SECONDS)
    found = re.search(r"aws-cli/(\d+)\.(\d+)", told.stdout + told.stderr)
    return tuple(map(int, found.groups())) if found else None


def find(major):
    """The CLI of this major version, or nothing."""
    places = {
        1: [pathlib.Path(sys.executable).with_name("aws")],
        2: [path for folder in os.get_exec_path() if (path := shutil.which("aws", path=folder))],
    }
    for place in places[major]:
        version = version_of(place)
        if version and version[0] == major:
            return Cli(place, version)
    return None
