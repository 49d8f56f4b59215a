"""Steady traffic in the background, counted: what promise T3 (no healthy request fails) is checked with."""

import collections
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError


class Load:
    """Threads that invoke an endpoint from `with` to its end: one request after the other, or so many a second.

    A request that comes late moves those behind it: what a slow machine missed is not made up for in a burst.
    """

    def __init__(self, hosting, endpoint, threads=4, body=b"tide", per_second=None, echo=True, **members):
        self._hosting, self._endpoint, self._body = hosting, endpoint, body
        # Whether the answer is the body; and what else the requests say.
        self._echo, self._members = echo, members
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._drive, daemon=True) for _ in range(threads)]
        # Changed while it runs, this takes effect with the next request.
        self.per_second = per_second
        self._next = 0.0
        self.answered = collections.Counter()
        self.failures = []

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(120)

    def _wait_for_its_turn(self):
        if self.per_second is None:
            return
        with self._lock:
            at = max(time.monotonic(), self._next)
            self._next = at + 1 / self.per_second
        self._stop.wait(at - time.monotonic())

    def _drive(self):
        while not self._stop.is_set():
            self._wait_for_its_turn()
            try:
                response = self._hosting.runtime.invoke_endpoint(
                    EndpointName=self._endpoint, Body=self._body, **self._members
                )
                answer = response["Body"].read()
                assert not self._echo or answer == self._body
            except (ClientError, BotoCoreError, AssertionError) as failure:
                with self._lock:
                    self.failures.append(repr(failure))
            else:
                with self._lock:
                    self.answered[response["InvokedProductionVariant"]] += 1

    @property
    def count(self):
        return sum(self.answered.values())
