"""Promise T2 under everything at once: `kill -9` at moments that nobody chose, over and over on one data directory.

Writers of every service work side by side until the server dies under them. After each start all that was acknowledged
is there, what was never answered is there whole or not at all, and what was under way ends by itself.

`KILL_SEED` and `KILL_ROUNDS` choose other dice and another number of rounds. The dice decide what each writer does and
when the kill comes; how far the writers have come by then, nobody does.
"""

import contextlib
import datetime
import os
import shutil
import sqlite3
import subprocess
import time

import pytest
from botocore.exceptions import ClientError

from harness import failing_sync, names, small_disk
from harness.crashes import Crashing
from harness.fleets import CONFIGS, moving, set_up, wait_until_settled
from harness.hosting import error_of
from harness.inventory import SPACE, Clients, Inventory
from harness.ledger import Ledger
from harness.people import allow
from harness.rounds import CONFIG, SETTLED_WITHIN_SECONDS, Rounds
from harness.scaling import DIMENSION, minute_of
from harness.scaling import OWN as NAMESPACE
from harness.server import ROOT
from harness.writers import ROLE, config_of

SEED = int(os.environ.get("KILL_SEED", "4280"))
ROUNDS = int(os.environ.get("KILL_ROUNDS", "8"))
ROUNDS_DEEP = int(os.environ.get("KILL_ROUNDS", "200"))
# Fewer than any machine manages; but a round in which nobody writes would prove nothing.
WRITES_A_ROUND = 10
DISK_MIB = 64
FIGURES = ROOT / "target" / "kill.txt"

# What is stored and is no acknowledged write: the server's own, which it begins anew or counts on.
OWN = {"alarm-history", "counters", "iam-last-used", "iam-role", "server-time"}


@contextlib.contextmanager
def a_server():
    server = Crashing(config=CONFIG)
    try:
        yield server.start()
    finally:
        server.close()


def rounds_of_kills(seed, count):
    with a_server() as server:
        rounds = Rounds(server, seed)
        for number in range(count):
            rounds.run(number)
        figures = rounds.figures()
    assert figures["writes acknowledged"] > WRITES_A_ROUND * count, figures
    return figures


def test_nothing_acknowledged_is_lost_and_nothing_is_left_over_or_stuck():
    rounds_of_kills(SEED, ROUNDS)


@pytest.mark.deep
@pytest.mark.timeout(3600)
def test_two_hundred_kills():
    figures = rounds_of_kills(SEED + 1, ROUNDS_DEEP)
    FIGURES.write_text("".join(f"{name}: {value}\n" for name, value in figures.items()))


# -- the net holds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seen, holds",
    [
        ({"a": 1, "b": 1}, True),
        ({"a": 2}, True),
        ({"a": 2, "b": 1}, False),
        ({"a": 1}, False),
        ({}, False),
        ({"a": 1, "b": 1, "c": 1}, False),
    ],
)
def test_what_was_not_answered_is_there_whole_or_not_at_all(seen, holds):
    ledger = Ledger()
    ledger.write("w", {"a": 1, "b": 1}, lambda: "answer")
    with pytest.raises(OSError):
        ledger.write("w", {"a": 2, "b": None}, open, file="/nowhere")
    assert (ledger.reconcile(seen) == []) == holds
    assert (ledger.acknowledged, ledger.unanswered, ledger.lost > 0) == (1, 1, not holds)


class State:
    """The database of a server that does not run."""

    def __init__(self, server):
        self._files = [server.data_dir / f"state.db{end}" for end in ("", "-wal", "-shm")]
        self._copies = server.root / "copies"

    def keep(self):
        self._copies.mkdir()
        for file in self._files:
            if file.exists():
                shutil.copy(file, self._copies)

    def put_back(self):
        for file in self._files:
            file.unlink(missing_ok=True)
        for kept in self._copies.iterdir():
            shutil.copy(kept, self._files[0].parent)

    def ask(self, query, *given):
        with contextlib.closing(sqlite3.connect(self._files[0])) as database, database:
            return database.execute(query, given).fetchall()


def test_what_was_planted_is_found():
    """A server that forgets its last writes, and a process that nobody ends."""
    with a_server() as server:
        rounds, state = Rounds(server, SEED + 2), State(server)
        rounds.run(0, meanwhile=state.keep)
        rounds.patience_seconds = 1
        with subprocess.Popen(["sleep", "60"], env={"LEFT_OF": str(server.data_dir)}) as left:
            try:
                with pytest.raises(AssertionError) as found:
                    rounds.run(1, meanwhile=state.put_back)
            finally:
                left.kill()
        assert "acknowledged was" in str(found.value)
        assert f"{left.pid}: sleep 60" in str(found.value)
        server.kill()
        assert server.orphans() == []


@pytest.mark.deep
def test_a_record_of_any_kind_that_is_lost_is_found():
    with a_server() as server:
        rounds, state = Rounds(server, SEED + 3), State(server)
        # Until there is something of every kind.
        for number in range(12):
            rounds.run(number)
        server.kill()
        assert server.orphans() == []
        state.keep()
        kinds = {kind for (kind,) in state.ask("SELECT DISTINCT kind FROM record")} - OWN
        assert len(kinds) > 9, kinds
        kept, unnoticed = dict(rounds.ledger.kept), set()
        for kind in sorted(kinds):
            state.put_back()
            state.ask(
                "DELETE FROM record WHERE kind = ?1 AND key = (SELECT max(key) FROM record WHERE kind = ?1)", kind
            )
            rounds.ledger.kept = dict(kept)
            server.start()
            if not faults_of(rounds):
                unnoticed.add(kind)
            server.kill()
            assert server.orphans() == []
        assert unnoticed == set()


