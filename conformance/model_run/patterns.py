"""AWS's patterns, which are Java's and match whole values, and strings that do or do not match them.

`regex` is used for its `\\p{…}` classes. No random strings: a candidate is tried against the pattern itself, so that
every run sends the same values and no value is sent in the belief that it matches.
"""

import functools

import regex

# What Java means by these: its `.` stops at more than one line break, its short classes are ASCII's alone.
_ANY = r"[^\n\r\u0085\u2028\u2029]"
_CLASSES = {
    r"\p{Print}": r"\x20-\x7e",
    r"\p{ASCII}": r"\x00-\x7f",
    r"\d": r"0-9",
    r"\w": r"A-Za-z0-9_",
    r"\s": r"\t-\r\x20",
    r"\S": r"\x00-\x08\x0e-\x1f\x21-\U0010ffff",
}

# How Java writes the characters beyond 16 bits in a class.
_BEYOND = r"\uD800\uDC00-\uDBFF\uDFFF"

# Every pattern of the models is matched by one of these, or by a piece of one.
_SEEDS = [
    "a",
    "a1",
    "m-1",
    "Ab-9-z",
    "text/csv",
    "/metrics",
    "/metrics/v1",
    "mig-1g.5gb",
    "s3://b/key",
    "s3://bucket/path/model.tar.gz",
    "file:///srv/model.tar.gz",
    "arn:aws:iam::000000000000:role/host",
    "arn:aws:sns:us-east-1:000000000000:topic",
    "arn:aws:sagemaker:us-east-1:000000000000:model/m",
    "v1",
    "NEW_SESSION",
    "000000",
    "000000000000",
    "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/056m0",
]
_FILLERS = "a0/-é"

# Tried in this order; each breaks some pattern that a careless reading would let pass.
_STRANGERS = [
    "",
    "-",
    "a b!",
    "_a",
    ":a",
    " a",
    "a:",
    "1a",
    "a\n",
    "\na",
    "a\rb",
    "a\u2028b",
    "a\u00a0b",
    "a\nb",
    "é",
    "a/b",
    "..",
    "a:b*c",
    "a\tb",
    " ",
    "\x00",
    "http://host/key",
    "s3:/bucket/key",
    "s3://",
    "file://host/key",
    "arn:aws:iam::00000000000:role/host",
    "arn:aws:iam::\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660:role/host",
    "arn:aws:s3:us-east-1:000000000000:model/m",
    "arn:aws:iam::000000000000:role/a\x00b",
    "/metrics/../etc",
    "text",
    "mig-g.gb",
    "-" * 60,
    " " * 200,
]

# Patterns that admit every string of at least one character: nothing can break them.
UNBREAKABLE = {r"[\S\s]*", r"[\s\S]+"}


def _python(java):
    """The same pattern for `regex`."""
    java = java.removeprefix(r"\A").removesuffix(r"\z").replace(_BEYOND, r"\U00010000-\U0010ffff")
    parts, at, in_class = [], 0, False
    while at < len(java):
        short = next((one for one in _CLASSES if java.startswith(one, at)), None)
        char = java[at]
        if short:
            parts.append(_CLASSES[short] if in_class else f"[{_CLASSES[short]}]")
            at += len(short)
            continue
        if char == "\\":
            parts.append(java[at : at + 2])
            at += 2
            continue
        if char in "[]":
            in_class = char == "["
        parts.append(_ANY if char == "." and not in_class else char)
        at += 1
    return "".join(parts)


@functools.cache
def _compiled(java):
    return regex.compile(_python(java), regex.V0)


@functools.cache
def matches(java, text):
    return java is None or _compiled(java).fullmatch(text) is not None


@functools.cache
def pieces():
    """The seeds, the beginnings of them, and nothing at all."""
    found = dict.fromkeys(_SEEDS)
    for seed in _SEEDS:
        found |= dict.fromkeys(seed[:end] for end in range(1, len(seed)))
    return [*found, ""]


@functools.cache
def matching(java, length=None, filler=_FILLERS):
    """A string that matches, of this length in characters; None where none was found."""
    for seed in pieces():
        if not matches(java, seed):
            continue
        if length is None or len(seed) == length:
            return seed
        for at in range(len(seed), -1, -1):
            for char in filler if len(seed) < length else "":
                longer = seed[:at] + char * (length - len(seed)) + seed[at:]
                if matches(java, longer):
                    return longer
    return None


@functools.cache
def breaking(java, least, most, admissible=lambda text: True):
    """Strings within these lengths that the pattern does not match."""
    candidates = list(_STRANGERS)
    for whole in (matching(java), matching(java, most)):
        candidates += [f"{whole}\n", f"{whole}!", f" {whole}", f"{whole[:-1]}!", f"\u0660{whole[1:]}"] if whole else []
    return [
        one
        for one in dict.fromkeys(candidates)
        if least <= len(one) <= most and admissible(one) and not matches(java, one)
    ]
