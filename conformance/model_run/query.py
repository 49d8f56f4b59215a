"""Variants of an awsQuery request as a whole: forms that are broken, and actions that name no operation."""

from urllib.parse import urlencode

from . import values
from .cases import Accepted, Case, Either, Refused
from .speech import Query, form_request

_UNKNOWN = Refused(("InvalidAction",))
# What AWS calls a form without an action, or one that is none, differs from service to service.
_NO_ACTION = Refused(("MissingAction", "InvalidAction", "MalformedQueryString", "MalformedInput"))
_MALFORMED = ("MalformedQueryString", "MalformedInput", "ValidationError")


def cases(model, operation):
    made = []
    least = values.plain(operation.input)
    form = Query.form(model, operation, least)
    # An input without members can be refused for nothing.
    good = Accepted(always=not least)

    def add(kind, about, body, expected):
        request = form_request(body)
        made.append(Case(model, model.row(operation.name), kind, about, request, expected, operation))

    add("plain", "another order", urlencode(dict(reversed(form.items()))).encode(), good)
    add("unknown member", "a parameter without a value", urlencode(form).encode() + b"&NoSuchMember", good)
    add("body", "nothing", b"", _NO_ACTION)
    add("body", "JSON", b"{}", _NO_ACTION)
    nameless = {name: value for name, value in form.items() if name != "Action"}
    add("body", "no action", urlencode(nameless).encode(), _NO_ACTION)
    add("body", "another version", urlencode(form | {"Version": "2001-01-01"}).encode(), _UNKNOWN)
    malformed = Either((good, Refused(_MALFORMED)))
    add("body", "a broken escape", urlencode(form).encode() + b"&A=%zz", malformed)
    add("body", "bytes that are not UTF-8", urlencode(form).encode() + b"&A=%ff%fe", malformed)
    add("body", "10,000 parameters", urlencode(form).encode() + b"&A=1" * 10_000, malformed)
    deep = ".member.1" * 1000
    add("body", "a name 1,000 lists deep", urlencode(form | {f"A{deep}": "1"}).encode(), malformed)
    return made


def targets(model):
    row = f"{model.service_id}: not served"
    version = model.raw["metadata"]["apiVersion"]
    names = [name for name, _ in model.unserved]
    made = []
    lowered = model.operations[0].name[:1].lower() + model.operations[0].name[1:]
    for name in [*names, "NoSuchOperation", lowered, "é"]:
        texts = (f".*{name}.*",) if name in names else ()
        body = urlencode({"Action": name, "Version": version}).encode()
        expected = Refused(_UNKNOWN.codes, texts)
        made.append(Case(model, row, "operation", name, form_request(body), expected))
    return made
