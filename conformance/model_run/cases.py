"""One request, and what it must be answered with."""

import dataclasses

# The classes of variants, in the order of the table's columns: those to be let through, then those to be refused.
GOOD = ("plain", "boundary", "enum value", "null optional", "unknown member", "read back")
BAD = (
    "missing",
    "null",
    "too short",
    "too long",
    "too small",
    "too large",
    "pattern",
    "enum",
    "several",
    "type",
    "fraction",
    "beyond type",
    "null element",
    "body",
    "operation",
)
KINDS = GOOD + BAD


@dataclasses.dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict
    body: bytes


@dataclasses.dataclass(frozen=True)
class Accepted:
    """The model has nothing against it. A refusal for another reason (`Could not find …`) is fine unless `always`."""

    always: bool = False


@dataclasses.dataclass(frozen=True)
class Invalid:
    """Refused with exactly these violations, in any order."""

    violations: tuple


@dataclasses.dataclass(frozen=True)
class Refused:
    """Refused with one of these codes. `texts`: patterns, one of which the whole message matches."""

    codes: tuple
    texts: tuple = ()
    statuses: tuple = (400,)


@dataclasses.dataclass(frozen=True)
class Either:
    """What the model leaves open: any of these."""

    choices: tuple


@dataclasses.dataclass(frozen=True)
class Case:
    # The service's model: which protocol it speaks, what its requests are signed for.
    model: object
    # The row of the table; an operation's name where there is one.
    row: str
    kind: str
    # Where in the input, and what was put there: for the reader of a failure.
    about: str
    request: Request
    expected: object
    # For the answer's own check and for reading back what was stored.
    operation: object = None
    input: object = None
