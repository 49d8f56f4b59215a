"""The judge on texts that AWS is known to have sent, and on near misses.

The texts: reference/sagemaker-hosting.md, sections 0 and 1.1.
"""

import json

import cbor2
import pytest

from . import judge, models, oracle, patterns, speech
from .cases import Accepted, Case, Invalid, Refused
from .sending import Answer

MODEL = models.every()["sagemaker"]
OPERATIONS = {one.name: one for one in MODEL.operations}
HEADERS = {"content-type": MODEL.content_type, "x-amzn-requestid": "r"}


def judged(operation, sent, message, code="ValidationException", status=400, headers=None):
    """What the judge says of this answer to this input."""
    found = oracle.violations(OPERATIONS[operation].input, sent)
    request = speech.json_request(MODEL, operation, speech.as_json(sent))
    expected = Invalid(tuple(found)) if found else Accepted()
    case = Case(MODEL, operation, "", "", request, expected, OPERATIONS[operation], sent)
    body = json.dumps({"__type": code, "message": message}).encode()
    return judge.problem(case, Answer(status, HEADERS | (headers or {}), body))


ONE = "1 validation error detected: Value {} failed to satisfy constraint: Member must {}"
NAME = ONE.format(
    "'x.y-model' at 'modelName'", "satisfy regular expression pattern: ^[a-zA-Z0-9]([\\-a-zA-Z0-9]*[a-zA-Z0-9])?"
)
TWO = (
    "2 validation errors detected: Value 'x.y' at 'endpointName' failed to satisfy constraint: Member must satisfy "
    "regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}; Value null at 'endpointConfigName' failed to "
    "satisfy constraint: Member must not be null"
)


def test_what_aws_has_sent_is_right():
    variant = {"VariantName": "v", "InstanceType": "ml.t3.medium"}
    config = {"EndpointConfigName": "c", "ProductionVariants": [variant]}
    types = OPERATIONS["CreateEndpointConfig"].input.member("ProductionVariants").shape.element.member("InstanceType")
    values = f"satisfy enum value set: [{', '.join(reversed(types.shape.enum))}]"
    instance_type = ONE.format("'ml.t3.medium' at 'productionVariants.1.member.instanceType'", values)
    assert judged("CreateModel", {"ModelName": "x.y-model"}, NAME) is None
    assert judged("CreateModel", {}, ONE.format("null at 'modelName'", "not be null")) is None
    assert judged("CreateEndpointConfig", config, instance_type) is None
    assert judged("CreateEndpoint", {"EndpointName": "x.y"}, TWO) is None
    keys = {"ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:model/m", "TagKeys": ["ok", ""]}
    rules = (
        "satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than "
        "or equal to 1, Member must satisfy regular expression pattern: ([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)]"
    )
    assert judged("DeleteTags", keys, ONE.format("'[ok, ]' at 'tagKeys'", rules)) is None
    model = {"ModelName": "m", "PrimaryContainer": {"Environment": {"K": "v" * 1025}}}
    rules = (
        "Map value must satisfy constraint: [Member must have length less than or equal to 1024, Member must have "
        "length greater than or equal to 0, Member must satisfy regular expression pattern: [\\S\\s]*]"
    )
    shown = f"Value '{{K={'v' * 1025}}}' at 'primaryContainer.environment' failed to satisfy constraint: {rules}"
    assert judged("CreateModel", model, f"1 validation error detected: {shown}") is None
    assert judged("DescribeModel", {"ModelName": "m"}, 'Could not find model "arn:aws:sagemaker:…:model/m".') is None


@pytest.mark.parametrize(
    "change",
    [
        {"message": NAME.replace("modelName", "ModelName")},
        {"message": NAME.replace("x.y-model", "x.y")},
        {"message": NAME.replace("'x.y-model'", "null")},
        {"message": NAME.replace("[\\-a", "[a")},
        {"message": NAME.replace("1 validation", "2 validation")},
        {"message": NAME.replace("error", "errors")},
        {"message": NAME + "; Value null at 'tags' failed to satisfy constraint: Member must not be null"},
        {"message": ONE.format("'x.y-model' at 'modelName'", "have length less than or equal to 63")},
        {"message": 'Could not find model "x.y-model".'},
        {"code": "SerializationException"},
        {"code": "com.amazon.coral#ValidationException"},
        {"status": 404},
        {"status": 200},
        {"status": 500},
        {"headers": {"content-type": "text/html"}},
    ],
    ids=str,
)
def test_anything_else_is_wrong(change):
    assert judged("CreateModel", {"ModelName": "x.y-model"}, **({"message": NAME} | change))


def test_a_violation_left_out_is_wrong():
    first = TWO.replace("2 validation errors", "1 validation error").split("; ")[0]
    assert "left out: wanted null at 'endpointConfigName'" in judged("CreateEndpoint", {"EndpointName": "x.y"}, first)


def test_a_good_input_is_not_refused_by_the_model():
    assert judged("CreateModel", {"ModelName": "m"}, NAME)
    assert judged("CreateModel", {"ModelName": "m"}, "a reason of its own", code="SerializationException")


def test_a_code_and_a_wording_are_both_checked():
    request = speech.json_request(MODEL, "DescribeModel", b"7")
    expected = Refused(("SerializationException",), (r"Expected null",))
    case = Case(MODEL, "DescribeModel", "", "", request, expected, OPERATIONS["DescribeModel"])

    def of(code, message):
        body = json.dumps({"__type": code, "message": message}).encode()
        return judge.problem(case, Answer(400, HEADERS, body))

    assert of("SerializationException", "Expected null") is None
    assert of("SerializationException", "Expected null, but not this")
    assert of("ValidationException", "Expected null")


