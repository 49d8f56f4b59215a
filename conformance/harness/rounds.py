"""Rounds of work, a kill and a start, and a look at all that the server came back with."""

import collections
import datetime
import json
import pathlib
import random
import statistics
import sys
import time

from botocore.exceptions import BotoCoreError, ClientError

from . import processes, signed
from .fleets import SCALING, STANDING, WEIGHTS, Contested, Family, Safe, moving, set_up, wait_until_settled
from .inventory import Clients, Inventory
from .ledger import Ledger
from .scaling import minute_of
from .server import ROOT
from .writers import Alarms, Objects, People, Records, Traffic

# How long the writers work before a kill.
WORK_SECONDS = (0.02, 0.8)
# A start takes less than this; a start that is killed is killed within it.
START_SECONDS_MAX = 0.3
# So often a start is killed before the one that is let be.
KILLED_STARTS = (0, 0, 0, 1, 2)
# Every instance starts anew, and updates of some instances go on; all of it takes a second or two.
SETTLED_WITHIN_SECONDS = 60
GONE_WITHIN_SECONDS = 10
WRITER_ENDS_WITHIN_SECONDS = 60

IMAGE = ROOT / "conformance" / "images" / "model_server.py"
CONFIG = f"""
[limits]
instances = 100

[[image]]
match = "forks:*"
command = ["{sys.executable}", "{IMAGE}"]
"""


