"""Variants of a CBOR request as a whole: bytes that are no map, and paths that name no operation."""

import cbor2

from . import oracle, speech, values
from .cases import Accepted, Case, Either, Invalid, Refused

_SERIALIZATION = Refused(speech.Cbor.UNREADABLE)
_TEXT_A = b"\x61a"

# Each is no CBOR, or no map.
_NOT_AN_INPUT = [
    ("null", b"\xf6"),
    ("an array", b"\x80"),
    ("a string", _TEXT_A),
    ("a number", b"\x07"),
    ("a map cut off", b"\xa2" + _TEXT_A + b"\x01"),
    ("an open map", b"\xbf" + _TEXT_A + b"\x01"),
    ("a break alone", b"\xff"),
    ("two maps", b"\xa0\xa0"),
    ("a string cut off", b"\xa1" + _TEXT_A + b"\x6faa"),
    ("bytes that are not UTF-8", b"\xa1\x61\xff\x01"),
    ("a map of 2^64 entries", b"\xbb" + b"\xff" * 8),
    ("a string of 2^63 bytes", b"\xa1\x7b\x7f" + b"\xff" * 7 + b"a"),
    ("a reserved length", b"\xbc"),
    ("a tag on nothing", b"\xc1"),
    ("JSON", b'{"a": 1}'),
    ("zeros", b"\x00" * 16),
]
# CBOR that readers disagree on. Whatever is made of it, the server stays up and answers as the protocol says.
_OPEN = [
    ("nothing", b""),
    ("a key that is a number", b"\xa1\x01\x02"),
    ("a tagged map", b"\xd9\xd9\xf7\xa0"),
    ("arrays 10,000 deep", b"\xa1" + _TEXT_A + b"\x81" * 10_000 + b"\x00"),
    ("maps 10,000 deep", (b"\xa1" + _TEXT_A) * 10_000 + b"\x00"),
    ("tags 10,000 deep", b"\xa1" + _TEXT_A + b"\xc1" * 10_000 + b"\x00"),
    ("one member 1,000 times", b"\xb9\x03\xe8" + (_TEXT_A + b"\x01") * 1000),
    ("half a number", b"\xa1" + _TEXT_A + b"\xf9\x38\x00"),
    ("undefined", b"\xa1" + _TEXT_A + b"\xf7"),
    ("a simple value", b"\xa1" + _TEXT_A + b"\xf8\xff"),
    ("a number of 4,000 digits", b"\xa1" + _TEXT_A + b"\xc2\x59\x07\xd0" + b"\x01" * 2000),
]


def cases(model, operation):
    made = []

    def add(about, body, expected, kind="body"):
        request = speech.cbor_request(model, operation.name, body)
        made.append(Case(model, model.row(operation.name), kind, about, request, expected, operation))

    for about, body in _NOT_AN_INPUT:
        add(about, body, _SERIALIZATION)
    least = oracle.violations(operation.input, {})
    plain = values.plain(operation.input)
    empty = Invalid(tuple(least)) if least else Accepted(always=not plain)
    add("an empty map", b"\xa0", empty)
    add("an empty open map", b"\xbf\xff", empty)
    for about, body in _OPEN:
        add(about, body, Either((empty, _SERIALIZATION)))
    whole = speech.Cbor.request(model, operation, plain).body
    assert whole[0] >> 5 == 5
    assert whole[0] & 31 < 24, "longer than its first byte says"
    # A map, and texts, whose lengths are not said ahead.
    add("of no length", b"\xbf" + whole[1:] + b"\xff", Accepted(), "plain")
    tagged = speech.tagged(operation.input, plain)
    pieces = b"".join(_in_pieces(key) + cbor2.dumps(value) for key, value in tagged.items())
    add("keys in pieces", b"\xbf" + pieces + b"\xff", Accepted(), "plain")
    return made


def _in_pieces(text):
    return b"\x7f" + b"".join(cbor2.dumps(one) for one in text) + b"\xff"


def targets(model):
    """Operations that AWS has and Tidegate does not, and names that nobody has."""
    row = f"{model.service_id}: not served"
    unknown = Refused(("UnknownOperationException",), statuses=(400, 404))
    names = {name: (f".*{name}.*",) for name, _ in model.unserved}
    names |= dict.fromkeys(("NoSuchOperation", model.operations[0].name.lower()), ())
    return [
        Case(
            model,
            row,
            "operation",
            name,
            speech.cbor_request(model, name, b"\xa0"),
            Refused(unknown.codes, texts, unknown.statuses),
        )
        for name, texts in names.items()
    ]
