"""Compares `tidegate/onnx` with ONNX Runtime on real models, and checks the process around it.

Run by pytest with this file's name. Told by the environment:
  TIDEGATE_MODEL_SERVER  command that starts the ONNX model server, e.g. "target/debug/examples/model_server onnx"
  TIDEGATE_WHEELS        folder with the wheels of magika and silero-vad, fetched with `pip download --no-deps`
Needs numpy, onnxruntime and pytest. The wheels are only read, never installed.
"""

import contextlib
import http.client
import io
import json
import os
import pathlib
import shlex
import signal
import socket
import stat
import subprocess
import tempfile
import time
import wave
import zipfile

import numpy
import onnxruntime
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
COMMAND = shlex.split(os.environ["TIDEGATE_MODEL_SERVER"])
WHEELS = pathlib.Path(os.environ["TIDEGATE_WHEELS"])

# Both engines compute in 32-bit floats, in different orders.
TOLERANCE = 1e-4
START_MAX_SECS = 60
STOP_MAX_SECS = 30

DATATYPES = {
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(int64)": "INT64",
    "tensor(int32)": "INT32",
    "tensor(bool)": "BOOL",
}
NAMES = {"float32": "FP32", "float64": "FP64", "int64": "INT64", "int32": "INT32", "bool": "BOOL"}


def models_in(wheel):
    """Every ONNX model in a wheel, by its path there."""
    (path,) = WHEELS.glob(f"{wheel}-*.whl")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith(".onnx")}


def model_named(wheel, name):
    (model,) = [data for path, data in models_in(wheel).items() if path.endswith("/" + name)]
    return model


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("model-server", timeout=START_MAX_SECS)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Server:
    """A running model server on a socket of its own."""

    def __init__(self, folder, model):
        self.socket = os.path.join(folder, "socket")
        pathlib.Path(folder, "model.onnx").write_bytes(model)
        environment = {"SM_MODEL_DIR": folder, "TIDEGATE_BIND_TO_SOCKET": self.socket}
        self.process = subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True)

    def wait_until_ready(self):
        deadline = time.monotonic() + START_MAX_SECS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.stderr.read()
            with contextlib.suppress(OSError):
                if self.call("GET", "/ping")[0] == 200:
                    return self
            time.sleep(0.02)
        raise AssertionError("not ready in time")

    def call(self, method, path, body=None, headers=None):
        connection = UnixConnection(self.socket)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type"), answer.read()
        finally:
            connection.close()

    def json(self, body):
        status, content_type, answer = self.call(
            "POST", "/invocations", json.dumps(body), {"Content-Type": "application/json"}
        )
        assert status == 200, answer
        assert content_type == "application/json"
        return json.loads(answer)

    def infer(self, inputs):
        """Runs named arrays through the Open Inference Protocol; gives named arrays."""
        tensors = [
            {
                "name": name,
                "shape": list(array.shape),
                "datatype": NAMES[array.dtype.name],
                "data": array.ravel().tolist(),
            }
            for name, array in inputs.items()
        ]
        return {
            output["name"]: numpy.array(output["data"], dtype="float32").reshape(output["shape"])
            for output in self.json({"inputs": tensors})["outputs"]
        }

    def metadata(self):
        return json.loads(self.call("GET", "/v2/models/model")[2])


@contextlib.contextmanager
def serving(model):
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder, model)
        try:
            yield server.wait_until_ready()
        finally:
            server.process.kill()
            server.process.wait()
            server.process.stderr.close()


