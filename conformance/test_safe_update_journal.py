"""What a safe update does not begin or go on with: others at work, endpoints that are busy, damaged journals.

Nothing is done then, and what is wrong is said in a line.
"""

import json
import shutil

import pytest

from harness import names
from harness.attempt import CHANGES, Attempt, one_line, said
from harness.hosting import error_of, eventually
from harness.load import Load
from harness.program import REFUSED, Program, finish
from harness.updates import scaled


@pytest.fixture(scope="module")
def server_config():
    return "[limits]\ninstances = 100\n"


@pytest.fixture
def endpoint(hosting, scaling):
    with scaled(hosting, scaling) as made:
        yield made


@pytest.fixture
def program(server, tmp_path):
    return Program(server, tmp_path)


@pytest.fixture
def attempt(server, tmp_path, endpoint):
    with Attempt(server, tmp_path, endpoint) as made:
        yield made


# -- what it does not begin with -----------------------------------------------------------------------------------


def test_two_at_once_are_one(server, hosting, endpoint, tmp_path):
    endpoint.new = endpoint.config_of(hosting.model(TIDEGATE_ECHO_STARTUP_MS=4000))
    with Attempt(server, tmp_path, endpoint) as attempt:
        first = attempt.program.begin(*attempt.update())
        eventually(lambda: "UpdateEndpoint" in attempt.faults.changes)
        same = [attempt.update(), ("endpoint", "update", endpoint.name, "--resume")]
        others = [attempt.program.begin(*again) for again in same]
        # From another machine, which has another journal.
        others.append(Program(server, tmp_path / "other").begin(*attempt.update()))
        *locked_out, elsewhere = [finish(other) for other in others]
        assert [str(first.pid) in one_line(one) for one in locked_out] == [True, True]
        assert "Updating" in said(elsewhere, 1)
        said(finish(first))
        assert attempt.faults.changes == CHANGES
        attempt.applied()


def test_one_that_is_not_finished_is_finished_before_another_begins(attempt):
    attempt.left_halfway()
    line = one_line(attempt.begun())
    assert "--resume" in line
    assert "--undo" in line
    assert attempt.faults.changes == []
    said(attempt.more("--undo"))
    attempt.undone()


def test_a_config_that_does_not_exist(attempt):
    name = attempt.endpoint.name
    for plan in ([], ["--plan"]):
        line = one_line(attempt.program.update(name, "--endpoint-config", "not-there", *plan))
        assert "not-there" in line
    assert attempt.faults.changes == []
    attempt.undone()


def test_an_endpoint_that_does_not_exist(program):
    for plan in ([], ["--plan"]):
        assert "nobody" in one_line(program.update("nobody", "--endpoint-config", "any", *plan))


def test_nothing_to_resume(program, endpoint):
    for more in ("--resume", "--undo"):
        assert endpoint.name in one_line(program.update(endpoint.name, more))


def test_an_endpoint_that_is_not_in_service_is_left_alone(hosting, server, tmp_path):
    new, slow = hosting.config(hosting.model()), hosting.config(hosting.model(TIDEGATE_ECHO_STARTUP_MS=4000))
    updating, busy = hosting.echo_endpoint(), hosting.echo_endpoint(TIDEGATE_ECHO_DELAY_MS=4000)
    failed = hosting.begin(hosting.config(hosting.model(image="nobody/knows:this")))
    hosting.settled(failed)
    # Requests under way keep an endpoint `Deleting`; there are some at any time from the first answer on.
    with Load(hosting, busy, per_second=2) as load:
        eventually(lambda: load.count)
        hosting.sagemaker.delete_endpoint(EndpointName=busy)
        creating = hosting.begin(slow)
        hosting.update(updating, slow)
        statuses = {failed: "Failed", busy: "Deleting", creating: "Creating", updating: "Updating"}
        assert {name: hosting.describe(name)["EndpointStatus"] for name in statuses} == statuses
        running = [
            (status, plan, Program(server, tmp_path / f"{name}{plan}").begin(*update, *plan))
            for name, status in statuses.items()
            for update in [("endpoint", "update", name, "--endpoint-config", new)]
            for plan in [(), ("--plan",)]
        ]
        for status, plan, one in running:
            ended = finish(one)
            # A plan says in UpdateEndpoint's words that it would be refused.
            assert ended.returncode == (REFUSED if plan else 1), (status, plan, ended)
            told = ended.stdout + ended.stderr
            assert status in told or "Cannot update in-progress endpoint" in told, (status, plan, ended)
    for name in (creating, updating):
        assert hosting.in_service(name)["EndpointConfigName"] == slow
    for name in (creating, updating, failed):
        hosting.sagemaker.delete_endpoint(EndpointName=name)


# -- the journal ---------------------------------------------------------------------------------------------------


