"""What people put around ONNX Runtime: an application for uvicorn that answers what `tidegate/onnx` answers."""

import io
import json
import os

import numpy
import onnxruntime

NPY = b"application/x-npy"
# Of the Open Inference Protocol's datatypes, those that the measured models use.
DATATYPES = {"FP32": numpy.float32, "INT32": numpy.int32}


def load():
    options = onnxruntime.SessionOptions()
    # It has one core.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"])


SESSION = load()
(INPUT,) = (one.name for one in SESSION.get_inputs())
OUTPUTS = [one.name for one in SESSION.get_outputs()]


def infer(body, content_type):
    if content_type == NPY:
        (answer, *_) = SESSION.run(None, {INPUT: numpy.load(io.BytesIO(body))})
        file = io.BytesIO()
        numpy.save(file, answer)
        return file.getvalue()
    (given,) = json.loads(body)["inputs"]
    array = numpy.array(given["data"], dtype=DATATYPES[given["datatype"]]).reshape(given["shape"])
    answers = SESSION.run(None, {INPUT: array})
    outputs = [
        {"name": name, "shape": answer.shape, "datatype": "FP32", "data": answer.ravel().tolist()}
        for name, answer in zip(OUTPUTS, answers, strict=True)
    ]
    return json.dumps({"outputs": outputs}).encode()


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    content_type = dict(scope["headers"]).get(b"content-type", b"application/json")
    answer = b"{}" if scope["method"] == "GET" else infer(body, content_type)
    headers = [(b"content-type", content_type), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
