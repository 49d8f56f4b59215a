//! What awsQuery reads and writes, byte for byte.

use bytes::Bytes;
use http::{Method, Request, StatusCode};

use crate::cloudwatch;
use crate::protocol::aws_query::form::list_prefix;
use crate::protocol::aws_query::xml;
use crate::protocol::{Call, ErrorBody, PARSED_BODY_BYTES_MAX, Rejection, route};
use crate::sts::{GetCallerIdentityResponse, SERVICE};

fn call(method: &Method, query: &str, body: impl Into<Bytes>) -> Result<Call, Box<Rejection>> {
    let request = Request::builder().method(method).uri(format!("/{query}"));
    let request =
        request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    route(&SERVICE, &parts, &body.into())
}

fn text(response: &http::Response<Bytes>) -> &str {
    str::from_utf8(response.body()).unwrap()
}

#[test]
fn the_caller_is_told_in_xml() {
    let expected = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                    <GetCallerIdentityResult><UserId>000000000000</UserId><Account>000000000000</Account>\
                    <Arn>arn:aws:iam::000000000000:root</Arn></GetCallerIdentityResult>\
                    <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetCallerIdentityResponse>";
    let output = GetCallerIdentityResponse {
        user_id: Some("000000000000".to_owned()),
        account: Some("000000000000".to_owned()),
        arn: Some("arn:aws:iam::000000000000:root".to_owned()),
    };
    let parameters = "Action=GetCallerIdentity&Version=2011-06-15";
    for call in
        [call(&Method::POST, "", parameters), call(&Method::GET, &format!("?{parameters}"), "")]
    {
        let response = call.unwrap().respond(&output, "id");
        assert_eq!((response.status(), text(&response)), (StatusCode::OK, expected));
        assert_eq!(response.headers()["content-type"], "text/xml");
    }
}

