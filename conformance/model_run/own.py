"""Variants of the operations of Tidegate's own API: what they say is in the path, its query, or a body of JSON."""

from urllib.parse import quote, urlencode

from . import members, oracle, speech, values
from .cases import Accepted, Case, Either, Invalid, Refused, Request

# What is there while the run lasts.
_THERE = {"EndpointName": values.ENDPOINT, "VariantName": values.VARIANT}
_NOT_THERE = Refused(("ResourceNotFound",), statuses=(404,))
_UNREADABLE = ("SerializationException", "ValidationException")


def cases(model):
    made = []
    for operation in model.operations:
        in_body = [member for member in operation.input.members if member.location is None]
        assert len(in_body) in (0, len(operation.input.members)), f"{operation.name} has input in body and path"
        made += members.cases(model, operation) + _bodies(model, operation) if in_body else _of_path(model, operation)
    return made + _targets(model)


def _of_path(model, operation):
    made = _Maker(model, operation)
    # Nothing is there to go on with, to be taken back or described, where an operation is about an update under way.
    about_an_update = "SafeUpdate" in operation.name or operation.name == "RollBackUpdate"
    there = Accepted(always=not about_an_update or operation.name.startswith("List"))
    made.add("plain", "the least request", {}, there)
    made.add("unknown member", "a query parameter", {"NoSuchMember": "x"}, there)
    for member in operation.input.members:
        if member.location == "uri":
            made.add("plain", f"{member.name} that is not there", {member.name: "nobody"}, _NOT_THERE)
        else:
            # What is no number: nobody but this API's own words say how that is refused.
            wrong = ["seven", "0x10", "1,5"] if member.shape.type == "integer" else []
            for text in wrong:
                made.add("type", f"{member.name} = {text}", {member.name: text}, Refused(_UNREADABLE))
        for value in values.boundaries(member.shape):
            made.add("boundary", f"{member.name} = {str(value)[:60]!r}", {member.name: value}, Accepted())
        for kind, value in values.bad(member.shape):
            # Nothing at all, and dots, make another path; a line of 100 kB is the connection's limit to meet.
            if member.location == "uri" and not value.strip("."):
                continue
            if len(str(value)) < values.FAR_TOO_LONG:
                found = oracle.violations(member.shape, value, (oracle.lower_camel(member.name),))
                about = f"{member.name} = {str(value)[:60]!r}"
                made.add(kind, about, {member.name: value}, Invalid(tuple(found)))
    return made.cases


class _Maker:
    def __init__(self, model, operation):
        self.model, self.operation, self.cases = model, operation, []

    def add(self, kind, about, given, expected):
        path, query = self.operation.uri, {}
        labels = [member.name for member in self.operation.input.members if member.location == "uri"]
        for name, value in ({name: _THERE[name] for name in labels} | given).items():
            if name in labels:
                path = path.replace(f"{{{name}}}", quote(value, safe=""))
            else:
                named = [one.location_name for one in self.operation.input.members if one.name == name]
                query[named[0] if named else name] = value
        path += f"?{urlencode(query)}" if query else ""
        request = Request(self.operation.method, path, {}, b"")
        row = self.model.row(self.operation.name)
        self.cases.append(Case(self.model, row, kind, about, request, expected, self.operation))


def _bodies(model, operation):
    """Bodies that are no input."""
    made = []
    row = model.row(operation.name)
    for about, body in [
        ("a string", b'"x"'),
        ("an array", b"[]"),
        ("an open brace", b"{"),
        ("two objects", b"{} {}"),
        ("bytes that are not UTF-8", b'{"a":"\xff\xfe"}'),
        ("zeros", b"\x00" * 16),
    ]:
        request = speech.rest_request(operation, operation.uri, body)
        made.append(Case(model, row, "body", about, request, Refused(_UNREADABLE), operation))
    least = Invalid(tuple(oracle.violations(operation.input, {})))
    for about, body in (("nothing", b""), ("an empty object", b"{}"), ("objects 1,000 deep", _deep(1000))):
        request = speech.rest_request(operation, operation.uri, body)
        expected = Either((least, Refused(_UNREADABLE)))
        made.append(Case(model, row, "body", about, request, expected, operation))
    return made


def _deep(levels):
    return b'{"NoSuchMember":' + b'{"a":' * levels + b"1" + b"}" * (levels + 1)


def _targets(model):
    row = f"{model.service_id}: not served"
    expected = Refused(("UnknownOperationException",), statuses=(400, 404))
    requests = [
        ("GET", "/tidegate/v1/"),
        ("GET", "/tidegate/v1/endpoints"),
        ("GET", "/tidegate/v1/endpoints/e/nothing"),
        ("GET", "/tidegate/v2/endpoints/e/instances"),
        ("POST", "/tidegate/v1/endpoints/e/instances"),
        ("DELETE", "/tidegate/v1/endpoints/e/variants/v/scaling"),
        ("DELETE", "/tidegate/v1/safe-updates/e"),
        ("GET", "/tidegate/v1/safe-updates/e/resume"),
    ]
    return [
        Case(model, row, "operation", f"{method} {path}", Request(method, path, {}, b""), expected)
        for method, path in requests
    ]
