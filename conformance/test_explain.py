"""`tidegate explain` and `tidegate watch`: what they say of a variant is what the server did, and reads well."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading

import pytest

from harness import names
from harness.hosting import Hosting, eventually, variant
from harness.scaling import OWN, minute_of
from harness.server import Server, binary
from harness.signed import headers_for, send

# Minutes are seconds: three datapoints that breach are there after three.
SCALE = ["--time-scale", "60"]
# Minutes of load that are fed ahead: longer than any of these tests runs.
AHEAD = 100
WIDTH = 80
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def server_config():
    return "[limits]\ninstances = 128\n"


@pytest.fixture(scope="module")
def server_arguments():
    return SCALE


def tidegate(server, *arguments):
    return subprocess.run(
        [binary(), *map(str, arguments)],
        env=server.client_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def said(server, *arguments):
    ended = tidegate(server, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def explained(server, endpoint):
    return json.loads(said(server, "explain", f"endpoint/{endpoint}/variant/main", "--json"))


def page(server, endpoint):
    """The page for people, as one paragraph; its lines must fit."""
    text = said(server, "explain", endpoint)
    assert "\x1b" not in text, "colours are for terminals"
    assert all(len(line) <= WIDTH for line in text.splitlines()), text
    return " ".join(text.split())


def tracked(scaling, most=4, count=1, **more):
    """An endpoint whose variant tracks a metric of the test's own, to be 10; the metric and the alarms."""
    endpoint, target = scaling.echo(count=count, most=most)
    metric = names.fresh("load")
    spec = {"MetricName": metric, "Namespace": OWN, "Statistic": "Average"}
    return endpoint, target, metric, scaling.track(target, 10, metric=spec, **more)


def heavy(scaling, metric, value=30):
    """From now on the metric is three times its target, whatever the endpoint does."""
    scaling.feed(metric, *[value] * AHEAD, start=minute_of(scaling.now()))


def decision(server, endpoint, outcome, seconds=30, matching=""):
    """The newest decision, once it is of this outcome and its words match."""

    def probe():
        made = explained(server, endpoint)["Decisions"]
        newest = made[0] if made else None
        fits = newest and newest["Outcome"] == outcome and re.search(matching, newest["Summary"])
        return newest if fits else None

    return eventually(probe, seconds)


def test_what_is_not_registered_is_never_scaled(server, hosting):
    endpoint = hosting.echo_endpoint(count=2)
    shown = explained(server, endpoint)
    assert shown["ResourceId"] == f"endpoint/{endpoint}/variant/main"
    assert (shown["CurrentInstanceCount"], shown["DesiredInstanceCount"]) == (2, 2)
    assert "Target" not in shown
    assert "is not registered as a scalable target" in page(server, endpoint)
    assert "not registered, so that nothing scales it" in said(server, "watch", endpoint, "--once")


def test_names_are_read_in_three_forms_and_wrong_ones_told(server, hosting):
    endpoint = hosting.echo_endpoint()
    for form in (endpoint, f"{endpoint}/main", f"endpoint/{endpoint}/variant/main"):
        assert json.loads(said(server, "explain", form, "--json"))["EndpointStatus"] == "InService"
    for form, status, words in (
        (f"{endpoint}/other", 1, f"endpoint {endpoint} has no variant other; it has: main"),
        ("nobody", 1, "Could not find endpoint"),
        ("no/such/form", 2, "endpoint/NAME/variant/NAME"),
    ):
        ended = tidegate(server, "explain", form)
        assert ended.returncode == status, ended
        assert words in ended.stderr
        assert ended.stdout == ""
    model = hosting.model()
    several = hosting.endpoint(hosting.config(variant(model, "a"), variant(model, "b")))
    ended = tidegate(server, "explain", several)
    assert (ended.returncode, "has 2 variants (a, b)" in ended.stderr) == (1, True), ended


def test_a_target_without_a_policy_says_that_nothing_would_change_it(server, scaling):
    endpoint, _ = scaling.echo(least=1, most=3)
    shown = explained(server, endpoint)
    assert (shown["Target"]["MinCapacity"], shown["Target"]["MaxCapacity"]) == (1, 3)
    assert shown["Policies"] == shown["Decisions"] == []
    assert "No policy would change that." in shown["Summary"]


