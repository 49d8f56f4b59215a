"""Whether an answer is the one that was to be given: status, envelope, code and wording."""

import json
import re
import xml.etree.ElementTree as ElementTree

from botocore.eventstream import EventStreamBuffer

from . import oracle
from .cases import Accepted, Either, Invalid, Refused
from .sending import Answer

# Characters of a value that an error text must repeat at least; beyond these it may be cut.
VALUE_CHARS_MIN = 1000


# How the lines begin that tell of the worst answers.
NO_ANSWER, SERVER_ERROR = "no answer", "answered with"

_HEAD = re.compile(r"(\d+) validation errors? detected: ", re.S)
_ITEM = re.compile(
    r"Value (?:null|'(?P<value>.*)') at '(?P<path>[^']*)' failed to satisfy constraint: (?P<rule>.*)", re.S
)
_BETWEEN = re.compile(r"; (?=Value (?:null |'))")


class Wrong(Exception):
    """What is wrong with an answer, in a line."""


def problem(case, answer):
    """None, or what is wrong with the answer."""
    try:
        _check(case, answer)
    except Wrong as wrong:
        return str(wrong)
    return None


def is_accepted(answer):
    return isinstance(answer, Answer) and answer.status == 200


def _check(case, answer):
    if not isinstance(answer, Answer):
        raise Wrong(f"{NO_ANSWER}: {answer!r}")
    if answer.status >= 500:
        raise Wrong(f"{SERVER_ERROR} {answer.status}: {answer.body[:300]!r}")
    if "x-amzn-requestid" not in answer.headers:
        raise Wrong("no x-amzn-RequestId")
    if answer.status == 200:
        error = None
        _ENVELOPES[case.model.protocol].success(case, answer)
    else:
        error = _ENVELOPES[case.model.protocol].error(answer)
    _expect(case, case.expected, answer.status, error)


def _expect(case, expected, status, error):
    if isinstance(expected, Either):
        wrongs = []
        for choice in expected.choices:
            try:
                return _expect(case, choice, status, error)
            except Wrong as wrong:
                wrongs.append(str(wrong))
        raise Wrong("; ".join(wrongs))
    if isinstance(expected, Accepted):
        return _expect_accepted(case, expected, status, error)
    if error is None:
        raise Wrong("accepted")
    code, message = error
    if status not in (expected.statuses if isinstance(expected, Refused) else (400,)):
        raise Wrong(f"status {status} with {code}: {_cut(message)}")
    if isinstance(expected, Refused):
        if code not in expected.codes:
            raise Wrong(f"{code} instead of {' or '.join(expected.codes)}: {_cut(message)}")
        if expected.texts and not any(re.fullmatch(one, message, re.S) for one in expected.texts):
            raise Wrong(f"worded {_cut(message)!r} instead of {' or '.join(expected.texts)!r}")
        return None
    assert isinstance(expected, Invalid)
    if code != case.operation.validation_code:
        raise Wrong(f"{code} instead of {case.operation.validation_code}: {_cut(message)}")
    return _expect_violations(expected.violations, message)


def _expect_accepted(case, expected, status, error):
    if error is None:
        return
    code, message = error
    # Something does not exist, exists already, or is too much.
    others = (*case.operation.errors, case.operation.validation_code)
    if expected.always or status != 400 or code not in others or _HEAD.match(message):
        raise Wrong(f"refused with {status} {code}: {_cut(message)}")
    if len(message) < 10:
        raise Wrong(f"refused without a reason: {message!r}")


def _expect_violations(violations, message):
    head = _HEAD.match(message)
    if not head:
        raise Wrong(f"not worded as a validation error: {_cut(message)}")
    told = _BETWEEN.split(message[head.end() :])
    noun = "error" if len(told) == 1 else "errors"
    if not message.startswith(f"{len(told)} validation {noun} detected: "):
        raise Wrong(f"counted wrongly: {_cut(message)}")
    missing = list(violations)
    for item in told:
        found = next((one for one in missing if _tells(item, one)), None)
        if found is None:
            raise Wrong(f"told {_cut(item)!r}, but {_wanted(missing)}")
        missing.remove(found)
    if missing:
        raise Wrong(f"left out: {_wanted(missing)}; told: {_cut(message)}")


def _tells(item, violation):
    """Whether this is how AWS tells of this violation."""
    parsed = _ITEM.fullmatch(item)
    if not parsed or parsed["path"] != violation.path or not violation.rule.words(parsed["rule"]):
        return False
    return _shows(parsed["value"], violation.value) if violation.rule.kind != "null" else parsed["value"] is None


def _shows(text, value):
    """Whether a text shows this value as Java prints it. How it prints structures and bytes nobody relies on."""
    if text is None:
        return False
    if isinstance(value, str):
        whole = value
    elif isinstance(value, float):
        return float(text) == value
    elif isinstance(value, int):
        return text in (str(value), str(float(value)))
    elif isinstance(value, list) and all(isinstance(one, str) for one in value):
        whole = f"[{', '.join(value)}]"
    elif isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
        pairs = [f"{key}={one}" for key, one in value.items()]
        return sorted(text[1:-1].split(", ")) == sorted(pairs) or len(text) >= VALUE_CHARS_MIN
    else:
        return True
    return text == whole or (len(text) >= VALUE_CHARS_MIN and whole.startswith(text.removesuffix("...")))


