"""`tidegate/onnx`: real models behind real endpoints, their numbers next to ONNX Runtime's."""

import io
import json
import zipfile

import numpy
import onnxruntime
import pytest

from harness import archives
from harness.hosting import error_of, variant
from harness.server import ROOT

DEMO = ROOT / "demo" / "model" / "model.onnx"
WHEELS = ROOT / "target" / "real-models"

# Two engines add the same numbers up in another order.
TOLERANCE = 1e-4


def from_wheel(package, inside):
    """A model out of a package's wheel, which `scripts/venv.sh` fetches and nothing installs."""
    (wheel,) = WHEELS.glob(f"{package}-*.whl")
    return zipfile.ZipFile(wheel).read(inside)


def magika():
    return from_wheel("magika", "magika/models/standard_v3_3/model.onnx")


def silero_vad():
    return from_wheel("silero_vad", "silero_vad/data/silero_vad.onnx")


@pytest.fixture(scope="module")
def host(hosting, server):
    """Makes an endpoint of a model's bytes; each model is hosted once."""
    hosted = {}

    def endpoint(name, onnx):
        if name not in hosted:
            key = f"{name}/model.tar.gz"
            server.client("s3").put_object(Bucket="models", Key=key, Body=archives.tar_gz({"model.onnx": onnx}))
            model = hosting.model(image="tidegate/onnx:latest", data=f"s3://models/{key}")
            hosted[name] = hosting.endpoint(hosting.config(variant(model)), name=name)
        return hosted[name]

    return endpoint


@pytest.fixture(scope="module")
def demo(host):
    return host("demo", DEMO.read_bytes())


def levels(rows=3):
    """Water levels as the demo model expects them: 24 hours a row."""
    hours = numpy.arange(24, dtype=numpy.float32)
    return numpy.stack([numpy.sin(hours / 2 + row) for row in range(rows)]).astype(numpy.float32)


def expected(onnx, **inputs):
    return onnxruntime.InferenceSession(onnx).run(None, inputs)


def ask(runtime, endpoint, body, content_type, accept=None):
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, Body=body, ContentType=content_type, Accept=accept or content_type
    )
    return answer["ContentType"], answer["Body"].read()


DATATYPES = {"float32": "FP32", "int64": "INT64", "int32": "INT32"}


def inference_request(flat=True, **inputs):
    """A request of the Open Inference Protocol v2."""
    made = [
        {
            "name": name,
            "shape": list(value.shape),
            "datatype": DATATYPES[str(value.dtype)],
            "data": value.ravel().tolist() if flat else value.tolist(),
        }
        for name, value in inputs.items()
    ]
    return json.dumps({"id": "request-1", "inputs": made})


def inference(runtime, endpoint, flat=True, **inputs):
    _, body = ask(runtime, endpoint, inference_request(flat, **inputs), "application/json")
    answer = json.loads(body)
    assert answer["id"] == "request-1"
    return {
        one["name"]: numpy.array(one["data"], dtype=numpy.float32).reshape(one["shape"]) for one in answer["outputs"]
    }


def test_the_demo_model_speaks_the_open_inference_protocol(runtime, demo):
    (forecast,) = expected(DEMO.read_bytes(), levels=levels())
    for flat in (True, False):
        answered = inference(runtime, demo, flat, levels=levels())
        numpy.testing.assert_allclose(answered["forecast"], forecast, atol=TOLERANCE)


def test_the_demo_model_speaks_tf_servings_rows(runtime, demo):
    (forecast,) = expected(DEMO.read_bytes(), levels=levels())
    kind, body = ask(runtime, demo, json.dumps({"instances": levels().tolist()}), "application/json")
    assert kind.startswith("application/json")
    numpy.testing.assert_allclose(json.loads(body)["predictions"], forecast, atol=TOLERANCE)


def test_the_demo_model_speaks_csv(runtime, demo):
    (forecast,) = expected(DEMO.read_bytes(), levels=levels())
    text = "\n".join(",".join(repr(float(value)) for value in row) for row in levels())
    kind, body = ask(runtime, demo, text, "text/csv")
    assert kind.startswith("text/csv")
    answered = numpy.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2)
    numpy.testing.assert_allclose(answered, forecast, atol=TOLERANCE)


def as_npy(array):
    made = io.BytesIO()
    numpy.save(made, array)
    return made.getvalue()


def test_the_demo_model_speaks_npy(runtime, demo):
    (forecast,) = expected(DEMO.read_bytes(), levels=levels())
    kind, body = ask(runtime, demo, as_npy(levels()), "application/x-npy")
    assert kind.startswith("application/x-npy")
    answered = numpy.load(io.BytesIO(body))
    assert answered.dtype == numpy.float32
    numpy.testing.assert_allclose(answered, forecast, atol=TOLERANCE)


