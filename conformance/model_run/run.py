"""The whole run against one server: what is sent when, and what came of it."""

import collections
import contextlib
import dataclasses

from harness.hosting import Hosting

from . import bodies, judge, members, models, query, readback, runtime, sending, values


@dataclasses.dataclass(frozen=True)
class Failure:
    case: object
    problem: str

    @property
    def is_broken(self):
        """Whether the server failed, rather than answered otherwise."""
        return self.problem.startswith((judge.NO_ANSWER, judge.SERVER_ERROR))

    def __str__(self):
        return f"{self.case.row}, {self.case.kind}: {self.case.about}: {self.problem}"


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


# These make records that others could then use: a config that exists would let CreateEndpoint start model servers.
_LAST = ("CreateModel", "CreateEndpointConfig")


def cases():
    """Every case, in the phases they must be sent in."""
    first, last = [], []
    for model in models.every().values():
        match model.protocol:
            case "json":
                for operation in model.operations:
                    made = members.cases(model, operation) + bodies.cases(model, operation)
                    (last if operation.name in _LAST else first).extend(made)
                first += bodies.targets(model)
            case "rest-json":
                first += runtime.cases(model, values.ENDPOINT)
            case "query":
                first += query.cases(model)
            case other:
                raise NotImplementedError(f"{model.service_id} speaks {other}")
    return [first, last]


def run(server):
    """Sends every case to the server and judges every answer."""
    hosting = Hosting(server)
    hosting.endpoint(hosting.config(hosting.model()), values.ENDPOINT)
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
            makes_a_record = case.row in _LAST and case.input and case.kind != "null element"
            if makes_a_record and not problem and judge.is_accepted(answer):
                stored.append(case)
    for case, answer in sender.send_all(readback.cases(stored)):
        outcome.note(case, judge.problem(case, answer) or readback.problem(case, answer))
