//! `<ErrorResponse><Error><Type>…<Code>…<Message>…`.

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::protocol::aws_query::encode::response;
use crate::protocol::aws_query::xml::{self, Writer};
use crate::protocol::text::{self, Dates};
use crate::protocol::{ErrorBody, ServiceError};
use crate::service::Service;

pub(in crate::protocol) fn encode_error(
    service: &Service,
    error: &ErrorBody,
    request_id: &str,
) -> Response<Bytes> {
    let fault = if error.status.is_server_error() { "Receiver" } else { "Sender" };
    let mut xml = Writer::new();
    xml.open_root("ErrorResponse", service.xml_namespace);
    xml.element("Error", |xml| {
        xml.text_element("Type", fault);
        xml.text_element("Code", error.query_code(service));
        xml.text_element("Message", &error.message);
        for (name, value) in &error.members {
            xml.text_element(name, &text::format(value, Dates::Iso8601).unwrap_or_default());
        }
    });
    xml.text_element("RequestId", request_id);
    xml.close("ErrorResponse");
    response(xml)
}

pub(in crate::protocol) fn decode_error(status: StatusCode, body: &[u8]) -> ServiceError {
    let root = xml::parse(body).ok();
    let error = root.as_ref().and_then(|root| root.child("Error"));
    let text = |name: &str| Some(error?.child(name)?.text.clone());
    ServiceError::new(status, &text("Code").unwrap_or_default(), text("Message"))
}
