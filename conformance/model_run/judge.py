"""Whether an answer is the one that was to be given: status, envelope, code and wording."""

import io
import json
import re
import xml.etree.ElementTree as ElementTree

import cbor2
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


# AWS has no words for these (reference/autoscaling-and-cloudwatch.md, section 6.1).
_WITHOUT_A_MESSAGE = ("ResourceNotFound",)

# What stands before the name of an error of a service that is older than awsJson.
_NAMESPACE = re.compile(r"com\.amazon(aws)?\.[a-z0-9_.]+#")


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
        error = _ENVELOPES[case.model.protocol].error(case, answer)
    _expect(case, case.expected, answer.status, error)


def output(case, answer):
    """What a call has answered that went well."""
    return _ENVELOPES[case.model.protocol].output(case, answer)


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
    known = case.operation.errors.get(code, 400)
    if expected.always or status != known or code not in others or _HEAD.match(message):
        raise Wrong(f"refused with {status} {code}: {_cut(message)}")
    if len(message) < 10 and code not in _WITHOUT_A_MESSAGE:
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
    # XML has no way to write NUL.
    whole = whole.replace("\x00", "\ufffd") if "\ufffd" in text else whole
    return text == whole or (len(text) >= VALUE_CHARS_MIN and whole.startswith(text.removesuffix("...")))


def _wanted(violations):
    return "wanted " + "; ".join(f"{one.rule.kind} at '{one.path}'" for one in violations) if violations else "no more"


def _cut(text):
    return text if len(text) <= 400 else f"{text[:200]} … {text[-180:]}"


class _Json:
    """awsJson: everything is in the body, the type of an error too."""

    @staticmethod
    def _object(case, answer):
        if answer.headers.get("content-type") != case.model.content_type:
            raise Wrong(f"content type {answer.headers.get('content-type')}")
        try:
            body = json.loads(answer.body)
        except ValueError as error:
            raise Wrong(f"not JSON: {error}") from None
        if not isinstance(body, dict):
            raise Wrong(f"not an object: {answer.body[:100]!r}")
        return body

    @classmethod
    def error(cls, case, answer):
        return _named(case, answer, cls._object(case, answer))

    @classmethod
    def success(cls, case, answer):
        output = case.operation.output if case.operation else None
        if output is None:
            if answer.body:
                raise Wrong(f"a body where the model has none: {answer.body[:100]!r}")
            return
        _keeps_the_model(output, cls._object(case, answer))

    @classmethod
    def output(cls, case, answer):
        return cls._object(case, answer)


def _keeps_the_model(output, body):
    try:
        broken = oracle.violations(output, body)
    except (TypeError, AttributeError) as error:
        raise Wrong(f"an answer of the wrong types: {error}") from None
    if broken:
        raise Wrong(f"an answer that breaks the model: {_wanted(broken)}")


def _named(case, answer, body):
    """The code and the message of an error whose body has both, in JSON or CBOR."""
    code, message = body.get("__type"), body.get("message", body.get("Message"))
    if isinstance(code, str) and case.model.is_query_compatible:
        if not _NAMESPACE.match(code):
            raise Wrong(f"__type without a namespace: {code!r}")
        code = _NAMESPACE.sub("", code)
        told = answer.headers.get("x-amzn-query-error", "")
        if not re.fullmatch(r"[A-Za-z]+;Sender", told):
            raise Wrong(f"x-amzn-query-error is {told!r} for {code}")
    if not isinstance(code, str) or not re.fullmatch(r"[A-Za-z]+", code):
        raise Wrong(f"__type is {code!r}")
    if (not isinstance(message, str) or not message) and code not in _WITHOUT_A_MESSAGE:
        raise Wrong(f"{code} without a message")
    return code, message or ""


class _Cbor:
    """Smithy's RPC v2: as awsJson, but for the bytes."""

    @staticmethod
    def _map(answer):
        if answer.headers.get("content-type") != "application/cbor":
            raise Wrong(f"content type {answer.headers.get('content-type')}")
        if answer.headers.get("smithy-protocol") != "rpc-v2-cbor":
            raise Wrong(f"smithy-protocol is {answer.headers.get('smithy-protocol')}")
        rest = io.BytesIO(answer.body)
        try:
            body = cbor2.load(rest)
        except cbor2.CBORDecodeError as error:
            raise Wrong(f"not CBOR: {error}") from None
        if not isinstance(body, dict) or rest.read():
            raise Wrong(f"not one map: {answer.body[:100]!r}")
        return body

    @classmethod
    def error(cls, case, answer):
        return _named(case, answer, cls._map(answer))

    @classmethod
    def success(cls, case, answer):
        output = case.operation.output if case.operation else None
        if output:
            _keeps_the_model(output, cls._map(answer))
        elif answer.body and cls._map(answer):
            raise Wrong(f"a body where the model has none: {answer.body[:100]!r}")


