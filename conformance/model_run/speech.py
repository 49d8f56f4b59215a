"""How a protocol says an input: as JSON, as CBOR, or as the parameters of a form; and what it cannot say."""

import datetime
import json
import types
from urllib.parse import urlencode

import cbor2

from . import values
from .cases import Request

_UNKNOWN = types.MappingProxyType({"NoSuchMember": {"a": [1, None]}})


def of(model):
    """The protocol of a model."""
    return {"json": Json, "smithy-rpc-v2-cbor": Cbor, "query": Query, "rest-json": Rest}[model.protocol]


class Json:
    """awsJson: the operation is in a header."""

    HAS_NULL = True
    # Members that no model has.
    UNKNOWN = _UNKNOWN
    # What an input is refused with whose types are wrong.
    UNREADABLE = ("SerializationException",)

    @classmethod
    def request(cls, model, operation, value):
        return json_request(model, operation.name, as_json(value))

    @staticmethod
    def heard(value):
        return value

    @staticmethod
    def wrong_types(shape):
        return values.wrong_types(shape)


def as_json(value):
    return json.dumps(value, ensure_ascii=False).encode()


def json_request(model, target, body):
    headers = {"X-Amz-Target": f"{model.target_prefix}.{target}", "Content-Type": model.content_type}
    return Request("POST", "/", headers | _query_mode(model), body)


def _query_mode(model):
    """Today's clients ask for awsQuery's codes beside the others where a service has them."""
    return {"x-amzn-query-mode": "true"} if model.is_query_compatible else {}


class Rest(Json):
    """rest-json, of operations whose input is a body of JSON and nothing else: the operation is in the path."""

    # No framework of AWS's is behind the one API that speaks so here.
    UNREADABLE = ("SerializationException", "ValidationException")

    @classmethod
    def request(cls, model, operation, value):
        return rest_request(operation, operation.uri, as_json(value))

    @staticmethod
    def wrong_types(shape):
        return [values.Wrong(one.value, ()) for one in values.wrong_types(shape)]


def rest_request(operation, path, body):
    return Request(operation.method, path, {"Content-Type": "application/json"}, body)


class Cbor(Json):
    """Smithy's RPC v2: the operation is in the path."""

    @classmethod
    def request(cls, model, operation, value):
        return cbor_request(model, operation.name, cbor2.dumps(tagged(operation.input, value)))

    @staticmethod
    def wrong_types(shape):
        # What AWS says of these nobody has recorded.
        return [values.Wrong(one.value, ()) for one in values.wrong_types(shape)]


def cbor_request(model, operation, body):
    headers = {
        "smithy-protocol": "rpc-v2-cbor",
        "Content-Type": "application/cbor",
        "Accept": "application/cbor",
    } | _query_mode(model)
    return Request("POST", f"/service/{model.target_prefix}/operation/{operation}", headers, body)


def tagged(shape, value):
    """The value with its timestamps tagged, and the numbers as such that JSON has none for."""
    match shape.type, value:
        case "structure", dict():
            known = {one.name: one.shape for one in shape.members}
            return {name: tagged(known[name], one) if name in known else one for name, one in value.items()}
        case "list", list():
            return [tagged(shape.element, one) for one in value]
        case "map", dict():
            return {name: tagged(shape.value, one) for name, one in value.items()}
        case "timestamp", int() | float() if not isinstance(value, bool):
            return cbor2.CBORTag(1, value)
        case "float" | "double", "NaN" | "Infinity" | "-Infinity":
            return float(value)
    return value


def form_request(body):
    return Request("POST", "/", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body)


class Query:
    """awsQuery: everything is text, and what is not there is not said."""

    HAS_NULL = False
    UNKNOWN = types.MappingProxyType({"NoSuchMember": "x", "A.member.1.B": "é"})
    UNREADABLE = ("MalformedInput", "ValidationError")

    @classmethod
    def request(cls, model, operation, value):
        return form_request(urlencode(cls.form(model, operation, value)).encode())

    @classmethod
    def form(cls, model, operation, value):
        """The parameters of this input."""
        named = {"Action": operation.name, "Version": model.raw["metadata"]["apiVersion"]}
        return named | dict(_parameters(operation.input, "", value))

    @classmethod
    def heard(cls, value):
        """An input as it arrives: of a structure without members nothing is said."""
        if isinstance(value, dict):
            heard = {name: cls.heard(one) for name, one in value.items()}
            return {name: one for name, one in heard.items() if one != {}}
        return [cls.heard(one) for one in value] if isinstance(value, list) else value

    @staticmethod
    def wrong_types(shape):
        """Scalars that are not of this shape. A text is always a string, and lists and structures have none."""
        if shape.type in ("string", "list", "map", "structure"):
            return []
        wrong = ["seven", "", "0x10", "1,5", "[]"]
        return [values.Wrong(one, ()) for one in wrong]


def _parameters(shape, name, value):
    match value:
        case dict() if shape and shape.type == "map":
            for position, (key, one) in enumerate(value.items(), 1):
                yield f"{name}.entry.{position}.key", key
                yield from _parameters(shape.value, f"{name}.entry.{position}.value", one)
        case dict():
            known = {one.name: one.shape for one in shape.members} if shape else {}
            for member, one in value.items():
                yield from _parameters(known.get(member), f"{name}.{member}" if name else member, one)
        case []:
            yield name, ""
        case list():
            element = shape.element if shape and shape.type == "list" else None
            for position, one in enumerate(value, 1):
                yield from _parameters(element, f"{name}.member.{position}", one)
        case _:
            yield name, _text(shape, value)


def _text(shape, value):
    if isinstance(value, bool):
        return str(value).lower()
    if shape and shape.type == "timestamp" and isinstance(value, int | float) and abs(value) < 10**11:
        return datetime.datetime.fromtimestamp(value, datetime.UTC).isoformat(timespec="milliseconds")
    return str(value)
