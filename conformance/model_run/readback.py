"""What was accepted is described again with every value that was sent (promise S5)."""

import dataclasses
from urllib.parse import unquote

from harness.server import ACCOUNT

from . import judge, members, models, speech
from .cases import Accepted, Case


@dataclasses.dataclass(frozen=True)
class _Describes:
    """How the records of one kind are described: in `found` of the answer, where not all of it is the record."""

    service: str
    operation: str
    # The request for a record of this name, which this input has made.
    asking: object
    found: str | None = None


_DESCRIBED_BY = {
    "CreateModel": _Describes("sagemaker", "DescribeModel", lambda name, _: {"ModelName": name}),
    "CreateEndpointConfig": _Describes(
        "sagemaker", "DescribeEndpointConfig", lambda name, _: {"EndpointConfigName": name}
    ),
    "PutMetricAlarm": _Describes(
        "cloudwatch json", "DescribeAlarms", lambda name, _: {"AlarmNames": [name]}, "MetricAlarms"
    ),
    "CreateUser": _Describes("iam", "GetUser", lambda name, _: {"UserName": name}, "User"),
    "CreateGroup": _Describes("iam", "GetGroup", lambda name, _: {"GroupName": name}, "Group"),
    "CreateRole": _Describes("iam", "GetRole", lambda name, _: {"RoleName": name}, "Role"),
    "CreatePolicy": _Describes("iam", "GetPolicy", lambda name, sent: {"PolicyArn": _policy_arn(name, sent)}, "Policy"),
}


def _policy_arn(name, sent):
    return f"arn:aws:iam::{ACCOUNT}:policy{sent.get('Path', '/')}{name}"


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
        request = speech.of(model).request(model, operation, how.asking(name, create.input))
        about = f"{create.row} with {create.kind}: {create.about}"
        expected = Accepted(always=True)
        origin = Stored(create.input, how.found)
        made.append(Case(model, model.row(how.operation), "read back", about, request, expected, operation, origin))
    return made


def problem(case, answer):
    """None, or what was sent and is not described."""
    described, shape = judge.output(case, answer), case.operation.output
    if case.input.found:
        described, shape = described[case.input.found], shape.member(case.input.found).shape
        if shape.type == "list":
            if len(described) != 1:
                return f"described {len(described)} times"
            described, shape = described[0], shape.element
    known = {one.name for one in shape.members}
    sent = {name: value for name, value in case.input.sent.items() if name in known}
    lost = list(_lost(shape, sent, described, ""))
    return f"not described as it was sent: {lost[0]}" if lost else None


# The period of a query is that of an expression; a metric has one of its own.
_WITHOUT_MEANING = {("MetricDataQuery", "Period")}
# Sets, which come back in an order of their own.
_UNORDERED = ("Dimensions", "tagListType")
# What comes back encoded, as a URL would have it.
_ENCODED = ("policyDocumentType",)


def _lost(shape, sent, described, path):
    """Where a sent value is not in the answer. A value of the server's own beside it is none."""
    if shape.name in _UNORDERED and isinstance(described, list):
        sent, described = (sorted(one, key=str) for one in (sent, described))
    if shape.name in _ENCODED and isinstance(described, str):
        described = unquote(described)
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
