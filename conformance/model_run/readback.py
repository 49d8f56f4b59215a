"""What was accepted is described again with every value that was sent (promise S5)."""

import dataclasses
import json

from . import members, models
from .cases import Accepted, Case

_DESCRIBED_BY = {
    "CreateModel": ("DescribeModel", "ModelName"),
    "CreateEndpointConfig": ("DescribeEndpointConfig", "EndpointConfigName"),
}


@dataclasses.dataclass(frozen=True)
class Stored:
    """Stands for the create whose record is described."""

    sent: dict


def cases(stored):
    """A Describe of each record that these creates made."""
    model = models.every()["sagemaker"]
    operations = {one.name: one for one in model.operations}
    made = []
    for create in stored:
        operation, key = _DESCRIBED_BY[create.row]
        name = create.input[key]
        request = members.json_request(model, operation, members.as_json({key: name}))
        about = f"{create.row} with {create.kind}: {create.about}"
        expected = Accepted(always=True)
        made.append(
            Case(model, operation, "read back", about, request, expected, operations[operation], Stored(create.input))
        )
    return made


def problem(case, answer):
    """None, or what was sent and is not described."""
    described = json.loads(answer.body)
    known = {one.name for one in case.operation.output.members}
    sent = {name: value for name, value in case.input.sent.items() if name in known}
    lost = list(_lost(case.operation.output, sent, described, ""))
    return f"not described as it was sent: {lost[0]}" if lost else None


def _lost(shape, sent, described, path):
    """Where a sent value is not in the answer. A value of the server's own beside it is none."""
    if shape.type == "structure" and isinstance(described, dict):
        for member in shape.members:
            value = sent.get(member.name)
            if value is not None:
                yield from _lost(member.shape, value, described.get(member.name), f"{path}.{member.name}")
    elif shape.type == "list" and isinstance(described, list) and len(sent) == len(described):
        for position, (one, other) in enumerate(zip(sent, described, strict=True), 1):
            yield from _lost(shape.element, one, other, f"{path}.{position}")
    elif sent != described:
        yield f"{path}: {str(sent)[:80]!r} became {str(described)[:80]!r}"
