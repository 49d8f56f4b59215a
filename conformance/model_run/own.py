"""Variants of the operations of Tidegate's own API that only look: all of their input is in the path."""

from urllib.parse import quote

from . import oracle, values
from .cases import Accepted, Case, Invalid, Refused, Request

# What is there while the run lasts.
_THERE = {"EndpointName": values.ENDPOINT, "VariantName": values.VARIANT}


def cases(model):
    return [case for operation in model.operations for case in _of_operation(model, operation)] + _targets(model)


def _of_operation(model, operation):
    made = []
    for member in operation.input.members:
        assert member.location == "uri", f"{operation.name} has input that this run does not send: {member.name}"

    def add(kind, about, given, expected, query=""):
        path = operation.uri
        for name, value in (_THERE | given).items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        request = Request(operation.method, path + query, {}, b"")
        made.append(Case(model, model.row(operation.name), kind, about, request, expected, operation))

    add("plain", "the least request", {}, Accepted(always=True))
    add("unknown member", "a query parameter", {}, Accepted(always=True), "?NoSuchMember=x")
    for member in operation.input.members:
        add("plain", f"{member.name} that is not there", {member.name: "nobody"}, _NOT_THERE)
        for value in values.boundaries(member.shape):
            add("boundary", f"{member.name} = {value[:60]!r}", {member.name: value}, Accepted())
        for kind, value in values.bad(member.shape):
            # Nothing at all, and dots, make another path.
            if value.strip(".") and len(value) < values.FAR_TOO_LONG:
                found = oracle.violations(member.shape, value, (oracle.lower_camel(member.name),))
                add(kind, f"{member.name} = {value[:60]!r}", {member.name: value}, Invalid(tuple(found)))
    return made


_NOT_THERE = Refused(("ResourceNotFound",), statuses=(404,))


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
    ]
    return [
        Case(model, row, "operation", f"{method} {path}", Request(method, path, {}, b""), expected)
        for method, path in requests
    ]
