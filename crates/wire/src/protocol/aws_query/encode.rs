//! Documents to XML and to parameters.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Document;
use crate::protocol::aws_query::form::{join, list_prefix};
use crate::protocol::aws_query::xml::Writer;
use crate::protocol::text::{self, Dates};
use crate::schema::{Kind, Schema};
use crate::service::{OperationModel, Service};

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(in crate::protocol) fn encode_output(
    service: &Service,
    operation: &OperationModel,
    output: &Document,
    request_id: &str,
) -> Response<Bytes> {
    let mut xml = Writer::new();
    let root = format!("{}Response", operation.name);
    xml.open_root(&root, service.xml_namespace);
    if let (Some(schema), Some(wrapper)) = (operation.output, operation.result_wrapper) {
        xml.element(wrapper, |xml| contents(schema, output, xml));
    }
    xml.element("ResponseMetadata", |xml| xml.text_element("RequestId", request_id));
    xml.close(&root);
    response(xml)
}

pub(super) fn response(xml: Writer) -> Response<Bytes> {
    let mut response = Response::new(xml.finish());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

/// What stands inside the element of a value.
fn contents(schema: &Schema, document: &Document, xml: &mut Writer) {
    match (&schema.kind, document) {
        (Kind::Structure(structure), Document::Map(_)) => {
            for member in structure.members {
                if let Some(value) =
                    document.get(member.name).filter(|value| **value != Document::Null)
                {
                    member_element(member.schema, member.wire_name, value, xml);
                }
            }
        }
        (Kind::List(list), Document::List(elements)) => {
            for element in elements {
                xml.element(list.member_name, |xml| contents(list.member, element, xml));
            }
        }
        (Kind::Map(_), Document::Map(entries)) => {
            for (key, value) in entries {
                map_entry("entry", schema, key, value, xml);
            }
        }
        _ => xml.text(&text::format(document, Dates::Iso8601).unwrap_or_default()),
    }
}

fn member_element(schema: &Schema, name: &str, value: &Document, xml: &mut Writer) {
    match (&schema.kind, value) {
        (Kind::List(list), Document::List(elements)) if list.flattened => {
            let name = if list.member_name == "member" { name } else { list.member_name };
            for element in elements {
                xml.element(name, |xml| contents(list.member, element, xml));
            }
        }
        (Kind::Map(map), Document::Map(entries)) if map.flattened => {
            for (key, value) in entries {
                map_entry(name, schema, key, value, xml);
            }
        }
        _ => xml.element(name, |xml| contents(schema, value, xml)),
    }
}

fn map_entry(name: &str, schema: &Schema, key: &str, value: &Document, xml: &mut Writer) {
    let Kind::Map(map) = &schema.kind else { return };
    xml.element(name, |xml| {
        xml.text_element(map.key_name, key);
        xml.element(map.value_name, |xml| contents(map.value, value, xml));
    });
}

pub(in crate::protocol) fn encode_input(
    service: &Service,
    operation: &OperationModel,
    input: &Document,
) -> Request<Bytes> {
    let mut pairs = vec![
        ("Action".to_owned(), operation.name.to_owned()),
        ("Version".to_owned(), service.api_version.to_owned()),
    ];
    if let Some(schema) = operation.input {
        parameters(schema, "", input, &mut pairs);
    }
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let mut request = Request::new(Bytes::from(pairs.join("&")));
    *request.method_mut() = Method::POST;
    let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    request.headers_mut().insert(CONTENT_TYPE, form);
    request
}

fn parameters(schema: &Schema, name: &str, document: &Document, pairs: &mut Vec<(String, String)>) {
    match (&schema.kind, document) {
        (Kind::Structure(structure), Document::Map(entries)) => {
            for (member, value) in entries {
                if let Some(member) = structure.member(member) {
                    parameters(member.schema, &join(name, member.wire_name), value, pairs);
                }
            }
        }
        // An empty list is the bare name, so that it is not taken for an absent one.
        (Kind::List(_), Document::List(elements)) if elements.is_empty() => {
            pairs.push((name.to_owned(), String::new()));
        }
        (Kind::List(list), Document::List(elements)) => {
            let prefix = list_prefix(name, list.member_name, list.flattened);
            for (position, element) in (1_usize..).zip(elements) {
                parameters(list.member, &join(&prefix, &position.to_string()), element, pairs);
            }
        }
        (Kind::Map(map), Document::Map(entries)) => {
            let prefix = if map.flattened { name.to_owned() } else { join(name, "entry") };
            for (position, (key, value)) in (1_usize..).zip(entries) {
                let entry = join(&prefix, &position.to_string());
                pairs.push((join(&entry, map.key_name), key.clone()));
                parameters(map.value, &join(&entry, map.value_name), value, pairs);
            }
        }
        _ => {
            pairs
                .extend(text::format(document, Dates::Iso8601).map(|text| (name.to_owned(), text)));
        }
    }
}
