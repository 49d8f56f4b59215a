"""Real models under `tidegate/onnx`, through the signed endpoint, beside ONNX Runtime in Python behind uvicorn.

Both have the same one core for all that they do, and the load has the other.
"""

import io
import json
import tempfile
import zipfile

import numpy

import load
import ours
import report
import rivals
from harness import archives
from harness.hosting import Hosting, variant
from harness.server import ROOT

JSON, NPY = "application/json", "application/x-npy"
CLIENTS = (1, 8)
WHEELS = {"magika": ROOT / "target" / "real-models", "rapidocr_onnxruntime": ROOT / "target" / "bench-models"}


def from_wheel(package, inside):
    (wheel,) = WHEELS[package].glob(f"{package}-*.whl")
    return zipfile.ZipFile(wheel).read(inside)


def as_npy(array):
    file = io.BytesIO()
    numpy.save(file, array)
    return file.getvalue()


def cases():
    """By name: the model, and a request for it."""
    random = numpy.random.default_rng(7)
    data = random.integers(0, 257, size=2048, dtype=numpy.int32).tolist()
    inputs = [{"name": "bytes", "shape": [1, 2048], "datatype": "INT32", "data": data}]
    magika = from_wheel("magika", "magika/models/standard_v3_3/model.onnx")
    yield "magika, JSON", magika, json.dumps({"inputs": inputs}).encode(), JSON
    # One line of text, and a small page in which lines are looked for.
    for kind, name, height, width in (
        ("rec", "rapidocr reads a line", 48, 320),
        ("det", "rapidocr finds lines", 320, 320),
    ):
        model = from_wheel("rapidocr_onnxruntime", f"rapidocr_onnxruntime/models/ch_PP-OCRv4_{kind}_infer.onnx")
        image = random.random((1, 3, height, width), dtype=numpy.float32)
        yield f"{name}, NPY", model, as_npy(image), NPY


def measure(options):
    found = {}
    with ours.running() as server:
        hosting = Hosting(server)
        buckets = server.client("s3")
        buckets.create_bucket(Bucket="models")
        for number, (name, onnx, body, content_type) in enumerate(cases()):
            key = f"{number}/model.tar.gz"
            buckets.put_object(Bucket="models", Key=key, Body=archives.tar_gz({"model.onnx": onnx}))
            model = hosting.model(image="tidegate/onnx:latest", data=f"s3://models/{key}")
            endpoint = hosting.endpoint(hosting.config(variant(model)), name=f"onnx-{number}")
            with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
                file.write(onnx)
                file.flush()
                with rivals.onnx_runtime(file.name) as (url, pids):
                    targets = [
                        ours.invocation(server, endpoint, body, content_type=content_type),
                        ours.invocation(server, endpoint, body, url, "uvicorn", pids, content_type=content_type),
                    ]
                    for clients in CLIENTS:
                        found[f"{name}, {clients} at once"] = load.side_by_side(
                            targets, options.runs, options.seconds, clients
                        )
            hosting.delete(endpoint)
    return found


def rows(found):
    for name, seen in found.items():
        both = ("tidegate", "uvicorn")
        work = f"tidegate/onnx, {name}, requests per second"
        yield report.compared(work, "ONNX Runtime, uvicorn", seen, both, "requests_per_second", least=1.0)
