//! How panics are reported: the engine may panic on a stranger's model, and the log should then say so in a line.

use std::any::Any;
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a model is being loaded. A panic is then the reason why the server ends, and told as that, once.
static LOADING: AtomicBool = AtomicBool::new(false);

/// Makes every panic of this process one line in its log, instead of Rust's several.
pub(crate) fn report_in_one_line() {
    set_hook(Box::new(|info| {
        if !LOADING.load(Ordering::Relaxed) {
            // A log that cannot be written has no reader.
            let _ = writeln!(std::io::stderr(), "panic: {}", describe(info));
        }
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let text = one_line(message(info.payload()));
    match info.location() {
        Some(location) => format!("{text} ({}:{})", location.file(), location.line()),
        None => text,
    }
}

/// Runs `load` with its panics as errors, and nothing about them in the log.
pub(super) fn quietly<T>(load: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    LOADING.store(true, Ordering::Relaxed);
    let loaded = guarded(load);
    LOADING.store(false, Ordering::Relaxed);
    loaded.unwrap_or_else(|text| Err(format!("broken: the engine failed on it: {text}")))
}

/// Runs `work` with a panic as an error, which is the panic's text.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| one_line(message(&*payload)))
}

fn message(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "no reason given",
    }
}

/// A text with every run of white space, line ends among them, as one space.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_text_in_one_line() {
        assert_eq!(guarded(|| 7), Ok(7));
        assert_eq!(guarded(|| -> u8 { panic!("two\nlines") }), Err("two lines".to_owned()));
        let why = quietly(|| -> Result<u8, String> { panic!("{}", 7) });
        assert_eq!(why, Err("broken: the engine failed on it: 7".to_owned()));
        assert_eq!(quietly(|| Err::<u8, _>("why".to_owned())), Err("why".to_owned()));
    }
}
