"""A server that is killed again and again, also while it starts."""

import pathlib
import subprocess
import time

import boto3
from botocore.config import Config

from . import processes
from .server import READY, READY_WITHIN_SECONDS, REGION, Server, clean_environment

# How exactly it is measured when a start is done.
LOOK_SECONDS = 0.002


def _begun(pid):
    """When a process began, in ticks: with it, a pid means one process for ever."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19]
    except OSError:
        return None


class Crashing(Server):
    """Its clients come of one session, since a new one for each start would read AWS's models again."""

    def __init__(self, **options):
        super().__init__(**options)
        self._session = None
        # Whether it has been told to die: a call that is lost before is no crash's.
        self.is_doomed = False
        # Seconds from each start to its line that it is ready.
        self.ready_after = []

    def start(self):
        self.is_doomed = False
        return super().start()

    def kill(self):
        self.is_doomed = True
        super().kill()

    def _wait_until_ready(self):
        began = time.monotonic()
        while time.monotonic() < began + READY_WITHIN_SECONDS:
            if ready := READY.search(self._logs[-1][0].read_bytes()):
                self.ready_after.append(time.monotonic() - began)
                return ready.group(1).decode()
            if self._process.poll() is not None:
                raise RuntimeError(f"tidegate up ended with {self._process.returncode}:\n{self.log()}")
            time.sleep(LOOK_SECONDS)
        raise RuntimeError(f"tidegate up was not ready within {READY_WITHIN_SECONDS} s:\n{self.log()}")

    def client(self, service, **more):
        if self._session is None:
            self._session = boto3.Session(*self.key(), region_name=REGION)
        options = {"retries": {"total_max_attempts": 1}, "read_timeout": 90, "max_pool_connections": 50} | more
        client = self._session.client(service, endpoint_url=self.url, config=Config(**options))
        client.meta.events.register("response-received", self._note_answer)
        return client

    def start_and_kill(self, seconds):
        """A start that is killed so many seconds after it has begun, ready or not. Gives back what was running then."""
        log = self.root / f"killed-{len(self._logs)}"
        self._logs.append((log, log))
        with log.open("wb") as out:
            started = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=clean_environment()
            )
        time.sleep(seconds)
        assert started.poll() is None, f"it ended by itself with {started.returncode}: {log.read_text()}"
        started.kill()
        started.wait()
        return self.running()

    def running(self):
        """Every process of this server and its instances that runs now, each with when it began."""
        return {(pid, _begun(pid)) for pid in processes.of(self.data_dir)}

    def left_of(self, running, seconds):
        """Those of them that have not ended in time."""
        deadline = time.monotonic() + seconds
        while True:
            left = [pid for pid, begun in running if begun and _begun(pid) == begun and not processes.has_ended(pid)]
            if not left or time.monotonic() > deadline:
                return sorted(left)
            time.sleep(LOOK_SECONDS)