class Rounds:
    """One server's life of many deaths, and what was counted meanwhile."""

    def __init__(self, server, seed):
        self.server, self.seed = server, seed
        # How long what should be gone is waited for.
        self.patience_seconds = GONE_WITHIN_SECONDS
        self.ledger, self.secrets = Ledger(), {}
        # The minute that all metrics are of.
        self.born = minute_of(datetime.datetime.now(datetime.UTC)) - datetime.timedelta(minutes=5)
        # What ran when the server was killed last.
        self._running = set()
        self.rounds = self.kills = self.killed_starts = self.answered = self.orphans = self.stuck = 0
        self.settled_after = []
        # What was on its way when the server had just started, by its status.
        self.under_way = collections.Counter()
        set_up(self.ledger, Clients(server))
        # What this one is, nobody knows.
        del self.ledger.kept["endpoint", "contested"]

    def _writers(self, clients, number):
        def given(name):
            return name, self.ledger, clients, random.Random(f"{self.seed}/{number}/{name}")

        return [
            *(Family(*given(name)) for name in ("red", "green", "blue")),
            *(Contested(*given(name)) for name in ("cat", "dog")),
            *(Records(*given(name)) for name in ("ann", "bob")),
            Safe(*given("safe")),
            Objects(*given("s3")),
            Alarms(*given("alarms"), born=self.born),
            People(*given("iam"), secrets=self.secrets),
            *(Traffic(clients, [name, "steady"]) for name in ("safe", "forks")),
        ]

    def run(self, number, meanwhile=lambda: None):
        """One round; what is to happen `meanwhile`, between the kill and the start, is for planted faults."""
        dice, faults = random.Random(f"{self.seed}/{number}"), []
        try:
            faults += self._work(number, dice.uniform(*WORK_SECONDS))
            running = self._killed(dice)
            meanwhile()
            # Started at once, as a service manager does it, or when all has ended.
            if dice.random() < 0.5:
                faults += self._orphans(running)
            self.server.start()
            faults += self._orphans(running)
            faults += self.check()
        except (ClientError, BotoCoreError, AssertionError, RuntimeError) as fault:
            faults.append(f"{type(fault).__name__}: {fault}")
        self.rounds += 1
        assert not faults, self._told(number, faults)

    def _work(self, number, seconds):
        """Everybody works until the server is killed under them; gives back what went wrong before."""
        clients = Clients(self.server)
        writers = self._writers(clients, number)
        for writer in writers:
            writer.thread.start()
        time.sleep(seconds)
        self.server.kill()
        self.kills += 1
        self._running = self.server.running()
        for writer in writers:
            writer.thread.join(WRITER_ENDS_WITHIN_SECONDS)
        self.answered += sum(one.answered for one in writers if isinstance(one, Traffic))
        faults = [f"{one.name} did not end" for one in writers if one.thread.is_alive()]
        return faults + [one.fault for one in writers if one.fault]

    def _killed(self, dice):
        """Kills it in some more starts; gives back all that ran at any of the kills."""
        running = self._running
        for _ in range(dice.choice(KILLED_STARTS)):
            running |= self.server.start_and_kill(dice.uniform(0, START_SECONDS_MAX))
            self.killed_starts += 1
        return running

    def _orphans(self, running):
        left = self.server.left_of(running, self.patience_seconds)
        self.orphans += len(left)
        return [f"left running:\n{processes.describe(left)}"] if left else []

    def check(self):
        """What is wrong with the server that has just started, a line each."""
        clients, began = Clients(self.server), time.monotonic()
        self.under_way.update("safe update" if isinstance(one, tuple) else one for one in moving(clients).values())
        # Without waiting: a request for an endpoint that comes up again waits for its instance.
        faults = [f"{name} answers otherwise" for name in STANDING if b"tide" not in clients.invoke(name)]
        if json.loads(clients.invoke("forks"))["artefacts"] != {"weights": WEIGHTS}:
            faults.append("forks has other artefacts than its archive")
        if stuck := wait_until_settled(clients, SETTLED_WITHIN_SECONDS):
            self.stuck += len(stuck)
            return [*faults, f"stuck: {stuck}"]
        self.settled_after.append(time.monotonic() - began)
        seen = Inventory(clients, self.born)
        faults += self._reconciled(seen)
        for name in seen.serving:
            for variant in seen.variants[name]:
                answer = clients.invoke(name, TargetVariant=variant)
                faults += [] if b"tide" in answer else [f"{name}/{variant} answers {answer}"]
        return faults + self._instances(seen) + self._keys()

    def _reconciled(self, seen):
        """What is there against what was acknowledged."""
        faults, found = [], {}
        for key, value in seen.found.items():
            endpoint, _, rest = key[1].partition("/")
            if key[0] in SCALING and rest.split("/")[0] not in seen.variants.get(endpoint, ()):
                faults.append(f"{key} scales what is no variant")
            if key[0] == "endpoint" and endpoint in STANDING:
                # Not all of their updates are the writers' own.
                value = value._replace(last=None)
            if endpoint != "contested":
                found[key] = value
        return faults + self.ledger.reconcile(found)

    def _instances(self, seen):
        """That each instance has one supervisor and one folder, and that nothing runs that does not belong to one."""
        wanted = sum(sum(seen.counts[name]) for name in seen.serving)

        def strays():
            supervisors = processes.children(self.server.data_dir, self.server.pid)
            folders = [one for one in (self.server.data_dir / "instances").iterdir() if one.is_dir()]
            alone = [pid for pid in processes.of(self.server.data_dir) if not descends(pid, self.server.pid)]
            counted = len(supervisors), len(folders)
            return None if counted == (wanted, wanted) and not alone else (counted, alone)

        deadline = time.monotonic() + self.patience_seconds
        while found := strays():
            if time.monotonic() > deadline:
                self.orphans += len(found[1])
                return [f"{wanted} instances, but supervisors, folders: {found}\n{processes.describe(found[1])}"]
            time.sleep(0.02)
        return []

    def _keys(self):
        """That every key that is kept is as good as it says."""
        faults, body = [], b"Action=GetCallerIdentity&Version=2011-06-15"
        for key, held in self.ledger.kept.items():
            for one, status in held if key[0] == "keys" else ():
                if secret := self.secrets.get(one):
                    headers = {"Content-Type": "application/x-www-form-urlencoded"}
                    given = {"service": "sts", "credentials": (one, secret)}
                    headers = signed.headers_for(self.server, "POST", "/", body, headers, **given)
                    answered = signed.send(self.server, "POST", "/", body, headers).status
                    if answered != (200 if status == "Active" else 403):
                        faults.append(f"{one} of {key[1]} is {status} and is answered {answered}")
        return faults

    def _told(self, number, faults):
        again = f"KILL_SEED={self.seed} KILL_ROUNDS={number + 1}"
        return "\n".join([f"round {number} of seed {self.seed} ({again}):", *faults, "--- writes", self.ledger.story()])

    def figures(self):
        ledger, ready = self.ledger, sorted(self.server.ready_after[1:])
        spread = [ready[0], statistics.median(ready), ready[-1]]
        settled = sorted(self.settled_after)
        return {
            "seed": self.seed,
            "rounds": self.rounds,
            "kills": self.kills + self.killed_starts,
            "kills of a start": self.killed_starts,
            "writes acknowledged": ledger.acknowledged,
            "writes refused as expected": ledger.refused,
            "writes unanswered": ledger.unanswered,
            "unanswered and done": ledger.done_unanswered,
            "lost": ledger.lost,
            "orphans": self.orphans,
            "stuck": self.stuck,
            "on their way at a start": dict(sorted(self.under_way.items())),
            "requests answered": self.answered,
            "seconds from start to ready (min, median, max)": [round(one, 3) for one in spread],
            "seconds from ready to rest (min, median, max)": [
                round(one, 3) for one in (settled[0], statistics.median(settled), settled[-1])
            ],
        }


def descends(pid, ancestor):
    """Whether a process is this other one's, or of one of its children, or theirs; or has ended meanwhile."""
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            status = pathlib.Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            return True
        pid = int(status.rpartition(b")")[2].split()[1])
    return False
