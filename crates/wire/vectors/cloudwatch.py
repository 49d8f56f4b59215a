"""Writes cloudwatch.json: CloudWatch's requests as botocore writes them in each protocol, and what it reads in answers.

Run it with any Python that has botocore: python3 cloudwatch.py. Nothing is sent. The answers are put together here, so
that neither of the two codecs judges itself.
"""

import base64
import datetime
import json
import pathlib
import struct
import urllib.parse

import botocore.parsers
import botocore.serialize
import botocore.session

# The names of the protocols in botocore; `json` is version 1.0 here.
PROTOCOLS = ["smithy-rpc-v2-cbor", "json", "query"]

TIME = datetime.datetime(2026, 11, 23, 9, 56, 6, 250_000, tzinfo=datetime.UTC)
SECONDS = 1_795_427_766.25
LATER = datetime.datetime(2026, 11, 23, 10, 0, tzinfo=datetime.UTC)

DATUM = {
    "MetricName": "Depth",
    "Dimensions": [{"Name": "Queue", "Value": "a b&c"}, {"Name": "Shard", "Value": "é"}],
    "Timestamp": TIME,
    "Values": [0.1, 2.0, -1e-7],
    "Counts": [1.0, 3.0, 2.0],
    "Unit": "Count/Second",
    "StorageResolution": 1,
}

ALARM = {
    "AlarmName": "a",
    "ActionsEnabled": False,
    "OKActions": [],
    "AlarmActions": ["arn:aws:sns:us-east-1:000000000000:t"],
    "MetricName": "Depth",
    "Namespace": "App",
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 1.5,
    "ComparisonOperator": "GreaterThanThreshold",
}

QUERY = {"Id": "m1", "MetricStat": {"Metric": {"MetricName": "Depth"}, "Period": 60, "Stat": "p99"}, "ReturnData": True}

REQUESTS = [
    ("PutMetricData", {"Namespace": "App", "MetricData": [DATUM, {"MetricName": "Plain", "Value": 3.0}]}),
    ("PutMetricAlarm", ALARM),
    ("GetMetricData", {"MetricDataQueries": [QUERY], "StartTime": TIME, "EndTime": LATER}),
    ("DescribeAlarms", {}),
    ("DeleteAlarms", {"AlarmNames": ["a", "b"]}),
    ("SetAlarmState", {"AlarmName": "a", "StateValue": "ALARM", "StateReason": '<why> & "how"\n'}),
    ("ListMetrics", {"Dimensions": []}),
]


