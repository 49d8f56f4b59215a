//! What the user probably meant, when a name is not there.

use wire::sagemaker::{ListEndpointsInput, ListEndpointsOutput};

use crate::Error;
use crate::client::Client;

/// How many names a hint lists; more would bury the error.
const NAMES_SHOWN_MAX: usize = 8;

/// How alike two names must be (1 is equal) for the one to be a slip of the other. `chat-prod` and `chat-prd` are,
/// `chat` and `search` are not.
const LIKENESS_MIN: f64 = 0.85;

/// The error, with the names that do exist if it says that this one does not.
pub(in crate::command) async fn with_names(client: &Client, name: &str, error: Error) -> Error {
    let is_missing = error.is_not_found()
        || error.refusal().is_some_and(|refusal| {
            let named = format!("Endpoint {name} of account ");
            refusal.code == "ValidationError" && refusal.message.starts_with(&named)
        });
    if !is_missing {
        return error;
    }
    // A hint that cannot be had must not stand in the way of the error.
    let Ok(page) = client
        .sagemaker::<_, ListEndpointsOutput>("ListEndpoints", &ListEndpointsInput::default())
        .await
    else {
        return error;
    };
    let names: Vec<String> =
        page.endpoints.into_iter().map(|endpoint| endpoint.endpoint_name).collect();
    error.with_hint(Some(hint(name, &names)))
}

fn hint(name: &str, names: &[String]) -> String {
    if let Some(other) =
        names.iter().find(|other| *other != name && other.eq_ignore_ascii_case(name))
    {
        return format!("names are told apart by case here: there is {other}");
    }
    let likeness = |other: &String| strsim::jaro_winkler(name, other);
    let closest = names.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    if let Some(other) = closest.filter(|other| likeness(other) >= LIKENESS_MIN) {
        return format!("did you mean {other}?");
    }
    if names.is_empty() {
        return "there are no endpoints here yet".to_owned();
    }
    let shown =
        names.iter().take(NAMES_SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if names.len() > NAMES_SHOWN_MAX { ", …" } else { "" };
    format!("there are: {shown}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_what_was_meant() {
        let many: Vec<&str> = "a b c d e f g h i".split(' ').collect();
        let table = [
            ("chat-prd", vec!["search", "chat-prod"], "did you mean chat-prod?"),
            ("CHAT", vec!["chat", "CHAT2"], "names are told apart by case here: there is chat"),
            ("x", vec!["search", "chat"], "there are: search, chat"),
            ("x", many, "there are: a, b, c, d, e, f, g, h, …"),
            ("x", vec![], "there are no endpoints here yet"),
        ];
        for (name, names, wanted) in table {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            assert_eq!(hint(name, &names), wanted);
        }
    }
}