def _wanted(violations):
    return "wanted " + "; ".join(f"{one.rule.kind} at '{one.path}'" for one in violations) if violations else "no more"


def _cut(text):
    return text if len(text) <= 400 else f"{text[:200]} … {text[-180:]}"


class _Json:
    """awsJson: everything is in the body, the type of an error too."""

    @staticmethod
    def _object(answer):
        if not re.fullmatch(r"application/x-amz-json-1\.[01]", answer.headers.get("content-type", "")):
            raise Wrong(f"content type {answer.headers.get('content-type')}")
        try:
            body = json.loads(answer.body)
        except ValueError as error:
            raise Wrong(f"not JSON: {error}") from None
        if not isinstance(body, dict):
            raise Wrong(f"not an object: {answer.body[:100]!r}")
        return body

    @classmethod
    def error(cls, answer):
        body = cls._object(answer)
        code, message = body.get("__type"), body.get("message", body.get("Message"))
        if not isinstance(code, str) or not re.fullmatch(r"[A-Za-z]+", code):
            raise Wrong(f"__type is {code!r}")
        if not isinstance(message, str) or not message:
            raise Wrong(f"{code} without a message")
        return code, message

    @classmethod
    def success(cls, case, answer):
        output = case.operation.output if case.operation else None
        if output is None:
            if answer.body:
                raise Wrong(f"a body where the model has none: {answer.body[:100]!r}")
            return
        try:
            broken = oracle.violations(output, cls._object(answer))
        except (TypeError, AttributeError) as error:
            raise Wrong(f"an answer of the wrong types: {error}") from None
        if broken:
            raise Wrong(f"an answer that breaks the model: {_wanted(broken)}")


class _Rest:
    """rest-json: the type of an error is in a header."""

    @staticmethod
    def error(answer):
        code = answer.headers.get("x-amzn-errortype")
        if not code or not re.fullmatch(r"[A-Za-z]+", code):
            raise Wrong(f"x-amzn-ErrorType is {code!r}: {answer.status} {answer.body[:100]!r}")
        if answer.headers.get("content-type") != "application/json":
            raise Wrong(f"content type {answer.headers.get('content-type')}")
        body = json.loads(answer.body)
        message = body.get("Message", body.get("message"))
        if "__type" in body or not isinstance(message, str) or not message:
            raise Wrong(f"error body {answer.body[:200]!r}")
        return code, message

    @staticmethod
    def success(case, answer):
        body = _payload(answer) if case.operation.output.member("Body").shape.is_stream else answer.body
        if body != case.request.body:
            raise Wrong("the model server's answer is not what was sent")
        if not answer.headers.get("x-amzn-invoked-production-variant"):
            raise Wrong("no x-Amzn-Invoked-Production-Variant")


def _payload(answer):
    """What an event stream's parts make together."""
    if answer.headers.get("content-type") != "application/vnd.amazon.eventstream":
        raise Wrong(f"content type {answer.headers.get('content-type')}")
    frames = EventStreamBuffer()
    frames.add_data(answer.body)
    events = list(frames)
    if {event.headers.get(":event-type") for event in events} - {"PayloadPart"}:
        raise Wrong(f"events {[event.headers for event in events]}")
    return b"".join(event.payload for event in events)


class _Query:
    """awsQuery: XML in the service's name space."""

    @staticmethod
    def _root(answer, tag):
        if answer.headers.get("content-type") != "text/xml":
            raise Wrong(f"content type {answer.headers.get('content-type')}")
        try:
            root = ElementTree.fromstring(answer.body)
        except ElementTree.ParseError as error:
            raise Wrong(f"not XML: {error}: {answer.body[:100]!r}") from None
        space, _, name = root.tag.removeprefix("{").rpartition("}")
        if name != tag or space != "https://sts.amazonaws.com/doc/2011-06-15/":
            raise Wrong(f"the root is {root.tag}")
        return root, f"{{{space}}}"

    @classmethod
    def error(cls, answer):
        root, space = cls._root(answer, "ErrorResponse")
        text = {name: root.findtext(f"{space}Error/{space}{name}") for name in ("Type", "Code", "Message")}
        if (
            text["Type"] != "Sender"
            or not text["Code"]
            or not text["Message"]
            or not root.findtext(f"{space}RequestId")
        ):
            raise Wrong(f"error body {answer.body[:300]!r}")
        return text["Code"], text["Message"]

    @classmethod
    def success(cls, case, answer):
        name = case.operation.name
        root, space = cls._root(answer, f"{name}Response")
        for member in case.operation.output.members:
            if not root.findtext(f"{space}{name}Result/{space}{member.name}"):
                raise Wrong(f"no {member.name}")
        if not root.findtext(f"{space}ResponseMetadata/{space}RequestId"):
            raise Wrong("no RequestId")


_ENVELOPES = {"json": _Json, "rest-json": _Rest, "query": _Query}