#[test]
fn an_error_says_whose_fault_it_is() {
    let call = call(&Method::POST, "", "Action=GetCallerIdentity&Version=2011-06-15").unwrap();
    for (status, fault) in
        [(StatusCode::FORBIDDEN, "Sender"), (StatusCode::INTERNAL_SERVER_ERROR, "Receiver")]
    {
        let response =
            call.respond_error(&ErrorBody::new("AccessDenied", status, "a < b\r\u{1}"), "id");
        assert_eq!(response.status(), status);
        assert_eq!(
            text(&response),
            format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{fault}</Type>\
                 <Code>AccessDenied</Code><Message>a &lt; b&#13;\u{FFFD}</Message></Error>\
                 <RequestId>id</RequestId></ErrorResponse>"
            )
        );
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_a_code_of_its_own() {
    let many = "a&".repeat(30_000);
    let distinct = (0..50_000).map(|n| n.to_string()).collect::<Vec<_>>().join("&");
    let large = "a".repeat(PARSED_BODY_BYTES_MAX + 1);
    let deep = format!("Action=GetCallerIdentity&Version=2011-06-15&{}=1", "A.".repeat(1_000));
    let table = [
        ("", 400, "MissingAction", "The request must contain the parameter Action"),
        (&many, 400, "MissingAction", "The request must contain the parameter Action"),
        (&distinct, 400, "MalformedInput", "The request has too many parameters"),
        (&large, 413, "RequestEntityTooLargeException", "Request size exceeded 4194304 bytes"),
        (&deep, 400, "MalformedInput", "A parameter is nested too deeply"),
        ("Action=%ff", 400, "MalformedInput", "A parameter is not UTF-8"),
        (
            "Action=Foo&Version=2011-06-15",
            400,
            "InvalidAction",
            "Could not find operation Foo for version 2011-06-15",
        ),
        (
            "Action=GetCallerIdentity",
            400,
            "InvalidAction",
            "Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED",
        ),
        (
            "Action=DecodeAuthorizationMessage&Version=2011-06-15",
            400,
            "InvalidAction",
            "Tidegate does not implement the operation DecodeAuthorizationMessage of STS",
        ),
    ];
    for (body, status, code, message) in table {
        let rejection = call(&Method::POST, "", body.to_owned()).unwrap_err();
        let error = &rejection.error;
        assert_eq!(
            (error.status.as_u16(), error.code.as_ref(), error.message.as_str()),
            (status, code, message)
        );
        assert!(text(&rejection.respond("id")).contains(&format!("<Code>{code}</Code>")));
    }
}

#[test]
fn flattened_lists_lie_beside_their_own_name() {
    let table = [
        ("Tags", "member", false, "Tags.member"),
        ("A.Tags", "item", false, "A.Tags.item"),
        ("A.Tags", "member", true, "A.Tags"),
        ("A.Tags", "Tag", true, "A.Tag"),
        ("Tags", "Tag", true, "Tag"),
    ];
    for (prefix, member_name, flattened, expected) in table {
        assert_eq!(list_prefix(prefix, member_name, flattened), expected);
    }
}

#[test]
fn xml_is_read_with_its_entities_and_within_bounds() {
    let root = xml::parse(
        b"<?xml version=\"1.0\"?><a xmlns=\"x\"><!-- c --><b>1 &lt;&#65;<![CDATA[<>]]></b><b/></a>",
    )
    .unwrap();
    let texts: Vec<&str> = root.children("b").map(|child| child.text.as_str()).collect();
    assert_eq!(texts, ["1 <A<>", ""]);
    for bad in ["", "<a>", "<a></b>", "</a>", "<a>&evil;</a>", &"<a>".repeat(100_000)] {
        assert!(xml::parse(bad.as_bytes()).is_err(), "{}", bad.len());
    }
}

#[test]
fn times_may_leave_their_zone_out() {
    let put = |time: &str| {
        let body = format!(
            "Action=PutMetricData&Version=2010-08-01&Namespace=App&MetricData.member.1.MetricName=m\
             &MetricData.member.1.Timestamp={time}"
        );
        let request =
            Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        route(&cloudwatch::SERVICE, &parts, &body.into())
    };
    let table = [
        ("2026-11-23T09:56:06.250Z", Some(1_795_427_766_250)),
        ("2026-11-23T09:56:06", Some(1_795_427_766_000)),
        ("2026-11-23T10:56:06%2B01:00", Some(1_795_427_766_000)),
        ("2026-11-23", Some(1_795_392_000_000)),
        ("tomorrow", None),
        ("1795427766", None),
        ("", None),
    ];
    for (time, expected) in table {
        let found =
            put(time).ok().map(|call| call.input::<cloudwatch::PutMetricDataInput>().unwrap());
        let found = found.map(|input| input.metric_data.unwrap()[0].timestamp.unwrap().0);
        assert_eq!(found, expected, "{time}");
    }
}

/// AWS's largest request of a thousand full datapoints fits into what is read.
#[test]
fn a_list_may_be_long_and_an_empty_one_is_one() {
    use std::fmt::Write as _;
    let mut body = "Action=PutMetricData&Version=2010-08-01&Namespace=App".to_owned();
    for at in 1..=1000 {
        let datum = format!("MetricData.member.{at}");
        write!(body, "&{datum}.MetricName=m&{datum}.Dimensions=").unwrap();
        for value in 1..=12 {
            write!(body, "&{datum}.Values.member.{value}={value}&{datum}.Counts.member.{value}=1")
                .unwrap();
        }
    }
    assert!(body.len() > 1_000_000);
    let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let call = route(&cloudwatch::SERVICE, &parts, &body.into()).unwrap();
    let data = call.input::<cloudwatch::PutMetricDataInput>().unwrap().metric_data.unwrap();
    assert_eq!((data.len(), data[999].values.as_ref().map(Vec::len)), (1000, Some(12)));
    assert_eq!(data[999].dimensions, Some(Vec::new()));
}