def test_a_scale_out_and_the_cooldown_that_holds_the_next(server, hosting, scaling):
    endpoint, target, metric, alarms = tracked(scaling, ScaleOutCooldown=3600)
    heavy(scaling, metric)
    made = decision(server, endpoint, "ScaleOut")
    assert (made["From"], made["To"], made["Wanted"], made["AlarmName"]) == (1, 3, 3, alarms[0])
    assert "3 of 3 datapoints above 10.0 (30.0, 30.0, 30.0)" in made["Summary"]
    scaling.ended(target, 1)
    held = decision(server, endpoint, "Hold", matching="held by the scale-out cooldown until")
    assert "To" not in held
    assert (held["From"], held["Wanted"]) == (3, 9)
    shown = explained(server, endpoint)
    (cooldown,) = shown["Cooldowns"]
    assert cooldown["Direction"] == "Out"
    assert cooldown["Until"] > shown["Now"]
    (high, low) = shown["Policies"][0]["Alarms"]
    assert (high["Side"], high["State"], high["Threshold"], high["Period"]) == ("High", "ALARM", 10.0, 60)
    assert [point["Value"] for point in high["Datapoints"]] == [30.0] * 3
    assert (low["Side"], low["Threshold"], len(low["Datapoints"])) == ("Low", 9.0, 15)
    text = page(server, endpoint)
    for words in ("1 → 3", "3 stays", "held by the scale-out cooldown", "Scale-out cooldown until"):
        assert words in text, text
    picture = said(server, "watch", endpoint, "--once")
    assert "███·  3 serve, between 1 and 4" in picture
    assert re.search(r"alarms +AlarmHigh ALARM for ", picture), picture
    assert re.search(r"cooldowns +scale-out until ", picture), picture
    assert "Setting desired instance count to 3." in picture
    looked = json.loads(said(server, "watch", endpoint, "--once", "--json"))
    (seen,) = looked["Variants"]
    assert (seen["CurrentInstanceCount"], seen["MaxCapacity"]) == (3, 4)
    assert seen["Alarms"][0]["StateValue"] == "ALARM"


def test_at_the_maximum(server, scaling):
    endpoint, _, metric, _ = tracked(scaling, most=2, count=2)
    heavy(scaling, metric)
    made = decision(server, endpoint, "Hold", matching="the maximum is 2 instances")
    assert (made["From"], made["Wanted"]) == (2, 6)
    assert "the maximum is 2 instances" in page(server, endpoint)
    assert "Not scaled: AlreadyAtMaxCapacity." in said(server, "watch", endpoint, "--once")


def test_suspended(server, scaling):
    endpoint, target, metric, _ = tracked(scaling)
    scaling.autoscaling.register_scalable_target(**target, SuspendedState={"DynamicScalingOutSuspended": True})
    heavy(scaling, metric)
    made = decision(server, endpoint, "Hold", matching="DynamicScalingOutSuspended is set")
    assert (made["From"], made["Wanted"]) == (1, 3)
    shown = explained(server, endpoint)
    assert shown["Target"]["DynamicScalingOutSuspended"] is True
    assert "Scaling out by policies is suspended." in shown["Summary"]
    assert shown["DesiredInstanceCount"] == 1


def test_while_updating_nothing_is_decided_and_the_page_says_so(server, hosting, scaling):
    # The new fleet takes ten of the server's minutes, in which the alarm goes off.
    endpoint, _, metric, _ = tracked(scaling)
    slow = hosting.config(variant(hosting.model(TIDEGATE_ECHO_STARTUP_MS=10000)))
    hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=slow, RetainAllVariantProperties=True)
    heavy(scaling, metric)
    made = decision(server, endpoint, "Hold", matching="InService")
    shown = explained(server, endpoint)
    assert (made["From"], made["Wanted"], shown["EndpointStatus"]) == (1, 3, "Updating")
    assert "nothing is decided until it is InService" in shown["Summary"]
    # Afterwards, it is.
    made = decision(server, endpoint, "ScaleOut")
    assert (made["From"], made["To"]) == (1, 3)


def test_a_schedule_is_told_with_its_next_run(server, scaling):
    endpoint, target = scaling.echo()
    scaling.autoscaling.put_scheduled_action(
        **target,
        ScheduledActionName="night",
        Schedule="cron(0 3 * * ? *)",
        ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 2},
    )
    shown = explained(server, endpoint)
    (action,) = shown["ScheduledActions"]
    assert action["NextRun"] > shown["Now"]
    assert "night" in page(server, endpoint)


def test_step_policies_are_explained_with_the_alarms_that_users_made(server, scaling):
    endpoint, target = scaling.echo(most=4)
    policy = scaling.step(target, (0, None, 2))
    (shown,) = explained(server, endpoint)["Policies"]
    assert (shown["PolicyType"], shown["Alarms"]) == ("StepScaling", [])
    assert "No alarm calls it" in shown["Summary"]
    metric = names.fresh("load")
    alarm = scaling.alarm_on(metric, policy, 10)
    heavy(scaling, metric)
    made = decision(server, endpoint, "ScaleOut")
    assert (made["From"], made["To"], made["AlarmName"]) == (1, 3, alarm)
    (shown,) = explained(server, endpoint)["Policies"]
    assert [one["AlarmName"] for one in shown["Alarms"]] == [alarm]
    assert shown["Alarms"][0]["Side"] == "High"


def test_instances_are_listed_by_variant(server, hosting):
    endpoint = hosting.echo_endpoint(count=2)
    path = f"/tidegate/v1/endpoints/{endpoint}/instances"
    answer = send(server, "GET", path, headers=headers_for(server, "GET", path, service="tidegate"))
    assert answer.status == 200, answer
    listed = json.loads(answer.body)["Instances"]
    assert [(one["VariantName"], one["Phase"], one["InFlight"]) for one in listed] == [("main", "Ready", 0)] * 2
    # Whose signature is for another service is not the API's own caller.
    assert send(server, "GET", path).status == 403