class _Rest:
    """rest-json: the type of an error is in a header."""

    @staticmethod
    def error(_case, answer):
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
        if case.operation.output.payload is None:
            if answer.headers.get("content-type") != "application/json":
                raise Wrong(f"content type {answer.headers.get('content-type')}")
            return _keeps_the_model(case.operation.output, json.loads(answer.body))
        body = _payload(answer) if case.operation.output.member("Body").shape.is_stream else answer.body
        if body != case.request.body:
            raise Wrong("the model server's answer is not what was sent")
        if not answer.headers.get("x-amzn-invoked-production-variant"):
            raise Wrong("no x-Amzn-Invoked-Production-Variant")
        return None


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
    def _root(case, answer, tag):
        if answer.headers.get("content-type") != "text/xml":
            raise Wrong(f"content type {answer.headers.get('content-type')}")
        try:
            root = ElementTree.fromstring(answer.body)
        except ElementTree.ParseError as error:
            raise Wrong(f"not XML: {error}: {answer.body[:100]!r}") from None
        space, _, name = root.tag.removeprefix("{").rpartition("}")
        if name != tag or space != case.model.namespace:
            raise Wrong(f"the root is {root.tag}")
        return root, f"{{{space}}}"

    @classmethod
    def error(cls, case, answer):
        root, space = cls._root(case, answer, "ErrorResponse")
        text = {name: root.findtext(f"{space}Error/{space}{name}") for name in ("Type", "Code", "Message")}
        if text["Type"] != "Sender" or not text["Code"] or not root.findtext(f"{space}RequestId"):
            raise Wrong(f"error body {answer.body[:300]!r}")
        if not text["Message"] and text["Code"] not in _WITHOUT_A_MESSAGE:
            raise Wrong(f"{text['Code']} without a message")
        return text["Code"], text["Message"] or ""

    @classmethod
    def success(cls, case, answer):
        root, space = cls._root(case, answer, f"{case.operation.name}Response")
        wrapper, output = case.operation.result_wrapper, case.operation.output
        result = root.find(f"{space}{wrapper}") if wrapper else None
        if (result is None) != (output is None):
            raise Wrong(f"{'no' if result is None else 'a'} result: {answer.body[:200]!r}")
        if output is not None:
            _keeps_the_model(output, _read(output, result, space))
        if not root.findtext(f"{space}ResponseMetadata/{space}RequestId"):
            raise Wrong("no RequestId")

    @classmethod
    def output(cls, case, answer):
        root, space = cls._root(case, answer, f"{case.operation.name}Response")
        return _read(case.operation.output, root.find(f"{space}{case.operation.result_wrapper}"), space)


def _read(shape, element, space):
    """What an element of XML says, as JSON would."""
    match shape.type:
        case "structure":
            known = {f"{space}{one.name}": one for one in shape.members}
            strange = [child.tag for child in element if child.tag not in known]
            if strange:
                raise Wrong(f"{shape.name} has no {strange[0]}")
            return {known[child.tag].name: _read(known[child.tag].shape, child, space) for child in element}
        case "list":
            if {child.tag for child in element} - {f"{space}member"}:
                raise Wrong(f"a list of {[child.tag for child in element][:3]}")
            return [_read(shape.element, child, space) for child in element]
        case "map":
            pairs = [(child.find(f"{space}key"), child.find(f"{space}value")) for child in element]
            return {key.text: _read(shape.value, value, space) for key, value in pairs}
        case "integer" | "long":
            return int(element.text)
        case "float" | "double":
            return float(element.text)
        case "boolean":
            return {"true": True, "false": False}[element.text]
        case "timestamp":
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", element.text or ""):
                raise Wrong(f"a date is {element.text!r}")
    return element.text or ""


_ENVELOPES = {"json": _Json, "rest-json": _Rest, "query": _Query, "smithy-rpc-v2-cbor": _Cbor}