@pytest.mark.parametrize("accept", ["text/csv", "application/x-npy", "application/json"])
def test_the_answer_comes_in_the_type_that_is_accepted(runtime, demo, accept):
    (forecast,) = expected(DEMO.read_bytes(), levels=levels())
    kind, body = ask(runtime, demo, as_npy(levels()), "application/x-npy", accept)
    assert kind.startswith(accept)
    if accept == "text/csv":
        answered = numpy.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2)
    elif accept == "application/x-npy":
        answered = numpy.load(io.BytesIO(body))
    else:
        (output,) = json.loads(body)["outputs"]
        answered = numpy.array(output["data"]).reshape(output["shape"])
    numpy.testing.assert_allclose(answered, forecast, atol=TOLERANCE)


@pytest.mark.parametrize("rows", [1, 2, 17])
def test_a_batch_may_have_any_size(runtime, demo, rows):
    (forecast,) = expected(DEMO.read_bytes(), levels=levels(rows))
    numpy.testing.assert_allclose(inference(runtime, demo, levels=levels(rows))["forecast"], forecast, atol=TOLERANCE)


def test_magika_answers_as_under_onnx_runtime(runtime, host):
    random = numpy.random.default_rng(7)
    given = random.integers(0, 257, size=(4, 2048), dtype=numpy.int32)
    (scores,) = expected(magika(), bytes=given)
    answered = inference(runtime, host("magika", magika()), bytes=given)["target_label"]
    numpy.testing.assert_allclose(answered, scores, atol=TOLERANCE)
    assert (answered.argmax(axis=1) == scores.argmax(axis=1)).all()


@pytest.mark.parametrize(("rate", "window", "batch"), [(16000, 576, 1), (16000, 576, 3), (8000, 288, 1)])
def test_silero_vad_answers_as_under_onnx_runtime(runtime, host, rate, window, batch):
    """Three inputs, one of them a scalar, and a state that the caller hands on from window to window."""
    random = numpy.random.default_rng(rate + batch)
    endpoint = host("silero-vad", silero_vad())
    ours = theirs = numpy.zeros((2, batch, 128), dtype=numpy.float32)
    sr = numpy.array(rate, dtype=numpy.int64)
    for _ in range(4):
        sound = (random.standard_normal((batch, window)) * 0.3).astype(numpy.float32)
        speech, theirs = expected(silero_vad(), input=sound, state=theirs, sr=sr)
        answered = inference(runtime, endpoint, input=sound, state=ours, sr=sr)
        ours = answered["stateN"]
        numpy.testing.assert_allclose(answered["output"], speech, atol=TOLERANCE)
        numpy.testing.assert_allclose(ours, theirs, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("body", "content_type", "named"),
    [
        (b"{", "application/json", ""),
        (b"[]", "application/json", ""),
        (json.dumps({"instances": [[1.0] * 23]}), "application/json", "24"),
        (json.dumps({"instances": [[1.0] * 24, [1.0] * 23]}), "application/json", ""),
        (json.dumps({"instances": [["high"] * 24]}), "application/json", "levels"),
        (inference_request(level=levels()), "application/json", "levels"),
        (inference_request(levels=levels().astype(numpy.int64)[:, :7]), "application/json", "levels"),
        (
            json.dumps({"inputs": [{"name": "levels", "shape": [1, 24], "datatype": "FP32", "data": [1]}]}),
            "application/json",
            "levels",
        ),
        (
            json.dumps({"inputs": [{"name": "levels", "shape": [2**40, 24], "datatype": "FP32", "data": [1]}]}),
            "application/json",
            "levels",
        ),
        (b"1,2,3", "text/csv", "24"),
        (b"1,2,three", "text/csv", "three"),
        (b"\x93NUMPY\x01\x00", "application/x-npy", ""),
        (as_npy(levels())[:-4], "application/x-npy", ""),
        (b"high water", "application/pdf", "application/pdf"),
    ],
)
def test_a_bad_request_says_what_the_model_expects(runtime, demo, body, content_type, named):
    with pytest.raises(runtime.exceptions.ModelError) as refused:
        runtime.invoke_endpoint(EndpointName=demo, Body=body, ContentType=content_type)
    response = refused.value.response
    assert 400 <= response["OriginalStatusCode"] < 500
    assert named in json.loads(response["OriginalMessage"])["error"]
    # And the model server goes on.
    assert ask(runtime, demo, as_npy(levels()), "application/x-npy")


def test_an_answer_in_a_type_nobody_speaks_is_refused(runtime, demo):
    code, text, status = error_of(
        runtime.invoke_endpoint,
        EndpointName=demo,
        Body=as_npy(levels()),
        ContentType="application/x-npy",
        Accept="image/png",
    )
    assert (code, status) == ("ModelError", 424)
    assert "image/png" in text