def reference(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def expect(session, inputs):
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def assert_close(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].shape == array.shape, name
        numpy.testing.assert_allclose(found[name], array, rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)


def array_file(array):
    file = io.BytesIO()
    numpy.save(file, array)
    return file.getvalue()


def samples():
    """Contents that magika is sure of. On near-empty ones ONNX Runtime itself is 3e-3 away from a computation in 64-bit
    floats (the model takes a variance as the difference of two large sums), and so nothing to compare with."""
    numbers = [{"id": index, "name": f"item {index}", "price": index / 8} for index in range(400)]
    page = "".join(f"<tr><td>{row['id']}</td><td>{row['name']}</td></tr>\n" for row in numbers)
    program = "import math\n"
    for row in numbers:
        program += f'\n\ndef area_{row["id"]}(radius):\n    """The area of a circle."""\n'
        program += f"    return {row['price']} * math.pi * radius**2\n"
    tone = (8000 * numpy.sin(numpy.arange(4000) / 9)).astype("<i2").tobytes()
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", "not compressed"))
        file.writeframes(tone)
    return [
        program.encode(),
        json.dumps(numbers, indent=1).encode(),
        f"<!doctype html>\n<html><head><title>t</title></head><body><table>\n{page}</table></body></html>".encode(),
        sound.getvalue(),
    ]


def magika_inputs(count):
    """What magika feeds its model: the first and the last 1024 bytes of a file."""
    contents = samples()
    chosen = [contents[index % len(contents)] for index in range(count)]
    return numpy.array([[*data[:1024], *data[-1024:]] for data in chosen], dtype="int32")


@pytest.fixture(scope="module")
def magika():
    model = model_named("magika", "model.onnx")
    with serving(model) as server:
        yield server, reference(model)


@pytest.mark.parametrize("count", [1, 4, 17])
def test_magika_by_protocol(magika, count):
    server, session = magika
    inputs = {"bytes": magika_inputs(count)}
    expected = expect(session, inputs)
    assert expected["target_label"].max(axis=1).min() > 0.9, "magika must be sure of every sample"
    assert_close(server.infer(inputs), expected)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_magika_by_array_file(magika, dtype):
    server, session = magika
    rows = magika_inputs(4)
    status, content_type, answer = server.call(
        "POST", "/invocations", array_file(rows.astype(dtype)), {"Content-Type": "application/x-npy"}
    )
    assert (status, content_type) == (200, "application/x-npy"), answer
    found = numpy.load(io.BytesIO(answer))
    assert found.dtype == "float32"
    assert_close({"target_label": found}, expect(session, {"bytes": rows}))


def test_magika_by_csv_and_rows(magika):
    server, session = magika
    rows = magika_inputs(3)
    expected = expect(session, {"bytes": rows})
    text = "\n".join(",".join(map(str, row)) for row in rows)
    status, content_type, answer = server.call("POST", "/invocations", text, {"Content-Type": "text/csv"})
    assert (status, content_type) == (200, "text/csv"), answer
    found = numpy.loadtxt(io.StringIO(answer.decode()), delimiter=",", dtype="float32")
    assert_close({"target_label": found}, expected)
    found = server.json({"instances": rows.tolist()})["predictions"]
    assert_close({"target_label": numpy.array(found, dtype="float32")}, expected)


def voice(count, samples, rate):
    """Something like speech: harmonics of a gliding pitch, in syllables, over noise."""
    random = numpy.random.default_rng(samples)
    time_secs = numpy.arange(samples) / rate
    pitch = 2 * numpy.pi * numpy.cumsum(120 + 40 * numpy.sin(5 * time_secs)) / rate
    tone = sum(numpy.sin(k * pitch) / k for k in range(1, 20)) * (numpy.sin(8 * time_secs) > 0)
    levels = numpy.linspace(0.05, 0.4, count)[:, None]
    return (levels * tone + 0.01 * random.standard_normal((count, samples))).astype("float32")


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("silero_vad.onnx", 16000),
        ("silero_vad.onnx", 8000),
        ("silero_vad_16k_op15.onnx", 16000),
        ("silero_vad_op18_ifless.onnx", 16000),
        ("silero_vad_op18_ifless.onnx", 8000),
    ],
)
def test_silero_vad_with_its_state_fed_back(name, rate):
    chunk, context = rate * 32 // 1000, rate * 4 // 1000
    model = model_named("silero_vad", name)
    session = reference(model)
    with serving(model) as server:
        for count in (1, 3):
            audio = voice(count, 20 * chunk, rate)
            state = {"found": numpy.zeros((2, count, 128), "float32")}
            state["expected"] = state["found"]
            padded = numpy.pad(audio, ((0, 0), (context, 0)))
            for start in range(0, audio.shape[1], chunk):
                window = padded[:, start : start + chunk + context]
                inputs = {"input": window, "sr": numpy.array(rate, "int64")}
                found = server.infer(inputs | {"state": state["found"]})
                expected = expect(session, inputs | {"state": state["expected"]})
                assert_close(found, expected)
                state = {"found": found["stateN"], "expected": expected["stateN"]}


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("silero_vad_half.onnx", {"input": (2, 576), "state": (2, 2, 128)}),
        ("silero_vad_openvino_16k.onnx", {"input": (1, 576), "state": (2, 1, 128)}),
        ("silero_vad_16k_sequence.onnx", {"input": (9, 576), "h": (1, 1, 128), "c": (1, 1, 128)}),
    ],
)
def test_silero_vad_in_its_other_forms(name, shapes):
    model = model_named("silero_vad", name)
    inputs = {key: voice(1, int(numpy.prod(shape)), 16000).reshape(shape) for key, shape in shapes.items()}
    with serving(model) as server:
        assert_close(server.infer(inputs), expect(reference(model), inputs))


