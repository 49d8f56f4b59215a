//! `tidegate endpoint invoke NAME`: the body of the answer to stdout, what is known about it to stderr.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::name::{EndpointName, VariantName};
use serde_json::json;
use tokio::time::Instant;
use wire::sagemaker_runtime::{self, InvokeEndpointInput, InvokeEndpointOutput};
use wire::value::Value;

use crate::Error;
use crate::client::{Client, Manner, Retry};
use crate::output::{Output, Progress, duration};

use super::{hint, stream};

/// InvokeEndpoint's limit on a body (`reference/sagemaker-hosting.md`, section 5).
const BODY_BYTES_MAX: u64 = 6 * 1024 * 1024;

/// A model has 60 s to answer; the rest is for the way there and back.
pub(crate) const INVOKE_TIMEOUT: Duration = Duration::from_secs(70);

const OPERATION: &str = "InvokeEndpoint";

/// What to send.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tidegate endpoint invoke tide --body '{\"instances\": [[1, 2, 3]]}'\n  \
                        tidegate endpoint invoke tide --body @levels.csv\n  \
                        cat levels.npy | tidegate endpoint invoke tide --content-type application/x-npy --output answer.npy\n  \
                        tidegate endpoint invoke chat --stream --body '{\"prompt\": \"What is a tide?\"}'"
)]
pub struct Arguments {
    /// The endpoint's name
    #[arg(value_name = "NAME")]
    name: EndpointName,

    /// The request's body: the text itself, @FILE, or - for stdin [default: stdin, unless it is a terminal]
    #[arg(long, value_name = "TEXT|@FILE|-", allow_hyphen_values = true)]
    body: Option<String>,

    /// The body's media type [default: by the file's ending (.csv, .npy, .txt, .json), else application/json]
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,

    /// The media type to ask for in the answer
    #[arg(long, value_name = "TYPE")]
    accept: Option<String>,

    /// The variant to ask, instead of letting the weights decide
    #[arg(long, value_name = "VARIANT")]
    target_variant: Option<VariantName>,

    /// Show the answer piece by piece, as the model writes it
    #[arg(long)]
    stream: bool,

    /// Write the answer's body to this file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(
    client: &Client,
    arguments: &Arguments,
    output: &Output,
) -> Result<ExitCode, Error> {
    let name = arguments.name.as_str();
    let meant = match &arguments.body {
        Some(meant) => meant,
        None if std::io::stdin().is_terminal() => {
            let rule = "--body is missing: give the text itself, @FILE, or - to type it and end with Ctrl-D";
            return Err(Error::Usage(rule.to_owned()));
        }
        None => "-",
    };
    let body = body(meant)?;
    let input = InvokeEndpointInput {
        endpoint_name: name.to_owned(),
        body,
        content_type: Some(
            arguments.content_type.clone().unwrap_or_else(|| media_type(meant).to_owned()),
        ),
        accept: arguments.accept.clone(),
        target_variant: arguments.target_variant.as_ref().map(ToString::to_string),
        ..InvokeEndpointInput::default()
    };
    if arguments.stream {
        return stream::run(client, input, arguments.output.as_deref(), output).await;
    }
    let progress = Progress::start(output, format!("waiting for {name}"));
    let (answer, took) = match invoke(client, &input).await {
        Ok(answered) => answered,
        Err(error) => return Err(hint::with_names(client, name, error).await),
    };
    drop(progress);
    show(&answer, took, arguments.output.as_deref(), output)
}

/// One request, and how long its answer took. It is never made twice.
pub(crate) async fn invoke(
    client: &Client,
    input: &InvokeEndpointInput,
) -> Result<(InvokeEndpointOutput, Duration), Error> {
    let manner = Manner { operation: OPERATION, timeout: INVOKE_TIMEOUT, retry: Retry::Never };
    let started = Instant::now();
    let document =
        client.call_in(&sagemaker_runtime::SERVICE, &input.to_document(), manner).await?;
    let took = started.elapsed();
    let answer = InvokeEndpointOutput::from_document(&document)
        .map_err(|error| Error::Answer { operation: OPERATION, problem: error.to_string() })?;
    Ok((answer, took))
}

fn show(
    answer: &InvokeEndpointOutput,
    took: Duration,
    file: Option<&Path>,
    output: &Output,
) -> Result<ExitCode, Error> {
    let text = str::from_utf8(&answer.body).ok();
    let media_type = answer.content_type.as_deref().unwrap_or("no media type");
    if let Some(path) = file {
        let failed = |cause| Error::File { action: "write", path: path.to_owned(), cause };
        std::fs::write(path, &answer.body).map_err(failed)?;
    }
    if output.json {
        let mut shown = json!({
            "ContentType": answer.content_type,
            "InvokedProductionVariant": answer.invoked_production_variant,
            "CustomAttributes": answer.custom_attributes,
            "LatencyMilliseconds": took.as_secs_f64() * 1000.0,
        });
        match (file, text) {
            (Some(path), _) => shown["BodyFile"] = json!(path.display().to_string()),
            (None, Some(text)) => shown["Body"] = json!(text),
            (None, None) => shown["BodyBase64"] = json!(STANDARD.encode(&answer.body)),
        }
        output.json(&shown)?;
        return Ok(ExitCode::SUCCESS);
    }
    if file.is_none() {
        match text {
            None if output.data_is_terminal => {
                let size = answer.body.len();
                return Err(Error::Usage(format!(
                    "the answer is {size} bytes of {media_type}, no text for a terminal: use --output FILE"
                )));
            }
            Some(text) if output.data_is_terminal && !text.ends_with('\n') => output.data(text)?,
            _ => output.bytes(&answer.body)?,
        }
    }
    let variant = answer.invoked_production_variant.as_deref().unwrap_or("unknown");
    output.note(format_args!(
        "{} bytes of {media_type} from variant {variant} in {}",
        answer.body.len(),
        duration(took)
    ));
    Ok(ExitCode::SUCCESS)
}

