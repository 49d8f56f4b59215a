//! Bodies of requests for `tidegate/onnx`, in all of its formats, without an engine behind them.

/// The first byte names the format and the model's signature, the rest is the body.
pub fn run(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    serve::read_onnx_request(*first, body);
}
