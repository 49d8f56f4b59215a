"""Variants of an awsQuery request: a form whose parameter `Action` names the operation."""

from urllib.parse import urlencode

from .cases import Accepted, Case, Either, Refused, Request

_HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
_UNKNOWN = Refused(("InvalidAction",))
# What AWS calls a form without an action, or one that is none, differs from service to service.
_NO_ACTION = Refused(("MissingAction", "InvalidAction", "MalformedQueryString", "MalformedInput"))


def cases(model):
    version = model.raw["metadata"]["apiVersion"]
    made = []
    for operation in model.operations:
        named = {"Action": operation.name, "Version": version}
        good = Accepted(always=True)

        def add(kind, about, body, expected, operation=operation):
            request = Request("POST", "/", _HEADERS, body)
            made.append(Case(model, operation.name, kind, about, request, expected, operation))

        add("plain", "the least request", urlencode(named).encode(), good)
        add("plain", "another order", urlencode(dict(reversed(named.items()))).encode(), good)
        add("unknown member", "a parameter", urlencode(named | {"NoSuchMember": "x"}).encode(), good)
        add("unknown member", "a structure", urlencode(named | {"A.member.1.B": "x", "A.member.2": "é"}).encode(), good)
        add("null optional", "a parameter without a value", urlencode(named).encode() + b"&NoSuchMember", good)
        add("body", "nothing", b"", _NO_ACTION)
        add("body", "JSON", b"{}", _NO_ACTION)
        add("body", "no action", urlencode({"Version": version}).encode(), _NO_ACTION)
        add("body", "another version", urlencode(named | {"Version": "2001-01-01"}).encode(), _UNKNOWN)
        malformed = Either((good, Refused(("MalformedQueryString", "MalformedInput", "ValidationError"))))
        add("body", "a broken escape", urlencode(named).encode() + b"&A=%zz", malformed)
        add("body", "bytes that are not UTF-8", urlencode(named).encode() + b"&A=%ff%fe", malformed)
        add("body", "10,000 parameters", urlencode(named).encode() + b"&A=1" * 10_000, malformed)
    return made + _targets(model, version)


def _targets(model, version):
    row = f"{model.service_id}: not served"
    names = [name for name, _ in model.unserved]
    made = []
    for name in [*names, "NoSuchOperation", "getCallerIdentity", "é"]:
        texts = (f".*{name}.*",) if name in names else ()
        body = urlencode({"Action": name, "Version": version}).encode()
        expected = Refused(_UNKNOWN.codes, texts)
        made.append(Case(model, row, "operation", name, Request("POST", "/", _HEADERS, body), expected))
    return made