/// The bytes that `--body` means.
fn body(meant: &str) -> Result<Bytes, Error> {
    let bytes = if meant == "-" {
        read("stdin", Path::new("stdin"), std::io::stdin().lock())?
    } else if let Some(path) = meant.strip_prefix('@') {
        let path = Path::new(path);
        let failed = |cause| Error::File { action: "open", path: path.to_owned(), cause };
        read(&path.display().to_string(), path, std::fs::File::open(path).map_err(failed)?)?
    } else {
        meant.as_bytes().to_vec()
    };
    Ok(bytes.into())
}

fn read(name: &str, path: &Path, source: impl Read) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let failed = |cause| Error::File { action: "read", path: path.to_owned(), cause };
    source.take(BODY_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > BODY_BYTES_MAX {
        return Err(Error::Usage(format!(
            "--body: {name} is longer than {BODY_BYTES_MAX} bytes, the most InvokeEndpoint takes; send a part of it"
        )));
    }
    Ok(bytes)
}

/// The media type that goes with what `--body` means.
fn media_type(meant: &str) -> &'static str {
    let path = meant.strip_prefix('@').map(Path::new);
    match path.and_then(Path::extension).and_then(|ending| ending.to_str()) {
        Some("csv") => "text/csv",
        Some("npy") => "application/x-npy",
        Some("txt") => "text/plain",
        _ => "application/json",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &'static [u8]) -> InvokeEndpointOutput {
        InvokeEndpointOutput {
            body: Bytes::from_static(body),
            content_type: Some("x/y".into()),
            invoked_production_variant: Some("v".into()),
            ..InvokeEndpointOutput::default()
        }
    }

    #[test]
    fn a_body_is_text_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, [0, 255]).unwrap();
        assert_eq!(body(&format!("@{}", path.display())).unwrap().as_ref(), [0, 255]);
        assert_eq!(body("{}").unwrap().as_ref(), b"{}");
        let missing = body("@/no/such/file").unwrap_err().to_string();
        assert!(missing.starts_with("cannot open /no/such/file: "), "{missing}");
        std::fs::File::create(&path).unwrap().set_len(BODY_BYTES_MAX + 1).unwrap();
        let long = body(&format!("@{}", path.display())).unwrap_err().to_string();
        assert!(long.contains("longer than 6291456 bytes"), "{long}");
    }

    #[test]
    fn the_media_type_follows_the_files_ending() {
        for (meant, wanted) in [
            ("@a.csv", "text/csv"),
            ("@a.b/c.npy", "application/x-npy"),
            ("a.csv", "application/json"),
            ("-", "application/json"),
            ("@x", "application/json"),
        ] {
            assert_eq!(media_type(meant), wanted, "{meant}");
        }
    }

    #[test]
    fn stdout_gets_the_body_and_nothing_else() {
        let (output, data, notes) = Output::in_memory(false);
        show(&answer(b"{\"a\":1}"), Duration::from_millis(2), None, &output).unwrap();
        assert_eq!(data.text(), "{\"a\":1}");
        assert_eq!(notes.text(), "7 bytes of x/y from variant v in 2.0 ms\n");
    }

    #[test]
    fn json_carries_bytes_that_are_no_text_in_base64() {
        for (body, member, wanted) in
            [(&b"text"[..], "Body", "text"), (&[0, 255][..], "BodyBase64", "AP8=")]
        {
            let (output, data, _) = Output::in_memory(true);
            show(
                &InvokeEndpointOutput { body: Bytes::from_static(body), ..answer(b"") },
                Duration::from_secs(1),
                None,
                &output,
            )
            .unwrap();
            let shown: serde_json::Value = serde_json::from_str(&data.text()).unwrap();
            assert_eq!(shown[member], wanted);
            assert_eq!(shown["LatencyMilliseconds"], 1000.0);
        }
    }

    #[test]
    fn a_terminal_is_spared_bytes_that_are_no_text() {
        let (mut output, data, _) = Output::in_memory(false);
        output.data_is_terminal = true;
        let error = show(&answer(&[0, 255]), Duration::from_secs(1), None, &output)
            .unwrap_err()
            .to_string();
        assert!(error.contains("use --output FILE"), "{error}");
        assert_eq!(data.text(), "");
    }
}
