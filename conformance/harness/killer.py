"""Ends model servers at random, as the kernel's memory killer would, and notes exactly when each was there no more."""

import dataclasses
import os
import pathlib
import random
import select
import signal
import threading
import time

from . import processes, signed

# Between two of them, on average. The first comes when there is something to kill.
PAUSE_SECONDS = 2.0
# One of so many times the instance's supervisor is killed instead, which takes the model server with it.
SUPERVISORS = 5
# A killed process that is not gone by then is no longer the kill's fault.
GONE_WITHIN_SECONDS = 5
# A third instance of a new fleet that ends after it had become ready rolls its update back, as it should. And the
# server waits a quarter of a second before it starts another instance, then twice as long with each of a fleet: with so
# many the waits stay far below a request's patience, also for an endpoint of one instance.
OF_A_FLEET_MAX = 2


@dataclasses.dataclass(frozen=True)
class Kill:
    """The end of one instance: from the call until nothing of it ran any more. What it was sent until then is lost."""

    endpoint: str
    variant: str
    instance: str
    supervisor: bool
    at: float
    gone: float

    def covers(self, failure):
        """Whether the request was under way when the instance ended."""
        same = failure["endpoint"] == self.endpoint
        return same and failure["sent"] <= self.gone and failure["answered"] >= self.at


class Killer(threading.Thread):
    """Kills from `start` to `finish`. `fleets` says which fleet an endpoint has: any value that changes with it."""

    def __init__(self, server, fleets, seed):
        super().__init__(daemon=True)
        self._server, self._fleets, self._dice = server, fleets, random.Random(seed)
        self._finished = threading.Event()
        self._of_fleet = {}
        self.kills, self.faults = [], []

    def run(self):
        while not self._finished.wait(self._dice.expovariate(1 / PAUSE_SECONDS)):
            try:
                self._once()
            except Exception as fault:
                self.faults.append(f"the killer: {fault!r}")
                raise

    def finish(self):
        self._finished.set()
        self.join(60)

    def _once(self):
        endpoint = self._dice.choice(sorted(self._fleets))
        fleet = endpoint, self._fleets[endpoint]()
        if self._of_fleet.get(fleet, 0) >= OF_A_FLEET_MAX:
            return
        answer, told = signed.own(self._server, "GET", f"/endpoints/{endpoint}/instances")
        assert answer.status == 200, answer
        ready = [one for one in told["Instances"] if one["Phase"] == "Ready"]
        if not ready:
            return
        one = self._dice.choice(ready)
        killed = self._kill(endpoint, one, self._dice.randrange(SUPERVISORS) == 0)
        if killed:
            self._of_fleet[fleet] = self._of_fleet.get(fleet, 0) + 1
            self.kills.append(killed)

    def _kill(self, endpoint, instance, supervisor):
        handles = {}
        try:
            for pid, supervises in _of_instance(self._server.data_dir, instance["InstanceId"]):
                handles[supervises] = os.pidfd_open(pid)
            if set(handles) != {True, False}:
                return None
            at = time.monotonic()
            signal.pidfd_send_signal(handles[supervisor], signal.SIGKILL)
            _wait_until_ended(handles[False])
            gone = time.monotonic()
        except ProcessLookupError:
            # It has just left by itself.
            return None
        finally:
            for handle in handles.values():
                os.close(handle)
        return Kill(endpoint, instance["VariantName"], instance["InstanceId"], supervisor, at, gone)


def _of_instance(data_dir, instance):
    """The processes of an instance, and whether each is its supervisor."""
    mark = f"TIDEGATE_INSTANCE_ID={instance}".encode()
    for pid in processes.of(data_dir):
        process = pathlib.Path(f"/proc/{pid}")
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                yield pid, b"__supervise" in (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue


def _wait_until_ended(handle):
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    assert poll.poll(GONE_WITHIN_SECONDS * 1000), f"a killed process goes on for {GONE_WITHIN_SECONDS} s"