def test_the_demo_model():
    model = (ROOT / "demo/model/model.onnx").read_bytes()
    request = json.loads((ROOT / "demo/first_request.json").read_text())
    (given,) = request["inputs"]
    levels = numpy.array(given["data"], "float32").reshape(given["shape"])
    with serving(model) as server:
        (answer,) = server.json(request)["outputs"]
        assert answer["name"] == "forecast"
        found = {"forecast": numpy.array(answer["data"], "float32").reshape(answer["shape"])}
        assert_close(found, expect(reference(model), {"levels": levels}))


@pytest.mark.parametrize("wheel", ["magika", "silero_vad"])
def test_metadata_is_what_onnx_runtime_sees(wheel):
    for model in models_in(wheel).values():
        session = reference(model)
        with serving(model) as server:
            metadata = server.metadata()
        check_metadata(metadata["inputs"], session.get_inputs())
        check_metadata(metadata["outputs"], session.get_outputs())


def check_metadata(found, expected):
    assert [tensor["name"] for tensor in found] == [tensor.name for tensor in expected]
    assert [tensor["datatype"] for tensor in found] == [DATATYPES[tensor.type] for tensor in expected]
    for tensor, reference in zip(found, expected, strict=True):
        assert len(tensor["shape"]) == len(reference.shape)
        # ONNX Runtime works out some sizes that the file leaves open.
        for size, known in zip(tensor["shape"], reference.shape, strict=True):
            assert size in (-1, known)
            assert isinstance(known, int) or size == -1


def test_wrong_inputs_are_told_what_the_model_expects(magika):
    server, _ = magika
    body = json.dumps({"inputs": [{"name": "bytes", "shape": [1, 7], "datatype": "INT32", "data": [0] * 7}]})
    status, _, answer = server.call("POST", "/invocations", body, {"Content-Type": "application/json"})
    assert status == 400
    assert json.loads(answer) == {
        "error": 'input "bytes": shape [1, 7] does not fit; the model expects "bytes" as INT32 [-1, 2048]'
    }


def test_the_socket_is_private_and_a_terminated_server_exits_with_0(magika):
    server, _ = magika
    assert stat.S_IMODE(os.stat(server.socket).st_mode) == 0o600
    with serving(model_named("silero_vad", "silero_vad_half.onnx")) as other:
        other.process.send_signal(signal.SIGTERM)
        assert other.process.wait(STOP_MAX_SECS) == 0
        assert not os.path.exists(other.socket)


@pytest.mark.parametrize("model", [b"", b"no model", model_named("magika", "model.onnx")[:1_000_000]])
def test_a_malformed_model_ends_the_process_with_one_line(model, tmp_path):
    server = Server(str(tmp_path), model)
    try:
        assert server.process.wait(START_MAX_SECS) > 0
        (line,) = server.process.stderr.read().splitlines()
        assert line.startswith(f"cannot serve {tmp_path}/model.onnx: ")
    finally:
        server.process.kill()
        server.process.wait()
        server.process.stderr.close()
