"""What was accepted is described again with every value that was sent (promise S5)."""

import dataclasses
import json

from . import members, models, speech
from .cases import Accepted, Case


@dataclasses.dataclass(frozen=True)
class _Describes:
    """How the records of one kind are described: in `found` of the answer, where not all of it is the record."""

    service: str
    operation: str
    # The request for a record of this name.
    asking: object
    found: str | None = None


_DESCRIBED_BY = {
    "CreateModel": _Describes("sagemaker", "DescribeModel", lambda name: {"ModelName": name}),
    "CreateEndpointConfig": _Describes(
        "sagemaker", "DescribeEndpointConfig", lambda name: {"EndpointConfigName": name}
    ),
    "PutMetricAlarm": _Describes(
        "cloudwatch json", "DescribeAlarms", lambda name: {"AlarmNames": [name]}, "MetricAlarms"
    ),
}


@dataclasses.dataclass(frozen=True)
class Stored:
    """Stands for the create whose record is described."""

    sent: dict
    found: str | None


def cases(stored):
    """A Describe of each record that these creates made."""
    made = []
    for create in stored:
        how = _DESCRIBED_BY[create.row]
        model = models.every()[how.service]
        (operation,) = [one for one in model.operations if one.name == how.operation]
        name = create.input[members.NAMED[create.row]]
        request = speech.Json.request(model, operation, how.asking(name))
        about = f"{create.row} with {create.kind}: {create.about}"
        expected = Accepted(always=True)
        origin = Stored(create.input, how.found)
        made.append(Case(model, model.row(how.operation), "read back", about, request, expected, operation, origin))
    return made


def problem(case, answer):
    """None, or what was sent and is not described."""
    described, shape = json.loads(answer.body), case.operation.output
    if case.input.found:
        found = described[case.input.found]
        if len(found) != 1:
            return f"described {len(found)} times"
        described, shape = found[0], shape.member(case.input.found).shape.element
    known = {one.name for one in shape.members}
    sent = {name: value for name, value in case.input.sent.items() if name in known}
    lost = list(_lost(shape, sent, described, ""))
    return f"not described as it was sent: {lost[0]}" if lost else None


# The period of a query is that of an expression; a metric has one of its own.
_WITHOUT_MEANING = {("MetricDataQuery", "Period")}
# Sets, which come back in an order of their own.
_UNORDERED = ("Dimensions",)


def _lost(shape, sent, described, path):
    """Where a sent value is not in the answer. A value of the server's own beside it is none."""
    if shape.name in _UNORDERED and isinstance(described, list):
        sent, described = (sorted(one, key=str) for one in (sent, described))
    if shape.type == "structure" and isinstance(described, dict):
        for member in shape.members:
            value = sent.get(member.name)
            if value is not None and (shape.name, member.name) not in _WITHOUT_MEANING:
                yield from _lost(member.shape, value, described.get(member.name), f"{path}.{member.name}")
    elif shape.type == "list" and isinstance(described, list) and len(sent) == len(described):
        for position, (one, other) in enumerate(zip(sent, described, strict=True), 1):
            yield from _lost(shape.element, one, other, f"{path}.{position}")
    elif sent != described:
        yield f"{path}: {str(sent)[:80]!r} became {str(described)[:80]!r}"
