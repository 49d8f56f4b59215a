"""`tidegate/onnx` with models and requests that a seed has damaged: an error that says why, and never a crash.

Bounded and the same in every run; a failure prints the case's number, from which `damaged` makes it again.
"""

import concurrent.futures
import io
import json
import pathlib
import random

import numpy
import pytest
from botocore.exceptions import ClientError

from harness import archives, processes, signed
from harness.hosting import eventually, variant
from harness.mutate import mutate, mutate_tree
from harness.server import ROOT

DEMO = (ROOT / "demo" / "model" / "model.onnx").read_bytes()
SEED = 17
MODELS = 40
REQUESTS = 600
# Requests on their way at once: boto3 takes longer over one than the server.
CLIENTS = 4


@pytest.fixture(scope="module")
def server_config():
    return f"[limits]\ninstances = {MODELS + 10}\n"


# -- requests ------------------------------------------------------------------------------------------------------

LEVELS = numpy.sin(numpy.arange(48, dtype=numpy.float32)).reshape(2, 24)


def npy(array):
    made = io.BytesIO()
    numpy.save(made, array)
    return made.getvalue()


def inference(array):
    one = {"name": "levels", "shape": list(array.shape), "datatype": "FP32", "data": array.ravel().tolist()}
    return {"id": "1", "inputs": [one], "outputs": [{"name": "forecast"}]}


JSON_TOKENS = [
    b"null", b"true", b"{}", b"[]", b"[[", b"]]", b'""', b"-1", b"1e999", b"-0", b"NaN", b"0.1e-400",
    b"18446744073709551616", b"9223372036854775807", b"\\ud800", b"\\u0000", b"\xff", b"," * 50, b"[" * 4096,
    b'"INT64"', b'"BOOL"', b'"BYTES"', b'"FP64"', b'"data":', b'"shape":[', b'"inputs":[', b'"instances":[',
    b"1099511627776,",
]  # fmt: skip
CSV_TOKENS = [
    b",",
    b"\n",
    b"\r\n",
    b"\r",
    b'"',
    b"nan",
    b"inf",
    b"-",
    b"1e999",
    b"\x00",
    b"\xff\xfe",
    b",,",
    b"\n\n",
    b" ",
]
NPY_TOKENS = [
    b"\x93NUMPY\x02\x00", b"'<f8'", b"'>f4'", b"'|O'", b"'<U9'", b"'|b1'", b"True", b"(2,)", b"()", b"(0,)",
    b"(-1, 24)",
    b"(99999999999999999999,)", b"(4294967296, 4294967296)", b"{", b"}", b"\n", b"\xff\xff\xff\xff",
]  # fmt: skip

# What stands in a tree of JSON where something else is wanted.
JSON_LEAVES = [
    None, True, -1, 0, 1, 2, 3, 24, 48, 0.5, 2**31, 2**40, 2**63, 2**64, 1e300, "", "levels", "forecast", "FP32",
    "FP64", "INT64", "UINT8", "BOOL", "BYTES", "24", "x" * 5000, [], {}, [[]], [0, 24], [24], [2, 24, 1],
    [2**32, 2**32], [0.5] * 24,
]  # fmt: skip

TREES = {"inference protocol": inference(LEVELS), "rows": {"instances": LEVELS.tolist()}}
FORMATS = {
    "inference protocol": ("application/json", json.dumps(TREES["inference protocol"]).encode(), JSON_TOKENS),
    "rows": ("application/json", json.dumps(TREES["rows"]).encode(), JSON_TOKENS),
    "csv": ("text/csv", "\n".join(",".join(map(str, row)) for row in LEVELS.tolist()).encode(), CSV_TOKENS),
    "npy": ("application/x-npy", npy(LEVELS), NPY_TOKENS),
}


def damaged(kind, number):
    """The body of one case: of JSON, every other one is still JSON."""
    chance = random.Random(f"{SEED}/{kind}/{number}")
    if kind in TREES and number % 2:
        return json.dumps(mutate_tree(chance, TREES[kind], JSON_LEAVES)).encode()
    _, body, tokens = FORMATS[kind]
    return mutate(chance, body, tokens)


def instances(server):
    return [pid for pid in processes.of(server.data_dir) if pid != server.pid]


def put_model(hosting, server, key, onnx):
    server.client("s3").put_object(Bucket="models", Key=key, Body=archives.tar_gz({"model.onnx": onnx}))
    return hosting.config(variant(hosting.model(image="tidegate/onnx:1", data=f"s3://models/{key}")))


