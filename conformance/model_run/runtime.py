"""Variants of the rest-json operations, whose members travel as a path label, headers and the bare body."""

import dataclasses
from urllib.parse import quote

from . import oracle, patterns, values
from .cases import Accepted, Case, Invalid, Refused, Request

# No header carries a line break or the space around a value; a label carries any character, percent-encoded.
_LINE_BREAKS = set("\r\n\x00")


def cases(model, endpoint):
    """Every variant; `endpoint` names one that is in service, so that good ones reach a model server."""
    made = [case for operation in model.operations for case in _of_operation(model, operation, endpoint)]
    return made + _targets(model)


def _of_operation(model, operation, endpoint):
    made = _Maker(model, operation, endpoint)
    made.add("plain", "the least request", {}, Accepted(always=True))
    for member in operation.input.members:
        if member.location == "header":
            _header(made, member)
        elif member.location == "uri":
            _label(made, member)
    _body(made, operation.input.member(operation.input.payload))
    made.add("unknown member", "a header", {}, Accepted(always=True), {"X-Amzn-SageMaker-No-Such-Header": "x"})
    return made.cases


def _travels(text):
    # botocore, which signs, takes the wide spaces of Unicode for ASCII's.
    return not _LINE_BREAKS & set(text) and text == text.strip() and not {"\u00a0", "\u2028"} & set(text)


def _header(made, member):
    for kind, value in [("plain", values.plain(member.shape))] + [
        ("boundary", one) for one in values.boundaries(member.shape)
    ]:
        if _travels(value):
            made.good(kind, member, value)
    for kind, value in values.bad(member.shape):
        # A line of 100 kB is the connection's limit to meet, not the model's.
        if _travels(value) and len(value) < values.FAR_TOO_LONG:
            made.bad(kind, member, value)
    # None of the candidates for patterns of any ASCII travels in a header; this one does.
    if not patterns.matches(member.shape.pattern, "é"):
        made.bad("pattern", member, "é" * (member.shape.min or 1))


def _label(made, member):
    for kind, value in [("plain", "no-such-endpoint")] + [("boundary", one) for one in values.boundaries(member.shape)]:
        made.good(kind, member, value)
    for kind, value in values.bad(member.shape):
        # Nothing at all, and dots, make another path.
        if value.strip(".") and len(value) < values.FAR_TOO_LONG:
            made.bad(kind, member, value)


def _body(made, member):
    most = member.shape.max
    for size in (0, 1, most):
        made.add("boundary", f"{member.name} of {size} bytes", {}, Accepted(always=True), body=bytes(size))
    violation = oracle.Violation("body", None, oracle.Rule("too long", most))
    made.add("too long", f"{member.name} of {most + 1} bytes", {}, Invalid((violation,)), body=bytes(most + 1))


def _targets(model):
    row = f"{model.service_id}: not served"
    refused = Refused(("UnknownOperationException",), statuses=(400, 404))
    made = []
    for name, route in model.unserved:
        method, uri = route.split(" ", 1)
        request = Request(method, uri.replace("{EndpointName}", "e"), {}, b"")
        made.append(Case(model, row, "operation", name, request, dataclasses.replace(refused, texts=(f".*{name}.*",))))
    for method, path in (("GET", "/endpoints/e/invocations"), ("PUT", "/endpoints/e/invocations")):
        made.append(Case(model, row, "operation", f"{method} {path}", Request(method, path, {}, b""), refused))
    return made


class _Maker:
    def __init__(self, model, operation, endpoint):
        self.model = model
        self.operation = operation
        self.endpoint = endpoint
        self.cases = []

    def good(self, kind, member, value):
        assert not oracle.violations(member.shape, value)
        self.add(kind, f"{member.name} = {value[:60]!r}", {member.name: value}, Accepted())

    def bad(self, kind, member, value):
        found = oracle.violations(member.shape, value, (oracle.lower_camel(member.name),))
        assert kind in {one.rule.kind for one in found}
        self.add(kind, f"{member.name} = {value[:60]!r}", {member.name: value}, Invalid(tuple(found)))

    def add(self, kind, about, given, expected, headers=None, body=b"tide"):
        shape = self.operation.input
        sent = dict(headers or {})
        for name, value in given.items():
            member = shape.member(name)
            if member.location == "header":
                sent[member.location_name] = value
        sent.setdefault("Content-Type", "application/octet-stream")
        label = quote(given.get("EndpointName", self.endpoint), safe="")
        request = Request(self.operation.method, self.operation.uri.replace("{EndpointName}", label), sent, body)
        self.cases.append(
            Case(self.model, self.model.row(self.operation.name), kind, about, request, expected, self.operation)
        )