@pytest.mark.parametrize(
    ("java", "good", "bad"),
    [
        (r".*", ["", "a b"], ["a\n", "a\rb", "a\u2028b"]),
        (r"[\S]+", ["a\u00a0b"], ["", "a b", "a\tb"]),
        (r"\A\S[\p{Print}]*\z", ["a b"], [" a", "é\u0080", "a\tb"]),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", ["é ١", ""], ["a\n", "a!"]),
        (r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*", ["a-b"], ["a-", "-a", "a\n"]),
        (
            r"arn:\d{12}",
            ["arn:000000000000"],
            ["arn:\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660"],
        ),
        (r"(?!\s*$).+", ["a"], [" ", "   ", ""]),
    ],
)
def test_patterns_are_read_as_java_reads_them(java, good, bad):
    assert [text for text in good if not patterns.matches(java, text)] == []
    assert [text for text in bad if patterns.matches(java, text)] == []


# -- the other protocols (reference/autoscaling-and-cloudwatch.md, sections 6.1 and 6.3) ----------------------------

STATE = (
    "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must satisfy "
    "enum value set: [INSUFFICIENT_DATA, ALARM, OK]"
)
SENT = {"AlarmName": "a", "StateValue": "INVALID", "StateReason": "r"}
CODES = {"json": "com.amazon.coral.validate#ValidationException", "query": "ValidationError"}


def watched(protocol, operation, sent, status, code, message, **changes):
    """What the judge says of this answer over a protocol of CloudWatch's; `changes` are made to its headers."""
    model = models.every()[f"cloudwatch {protocol}"]
    (found,) = [one for one in model.operations if one.name == operation]
    wrong = oracle.violations(found.input, sent)
    expected = Invalid(tuple(wrong)) if wrong else Accepted()
    case = Case(model, operation, "", "", speech.of(model).request(model, found, sent), expected, found, sent)
    headers = {"x-amzn-requestid": "r", "x-amzn-query-error": "ValidationError;Sender"}
    body = {"__type": code} | ({"message": message} if message else {})
    match protocol:
        case "json":
            headers["content-type"], raw = "application/x-amz-json-1.0", json.dumps(body).encode()
        case "smithy-rpc-v2-cbor":
            headers |= {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
            raw = cbor2.dumps(body)
        case "query":
            headers["content-type"] = "text/xml"
            raw = (
                f'<ErrorResponse xmlns="{model.namespace}"><Error><Type>Sender</Type><Code>{code}</Code>'
                f"<Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
            ).encode()
    return judge.problem(case, Answer(status, headers | changes, raw))


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor", "query"])
def test_each_protocol_has_an_envelope_of_its_own(protocol):
    code = CODES.get(protocol, CODES["json"])
    other = CODES["json" if protocol == "query" else "query"]
    assert watched(protocol, "SetAlarmState", SENT, 400, code, STATE) is None
    assert watched(protocol, "SetAlarmState", SENT, 400, other, STATE)
    assert watched(protocol, "SetAlarmState", SENT, 400, code, STATE.replace("ALARM, OK", "OK"))
    assert watched(protocol, "SetAlarmState", SENT, 404, code, STATE)
    assert watched(protocol, "SetAlarmState", SENT, 400, code, STATE, **{"content-type": "application/json"})
    if protocol != "query":
        assert watched(protocol, "SetAlarmState", SENT, 400, code, STATE, **{"x-amzn-query-error": ""})


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor", "query"])
def test_an_error_of_the_model_has_the_status_of_the_model(protocol):
    sent = SENT | {"StateValue": "OK"}
    code = "ResourceNotFound" if protocol == "query" else "com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFound"
    assert watched(protocol, "SetAlarmState", sent, 404, code, "") is None
    assert watched(protocol, "SetAlarmState", sent, 400, code, "")


def test_an_answer_in_xml_must_keep_the_model():
    model = models.every()["cloudwatch query"]
    (operation,) = [one for one in model.operations if one.name == "ListMetrics"]
    request = speech.Query.request(model, operation, {})
    case = Case(model, "ListMetrics", "", "", request, Accepted(), operation, {})
    good = (
        f'<ListMetricsResponse xmlns="{model.namespace}"><ListMetricsResult><Metrics><member><Namespace>N</Namespace>'
        "<MetricName>m</MetricName><Dimensions/></member></Metrics></ListMetricsResult>"
        "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></ListMetricsResponse>"
    )
    headers = {"content-type": "text/xml", "x-amzn-requestid": "r"}
    assert judge.problem(case, Answer(200, headers, good.encode())) is None
    for before, after in (
        ("ListMetricsResult>", "Result>"),
        ("member>", "Metric>"),
        ("MetricName>", "Name>"),
        ("<Namespace>N<", "<Namespace>:N<"),
        ("<RequestId>r</RequestId>", ""),
        ("2010-08-01", "2009-05-15"),
    ):
        assert judge.problem(case, Answer(200, headers, good.replace(before, after).encode())), after


def test_forms_say_what_botocore_says():
    model = models.every()["cloudwatch query"]
    (operation,) = [one for one in model.operations if one.name == "PutMetricAlarm"]
    sent = {
        "AlarmName": "a b",
        "Threshold": 0.5,
        "ActionsEnabled": True,
        "Dimensions": [{"Name": "n", "Value": "v"}],
        "OKActions": [],
    }
    form = speech.Query.form(model, operation, sent)
    assert form == {
        "Action": "PutMetricAlarm",
        "Version": "2010-08-01",
        "AlarmName": "a b",
        "Threshold": "0.5",
        "ActionsEnabled": "true",
        "Dimensions.member.1.Name": "n",
        "Dimensions.member.1.Value": "v",
        "OKActions": "",
    }
