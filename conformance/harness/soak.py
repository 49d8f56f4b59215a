"""A server under steady load while everything happens to it that does in life, and a verdict on every request."""

import bisect
import collections
import json
import pathlib
import re
import subprocess
import sys
import threading
import time

from . import processes, signed
from .directors import TIME_SCALE, Guarded, Several, Single, Tracked, served
from .hosting import Hosting, eventually
from .killer import Killer
from .scaling import Scaling
from .server import REGION

FIREHOSE = pathlib.Path(__file__).with_name("firehose.py")
# Requests a second. Those of `tide` are changed by its director.
RATES = {"reef": 170, "shoal": 150, "lagoon": 140, "buoy": 50, "tide": Tracked.FLOOD}
DIRECTORS = {"reef": Guarded, "shoal": Guarded, "lagoon": Several, "buoy": Single, "tide": Tracked}
# Two of every fleet at once, and headroom, come to less.
CONFIG = "[limits]\ninstances = 96\n"
ARGUMENTS = ["--time-scale", str(TIME_SCALE)]
# The gateway names the instance that owes an answer, which AWS's errors do not.
ENVIRONMENT = {"TIDEGATE_LOG": "info,gateway=debug"}

# A change that is under way when the time is over comes to its end.
LAST_CHANGE_SECONDS = 180
# The last requests are answered, and the report is written.
REPORT_SECONDS = 120
WHOLE_AGAIN_SECONDS = 90

BROKE_OFF = "broke off before its response was complete"
LOST = re.compile(r'no answer from a model server endpoint="([^"]+)" instance=(\S+) cause=Broken')
CUT = re.compile(r"a model server's stream broke off.* instance=(\S+)")
ELSEWHERE = "trying another instance"