# -- the live view ---------------------------------------------------------------------------------------------------


class Terminal:
    """A `tidegate watch` on a terminal of its own."""

    def __init__(self, server, *arguments, rows=30, columns=100):
        self.server_side, self.program_side = pty.openpty()
        self.resize(rows, columns, tell=False)
        self.modes = termios.tcgetattr(self.program_side)
        self.text = ""
        self.process = subprocess.Popen(
            [binary(), "watch", *arguments],
            env=server.client_environment(TERM="xterm-256color"),
            stdin=self.program_side,
            stdout=self.program_side,
            stderr=self.program_side,
            start_new_session=True,
        )

    def resize(self, rows, columns, tell=True):
        fcntl.ioctl(self.server_side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.process.send_signal(signal.SIGWINCH)

    def read(self, seconds=0.1):
        if select.select([self.server_side], [], [], seconds)[0]:
            self.text += os.read(self.server_side, 65536).decode(errors="replace")
        return self.text

    def until(self, pattern, seconds=30):
        return eventually(lambda: re.search(pattern, self.read(), re.DOTALL), seconds, every=0)

    def frames(self):
        """The pictures that were drawn whole, as lines without colours."""
        drawn = self.text.split("\x1b[H")[1:-1]
        return [[line.rstrip("\r") for line in ANSI.sub("", one).split("\n")] for one in drawn]

    def press(self, keys):
        os.write(self.server_side, keys)

    def ended(self):
        status = self.process.wait(30)
        while select.select([self.server_side], [], [], 0.2)[0]:
            self.read()
        # The other screen is left and the cursor is back; keys come line by line again.
        assert "\x1b[?25h\x1b[?1049l" in self.text
        assert termios.tcgetattr(self.program_side) == self.modes
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.server_side)
        os.close(self.program_side)


@contextlib.contextmanager
def terminal(server, *arguments, **size):
    made = Terminal(server, *arguments, **size)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize(("keys", "status"), [(b"q", 0), (b"\x03", 130)])
def test_a_watch_on_a_terminal_ends_with_a_key_and_leaves_it_as_it_was(server, hosting, keys, status):
    endpoint = hosting.echo_endpoint()
    with terminal(server, endpoint) as watch:
        watch.until(r"\x1b\[\?1049h.*1 serves")
        assert termios.tcgetattr(watch.program_side) != watch.modes
        watch.press(keys)
        assert watch.ended() == status


def test_a_watch_fits_the_window_it_is_in(server, hosting):
    model = hosting.model()
    endpoint = hosting.endpoint(hosting.config(*[variant(model, f"variant-{at}") for at in range(6)]))
    with terminal(server, endpoint, rows=60, columns=100) as watch:
        watch.until(r"variant-5.*instances.*\x1b\[J.*\x1b\[H")
        assert any(len(frame) > 20 for frame in watch.frames())
        before = len(watch.frames())
        watch.resize(9, 40)
        eventually(lambda: watch.read() and len(watch.frames()) > before + 1, every=0)
        last = watch.frames()[-1]
        assert len(last) <= 9
        assert all(len(line) <= 40 for line in last), last
        assert sum("1/1" in line for line in last) == 6, last
        watch.press(b"q")
        assert watch.ended() == 0


def test_a_watch_ends_when_the_endpoint_does(server, hosting):
    endpoint = hosting.echo_endpoint()
    with terminal(server, endpoint) as watch:
        watch.until("1 serves")
        hosting.sagemaker.delete_endpoint(EndpointName=endpoint)
        assert watch.ended() == 0
        assert watch.text.rstrip().endswith(f"{endpoint} is gone")


def test_a_watch_fails_when_the_server_is_gone():
    made = Server(arguments=SCALE)
    try:
        made.start()
        endpoint = Hosting(made).echo_endpoint()
        with terminal(made, endpoint) as watch:
            watch.until("1 serves")
            made.stop()
            assert watch.ended() == 1
            assert "error: " in watch.text.split("\x1b[?1049l")[-1]
    finally:
        made.close()


def test_a_watch_in_a_pipe_is_lines_of_what_changed(server, hosting, scaling):
    endpoint, _, metric, _ = tracked(scaling)
    command, environment = [binary(), "watch", endpoint], server.client_environment()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as watch:
        # What does not come must not be waited for.
        guard = threading.Timer(60, watch.kill)
        guard.start()
        try:
            heavy(scaling, metric)
            lines = []
            for line in watch.stdout:
                lines.append(line.rstrip())
                if re.search(r" 3/3 instances| 4/4 instances", line):
                    break
            first = r"[0-9:]{8}  main  InService  1/1 instances  .*AlarmHigh [A-Z_]+  AlarmLow [A-Z_]+"
            assert re.fullmatch(first, lines[0]), lines
            assert len(set(lines)) == len(lines) > 1
            assert not any("\x1b" in line for line in lines)
            # Whoever closes the pipe has read what was wanted: the next line ends it.
            watch.stdout.close()
            hosting.sagemaker.delete_endpoint(EndpointName=endpoint)
            assert watch.wait(60) == 0
        finally:
            guard.cancel()
            watch.kill()
