"""AWS's service models as the repository keeps them: `models/*.json` under the overlays of `models/overlay/`."""

import dataclasses
import functools
import json

from harness.server import ROOT

_MODELLED_VALIDATION = ("ValidationError", "InvalidParameterException")


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
        self.enum = self._raw.get("enum")
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
    errors: tuple

    @property
    def validation_code(self):
        """The code of broken constraints: one that the service models, else the one that no service models."""
        return next((one for one in _MODELLED_VALIDATION if one in self.errors), "ValidationException")


class Model:
    def __init__(self, service):
        self.raw = json.loads((ROOT / "models" / f"{service}.json").read_text())
        self.patterns = {}
        for path in sorted((ROOT / "models" / "overlay").glob("*.json")):
            overlay = json.loads(path.read_text())
            if overlay["service"] == service:
                self.patterns |= overlay["patterns"]
        metadata = self.raw["metadata"]
        self.service_id = metadata["serviceId"]
        self.protocol = metadata["protocols"][0]
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
        errors = tuple(one["shape"] for one in raw.get("errors", ()))
        http = raw["http"]
        return Operation(name, http["method"], http["requestUri"], self.shape(raw["input"]["shape"]), output, errors)


@functools.cache
def every():
    """The model of every service in `models/`, by its file's name."""
    return {path.stem: Model(path.stem) for path in sorted((ROOT / "models").glob("*.json"))}