def faults_of(rounds):
    try:
        return rounds.check()
    except ClientError as fault:
        return [str(fault)]


# -- what a kill cannot show ---------------------------------------------------------------------------------------


def writes(clients, born):
    """A write of every kind, in an order in which all are accepted."""
    sagemaker, autoscaling, iam, s3 = clients.sagemaker, clients.autoscaling, clients.iam, clients.s3
    endpoint, one = {"EndpointName": "steady"}, [{"VariantName": "main", "DesiredInstanceCount": 2}]
    target = SPACE | {"ResourceId": "endpoint/steady/variant/main", "ScalableDimension": DIMENSION}
    user, container = {"UserName": "ann"}, {"Image": "tidegate/echo"}
    alarm = {
        "Namespace": NAMESPACE,
        "MetricName": "nothing",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
    }
    alarm |= {"AlarmName": "own", "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
    tags = [{"Key": "k", "Value": "v"}]
    yield sagemaker.create_model, {"ModelName": "x", "PrimaryContainer": container, "ExecutionRoleArn": ROLE}
    yield sagemaker.create_endpoint_config, {"EndpointConfigName": "x"} | config_of(CONFIGS["one"][0])[0]
    yield sagemaker.add_tags, {"ResourceArn": names.arn("model", "x"), "Tags": tags}
    yield sagemaker.create_endpoint, {"EndpointName": "x", "EndpointConfigName": "x"}
    yield sagemaker.update_endpoint_weights_and_capacities, endpoint | {"DesiredWeightsAndCapacities": one}
    yield autoscaling.register_scalable_target, target | {"MinCapacity": 1, "MaxCapacity": 4}
    yield autoscaling.deregister_scalable_target, target
    yield sagemaker.update_endpoint, endpoint | {"EndpointConfigName": "two"}
    yield sagemaker.delete_endpoint, endpoint
    yield clients.cloudwatch.put_metric_alarm, alarm
    yield clients.cloudwatch.delete_alarms, {"AlarmNames": ["own"]}
    yield (
        clients.cloudwatch.put_metric_data,
        {"Namespace": NAMESPACE, "MetricData": [{"MetricName": "m", "Value": 1.0, "Timestamp": born}]},
    )
    yield iam.create_user, user
    yield iam.put_user_policy, user | {"PolicyName": "p", "PolicyDocument": allow("s3:*")}
    yield iam.create_access_key, user
    yield iam.create_policy, {"PolicyName": "p", "PolicyDocument": allow("s3:*")}
    yield s3.put_object, {"Bucket": "models", "Key": "k", "Body": b"k"}
    yield s3.delete_object, {"Bucket": "models", "Key": "k"}


@pytest.fixture(params=["no sync succeeds", "the disk is full"])
def unkept(request):
    """A server, and while what lasts nothing of it can be kept."""
    of_sync = request.param == "no sync succeeds"
    if why_not := failing_sync.why_not() if of_sync else small_disk.why_not():
        pytest.skip(why_not)
    made = failing_sync.FailingSync(config=CONFIG) if of_sync else small_disk.SmallDisk(DISK_MIB, config=CONFIG)
    try:
        yield made.start(), made.failing if of_sync else made.filled
    finally:
        made.close()


def test_what_cannot_be_kept_is_not_acknowledged(unkept):
    """It is refused and has not happened; as soon as it can be kept, it is done."""
    server, failing = unkept
    clients, born = Clients(server), minute_of(datetime.datetime.now(datetime.UTC))
    set_up(Ledger(), clients)
    before = Inventory(clients, born).found
    for call, members in writes(clients, born):
        # Room is kept to delete objects with when there is none.
        if call != clients.s3.delete_object or isinstance(server, failing_sync.FailingSync):
            with failing():
                status = error_of(call, **members)[2]
                assert status >= 500, (call, status)
                assert Inventory(clients, born).found == before, call
                assert clients.invoke("safe") == b"tide"
        call(**members)
        assert wait_until_settled(clients, SETTLED_WITHIN_SECONDS) == {}
        before = Inventory(clients, born).found
    server.kill()
    assert server.orphans() == []
    server.start()
    clients = Clients(server)
    assert wait_until_settled(clients, SETTLED_WITHIN_SECONDS) == {}
    assert Inventory(clients, born).found == before


def test_updates_under_way_go_on_when_they_can_be_kept_again(unkept):
    server, failing = unkept
    clients = Clients(server)
    set_up(Ledger(), clients)
    clients.sagemaker.update_endpoint(EndpointName="steady", EndpointConfigName="slow")
    members = {"EndpointName": "safe", "EndpointConfigName": "safe-1", "HeadroomPercent": 50}
    clients.own("POST", "/safe-updates", members)
    with failing():
        # Longer than both would have taken.
        time.sleep(2)
        under_way = moving(clients)
        assert {clients.invoke(name) for name in ("steady", "safe")} == {b"tide"}
    assert under_way.keys() >= {"steady", "safe update of safe"}
    assert wait_until_settled(clients, SETTLED_WITHIN_SECONDS) == {}
    assert clients.runs() == {"safe": ("Applied", "safe-0", "safe-1")}
    used = {
        name: clients.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
        for name in ("steady", "safe")
    }
    assert used == {"steady": "slow", "safe": "safe-1"}
