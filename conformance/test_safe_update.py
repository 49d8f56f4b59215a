"""`tidegate endpoint update` while things go wrong: whatever happens, nothing that was there is lost.

The program is killed at each call that changes something, before the server hears of it and after it has acted; then
the update is resumed or undone. An endpoint is looked at and invoked all the while.
"""

import signal
import sys

import pytest

from harness import names, people, updates
from harness.attempt import CHANGES, Attempt, said
from harness.faults import DROP, KILL_AFTER, KILL_BEFORE, THROTTLE, UNAVAILABLE
from harness.hosting import Hosting, eventually, variant
from harness.people import document, statement
from harness.program import Program, finish
from harness.scaling import MINUTE, OWN, Scaling
from harness.server import ROOT, Server
from harness.updates import scaled, side_by_side

INTERRUPTED = 130

# A model server of the user's that begins to work when a file is there.
IMAGE = "registry.example/team/later:1"
LATER = (
    "import os, runpy, sys; os.path.exists(sys.argv[2]) or sys.exit(1); runpy.run_path(sys.argv[1], None, '__main__')"
)
MODEL_SERVER = ROOT / "conformance" / "images" / "model_server.py"


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    return tmp_path_factory.mktemp("image") / "ready"


@pytest.fixture(scope="module")
def server_config(ready):
    return f"""
[limits]
instances = 200

[[image]]
match = "{IMAGE}"
command = ["{sys.executable}", "-c", "{LATER}", "{MODEL_SERVER}", "{ready}"]
"""


@pytest.fixture
def endpoint(hosting, scaling):
    with scaled(hosting, scaling) as made:
        yield made


@pytest.fixture
def attempt(server, tmp_path, endpoint):
    with Attempt(server, tmp_path, endpoint) as made:
        yield made


# -- nothing goes wrong --------------------------------------------------------------------------------------------


def test_it_does_the_seven_steps_and_loses_nothing(attempt):
    said(attempt.begun())
    assert attempt.faults.changes == CHANGES
    attempt.applied()
    attempt.faults.be_good()
    assert "there is nothing to do" in said(attempt.more("--resume"))
    assert attempt.faults.changes == []


def test_after_its_end_it_is_undone_the_same_way(attempt):
    said(attempt.begun())
    attempt.applied()
    attempt.faults.be_good()
    said(attempt.more("--undo"))
    assert attempt.faults.changes == CHANGES
    attempt.undone()
    attempt.faults.be_good()
    for flag in ("--resume", "--undo"):
        assert "there is nothing to do" in said(attempt.more(flag))
    assert attempt.faults.changes == []


def test_what_the_update_does_not_need_is_left_out(hosting, endpoint, server, tmp_path):
    """Steps 1, 2 and 7, where only the model changes and no headroom is asked for."""
    new = endpoint.config_of(hosting.model(), web="ml.m5.large")
    with Attempt(server, tmp_path, endpoint) as attempt:
        said(attempt.run("endpoint", "update", endpoint.name, "--endpoint-config", new))
        assert attempt.faults.changes == ["UpdateEndpoint"]
        endpoint.is_as_before(attempt.before, new)


def test_where_the_policies_want_more_by_then_there_are_more(scaling, attempt):
    """Counts return to what they were, or to what the latest datapoints ask for."""
    endpoint, metric = attempt.endpoint, names.fresh("Depth")
    spec = {"Namespace": OWN, "MetricName": metric, "Statistic": "Average"}
    scaling.track(endpoint.target(), 10, "more", spec, DisableScaleIn=True)
    scaling.feed(metric, *[15] * 5)
    said(attempt.begun())
    # Two instances with 15 each, where 10 are wanted. What scales it by itself may have asked for more since.
    assert endpoint.served()["web"][0] in (3, 4)
    assert "more" in endpoint.scaled()["web"]["policies"]


def test_a_schedule_that_fell_into_the_update_is_made_up_for(tmp_path):
    """In five minutes of the server, which are five seconds."""
    made = Server(arguments=["--time-scale", "60"])
    try:
        hosting = Hosting(made.start())
        scaling = Scaling(hosting)
        name, target = scaling.echo()
        slow = hosting.config(variant(hosting.model(TIDEGATE_ECHO_STARTUP_MS=5000), InstanceType=updates.OTHER_TYPE))
        at = scaling.now() + 3 * MINUTE
        scaling.autoscaling.put_scheduled_action(
            **target,
            ScheduledActionName="soon",
            Schedule=at.strftime("at(%Y-%m-%dT%H:%M:%S)"),
            ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 3},
        )
        said(Program(made, tmp_path).update(name, "--endpoint-config", slow))
        assert scaling.now() > at
        bounds = scaling.target(target)
        assert (bounds["MinCapacity"], bounds["MaxCapacity"]) == (2, 3)
        eventually(lambda: hosting.variant_of(name)["CurrentInstanceCount"] == 2)
        hosting.in_service(name)
    finally:
        made.close()


