//! Everything that reads strangers' bytes, with an entry that takes any bytes at all.
//!
//! A panic, a hang or a failed assertion is a finding. `make fuzz` runs the engine on each entry; `tests/corpus.rs` runs
//! every entry over its corpus wherever the tests run, so that what was once found stays found. An input that broke
//! something is added to the corpus under a name that says what it broke.

#![expect(clippy::missing_panics_doc, reason = "a panic is what every entry is for")]

pub mod archive;
pub mod event_stream;
mod head;
pub mod metric_math;
pub mod model_answer;
pub mod onnx_request;
pub mod policy;
pub mod schedule;
pub mod sigv4;
pub mod wire_request;