def journals(program):
    return sorted(path for path in program.journal.iterdir() if path.suffix == ".json")


@pytest.fixture
def halfway(attempt):
    """An update that was killed after it has taken everything away, and its journal."""
    attempt.left_halfway()
    (journal,) = journals(attempt.program)
    return attempt, journal


def newer(text):
    """The same, as a later version would have written it: what it is stands in the first line."""
    head, run = text.split("\n", 1)
    told = json.loads(head)
    return json.dumps(told | {"version": told["version"] + 1000}) + "\n" + run


DAMAGE = [
    ("empty", lambda text: ""),
    ("cut", lambda text: text[: len(text) // 2]),
    ("not JSON", lambda text: "endpoint: tide\n"),
    ("other JSON", lambda text: "[1, 2]"),
    ("no version", lambda text: "{}"),
    ("a newer version", newer),
    ("another count", lambda text: text.replace('"MaxCapacity":4', '"MaxCapacity":5')),
    ("bytes", lambda text: "\x00\x01\x02" * 100),
]


def test_a_damaged_journal_is_named_and_nothing_is_done(halfway):
    attempt, journal = halfway
    name, text = attempt.endpoint.name, journal.read_text()
    for what, damage in DAMAGE:
        assert damage(text) != text, what
        journal.write_text(damage(text))
        for arguments in (["--resume"], ["--undo"], ["--endpoint-config", attempt.endpoint.new]):
            assert str(journal) in one_line(attempt.program.update(name, *arguments)), what
        assert journal.read_text() == damage(text), what
    assert attempt.faults.changes == []
    journal.write_text(text)
    said(attempt.program.update(name, "--undo"))
    attempt.undone()


def test_a_journal_of_another_endpoint_is_named_and_nothing_is_done(halfway, hosting, server):
    attempt, journal = halfway
    name = names.fresh("other")
    # What lies under the other's name is made by an update of it, then replaced.
    other = hosting.endpoint(hosting.config(hosting.model()), name=name)
    said(attempt.program.update(other, "--endpoint-config", hosting.config(hosting.model())))
    (own,) = set(journals(attempt.program)) - {journal}
    shutil.copy(journal, own)
    attempt.faults.be_good()
    for arguments in (["--resume"], ["--undo"]):
        assert str(own) in one_line(attempt.program.update(other, *arguments))
    assert attempt.faults.changes == []
    hosting.delete(other)
    said(attempt.more("--resume"))
    attempt.applied()


def test_a_journal_is_for_its_owner_alone(halfway):
    attempt, journal = halfway
    assert journal.stat().st_mode & 0o777 == 0o600
    assert journal.parent.stat().st_mode & 0o777 == 0o700
    said(attempt.more("--undo"))
    attempt.undone()


def test_an_endpoint_that_went_meanwhile_is_not_made_again(hosting, server, endpoint, tmp_path):
    """What the journal says is of an endpoint that is gone: nothing is registered for it."""
    with Attempt(server, tmp_path, endpoint, watched=False) as attempt:
        attempt.left_halfway()
        hosting.delete(endpoint.name)
        for more in ("--resume", "--undo"):
            assert "Could not find endpoint" in said(attempt.more(more), 1)
        assert attempt.faults.changes == []
    # For the end of it.
    hosting.endpoint(endpoint.old, name=endpoint.name)


def test_a_config_that_somebody_else_brought_into_use_is_left_alone(hosting, server, endpoint, tmp_path):
    foreign = endpoint.config_of(hosting.model(), web="ml.c5.2xlarge")
    with Attempt(server, tmp_path, endpoint) as attempt:
        attempt.left_halfway()
        hosting.update(endpoint.name, foreign, RetainAllVariantProperties=True)
        endpoint.settled()
        for more in ("--resume", "--undo"):
            assert foreign in said(attempt.more(more), 1)
        assert attempt.faults.changes == []
        assert endpoint.config() == foreign


def test_an_endpoint_whose_only_name_is_the_same_is_another(server, tmp_path, hosting, scaling):
    """Two servers, or one under two URLs: each has a journal of its own."""
    with scaled(hosting, scaling) as endpoint:
        with Attempt(server, tmp_path, endpoint) as attempt:
            attempt.left_halfway()
            elsewhere = Program(server, attempt.program.journal.parents[1], server.url)
            assert endpoint.name in one_line(elsewhere.update(endpoint.name, "--resume"))
            said(attempt.more("--resume"))
            attempt.applied()


def test_a_refused_update_by_hand_leaves_a_safe_one_possible(hosting, attempt):
    assert error_of(hosting.update, attempt.endpoint.name, attempt.endpoint.new)[0] == "ValidationException"
    said(attempt.begun())
    attempt.applied()
