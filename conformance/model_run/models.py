"""The service models as the repository keeps them: AWS's in `models/` under the overlays of `models/overlay/`, and that
of Tidegate's own API in `models/own/`.

A service that is served over several protocols is a model for each of them here.
"""

import collections
import dataclasses
import functools
import json

from harness.server import ROOT

# The input of an operation that has none.
_NOTHING = "Nothing"
_MODELLED_VALIDATION = ("ValidationError", "InvalidParameterException")
# Codes that a service answers with, but that no operation of its model names: those of another dimension
# (reference/autoscaling-and-cloudwatch.md, section 1.5), roles and codes that the caller may not use, and a key that is
# nobody's.
_UNMODELLED = {
    "Application Auto Scaling": {"AccessDeniedException": 400},
    "IAM": {"NoSuchEntity": 404},
    "STS": {"AccessDenied": 403},
}
# These services leave it open which of their errors an operation answers with.
_ERRORS_OF_ALL = ("CloudWatch",)


@dataclasses.dataclass(frozen=True)
class Member:
    name: str
    shape: "Shape"
    required: bool
    # None: in the body.
    location: str | None
    location_name: str


class Shape:
    """One shape of a model; its members are looked up when they are asked for."""

    def __init__(self, model, name):
        self._model = model
        self.name = name
        self._raw = model.raw["shapes"][name]
        self.is_stream = self._raw.get("eventstream", False)
        self.type = self._raw["type"]
        self.min = self._raw.get("min")
        self.max = self._raw.get("max")
        self.enum = model.values.get(name, self._raw.get("enum"))
        self.payload = self._raw.get("payload")
        self.pattern = model.patterns.get(name, self._raw.get("pattern"))

    @property
    def is_scalar(self):
        return self.type not in ("structure", "list", "map")

    @functools.cached_property
    def members(self):
        required = set(self._raw.get("required", ()))
        return [
            Member(
                one["name"],
                self._model.shape(one["shape"]),
                one["name"] in required,
                one.get("location"),
                one.get("locationName", one["name"]),
            )
            for one in self._raw.get("members", ())
        ]

    def member(self, name):
        (found,) = [one for one in self.members if one.name == name]
        return found

    @functools.cached_property
    def element(self):
        return self._model.shape(self._raw["member"]["shape"])

    @functools.cached_property
    def key(self):
        return self._model.shape(self._raw["key"]["shape"])

    @functools.cached_property
    def value(self):
        return self._model.shape(self._raw["value"]["shape"])


@dataclasses.dataclass(frozen=True)
class Operation:
    name: str
    method: str
    uri: str
    input: Shape
    output: Shape | None
    # The statuses of errors that the operation may answer with, by their codes.
    errors: dict
    # What broken constraints are called: as the service models it, else as AWS's framework for the protocol does.
    validation_code: str
    # The element around the output in awsQuery.
    result_wrapper: str | None


class Model:
    def __init__(self, path, protocol):
        service = path.stem
        self.raw = json.loads(path.read_text())
        self.patterns = {}
        self.values = {}
        for path in sorted((ROOT / "models" / "overlay").glob("*.json")):
            overlay = json.loads(path.read_text())
            if overlay["service"] == service:
                self.patterns |= overlay.get("patterns", {})
                self.values |= overlay.get("values", {})
        metadata = self.raw["metadata"]
        self.service_id = metadata["serviceId"]
        self.protocol = protocol
        self.namespace = metadata.get("xmlNamespace", "https://sts.amazonaws.com/doc/2011-06-15/")
        # Whether errors also carry the code that awsQuery has for them.
        self.is_query_compatible = "awsQueryCompatible" in metadata
        self.signing_name = metadata.get("signingName", metadata["endpointPrefix"])
        self.target_prefix = metadata.get("targetPrefix")
        self.content_type = f"application/x-amz-json-{metadata.get('jsonVersion')}"
        self._shapes = {}
        self.operations = [self._operation(name, raw) for name, raw in sorted(self.raw["operations"].items())]
        self.unserved = sorted(self.raw["unserved"].items())

    def shape(self, name):
        if name not in self._shapes:
            self._shapes[name] = Shape(self, name)
        return self._shapes[name]

    def _operation(self, name, raw):
        output = self.shape(raw["output"]["shape"]) if "output" in raw else None
        operations = self.raw["operations"].values() if self.service_id in _ERRORS_OF_ALL else [raw]
        shapes = [one["shape"] for operation in operations for one in operation.get("errors", ())]
        errors = dict(map(self._error, shapes)) | _UNMODELLED.get(self.service_id, {})
        usual = "ValidationError" if self.protocol == "query" else "ValidationException"
        validation_code = next((one for one in _MODELLED_VALIDATION if one in errors), usual)
        http, wrapper = raw["http"], raw.get("output", {}).get("resultWrapper")
        # Some operations of awsQuery take nothing.
        self.raw["shapes"].setdefault(_NOTHING, {"type": "structure", "members": {}})
        input_shape = self.shape(raw.get("input", {"shape": _NOTHING})["shape"])
        return Operation(
            name, http["method"], http["requestUri"], input_shape, output, errors, validation_code, wrapper
        )

    def _error(self, shape):
        told = self.raw["shapes"].get(shape, {}).get("error", {})
        code = told.get("code", shape) if self.protocol == "query" else shape
        return code, told.get("httpStatusCode", 400)

    def row(self, operation):
        """The operation's row of the table: its name, and whose it is where two services have one of that name."""
        return f"{self.service_id}: {operation}" if _shared()[operation] > 1 else operation


@functools.cache
def every():
    """Every model, by its file's name and, where it is served over several protocols, the protocol."""
    found = {}
    own = sorted((ROOT / "models" / "own").glob("*.json"))
    for path in [*sorted((ROOT / "models").glob("*.json")), *own]:
        protocols = json.loads(path.read_text())["metadata"]["protocols"]
        for protocol in protocols:
            found[path.stem if len(protocols) == 1 else f"{path.stem} {protocol}"] = Model(path, protocol)
    return found


@functools.cache
def _shared():
    """How many services have an operation of a name."""
    services = {model.service_id: model for model in every().values()}
    return collections.Counter(one.name for model in services.values() for one in model.operations)
