//! Requests of every service in every protocol: read, validated, and answered.

use http::StatusCode;
use wire::ErrorBody;
use wire::shape::SERVICES;

/// The first byte names the service, the rest is a request as a file holds it.
pub fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let service = SERVICES[usize::from(*first) % SERVICES.len()];
    let Some((parts, body)) = crate::head::read(rest) else { return };
    let guessed = wire::detect(None, &parts);
    for service in guessed.into_iter().chain([service]) {
        let call = match wire::route(service, &parts, &body) {
            Ok(call) => call,
            Err(rejection) => {
                let status = rejection.respond("id").status();
                assert!(status.is_client_error(), "{} answered {status}", service.id);
                continue;
            }
        };
        let error = ErrorBody::new("ValidationException", StatusCode::BAD_REQUEST, "no");
        assert_eq!(call.respond_error(&error, "id").status(), StatusCode::BAD_REQUEST);
        // What a client of ours would send for the same input is read as the same input; but a body without a type, which
        // a client sends with one.
        let bare = service.id == "sagemaker_runtime" && call.input.get("ContentType").is_none();
        if bare {
            continue;
        }
        if let Ok(again) = wire::encode_request(service, call.operation, &call.input) {
            let (parts, body) = again.into_parts();
            let read = wire::route(service, &parts, &body);
            let read = read
                .unwrap_or_else(|refused| panic!("{}: {:?}", call.operation.name, refused.error));
            assert_eq!(read.input, call.input, "{}", call.operation.name);
        }
    }
}
