//! Answers that come in pieces, in AWS's event-stream frames.
//!
//! Nothing is tried again: a model may have begun to answer.

use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::Instant;
use wire::event_stream::{Decoder, EventStreamMessage};
use wire::{Document, Service};

use crate::Error;

use super::refusal::{refusal, refused};
use super::{Client, Manner, encoded, model};

/// An answer whose head has come.
#[derive(Debug)]
pub(crate) struct Stream<'a> {
    /// The members that travel in headers.
    pub(crate) head: Document,
    client: &'a Client,
    manner: Manner,
    /// When even the longest answer is over.
    deadline: Instant,
    body: Incoming,
    /// What has come and is not decoded yet.
    held: Bytes,
    decoder: Decoder,
}

impl Client {
    /// A call with an answer in pieces, made once. `manner.timeout` holds for the whole answer.
    pub(crate) async fn stream(
        &self,
        service: &'static Service,
        input: &Document,
        manner: Manner,
    ) -> Result<Stream<'_>, Error> {
        let deadline = Instant::now() + manner.timeout;
        let operation = model(service, manner.operation)?;
        let request = encoded(service, operation, input)?;
        let request = self.signed(request, service.into(), operation.name).await?;
        let response = self.transport.open(request, manner).await?;
        let decode = |response: &Response<()>, body: &Bytes| {
            wire::decode_response(service, operation, response.status(), response.headers(), body)
                .map_err(|error| refused(operation.name, error, &self.target))
        };
        if !response.status().is_success() {
            let (parts, body) = self.transport.whole(response, operation.name).await?.into_parts();
            let error = decode(&Response::from_parts(parts, ()), &body).err();
            let problem = "it is neither a success nor an error".to_owned();
            return Err(error.unwrap_or(Error::Answer { operation: operation.name, problem }));
        }
        let (parts, body) = response.into_parts();
        Ok(Stream {
            head: decode(&Response::from_parts(parts, ()), &Bytes::new())?,
            client: self,
            manner,
            deadline,
            body,
            held: Bytes::new(),
            decoder: Decoder::new(),
        })
    }
}

impl Stream<'_> {
    /// The next piece, or none behind the last. An exception among the frames is an error.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let transport = &self.client.transport;
        let broke_off = |why: String| transport.broke_off(self.manner.operation, &why);
        loop {
            match self.decoder.decode(&mut self.held).map_err(|why| broke_off(why.to_string()))? {
                Some(message) if message.text(":message-type") == Some("event") => {
                    // An event of another kind is one that this program does not know yet.
                    if message.text(":event-type") == Some("PayloadPart") {
                        return Ok(Some(message.payload));
                    }
                }
                Some(message) => return Err(self.exception(&message)),
                None => {
                    let frame = tokio::time::timeout_at(self.deadline, self.body.frame())
                        .await
                        .map_err(|_| transport.timed_out(self.manner))?;
                    let Some(frame) = frame else {
                        self.decoder.finish().map_err(|why| broke_off(why.to_string()))?;
                        return Ok(None);
                    };
                    let frame = frame.map_err(|why| broke_off(why.to_string()))?;
                    self.held = frame.into_data().unwrap_or_default();
                }
            }
        }
    }

    /// The error that ends a stream: modeled (`exception`, a shape in JSON) or not (`error`, a code and a text).
    fn exception(&self, message: &EventStreamMessage) -> Error {
        let shape = serde_json::from_slice(&message.payload).unwrap_or(serde_json::Value::Null);
        let member = |name: &str| shape.get(name).and_then(serde_json::Value::as_str);
        let code = message.text(":exception-type").or_else(|| message.text(":error-code"));
        let said = member("Message").or_else(|| message.text(":error-message"));
        let said = said.unwrap_or("the stream ended with an error");
        let said = match member("ErrorCode") {
            Some(reason) => format!("{said} ({reason})"),
            None => said.to_owned(),
        };
        let status = http::StatusCode::OK.as_u16();
        refusal(
            self.manner.operation,
            code.unwrap_or("Unknown"),
            &said,
            status,
            &self.client.target,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wire::event_stream::{encode_payload, exception};
    use wire::sagemaker_runtime::{
        self, InternalStreamFailure, InvokeEndpointWithResponseStreamInput, ModelStreamError,
    };
    use wire::value::Value as _;

    use super::super::Retry;
    use super::*;
    use crate::testing::FakeServer;

    const MANNER: Manner = Manner {
        operation: "InvokeEndpointWithResponseStream",
        timeout: Duration::from_secs(20),
        retry: Retry::Never,
    };

    /// The pieces of an answer, and what it ends with.
    async fn read(status: u16, body: impl Into<Bytes>) -> (String, Result<(), Error>) {
        let server = FakeServer::answering_bytes(&[(status, body.into())]).await;
        let client = Client::new(server.target());
        let input = InvokeEndpointWithResponseStreamInput {
            endpoint_name: "chat".to_owned(),
            ..Default::default()
        };
        let mut text = String::new();
        let outcome = async {
            let service = &sagemaker_runtime::SERVICE;
            let mut stream = client.stream(service, &input.to_document(), MANNER).await?;
            while let Some(piece) = stream.next().await? {
                text.push_str(str::from_utf8(&piece).unwrap());
                text.push('|');
            }
            Ok(())
        };
        let outcome = outcome.await;
        assert_eq!(server.operations(), ["POST /endpoints/chat/invocations-response-stream"]);
        (text, outcome)
    }

    fn frames(pieces: &[&'static str]) -> Vec<u8> {
        pieces
            .iter()
            .flat_map(|piece| encode_payload(&Bytes::from_static(piece.as_bytes())))
            .collect()
    }

    #[tokio::test]
    async fn pieces_come_in_their_order() {
        let (text, outcome) = read(200, frames(&["one ", "two"])).await;
        outcome.unwrap();
        assert_eq!(text, "one |two|");
        let (text, outcome) = read(200, Bytes::new()).await;
        outcome.unwrap();
        assert_eq!(text, "");
    }

    #[tokio::test]
    async fn an_exception_among_the_pieces_is_the_services_error() {
        let broken = ModelStreamError {
            message: Some("The stream broke".to_owned()),
            error_code: Some("StreamBroken".to_owned()),
        };
        let internal = InternalStreamFailure { message: Some("It broke".to_owned()) };
        for (frame, wanted) in [
            (exception(&broken), "ModelStreamError: The stream broke (StreamBroken)"),
            (exception(&internal), "InternalStreamFailure: It broke"),
        ] {
            let body = [frames(&["one "]), frame.encode().unwrap().to_vec()].concat();
            let (text, outcome) = read(200, body).await;
            let error = outcome.unwrap_err().to_string();
            assert_eq!(text, "one |");
            assert_eq!(error, format!("{}: {wanted}", MANNER.operation));
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_cut_or_damaged_is_not_whole() {
        let whole = frames(&["one ", "two"]);
        for (body, problem) in [
            (whole[..whole.len() - 1].to_vec(), "broke off"),
            ([whole, b"no frame at all".to_vec()].concat(), "checksum"),
        ] {
            let error = read(200, body).await.1.unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[tokio::test]
    async fn a_refusal_before_the_first_piece_is_the_usual_one() {
        let body = r#"{"__type":"ModelError","Message":"Received client error (400)"}"#;
        let (_, outcome) = read(424, body).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.refusal().map(|refusal| refusal.status), Some(424));
        assert!(error.to_string().contains("ModelError: Received client error"), "{error}");
    }
}
