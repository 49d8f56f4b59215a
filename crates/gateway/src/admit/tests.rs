use http::Request;
use proptest::prelude::*;

use super::*;

const PATHS: [&str; 8] = [
    "/endpoints/e/invocations",
    "/endpoints/A-1/invocations",
    "/endpoints/-a/invocations",
    "/endpoints/a_b/invocations",
    "/endpoints/%65/invocations",
    "/endpoints/aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaa/invocations",
    "/endpoints//invocations",
    "/endpoints/e/invocations?x=y",
];

fn parts(method: &str, path: &str, headers: &[(usize, Vec<u8>)]) -> Parts {
    let names = [
        CONTENT_TYPE,
        ACCEPT,
        header::CUSTOM_ATTRIBUTES,
        header::TARGET_VARIANT,
        header::INFERENCE_ID,
        http::header::COOKIE,
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
        headers in proptest::collection::vec((0..6_usize, values()), 0..4),
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
fn invocations_are_told_by_their_path_alone() {
    for path in
        ["/endpoints/e/invocations", "/endpoints//invocations", "/endpoints/a%2Fb/invocations"]
    {
        assert!(is_invocation(path), "{path}");
    }
    for path in [
        "/",
        "/endpoints/invocations",
        "/endpoints/a/b/invocations",
        "/endpoints/e/invocations/",
        "/x/endpoints/e/invocations",
        "/endpoints/e/invocations-response-stream",
        "/Endpoints/e/invocations",
    ] {
        assert!(!is_invocation(path), "{path}");
    }
}