def plain(value):
    """As JSON, with times in seconds since the epoch."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def as_bytes(body):
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else form(body)


def form(parameters):
    return urllib.parse.urlencode(parameters).encode()


def request(model, protocol, name, members):
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    written = serializer.serialize_to_request(members, model.operation_model(name))
    return {
        "operation": name,
        "protocol": protocol,
        "method": written["method"],
        "path": written["url_path"],
        "headers": dict(written["headers"]),
        "body": base64.b64encode(as_bytes(written["body"])).decode(),
        "input": plain(members),
    }


def cbor(value):
    """Lengths told beforehand, doubles for floats: the form of our answers."""
    if isinstance(value, dict):
        return head(5, len(value)) + b"".join(cbor(key) + cbor(inner) for key, inner in value.items())
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack("!d", value)
    if isinstance(value, datetime.datetime):
        seconds = value.timestamp()
        return b"\xc1" + cbor(int(seconds) if seconds.is_integer() else seconds)
    raise TypeError(value)


def head(major, length):
    if length < 24:
        return struct.pack("!B", major << 5 | length)
    if length < 256:
        return struct.pack("!BB", major << 5 | 24, length)
    return (
        struct.pack("!BI", major << 5 | 26, length) if length > 65535 else struct.pack("!BH", major << 5 | 25, length)
    )


def compact(value):
    return json.dumps(plain(value), separators=(",", ":"), sort_keys=True).encode()


def xml(name, result):
    namespace = "http://monitoring.amazonaws.com/doc/2010-08-01/"
    metadata = "<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>"
    return f'<{name}Response xmlns="{namespace}">{result}{metadata}</{name}Response>'.encode()


STATISTICS = {
    "Label": "Depth",
    "Datapoints": [
        {"Timestamp": TIME, "Average": 0.1, "Unit": "None", "ExtendedStatistics": {"p50": 1.0, "p99": 2.5}},
        {"Timestamp": LATER, "Average": 3.0, "Unit": "None"},
    ],
}

STATISTICS_XML = (
    "<GetMetricStatisticsResult><Label>Depth</Label><Datapoints>"
    "<member><Timestamp>2026-11-23T09:56:06.250Z</Timestamp><Average>0.1</Average><Unit>None</Unit>"
    "<ExtendedStatistics><entry><key>p50</key><value>1.0</value></entry>"
    "<entry><key>p99</key><value>2.5</value></entry></ExtendedStatistics></member>"
    "<member><Timestamp>2026-11-23T10:00:00.000Z</Timestamp><Average>3.0</Average><Unit>None</Unit></member>"
    "</Datapoints></GetMetricStatisticsResult>"
)

NOTHING_XML = (
    "<DescribeAlarmsResult><CompositeAlarms></CompositeAlarms><MetricAlarms></MetricAlarms>"
    "<LogAlarms></LogAlarms></DescribeAlarmsResult>"
)

NOTHING = {"CompositeAlarms": [], "MetricAlarms": [], "LogAlarms": []}

# Operation, members, and the result in XML.
ANSWERS = [
    ("GetMetricStatistics", STATISTICS, STATISTICS_XML),
    ("DescribeAlarms", NOTHING, NOTHING_XML),
    ("TagResource", {}, "<TagResourceResult></TagResourceResult>"),
    ("SetAlarmState", None, ""),
]


def bodies(name, members, result):
    nothing = members is None
    return {
        "smithy-rpc-v2-cbor": b"" if nothing else cbor(members),
        "json": b"" if nothing else compact(members),
        "query": xml(name, result),
    }


def answer(model, protocol, name, members, body):
    parser = botocore.parsers.create_parser(protocol)
    headers = {"smithy-protocol": "rpc-v2-cbor"} if protocol == PROTOCOLS[0] else {}
    shape = model.operation_model(name).output_shape
    read = parser.parse({"status_code": 200, "headers": headers, "body": body}, shape)
    read.pop("ResponseMetadata")
    assert plain(read) == plain(members or {}), (protocol, name, read)
    return {
        "operation": name,
        "protocol": protocol,
        "output": plain(members or {}),
        "body": base64.b64encode(body).decode(),
    }


# Our code for it, the status, the type in JSON and CBOR, the code in XML.
ERRORS = [
    ("ResourceNotFound", 404, "com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound", "ResourceNotFound"),
    (
        "InvalidParameterCombination",
        400,
        "com.amazon.coral.service#InvalidParameterCombinationException",
        "InvalidParameterCombination",
    ),
    ("ValidationException", 400, "com.amazon.coral.validate#ValidationException", "ValidationError"),
    ("AccessDenied", 403, "com.amazon.coral.service#AccessDenied", "AccessDenied"),
    ("InternalServiceFault", 500, "com.amazonaws.cloudwatch.v2010_08_01#InternalServiceFault", "InternalServiceError"),
]


def error(model, protocol, code, status, type_name, query_code):
    fault = "Receiver" if status >= 500 else "Sender"
    members = {"__type": type_name, "message": "a < b"}
    namespace = "http://monitoring.amazonaws.com/doc/2010-08-01/"
    body = {
        "smithy-rpc-v2-cbor": cbor(members),
        "json": compact(members),
        "query": (
            f'<ErrorResponse xmlns="{namespace}"><Error><Type>{fault}</Type><Code>{query_code}</Code>'
            "<Message>a &lt; b</Message></Error><RequestId>id</RequestId></ErrorResponse>"
        ).encode(),
    }[protocol]
    headers = {"x-amzn-query-error": f"{query_code};{fault}", "smithy-protocol": "rpc-v2-cbor"}
    shape = model.operation_model("DeleteAlarms").output_shape
    read = botocore.parsers.create_parser(protocol).parse(
        {"status_code": status, "headers": headers, "body": body}, shape
    )
    found = read["Error"]
    assert (found["Code"], found["Message"]) == (query_code, "a < b"), (protocol, read)
    return {
        "protocol": protocol,
        "code": code,
        "status": status,
        "query_error": headers["x-amzn-query-error"],
        "body": base64.b64encode(body).decode(),
    }


def main():
    model = botocore.session.get_session().get_service_model("cloudwatch")
    recording = {
        "botocore": botocore.__version__,
        "requests": [request(model, protocol, name, members) for name, members in REQUESTS for protocol in PROTOCOLS],
        "answers": [
            answer(model, protocol, name, members, bodies(name, members, result)[protocol])
            for name, members, result in ANSWERS
            for protocol in PROTOCOLS
        ],
        "errors": [error(model, protocol, *row) for row in ERRORS for protocol in PROTOCOLS],
    }
    path = pathlib.Path(__file__).with_name("cloudwatch.json")
    path.write_text(json.dumps(recording, indent=1, ensure_ascii=False) + "\n")


main()
