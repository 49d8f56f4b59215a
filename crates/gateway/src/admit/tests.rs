use http::{HeaderValue, Request};
use proptest::prelude::*;

use super::*;

const PATHS: [&str; 10] = [
    "/endpoints/e/invocations",
    "/endpoints/A-1/invocations",
    "/endpoints/-a/invocations",
    "/endpoints/a_b/invocations",
    "/endpoints/%65/invocations",
    "/endpoints/aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaa/invocations",
    "/endpoints//invocations",
    "/endpoints/e/invocations?x=y",
    "/endpoints/e/invocations-response-stream",
    "/endpoints/a_b/invocations-response-stream",
];

fn parts(method: &str, path: &str, headers: &[(usize, Vec<u8>)]) -> Parts {
    let names = [
        CONTENT_TYPE,
        ACCEPT,
        header::CUSTOM_ATTRIBUTES,
        header::TARGET_VARIANT,
        header::INFERENCE_ID,
        http::header::COOKIE,
        header::ACCEPT,
        header::TARGET_MODEL,
    ];
    let mut request = Request::builder().method(method).uri(path).body(()).unwrap();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request.headers_mut().append(names[name % names.len()].clone(), value);
        }
    }
    request.into_parts().0
}

fn values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[a-zA-Z0-9-]{0,70}".prop_map(String::into_bytes),
        "[ -~\t]{0,40}".prop_map(String::into_bytes),
        (0..1100_usize).prop_map(|length| vec![b'x'; length]),
        proptest::collection::vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    /// The short way may be used only where the long way would have said the same.
    #[test]
    fn what_is_plain_satisfies_the_model_and_means_the_same(
        method in prop_oneof![8 => Just("POST"), 1 => Just("GET")],
        path in 0..PATHS.len(),
        headers in proptest::collection::vec((0..8_usize, values()), 0..4),
    ) {
        let parts = parts(method, PATHS[path], &headers);
        if let Some(members) = plain(&parts) {
            prop_assert_eq!(examined(&parts, &Bytes::new()).map_err(|fault| format!("{fault:?}")), Ok(members));
        }
    }
}

#[test]
fn the_usual_request_is_plain() {
    let headers = [
        (0, b"text/csv".to_vec()),
        (1, b"*/*".to_vec()),
        (3, b"blue".to_vec()),
        (5, b"x".to_vec()),
    ];
    let Members { endpoint, variant, .. } = plain(&parts("POST", PATHS[0], &headers)).unwrap();
    assert_eq!((endpoint.as_str(), variant.unwrap().as_str()), ("e", "blue"));
}

#[test]
fn what_an_operation_does_not_have_it_ignores() {
    let target = [(7, b"m".to_vec())];
    let unsupported = |path| {
        let parts = parts("POST", path, &target);
        assert_eq!(plain(&parts), None);
        examined(&parts, &Bytes::new()).unwrap().unsupported
    };
    assert_eq!(unsupported("/endpoints/e/invocations"), Some(Unsupported::TargetModel));
    assert_eq!(unsupported("/endpoints/e/invocations-response-stream"), None);
}

#[test]
fn invocations_are_told_by_their_path_alone() {
    use Operation::{InvokeEndpoint, InvokeEndpointWithResponseStream};

    let table = [
        ("/endpoints/e/invocations", Some(InvokeEndpoint)),
        ("/endpoints//invocations", Some(InvokeEndpoint)),
        ("/endpoints/a%2Fb/invocations", Some(InvokeEndpoint)),
        ("/endpoints/e/invocations-response-stream", Some(InvokeEndpointWithResponseStream)),
        ("/", None),
        ("/endpoints/invocations", None),
        ("/endpoints/a/b/invocations", None),
        ("/endpoints/e/invocations/", None),
        ("/x/endpoints/e/invocations", None),
        ("/endpoints/e/async-invocations", None),
        ("/endpoints/e/invocations-response-stream/", None),
        ("/Endpoints/e/invocations", None),
    ];
    for (path, expected) in table {
        assert_eq!(operation(path), expected, "{path}");
    }
}
