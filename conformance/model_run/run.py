"""The whole run against one server: what is sent when, and what came of it."""

import collections
import contextlib
import dataclasses

from harness.hosting import Hosting, variant
from harness.scaling import Scaling

from . import bodies, cbor, identities, judge, members, models, own, query, readback, runtime, sending, values


@dataclasses.dataclass(frozen=True)
class Failure:
    case: object
    problem: str

    @property
    def is_broken(self):
        """Whether the server failed, rather than answered otherwise."""
        return self.problem.startswith((judge.NO_ANSWER, judge.SERVER_ERROR))

    def __str__(self):
        case = self.case
        return f"{case.row} ({case.model.protocol}), {case.kind}: {case.about}: {self.problem}"


class Outcome:
    def __init__(self):
        self.sent = collections.Counter()
        self.failures = []

    def note(self, case, problem):
        self.sent[case.row, case.kind] += 1
        if problem:
            self.failures.append(Failure(case, problem))

    def rows(self):
        return list(dict.fromkeys(row for row, _ in self.sent))


def cases():
    """Every case, in the phases they must be sent in.

    Those that make records come last, since others could use these: a config that exists would let CreateEndpoint start
    model servers.
    """
    first, last = [], []
    for model in models.every().values():
        if model.protocol == "rest-json":
            first += own.cases(model) if model.service_id == "Tidegate" else runtime.cases(model, values.ENDPOINT)
            continue
        wholes = {"json": bodies, "smithy-rpc-v2-cbor": cbor, "query": query}[model.protocol]
        for operation in model.operations:
            made = members.cases(model, operation) + wholes.cases(model, operation)
            (last if operation.name in members.NAMED else first).extend(made)
        first += wholes.targets(model)
    return [first, last]


def run(server):
    """Sends every case to the server and judges every answer."""
    hosting = Hosting(server)
    hosting.endpoint(hosting.config(variant(hosting.model(), values.VARIANT)), values.ENDPOINT)
    scaling = Scaling(hosting)
    target = scaling.register(values.ENDPOINT, 1, 1, values.VARIANT)
    alarm = scaling.alarm_on("depth", target["ResourceId"], 1)
    values.name_records(scaling.target(target)["ScalableTargetARN"], scaling.alarm(alarm)["AlarmArn"])
    values.take(identities.make(server))
    # What the variants name as a matter of course: a model to make configs of, and one to put tags on.
    usual = values.plain(models.every()["sagemaker"].shape("ProductionVariant"))
    for name in (usual["ModelName"], "m"):
        hosting.model(name=name)
    outcome = Outcome()
    with contextlib.closing(sending.Sender(server)) as sender:
        _send(sender, cases(), outcome)
    return outcome


def _send(sender, phases, outcome):
    for phase in phases:
        stored = []
        for case, answer in sender.send_all(phase):
            problem = judge.problem(case, answer)
            outcome.note(case, problem)
            # A null that AWS drops from a list is not described.
            makes_a_record = case.row in members.NAMED and case.input and case.kind != "null element"
            if makes_a_record and not problem and judge.is_accepted(answer):
                stored.append(case)
    for case, answer in sender.send_all(readback.cases(stored)):
        outcome.note(case, judge.problem(case, answer) or readback.problem(case, answer))
