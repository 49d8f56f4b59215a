"""Variants of every member of an operation whose input is one structure, at every depth, in the service's protocol."""

import itertools

from . import oracle, speech, values
from .cases import Accepted, Case, Either, Invalid, Refused

# Levels of structures below the input. The deepest served input has five; a model that refers to itself ends here.
DEPTH_MAX = 8

_ABSENT = object()
# Operations whose good variants get a name of their own, so that the server takes them all.
NAMED = {
    "CreateModel": "ModelName",
    "CreateEndpointConfig": "EndpointConfigName",
    "PutMetricAlarm": "AlarmName",
    "CreateUser": "UserName",
    "CreateGroup": "GroupName",
    "CreateRole": "RoleName",
    "CreatePolicy": "PolicyName",
}


class Site:
    """One member of the input: where it is and how a whole input with some value there is made."""

    def __init__(self, member, owner, path, into):
        self.member = member
        self.shape = member.shape
        self.path = path
        self._owner = owner
        self._into = into

    def put(self, value):
        """The input with this value here."""
        excluded = values.EXCLUDES.get((self._owner.name, self.member.name), ())
        holder = {name: one for name, one in values.plain(self._owner).items() if name not in excluded}
        holder |= values.BESIDE.get((self._owner.name, self.member.name), {})
        if value is _ABSENT:
            holder.pop(self.member.name, None)
        else:
            holder[self.member.name] = value
        return self._into(holder)

    def leaves_nothing(self):
        """Whether the structure around this member is empty without it, though it is there."""
        return len(self.path) > 1 and set(values.plain(self._owner)) <= {self.member.name}


def sites(shape, path=(), into=lambda holder: holder, depth=DEPTH_MAX):
    """Every member of a structure and of the structures below it; of a list, of its first element."""
    for member in shape.members:
        site = Site(member, shape, (*path, member.name), into)
        yield site
        if not depth:
            continue
        if member.shape.type == "structure":
            yield from sites(member.shape, site.path, site.put, depth - 1)
        elif member.shape.type == "list" and member.shape.element.type == "structure":
            yield from sites(member.shape.element, (*site.path, "1"), _first_of(site), depth - 1)


def _first_of(site):
    rest = values.list_of(site.shape, site.shape.min or 1)[1:]
    return lambda first: site.put([first, *rest])


def cases(model, operation):
    """Every variant of one operation."""
    made = Maker(model, operation)
    made.good("plain", "the least input", values.plain(operation.input))
    made.good("unknown member", "the input", values.plain(operation.input) | made.speech.UNKNOWN)
    for site in sites(operation.input):
        _good(made, site)
        _bad(made, site)
        _mistyped(made, site)
    _several(made, operation)
    return made.cases


def _good(made, site):
    shape = site.shape
    about = ".".join(site.path)
    made.good("plain", about, site.put(values.plain(shape)))
    for value in values.boundaries(shape):
        made.good("boundary", f"{about} = {_shown(value)}", site.put(value))
    for value in shape.enum or ():
        made.good("enum value", f"{about} = {value}", site.put(value))
    if shape.type == "list":
        for value in shape.element.enum or ():
            made.good("enum value", f"{about} = [{value}]", site.put([value]))
    if not site.member.required and made.speech.HAS_NULL:
        made.good("null optional", about, site.put(None))
    if shape.type == "structure":
        value = values.plain(shape) | made.speech.UNKNOWN
        made.good("unknown member", about, site.put(value))


def _bad(made, site):
    about = ".".join(site.path)
    if site.member.required:
        # Where nothing is null, a structure without members is not there either.
        if made.speech.HAS_NULL or not site.leaves_nothing():
            made.bad("missing", about, site.put(_ABSENT))
        if made.speech.HAS_NULL:
            made.bad("null", about, site.put(None))
    for kind, value in values.bad(site.shape):
        made.bad(kind, f"{about} = {_shown(value)}", site.put(value))
    for kind, value in _collections_of_bad(site.shape):
        made.bad(kind, f"{about} = {_shown(value)}", site.put(value), deep=True)