# -- killed at each step -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("then", ["--resume", "--undo"])
@pytest.mark.parametrize("when", [KILL_BEFORE, KILL_AFTER])
def test_killed_at_each_step_it_is_resumed_or_undone(server, hosting, scaling, tmp_path, when, then):
    def run(step, operation):
        with scaled(hosting, scaling) as endpoint, Attempt(server, tmp_path, endpoint) as attempt:
            attempt.faults.at(step, when)
            attempt.killed(*attempt.update())
            assert attempt.faults.changes == CHANGES[:step]
            assert attempt.faults.changes[-1] == operation
            attempt.faults.be_good()
            said(attempt.more(then))
            if then == "--resume":
                attempt.applied()
            else:
                attempt.undone()

    side_by_side(run, list(enumerate(CHANGES, 1)))


@pytest.mark.parametrize("goal", ["--resume", "--undo"])
def test_killed_at_every_single_call_it_comes_to_its_end(server, hosting, scaling, tmp_path, goal):
    """Each time a call further: an undoing that is killed goes on being undone, too."""

    def run(begun):
        with scaled(hosting, scaling) as endpoint, Attempt(server, tmp_path, endpoint) as attempt:
            attempt.faults.at(begun, KILL_AFTER)
            attempt.killed(*attempt.update())
            for _ in range(2 * len(CHANGES)):
                attempt.faults.at(1, KILL_AFTER)
                ended = attempt.run("endpoint", "update", endpoint.name, goal)
                if ended.returncode == 0:
                    break
                assert ended.returncode == -signal.SIGKILL, ended.stderr
            else:
                raise AssertionError("it came to no end")
            if goal == "--resume":
                attempt.applied()
            else:
                attempt.undone()

    side_by_side(run, [(1,), (6,), (10,)] if goal == "--undo" else [(1,)])


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_says_how_to_go_on(server, hosting, endpoint, tmp_path, sent):
    endpoint.new = endpoint.config_of(hosting.model(TIDEGATE_ECHO_STARTUP_MS=2500))
    with Attempt(server, tmp_path, endpoint) as attempt:
        running = attempt.program.begin(*attempt.update())
        eventually(lambda: "UpdateEndpoint" in attempt.faults.changes)
        running.send_signal(sent)
        told = said(finish(running), INTERRUPTED)
        assert "--resume" in told
        assert "--undo" in told
        said(attempt.more("--resume"))
        attempt.applied()


# -- calls that fail -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "reads"), [(DROP, False), (THROTTLE, True), (UNAVAILABLE, True)])
def test_a_call_whose_first_try_fails_is_made_again(attempt, fault, reads):
    attempt.faults.at_each(fault, reads)
    said(attempt.begun())
    # One more of each, or as many where what was done is seen before it is tried again.
    assert set(attempt.faults.changes) == set(CHANGES)
    attempt.applied()


def test_what_it_may_not_do_it_says_and_somebody_else_goes_on(server, endpoint, tmp_path):
    """Step 7 is denied, when there is no way back without it."""
    iam = server.client("iam")
    may = statement("Allow", "*")
    ann = people.user(server, iam, document(may, statement("Deny", "application-autoscaling:PutScalingPolicy")))
    with Attempt(server, tmp_path, endpoint, caller=ann) as attempt:
        told = said(attempt.begun(), 1)
        assert "application-autoscaling:PutScalingPolicy" in told
        assert "--resume" in told
        iam.delete_user_policy(UserName=ann.name, PolicyName="p0")
        iam.put_user_policy(UserName=ann.name, PolicyName="all", PolicyDocument=document(may))
        said(attempt.more("--resume"))
        attempt.applied()


# -- updates that fail ---------------------------------------------------------------------------------------------


def test_an_update_that_rolls_back_leaves_everything_as_it_was(server, hosting, endpoint, tmp_path, ready):
    """And is begun anew once its cause is gone."""
    endpoint.new = endpoint.config_of(hosting.model(image=IMAGE))
    ready.unlink(missing_ok=True)
    # The new model answers something else than what it is sent.
    with Attempt(server, tmp_path, endpoint, echo=False) as attempt:
        told = said(attempt.begun(), 1)
        assert "rolled back" in told
        attempt.undone()
        attempt.faults.be_good()
        said(attempt.more("--undo"))
        assert attempt.faults.changes == []
        ready.touch()
        said(attempt.more("--resume"))
        attempt.applied()


@pytest.mark.deep
def test_a_new_model_that_is_never_ready_leaves_everything_as_it_was(server, hosting, scaling, tmp_path):
    with scaled(hosting, scaling) as endpoint, Attempt(server, tmp_path, endpoint) as attempt:
        never = hosting.model(TIDEGATE_ECHO_NEVER_READY=1)
        members = {"InstanceType": updates.OTHER_TYPE, "ContainerStartupHealthCheckTimeoutInSeconds": 60}
        endpoint.new = hosting.config(variant(never, "web", **members), variant(never, "batch", **members))
        told = said(attempt.begun(), 1)
        assert "did not pass the ping health check" in told
        attempt.undone()


def test_one_that_is_refused_for_the_instances_it_needs_puts_everything_back(server, hosting, endpoint, tmp_path):
    model = hosting.model()
    big = variant(model, "more", 300)
    endpoint.new = hosting.config(variant(model, "web", InstanceType=updates.OTHER_TYPE), variant(model, "batch"), big)
    with Attempt(server, tmp_path, endpoint) as attempt:
        told = said(attempt.begun(), 1)
        assert "ResourceLimitExceeded" in told
        attempt.undone()
