"""Good and bad values of one shape, made from its constraints."""

import dataclasses

from . import patterns
from .oracle import INTEGER_MAX, INTEGER_MIN

# Longest string and list that are made to try a bound; no bound of the served operations lies beyond.
LENGTH_MAX = 10_000
# One value far beyond its bound: AWS repeats it whole in its message, a server that must bound its answers may cut it.
FAR_TOO_LONG = 100_000

# The endpoint that is in service while the run lasts.
ENDPOINT = "run-endpoint"
# Its variant, which is a scalable target while nothing deregisters it.
VARIANT = "main"
# Of a log group either the name or the identifier has to be there; the model requires neither.
_LOGS_OF_A_GROUP = ("DescribeLogStreamsRequest", "FilterLogEventsRequest", "GetLogEventsRequest")

_TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{ENDPOINT}/variant/{VARIANT}",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
_STEPS = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"ScalingAdjustment": 1, "MetricIntervalLowerBound": 0}],
}
_TRACKING = {
    "TargetValue": 100,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}
_METRIC = {"Namespace": "Run", "MetricName": "depth"}
_METRIC_STAT = {"Metric": _METRIC, "Period": 60, "Stat": "Sum"}
_SCALING = {
    # Only its Max is set, and only to what it is: nothing scales while the run lasts.
    "RegisterScalableTargetRequest": _TARGET | {"MinCapacity": 1, "MaxCapacity": 1},
    "DeregisterScalableTargetRequest": _TARGET | {"ResourceId": f"endpoint/{ENDPOINT}/variant/another"},
    "DescribeScalableTargetsRequest": {"ServiceNamespace": "sagemaker"},
    "DescribeScalingActivitiesRequest": {"ServiceNamespace": "sagemaker"},
    "DescribeScalingPoliciesRequest": {"ServiceNamespace": "sagemaker"},
    "DescribeScheduledActionsRequest": {"ServiceNamespace": "sagemaker"},
    "PutScalingPolicyRequest": _TARGET | {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": _STEPS},
    "StepScalingPolicyConfiguration": _STEPS,
    "TargetTrackingScalingPolicyConfiguration": _TRACKING,
    "PutScheduledActionRequest": _TARGET | {"Schedule": "rate(30 days)", "ScalableTargetAction": {"MaxCapacity": 1}},
    "ScalableTargetAction": {"MaxCapacity": 1},
} | {
    f"{name}Request": _TARGET
    for name in ("DeleteScalingPolicy", "DeleteScheduledAction", "GetPredictiveScalingForecast")
}
_WATCHING = {
    "PutMetricAlarmInput": _METRIC
    | {
        "Period": 60,
        "Statistic": "Sum",
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    },
    "PutMetricDataInput": {"Namespace": "Run", "MetricData": [{"MetricName": "depth", "Value": 1}]},
    "MetricDatum": {"Value": 1},
    "Metric": _METRIC,
    "MetricStat": _METRIC_STAT,
    "MetricDataQuery": {"MetricStat": _METRIC_STAT},
    "GetMetricDataInput": {
        "StartTime": 1_699_990_000,
        "MetricDataQueries": [{"Id": "a", "MetricStat": _METRIC_STAT}],
    },
    "GetMetricStatisticsInput": {"StartTime": 1_699_990_000, "Period": 60, "Statistics": ["Sum"]},
}

# What a minimal structure needs beside its required members so that the server's own rules admit it as well.
_USUAL = (
    {
        "ProductionVariant": {"ModelName": "run-model", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"},
        "ContainerDefinition": {"Image": "tidegate/echo"},
        # awsQuery cannot send an empty structure.
        "ProvidedContext": {"ProviderArn": "arn:aws:iam::aws:contextProvider/IdentityCenter"},
        "CreateModelInput": {
            "PrimaryContainer": {"Image": "tidegate/echo"},
            "ExecutionRoleArn": "arn:aws:iam::000000000000:role/host",
        },
    }
    | _SCALING
    | _WATCHING
    | {name: {"logGroupName": f"/aws/sagemaker/Endpoints/{ENDPOINT}"} for name in _LOGS_OF_A_GROUP}
)


def name_records(target_arn, alarm_arn):
    """Takes the ARNs of records that are there while the run lasts, to be tagged."""
    for operation in ("TagResource", "UntagResource", "ListTagsForResource"):
        _USUAL[f"{operation}Request"] = {"ResourceARN": target_arn}
        _USUAL[f"{operation}Input"] = {"ResourceARN": alarm_arn}


def take(usual):
    """Takes what structures have beside their required members, by the names of their shapes."""
    _USUAL.update(usual)


# Of several structures in one list, the member that tells them apart.
_TOLD_APART_BY = {
    "ProductionVariant": "VariantName",
    "Tag": "Key",
    "Dimension": "Name",
    "DimensionFilter": "Name",
    "MetricDataQuery": "Id",
    "TargetTrackingMetricDataQuery": "Id",
}
# What a structure has beside the member that is tried: two variants of one config may not have one name.
BESIDE = {
    ("CreateEndpointConfigInput", "ShadowProductionVariants"): {
        "ProductionVariants": [_USUAL["ProductionVariant"] | {"VariantName": "production"}]
    },
    ("PutScalingPolicyRequest", "TargetTrackingScalingPolicyConfiguration"): {"PolicyType": "TargetTrackingScaling"},
    ("PutScalingPolicyRequest", "PredictiveScalingPolicyConfiguration"): {"PolicyType": "PredictiveScaling"},
    ("MetricDatum", "Counts"): {"Values": [1]},
}
# Members that a structure must not have beside the one that is tried.
EXCLUDES = {
    ("CreateModelInput", "Containers"): ("PrimaryContainer",),
    ("ContainerDefinition", "ModelPackageName"): ("Image",),
    ("ProductionVariant", "InstancePools"): ("InstanceType",),
    ("ProductionVariant", "ServerlessConfig"): ("InstanceType", "InitialInstanceCount"),
    ("PutScalingPolicyRequest", "TargetTrackingScalingPolicyConfiguration"): ("StepScalingPolicyConfiguration",),
    ("PutScalingPolicyRequest", "PredictiveScalingPolicyConfiguration"): ("StepScalingPolicyConfiguration",),
    ("TargetTrackingScalingPolicyConfiguration", "CustomizedMetricSpecification"): ("PredefinedMetricSpecification",),
    ("MetricDatum", "Values"): ("Value",),
    ("MetricDatum", "Counts"): ("Value",),
    ("MetricDatum", "StatisticValues"): ("Value",),
    ("MetricDataQuery", "Expression"): ("MetricStat",),
    ("GetMetricStatisticsInput", "ExtendedStatistics"): ("Statistics",),
    ("PutMetricAlarmInput", "ExtendedStatistic"): ("Statistic",),
    ("PutMetricAlarmInput", "Metrics"): ("MetricName", "Namespace", "Period", "Statistic"),
    ("PutMetricAlarmInput", "ThresholdMetricId"): ("Threshold",),
    ("PutMetricAlarmInput", "EvaluationCriteria"): tuple(_WATCHING["PutMetricAlarmInput"]),
} | {(name, "logGroupIdentifier"): ("logGroupName",) for name in _LOGS_OF_A_GROUP}


@dataclasses.dataclass(frozen=True)
class Wrong:
    """A JSON value of the wrong type, and the texts that AWS's framework answers it with."""

    value: object
    texts: tuple


def plain(shape):
    """An ordinary good value: of a structure the members it must have."""
    match shape.type:
        case "structure":
            made = {one.name: plain(one.shape) for one in shape.members if one.required}
            return made | _USUAL.get(shape.name, {})
        case "list":
            return list_of(shape, max(1, shape.min or 0))
        case "map":
            return _map_of(shape, shape.min) if shape.min else {plain(shape.key): plain(shape.value)}
        case "string":
            return shape.enum[0] if shape.enum else _usual(shape)
        case "integer" | "long":
            return max(1, shape.min or 0)
        case "float" | "double":
            return 0.5
        case "boolean":
            return True
        case "timestamp":
            return 1_700_000_000
    raise AssertionError(f"no value for {shape.name}: {shape.type}")


def list_of(shape, length):
    """As many good elements, no two of them the same where that matters."""
    key = _TOLD_APART_BY.get(shape.element.name)
    one = plain(shape.element)
    return [one | {key: f"{one[key]}{position}"} if key and position else one for position in range(length)]


def _usual(shape):
    first = _matching(shape, None)
    return first if len(first) >= (shape.min or 0) else _matching(shape, shape.min) or _long_enough(shape)


def _long_enough(shape):
    return next(one for one in patterns.pieces() if len(one) >= shape.min and patterns.matches(shape.pattern, one))


def _matching(shape, length):
    """A string that the pattern matches; where it has none, any string will do."""
    if shape.pattern is None:
        return "a" * (1 if length is None else length)
    return patterns.matching(shape.pattern, length)


def boundaries(shape):
    """Good values at the edges of the constraints."""
    match shape.type:
        case "string" if not shape.enum:
            return _string_boundaries(shape)
        case "list":
            return [list_of(shape, length) for length in _lengths(shape)]
        case "map":
            return [_map_of(shape, length) for length in _lengths(shape)]
        case "integer" | "long":
            return [INTEGER_MIN if shape.min is None else shape.min, INTEGER_MAX if shape.max is None else shape.max]
        case "float" | "double":
            least = -0.5 if shape.min is None else shape.min
            return [least, float(least), 0.1, 1e30 if shape.max is None else shape.max]
        case "boolean":
            return [False]
        case "timestamp":
            return [0, 0.001, 1_700_000_000.123, -1]
    return []


def _string_boundaries(shape):
    made = []
    for length in _lengths(shape):
        # That a minimum is shorter than anything the pattern matches is the model's own doing.
        text = _matching(shape, length)
        assert text is not None or length == shape.min, f"no good {shape.name} of {length} characters"
        made += [text] if text is not None else []
    if shape.max:
        # As long as before in characters, but not in bytes.
        wide = "é" * shape.max if shape.pattern is None else patterns.matching(shape.pattern, shape.max, "é")
        made += [wide] if wide else []
    return made


def _lengths(shape):
    bounds = [shape.min, shape.max]
    return [one for one in bounds if one is not None and one <= LENGTH_MAX]


def _map_of(shape, length):
    return {f"K{position}": plain(shape.value) for position in range(length)}


def bad(shape):
    """Pairs of the class and a value of the right JSON type that breaks the shape's own constraints."""
    if shape.enum:
        first = shape.enum[0]
        strange = ["no-such-value", "", f"{first} ", first.swapcase()]
        return [("enum", one) for one in strange if one not in shape.enum]
    match shape.type:
        case "string":
            return _bad_strings(shape)
        case "list" | "map":
            return _bad_lengths(shape)
        case "integer" | "long" | "float" | "double":
            least = [("too small", shape.min - 1)] if shape.min is not None else []
            most = [("too large", shape.max + 1)] if shape.max is not None else []
            near = [("too small", shape.min - 0.001)] if shape.min is not None and shape.type == "float" else []
            return least + most + near
    return []


def _bad_strings(shape):
    made = []
    if shape.min:
        made += [("too short", ""), ("too short", _matching(shape, shape.min - 1) or "a" * (shape.min - 1))]
    if shape.max:
        made += [
            ("too long", _matching(shape, length) or "a" * length)
            for length in (shape.max + 1, max(FAR_TOO_LONG, 2 * shape.max))
        ]
    if shape.pattern and shape.pattern not in patterns.UNBREAKABLE:
        broken = patterns.breaking(shape.pattern, shape.min or 0, shape.max or LENGTH_MAX)
        assert broken, f"nothing breaks the pattern of {shape.name}"
        made += [("pattern", one) for one in broken]
    return list(dict.fromkeys(made))


def _bad_lengths(shape):
    made = []
    lengths = [("too short", shape.min - 1)] if shape.min else []
    lengths += [("too long", shape.max + 1)] if shape.max else []
    for kind, length in lengths:
        made.append((kind, list_of(shape, length) if shape.type == "list" else _map_of(shape, length)))
    return made


# As AWS's framework words them. Recorded of another awsJson1.1 service (Athena, September 2026); SageMaker's own
# answers to such bodies are nowhere public.
_LIST = r"Start of list found where not expected"
_STRUCTURE = r"Start of structure or map found where not expected\."
_SCALARS = {
    "integer": r"an Integer",
    "long": r"a Long",
    "float": r"an? Float",
    "double": r"a Double",
    "string": r"a String",
    "boolean": r"an? Boolean",
    "timestamp": r"an? \w+",
}


def wrong_types(shape):
    """JSON values that cannot be of this shape."""
    if shape.type == "list":
        scalars, other = r"Expected list or null", ({"a": 1}, _STRUCTURE)
    elif shape.type in ("structure", "map"):
        scalars, other = r"Expected (map or )?null", ([], _LIST)
    else:
        return _wrong_scalars(shape.type)
    return [Wrong(value, (scalars,)) for value in ("x", 7, True)] + [Wrong(other[0], (other[1],))]


def _wrong_scalars(kind):
    named = {
        "STRING_VALUE": "seven",
        "NUMBER_VALUE": 7,
        "TRUE_VALUE": True,
        "FALSE_VALUE": False,
    }
    right = {"string": ["STRING_VALUE"], "boolean": ["TRUE_VALUE", "FALSE_VALUE"]}.get(kind, ["NUMBER_VALUE"])
    made = [
        Wrong(value, (rf"{name} can not be converted to {_SCALARS[kind]}",))
        for name, value in named.items()
        if name not in right
    ]
    if kind in ("integer", "long", "float", "double"):
        made.append(Wrong("7", (rf"STRING_VALUE can not be converted to {_SCALARS[kind]}",)))
    if kind == "string":
        made.append(Wrong(7.5, (r"NUMBER_VALUE can not be converted to a String",)))
    return [*made, Wrong([], (_LIST,)), Wrong({"a": 1}, (_STRUCTURE,))]


def beyond_type(shape):
    """Numbers that the type cannot hold, or that are none."""
    match shape.type:
        case "integer":
            return [INTEGER_MAX + 1, INTEGER_MIN - 1, 2**63, -(2**63) - 1, 10**30]
        case "long":
            return [2**63, -(2**63) - 1, 10**30]
        case "float" | "double":
            return ["NaN"] if shape.min is None else ["NaN", "-Infinity"]
        case "timestamp":
            return [10**30, -(10**30)]
    return []
