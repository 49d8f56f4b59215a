//! `tidegate endpoint invoke NAME --stream`: the answer as the model writes it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::time::Instant;
use wire::sagemaker_runtime::{
    self, InvokeEndpointInput, InvokeEndpointWithResponseStreamInput,
    InvokeEndpointWithResponseStreamOutput,
};
use wire::value::Value;

use crate::Error;
use crate::client::{Client, Manner, Retry, Stream};
use crate::output::{Output, Progress, duration};

use super::hint;

/// A stream may last 8 minutes (`reference/sagemaker-hosting.md`, section 5); the rest is for the way there and back.
const STREAM_TIMEOUT: Duration = Duration::from_secs(8 * 60 + 10);

const OPERATION: &str = "InvokeEndpointWithResponseStream";

/// Where the pieces go.
struct Sink<'a> {
    output: &'a Output,
    file: Option<(&'a Path, File)>,
    media_type: String,
    /// On a terminal, the bytes of a character whose rest is in the next piece.
    cut: Vec<u8>,
    ends_line: bool,
}

/// What is known when all has come.
#[derive(Debug, Default)]
struct Count {
    bytes: usize,
    pieces: usize,
    first: Option<Duration>,
}

/// Sends `input` and shows every piece of the answer at once when it is there.
pub(super) async fn run(
    client: &Client,
    input: InvokeEndpointInput,
    file: Option<&Path>,
    output: &Output,
) -> Result<ExitCode, Error> {
    let name = input.endpoint_name.clone();
    let started = Instant::now();
    let progress = Progress::start(output, format!("waiting for {name}"));
    let manner = Manner { operation: OPERATION, timeout: STREAM_TIMEOUT, retry: Retry::Never };
    let document = streaming(input).to_document();
    let mut stream = match client.stream(&sagemaker_runtime::SERVICE, &document, manner).await {
        Ok(stream) => stream,
        Err(error) => return Err(hint::with_names(client, &name, error).await),
    };
    drop(progress);
    let head = InvokeEndpointWithResponseStreamOutput::from_document(&stream.head)
        .map_err(|error| Error::Answer { operation: OPERATION, problem: error.to_string() })?;
    let mut sink = Sink::open(&head, file, output)?;
    let mut count = Count::default();
    let outcome = sink.copy(&mut stream, started, &mut count).await;
    sink.finish()?;
    outcome?;
    if !output.json {
        let Count { bytes, pieces, first } = count;
        let variant = head.invoked_production_variant.as_deref().unwrap_or("unknown");
        let took = duration(started.elapsed());
        let first = first.map(|first| format!(", the first after {}", duration(first)));
        output.note(format_args!(
            "{bytes} bytes of {} in {pieces} {} from variant {variant} in {took}{}",
            sink.media_type,
            if pieces == 1 { "piece" } else { "pieces" },
            first.unwrap_or_default()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn streaming(input: InvokeEndpointInput) -> InvokeEndpointWithResponseStreamInput {
    InvokeEndpointWithResponseStreamInput {
        endpoint_name: input.endpoint_name,
        body: input.body,
        content_type: input.content_type,
        accept: input.accept,
        custom_attributes: input.custom_attributes,
        target_variant: input.target_variant,
        target_container_hostname: input.target_container_hostname,
        inference_id: input.inference_id,
        inference_component_name: input.inference_component_name,
        session_id: input.session_id,
        prefix_aware_id: None,
    }
}

impl<'a> Sink<'a> {
    fn open(
        head: &InvokeEndpointWithResponseStreamOutput,
        file: Option<&'a Path>,
        output: &'a Output,
    ) -> Result<Self, Error> {
        let file = file.map(|path| match File::create(path) {
            Ok(file) => Ok((path, file)),
            Err(cause) => Err(Error::File { action: "write", path: path.to_owned(), cause }),
        });
        if output.json {
            output.json(&json!({
                "ContentType": head.content_type,
                "InvokedProductionVariant": head.invoked_production_variant,
                "CustomAttributes": head.custom_attributes,
            }))?;
        }
        let media_type = head.content_type.clone().unwrap_or_else(|| "no media type".to_owned());
        Ok(Self { output, file: file.transpose()?, media_type, cut: Vec::new(), ends_line: true })
    }

    async fn copy(
        &mut self,
        stream: &mut Stream<'_>,
        started: Instant,
        count: &mut Count,
    ) -> Result<(), Error> {
        while let Some(piece) = stream.next().await? {
            count.first.get_or_insert_with(|| started.elapsed());
            count.bytes += piece.len();
            count.pieces += 1;
            self.write(&piece)?;
        }
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        if let Some((path, file)) = &mut self.file {
            let failed = |cause| Error::File { action: "write", path: path.to_owned(), cause };
            return file.write_all(piece).map_err(failed);
        }
        if self.output.json {
            return self.output.json(&match str::from_utf8(piece) {
                Ok(text) => json!({ "Body": text }),
                Err(_) => json!({ "BodyBase64": STANDARD.encode(piece) }),
            });
        }
        if self.output.data_is_terminal && !self.is_text(piece) {
            return Err(Error::Usage(format!(
                "the answer, {}, is no text for a terminal: use --output FILE",
                self.media_type
            )));
        }
        self.ends_line = piece.ends_with(b"\n");
        self.output.bytes(piece)
    }

    /// Whether the pieces so far are text. A character may be cut in two.
    fn is_text(&mut self, piece: &[u8]) -> bool {
        self.cut.extend_from_slice(piece);
        match str::from_utf8(&self.cut) {
            Ok(_) => self.cut.clear(),
            Err(error) if error.error_len().is_none() => {
                self.cut.drain(..error.valid_up_to());
            }
            Err(_) => return false,
        }
        true
    }

    /// What comes next on a terminal, an error also, begins a line of its own.
    fn finish(&self) -> Result<(), Error> {
        let unfinished = self.output.data_is_terminal && !self.ends_line;
        if unfinished { self.output.bytes(b"\n") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sink(output: &Output) -> Sink<'_> {
        Sink::open(&InvokeEndpointWithResponseStreamOutput::default(), None, output).unwrap()
    }

    #[test]
    fn a_character_may_be_cut_but_bytes_are_kept_from_a_terminal() {
        let (mut output, data, _) = Output::in_memory(false);
        output.data_is_terminal = true;
        let mut sink = sink(&output);
        for piece in "tide ≈ ébb".as_bytes().chunks(1) {
            sink.write(piece).unwrap();
        }
        sink.finish().unwrap();
        assert_eq!(data.text(), "tide ≈ ébb\n");
        sink.write(&"é".as_bytes()[..1]).unwrap();
        let error = sink.write(b"no").unwrap_err().to_string();
        assert!(error.contains("use --output FILE"), "{error}");
    }

    #[test]
    fn what_is_piped_gets_the_bytes_and_nothing_else() {
        let (output, data, _) = Output::in_memory(false);
        let mut sink = sink(&output);
        sink.write(b"a\n").unwrap();
        sink.write(b"b").unwrap();
        sink.finish().unwrap();
        assert_eq!(data.text(), "a\nb");
    }

    #[test]
    fn for_programs_every_piece_is_a_line() {
        let (output, data, _) = Output::in_memory(true);
        let mut sink = sink(&output);
        sink.write(b"a").unwrap();
        sink.write(&[0, 255]).unwrap();
        sink.finish().unwrap();
        let lines: Vec<serde_json::Value> =
            data.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["InvokedProductionVariant"], serde_json::Value::Null);
        assert_eq!(lines[1..], [json!({ "Body": "a" }), json!({ "BodyBase64": "AP8=" })]);
    }
}
