"""Trains the demo's tide forecaster and writes it as model.onnx beside this file.

Takes 24 hourly water levels in metres, gives the next 6. The data are made here: tides as sums of the great harmonic
constituents, with random amplitudes and phases for every imagined harbour, a slow surge by weather, and noise. Needs
numpy and onnx. Seeded: the same versions on the same machine write the same file.

The network sees a window relative to its own mean, so that a gauge's zero does not matter. A linear forecast by least
squares goes first; a small perceptron, trained with Adam, learns what it leaves. Both end up in one graph.
"""

import pathlib

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED = 1883  # the year in which Darwin published the harmonic analysis of tides
WINDOW, HORIZON, HIDDEN = 24, 6, 32
HARBOURS_TRAIN, HARBOURS_TEST = 4000, 1000
WINDOWS_PER_HARBOUR = 10
EPOCHS, BATCH, RATE = 150, 500, 2e-3

# Period in hours and a usual amplitude in metres of each constituent.
CONSTITUENTS = {
    "M2": (12.4206012, 1.00),
    "S2": (12.0, 0.40),
    "N2": (12.65834751, 0.20),
    "K2": (11.96723606, 0.10),
    "K1": (23.93447213, 0.35),
    "O1": (25.81933871, 0.25),
    "P1": (24.06588766, 0.10),
    "M4": (6.210300601, 0.06),
}
NOISE_M = 0.02


def harbours(random, count):
    """Windows of imagined harbours: levels seen, and levels to come."""
    hours = numpy.arange(WINDOW + HORIZON)
    start = random.uniform(0, 24 * 365, (count, WINDOWS_PER_HARBOUR, 1))
    time = start + hours
    levels = random.uniform(-2, 6, (count, 1, 1)) * numpy.ones_like(time)
    range_of_harbour = random.uniform(0.2, 2.5, (count, 1, 1))
    for period, usual in CONSTITUENTS.values():
        amplitude = usual * range_of_harbour * random.uniform(0.3, 1.7, (count, 1, 1))
        phase = random.uniform(0, 2 * numpy.pi, (count, 1, 1))
        levels += amplitude * numpy.cos(2 * numpy.pi * time / period + phase)
    # Weather: a surge that changes over days, and shallow water that sharpens the flood.
    surge = random.normal(0, 0.15, (count, WINDOWS_PER_HARBOUR, 1))
    days = random.uniform(30, 120, (count, WINDOWS_PER_HARBOUR, 1))
    levels += surge * numpy.sin(2 * numpy.pi * hours / days + random.uniform(0, 6.28, surge.shape))
    middle = levels.mean(axis=2, keepdims=True)
    levels += random.uniform(0, 0.06, (count, 1, 1)) * (levels - middle) ** 2
    truth = levels.reshape(-1, WINDOW + HORIZON)
    seen = truth[:, :WINDOW] + random.normal(0, NOISE_M, truth[:, :WINDOW].shape)
    return seen.astype("float32"), truth[:, WINDOW:].astype("float32")


def fit_linear(seen, ahead):
    """Least squares from a window to the hours ahead, both relative to the window's mean."""
    mean = seen.mean(axis=1, keepdims=True)
    weights, *_ = numpy.linalg.lstsq((seen - mean).astype("float64"), ahead - mean, rcond=None)
    return weights.astype("float32")


class Perceptron:
    """One hidden layer, trained on what the linear forecast leaves."""

    def __init__(self, random):
        self.parameters = [
            random.normal(0, WINDOW**-0.5, (WINDOW, HIDDEN)),
            numpy.zeros(HIDDEN),
            random.normal(0, 0.01, (HIDDEN, HORIZON)),
            numpy.zeros(HORIZON),
        ]
        self.moments = [(numpy.zeros_like(p), numpy.zeros_like(p)) for p in self.parameters]
        self.steps = 0

    def forward(self, inputs):
        first, bias, second, offset = self.parameters
        hidden = numpy.tanh(inputs @ first + bias)
        return hidden, hidden @ second + offset

    def step(self, inputs, targets, rate):
        """One step of Adam on the mean squared error."""
        hidden, outputs = self.forward(inputs)
        error = 2 * (outputs - targets) / targets.size
        inner = (error @ self.parameters[2].T) * (1 - hidden**2)
        gradients = [inputs.T @ inner, inner.sum(axis=0), hidden.T @ error, error.sum(axis=0)]
        self.steps += 1
        for index, gradient in enumerate(gradients):
            mean, square = self.moments[index]
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            scaled = (mean / (1 - 0.9**self.steps)) / (numpy.sqrt(square / (1 - 0.999**self.steps)) + 1e-8)
            self.parameters[index] -= rate * scaled


def train(random, seen, ahead):
    linear = fit_linear(seen, ahead)
    mean = seen.mean(axis=1, keepdims=True)
    inputs = (seen - mean).astype("float64")
    targets = ahead - mean - inputs @ linear
    network = Perceptron(random)
    for epoch in range(EPOCHS):
        order = random.permutation(len(inputs))
        rate = RATE * 0.5 * (1 + numpy.cos(numpy.pi * epoch / EPOCHS))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            network.step(inputs[chosen], targets[chosen], rate)
    return linear, network


def graph(linear, network):
    """The trained forecaster as an ONNX model with an open batch."""
    first, bias, second, offset = (p.astype("float32") for p in network.parameters)
    constants = {"linear": linear, "first": first, "bias": bias, "second": second, "offset": offset}
    nodes = [
        helper.make_node("ReduceMean", ["levels"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["levels", "mean"], ["window"]),
        helper.make_node("MatMul", ["window", "linear"], ["steady"]),
        helper.make_node("Gemm", ["window", "first", "bias"], ["inner"]),
        helper.make_node("Tanh", ["inner"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "second", "offset"], ["correction"]),
        helper.make_node("Add", ["steady", "correction"], ["change"]),
        helper.make_node("Add", ["change", "mean"], ["forecast"]),
    ]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "tide_forecaster",
            [helper.make_tensor_value_info("levels", TensorProto.FLOAT, ["batch", WINDOW])],
            [helper.make_tensor_value_info("forecast", TensorProto.FLOAT, ["batch", HORIZON])],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="tidegate-demo",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    random = numpy.random.default_rng(SEED)
    linear, network = train(random, *harbours(random, HARBOURS_TRAIN))

    # Harbours of their own, whatever training drew.
    seen, ahead = harbours(numpy.random.default_rng([SEED, 1]), HARBOURS_TEST)
    mean = seen.mean(axis=1, keepdims=True)
    steady = (seen - mean) @ linear + mean
    forecasts = {
        "persistence (the last level stays)": numpy.repeat(seen[:, -1:], HORIZON, axis=1),
        "least squares alone": steady,
        "the model": steady + network.forward(seen - mean)[1],
    }
    errors = {name: float(numpy.abs(forecast - ahead).mean()) for name, forecast in forecasts.items()}
    print(f"mean absolute error over {len(seen)} windows of {HARBOURS_TEST} harbours never seen in training:")
    for name, error in errors.items():
        print(f"  {name}: {error:.4f} m")
    baseline, *_, trained = errors.values()
    if trained > baseline / 5:
        raise SystemExit("the model does not clearly beat persistence; model.onnx was not written")

    path = pathlib.Path(__file__).with_name("model.onnx")
    path.write_bytes(graph(linear, network).SerializeToString())
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
