"""Variants of an awsJson request as a whole: bodies that are no input at all, and targets that name no operation."""

from . import oracle, speech, values
from .cases import Accepted, Case, Either, Invalid, Refused

_SERIALIZATION = ("SerializationException",)
_START_OF_LIST = (r"Start of list found where not expected",)

# Each is no JSON, or no JSON object. The framework answers all of them alike; an array it names (recorded, Athena).
_NOT_AN_INPUT = [
    ("nothing", b"", ()),
    ("null", b"null", ()),
    ("a string", b'"x"', ()),
    ("a number", b"7", ()),
    ("an array", b"[]", _START_OF_LIST),
    ("an open brace", b"{", ()),
    ("a value left out", b'{"a":}', ()),
    ("a comma too many", b'{"a":1,}', ()),
    ("single quotes", b"{'a':1}", ()),
    ("two objects", b"{} {}", ()),
    ("NaN", b'{"a":NaN}', ()),
    ("a string cut off", b'{"a":"b', ()),
    ("a raw line break in a string", b'{"a":"\n"}', ()),
    ("bytes that are not UTF-8", b'{"a":"\xff\xfe"}', ()),
    ("half a surrogate pair in bytes", b'{"a":"\xed\xa0\x80"}', ()),
    ("zeros", b"\x00" * 16, ()),
]
# JSON that parsers disagree on. Whatever is made of it, the server stays up and answers as the protocol says.
_OPEN = [
    ("half a surrogate pair, escaped", b'{"NoSuchMember":"\\ud800"}'),
    ("a number of 400 digits", b'{"NoSuchMember":' + b"9" * 400 + b"}"),
    ("an exponent of 400", b'{"NoSuchMember":1e400}'),
    ("arrays 10,000 deep", b'{"NoSuchMember":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    ("objects 10,000 deep", b'{"NoSuchMember":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001),
    ("one member 1,000 times", b"{" + b",".join([b'"NoSuchMember":1'] * 1000) + b"}"),
]


def cases(model, operation):
    made = []

    def add(about, body, expected):
        request = speech.json_request(model, operation.name, body)
        made.append(Case(model, model.row(operation.name), "body", about, request, expected, operation))

    for about, body, texts in _NOT_AN_INPUT:
        add(about, body, Refused(_SERIALIZATION, texts))
    least = oracle.violations(operation.input, {})
    # Where the least good input has members that the model does not require, the server may miss them.
    empty = Invalid(tuple(least)) if least else Accepted(always=not values.plain(operation.input))
    for about, body in (("an empty object", b"{}"), ("white space around", b" \r\n\t{ } \n")):
        add(about, body, empty)
    for about, body in _OPEN:
        add(about, body, Either((empty, Refused(_SERIALIZATION))))
    escaped = speech.as_json(values.plain(operation.input)).replace(b"a", b"\\u0061")
    add("members and values escaped", escaped, Accepted())
    return made


def targets(model):
    """Operations that AWS has and Tidegate does not, and names that nobody has."""
    row = f"{model.service_id}: not served"
    unknown = Refused(("UnknownOperationException",))
    served = model.operations[0].name
    made = [
        Case(model, row, "operation", name, _empty(model, name), Refused(unknown.codes, (f".*{name}.*",)))
        for name, _ in model.unserved
    ]
    for name in ("NoSuchOperation", served.lower(), f"{served}2", "", f"{served}.{served}", "é"):
        made.append(Case(model, row, "operation", repr(name), _empty(model, name), unknown))
    return made


def _empty(model, target):
    return speech.json_request(model, target, b"{}")