@pytest.fixture(scope="module")
def demo(hosting, server):
    return hosting.endpoint(put_model(hosting, server, "demo.tar.gz", DEMO), name="demo")


def complaint(hosting, endpoint, body, content_type):
    """What is wrong with how the server took this; `None` if nothing is."""
    try:
        hosting.invoke(endpoint, body, ContentType=content_type)
    except ClientError as refused:
        response = refused.response
        if response["Error"]["Code"] != "ModelError" or not 400 <= response["OriginalStatusCode"] < 500:
            return repr(response)
        try:
            return None if json.loads(response["OriginalMessage"])["error"] else "an empty error"
        except (ValueError, KeyError, TypeError):
            return f"an error of another form: {response['OriginalMessage']!r}"
    return None


@pytest.mark.parametrize("kind", FORMATS)
def test_a_damaged_request_is_the_clients_error(hosting, server, demo, kind):
    content_type, good, _ = FORMATS[kind]
    assert complaint(hosting, demo, good, content_type) is None
    before = instances(server)

    def case(number):
        body = damaged(kind, number)
        wrong = complaint(hosting, demo, body, content_type)
        return wrong and f"case {number}, {body[:200]!r}: {wrong}"

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
        wrong = [found for found in clients.map(case, range(REQUESTS)) if found]
    assert wrong == []
    assert instances(server) == before, "the model server was started again"
    assert hosting.invoke(demo, npy(LEVELS), ContentType="application/x-npy")


@pytest.mark.parametrize("service", ["control plane", "endpoint"])
def test_a_request_of_100_mb_is_refused(hosting, server, demo, service):
    """By its length, before anyone has made room for it."""
    before, body = instances(server), b" " * 100_000_000
    if service == "endpoint":
        path = f"/endpoints/{demo}/invocations"
        answer = signed.send(server, "POST", path, body, signed.headers_for(server, "POST", path, body))
        assert answer.code == "ValidationError", answer
    else:
        answer = signed.control(server, "ListModels", body)
    assert 400 <= answer.status < 500, answer
    assert answer.code
    assert memory_bytes(server.pid) < 100_000_000
    assert instances(server) == before


def memory_bytes(pid):
    """What a process held in memory at most."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    (peak,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peak) * 1024


# -- models --------------------------------------------------------------------------------------------------------

# Field heads and numbers of protocol buffers, and names of operators that the engine has.
MODEL_TOKENS = [
    b"\xff" * 9 + b"\x01", b"\x80" * 10, b"\x0a\xff\xff\xff\xff\x0f", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x3a\x00", b"Gather", b"Reshape", b"Loop", b"If", b"ConstantOfShape", b"Resize", b"LSTM", b"\x12\x00",
    b"\x0b", b"\x0c",
]  # fmt: skip


def damaged_model(number):
    return mutate(random.Random(f"{SEED}/model/{number}"), DEMO, MODEL_TOKENS)


def test_a_damaged_model_fails_or_serves(hosting, server):
    """One that still loads must answer, with numbers or with an error of the model."""
    before = instances(server)
    names = {}
    for number in range(MODELS):
        config = put_model(hosting, server, f"damaged-{number}.tar.gz", damaged_model(number))
        names[hosting.begin(config, name=f"damaged-{number}")] = number
    wrong, serving = [], []
    for name in names:
        seen = hosting.settled(name)
        reason = seen.get("FailureReason", "")
        if seen["EndpointStatus"] == "InService":
            serving.append(name)
        elif "model.onnx" not in reason or "exit status 1" not in reason:
            wrong.append(f"{name}: {reason}")
    assert wrong == []
    # Neither side of the test may be empty.
    assert 0 < len(serving) < MODELS
    while_serving = instances(server)
    for name in serving:
        for rows in (1, 3):
            body = npy(numpy.ones((rows, 24), dtype=numpy.float32))
            try:
                hosting.invoke(name, body, ContentType="application/x-npy")
            except ClientError as refused:
                response = refused.response
                if response["Error"]["Code"] != "ModelError" or response["OriginalStatusCode"] == 0:
                    wrong.append(f"{name}: {response}")
    assert wrong == []
    assert instances(server) == while_serving, "a model server crashed on a request"
    for name in names:
        hosting.sagemaker.delete_endpoint(EndpointName=name)
    eventually(lambda: instances(server) == before, 30)