def _collections_of_bad(shape):
    """Lists and maps with one bad scalar among good ones."""
    if shape.type == "list" and shape.element.is_scalar:
        good = values.plain(shape.element)
        for kind, value in values.bad(shape.element):
            yield kind, [good, value][-(shape.max or 2) :]
    if shape.type == "map":
        good = values.plain(shape.value)
        for kind, key in values.bad(shape.key):
            yield kind, {"GOOD": good, key: good}
        for kind, value in values.bad(shape.value):
            yield kind, {"GOOD": good, "BAD": value}


def _mistyped(made, site):
    about, shape = ".".join(site.path), site.shape
    codes = (*made.speech.UNREADABLE, made.operation.validation_code)
    # That a number is none is for the service to say, in whatever words it has.
    services_own = (*codes, *made.operation.errors)
    for wrong in made.speech.wrong_types(shape):
        made.unreadable("type", f"{about} = {_shown(wrong.value)}", site.put(wrong.value), wrong.texts)
    inner = shape.element if shape.type == "list" else shape.value if shape.type == "map" else None
    if inner and made.speech.HAS_NULL:
        around = (lambda value: [value]) if shape.type == "list" else (lambda value: {"KEY": value})
        for wrong in made.speech.wrong_types(inner):
            made.unreadable("type", f"{about} of {_shown(wrong.value)}", site.put(around(wrong.value)), wrong.texts)
        made.open("null element", about, site.put(around(None)), codes)
    if shape.type in ("integer", "long"):
        for value in (values.plain(shape) + 0.5, -0.5):
            made.unreadable("fraction", f"{about} = {value}", site.put(value), ())
    for value in values.beyond_type(shape):
        made.refused("beyond type", f"{about} = {value}", site.put(value), services_own)
    if shape.type in ("float", "double"):
        # No bound forbids it. What is let through is described as it was sent.
        for value in ["Infinity"] if shape.min is not None else ["Infinity", "-Infinity"]:
            made.open("beyond type", f"{about} = {value}", site.put(value), services_own)


def _several(made, operation):
    """Bad values in several members at once: every one of them is told."""
    broken = [(site, values.bad(site.shape)) for site in sites(operation.input, depth=0)]
    broken = [(site.member.name, bad[0][1]) for site, bad in broken if bad]
    for many in (2, 3):
        for chosen in itertools.islice(itertools.combinations(broken, many), 40):
            about = ", ".join(name for name, _ in chosen)
            made.bad("several", about, values.plain(operation.input) | dict(chosen))


class Maker:
    """Makes an operation's cases; what each must be answered with is the oracle's word, not the maker's."""

    def __init__(self, model, operation):
        self.model = model
        self.operation = operation
        self.speech = speech.of(model)
        self.cases = []
        self._numbers = itertools.count(1)

    def good(self, kind, about, value):
        value = self._named(value)
        assert not oracle.violations(self.operation.input, value), f"{self.operation.name}: {about} is not good"
        self._add(kind, about, value, Accepted())

    def bad(self, kind, about, value, deep=False):
        found = oracle.violations(self.operation.input, value)
        kinds = {one.rule.kind for one in found}
        assert found, f"{about} is not bad"
        assert deep or kind in {"missing", "several"} or kind in kinds, f"{kind} {about}: {kinds}"
        self._add(kind, about, value, Invalid(tuple(found)))

    def unreadable(self, kind, about, value, texts):
        self._add(kind, about, value, Refused(self.speech.UNREADABLE, texts))

    def refused(self, kind, about, value, codes):
        self._add(kind, about, value, Refused(codes))

    def open(self, kind, about, value, codes):
        self._add(kind, about, self._named(value), Either((Accepted(), Refused(codes))))

    def _named(self, value):
        """The same input, with a name of its own where it would make a record."""
        name = NAMED.get(self.operation.name)
        if name and value.get(name) == values.plain(self.operation.input)[name]:
            return value | {name: f"run-{self.model.protocol}-{next(self._numbers)}"}
        return value

    def _add(self, kind, about, value, expected):
        request = self.speech.request(self.model, self.operation, value)
        row = self.model.row(self.operation.name)
        heard = self.speech.heard(value)
        self.cases.append(Case(self.model, row, kind, about, request, expected, self.operation, heard))


def _shown(value):
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}… ({len(text)} characters)"
