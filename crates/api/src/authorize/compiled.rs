//! Policies in the form that is quick to evaluate. Each text is compiled once, whoever has it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use auth::policy::{Document, Kind};

/// Texts after which the table is looked through for those that nobody uses any more: as many as some thousand users
/// with policies of their own have.
const SWEEP_AT: usize = 8_192;

/// What stands for a policy that cannot be read. None that was ever accepted is such a one; what it would have denied is not
/// known, so that everything is.
const DENIES_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// Weak, so that a policy that nobody has any more is forgotten.
static COMPILED: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Table {
    documents: BTreeMap<Arc<str>, Weak<Document>>,
    /// The size at which it is swept next.
    sweep_at: usize,
}

/// The policy of this text. It takes a lock, and time for a text that is new: it is for callers who change, not for
/// every request.
pub(crate) fn compiled(text: &str) -> Arc<Document> {
    let mut table = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(document) = table.documents.get(text).and_then(Weak::upgrade) {
        return document;
    }
    let document = Arc::new(parse(text));
    if table.documents.len() >= table.sweep_at.max(SWEEP_AT) {
        table.documents.retain(|_, document| document.strong_count() > 0);
        table.sweep_at = table.documents.len().saturating_mul(2);
    }
    table.documents.insert(Arc::clone(document.text()), Arc::downgrade(&document));
    document
}

fn parse(text: &str) -> Document {
    // Whatever a policy was accepted as, this reads it.
    Document::parse(text, Kind::Inline).unwrap_or_else(|why| {
        tracing::error!(%why, "a stored policy cannot be read; its holders may do nothing");
        Document::parse(DENIES_ALL, Kind::Inline).expect("it is well formed")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_compiled_once_for_as_long_as_it_is_used() {
        let text = DENIES_ALL.replace("Deny", "Allow");
        let first = compiled(&text);
        assert!(Arc::ptr_eq(&first, &compiled(&text)));
        assert_eq!(&**compiled("not a policy").text(), DENIES_ALL);
    }
}