class Load:
    """The firehose, in a process of its own."""

    def __init__(self, server, seed):
        key, secret = server.key()
        plan = {"port": server.port, "key": key, "secret": secret, "region": REGION, "targets": RATES, "seed": seed}
        self._process = subprocess.Popen(
            [sys.executable, str(FIREHOSE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lock = threading.Lock()
        self._say(plan)

    def _say(self, told):
        with self._lock:
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()

    def pour(self, endpoint, rate):
        self._say({"endpoint": endpoint, "rate": rate})

    def report(self):
        """What came of it, when the last request is answered."""
        told, _ = self._process.communicate(timeout=REPORT_SECONDS)
        assert self._process.returncode == 0, "the firehose failed"
        return json.loads(told)

    def kill(self):
        self._process.kill()
        self._process.wait()


class Memory(threading.Thread):
    """What the server holds, each second."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self._status = pathlib.Path(f"/proc/{server.pid}/status")
        self._finished = threading.Event()
        self.seen = []

    def run(self):
        while not self._finished.wait(1):
            (line,) = [line for line in self._status.read_text().splitlines() if line.startswith("VmRSS:")]
            self.seen.append(int(line.split()[1]) / 1024)

    def finish(self):
        self._finished.set()
        self.join(10)

    @property
    def end(self):
        """Mebibytes, the median of the last seconds."""
        return sorted(self.seen[-9:])[len(self.seen[-9:]) // 2]


class Soak:
    """One run, and what is known of it when it has ended."""

    def __init__(self, server, seconds, seed=7):
        self.server, self.seconds = server, seconds
        self.hosting = Hosting(server)
        self.scaling = Scaling(self.hosting)
        self.directors = {
            name: kind(self, name, seed + number) for number, (name, kind) in enumerate(DIRECTORS.items())
        }
        fleets = {name: lambda one=one: one.fleet for name, one in self.directors.items()}
        self._killer, self._memory = Killer(server, fleets, seed), Memory(server)
        self._load = Load(server, seed)

    def pour(self, endpoint, rate):
        self._load.pour(endpoint, rate)

    def run(self):
        try:
            self._live()
        except BaseException:
            self._load.kill()
            raise
        self.faults = list(self._killer.faults)
        for director in self.directors.values():
            self.faults += director.faults
        self.kills, self.memory = self._killer.kills, self._memory
        self._judge()
        return self

    def _live(self):
        parts = [self._memory, self._killer, *self.directors.values()]
        for part in parts:
            part.start()
        time.sleep(self.seconds)
        for director in self.directors.values():
            director.finish()
        for director in self.directors.values():
            director.join(LAST_CHANGE_SECONDS)
            if director.is_alive():
                director.faults.append(f"{director.name}: its last change did not end")
        self._killer.finish()
        self.told = self._load.report()
        self._memory.finish()

    # -- the verdict -----------------------------------------------------------------------------------------------

    def _judge(self):
        log = self.server.log()
        self.moved_on = log.count(ELSEWHERE)
        self.lost = collections.Counter(one[2] for one in LOST.finditer(log))
        self.lost.update(one[1] for one in CUT.finditer(log))
        self.failures = self.told["failures"]
        self.of_kills = [one for one in self.failures if self._is_of_a_kill(one)]
        self.others = [one for one in self.failures if not self._is_of_a_kill(one)]
        asked = self.told["asked"]
        self.requests = sum(len(sent) for sent, _ in asked.values())
        self.rate = self.requests / (self.told["ended"] - self.told["began"])
        took = sorted(
            end - begin for sent, answered in asked.values() for begin, end in zip(sent, answered, strict=True)
        )
        self.p50, self.p99, self.slowest = took[len(took) // 2], took[len(took) * 99 // 100], took[-1]
        seconds = collections.Counter(int(at - self.told["began"]) for sent, _ in asked.values() for at in sent)
        self.per_second = [seconds[one] for one in range(int(self.told["ended"] - self.told["began"]))]
        self._times = {name: (sorted(sent), sorted(answered)) for name, (sent, answered) in asked.items()}

    def _is_of_a_kill(self, failure):
        cut = (failure["status"], failure["type"]) in ((424, "ModelError"), (200, "ModelStreamError"))
        return cut and BROKE_OFF in failure["text"] and any(kill.covers(failure) for kill in self.kills)

    def _came_late(self, failure):
        """Whether its instance had been killed when it left, and only had not ended yet."""
        return all(kill.at < failure["sent"] for kill in self.kills if kill.covers(failure))

    def under_way(self, kill):
        """How many requests of its endpoint were under way at some moment of the kill."""
        sent, answered = self._times[kill.endpoint]
        return bisect.bisect_right(sent, kill.gone) - bisect.bisect_left(answered, kill.at)

    def wrong(self):
        """Everything that is not as it must be, a line or more each."""
        yield from self.faults
        for one in self.others:
            lasted = one["answered"] - one["sent"]
            yield f"at {one['sent'] - self.told['began']:.2f} s for {lasted:.3f} s: {one}"
        ended = {kill.instance: kill for kill in self.kills}
        for instance, lost in self.lost.items():
            if instance not in ended:
                yield f"{instance} was not killed, and broke off {lost} answers"
            elif lost > self.under_way(ended[instance]):
                yield f"{lost} answers broke off, of {self.under_way(ended[instance])} under way: {ended[instance]}"
        if sum(self.lost.values()) != len(self.of_kills):
            yield f"the instances broke off {sum(self.lost.values())} answers, and {len(self.of_kills)} requests failed"
        if self.told["left_out"]:
            yield f"{self.told['left_out']} requests had to be left out: too many were unanswered"

    def _instances(self):
        """The instances of every endpoint, if they are those that are wanted, and all ready."""
        found = []
        for name in self.directors:
            wanted = {one: count for one, (count, _) in served(self.hosting.describe(name)).items()}
            _, told = signed.own(self.server, "GET", f"/endpoints/{name}/instances")
            # One that was killed is listed for a while.
            there = [one for one in told["Instances"] if one["Phase"] != "Exited"]
            ready = collections.Counter(one["VariantName"] for one in there if one["Phase"] == "Ready")
            if ready != wanted or len(there) != ready.total():
                return None
            found += there
        return found

    def comes_to_rest(self):
        """That every endpoint ends as it was asked for, and that nothing else runs."""
        for director in self.directors.values():
            assert director.settled()["EndpointStatus"] == "InService"
        found = eventually(self._instances, WHOLE_AGAIN_SECONDS)
        # The server, and for each instance its supervisor and its model server.
        eventually(lambda: len(processes.of(self.server.data_dir)) == 1 + 2 * len(found), 10)
        return found

    # -- the table -------------------------------------------------------------------------------------------------

    def table(self):
        events = collections.Counter()
        for director in self.directors.values():
            events += director.played
        supervisors = sum(kill.supervisor for kill in self.kills)
        events["model server killed"] = len(self.kills) - supervisors
        events["supervisor killed"] = supervisors
        slow = min(self.per_second)
        memory = self.memory
        rows = [
            (
                "requests",
                f"{self.requests:,} in {len(self.per_second)} s: {self.rate:.0f}/s; fewest in a second {slow}",
            ),
            *((f"  {operation}", f"{count:,} good") for operation, count in sorted(self.told["good"].items())),
            (
                "answered in",
                f"p50 {self.p50 * 1000:.1f} ms, p99 {self.p99 * 1000:.1f} ms, at most {self.slowest:.2f} s",
            ),
            ("connections", f"{self.told['connections']} opened"),
            (
                "server's memory",
                f"{memory.seen[0]:.0f} MiB, {max(memory.seen):.0f} at most, {memory.end:.0f} at the end",
            ),
            *((name, str(count)) for name, count in sorted(events.items())),
            ("under way where it was killed", str(sum(self.under_way(kill) for kill in self.kills))),
            ("failed with their instance", str(len(self.of_kills))),
            ("  sent while it ended", str(sum(self._came_late(one) for one in self.of_kills))),
            (
                "longest end of an instance",
                f"{1000 * max((kill.gone - kill.at for kill in self.kills), default=0):.0f} ms",
            ),
            ("sent to another instance", str(self.moved_on)),
            ("failed otherwise", str(len(self.others))),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:{width}}  {value}" for name, value in rows)
