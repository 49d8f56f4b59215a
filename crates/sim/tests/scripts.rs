//! Runs every script and compares what it shows with the recorded answer beside it.
//!
//! After a wanted change: `SIM_ACCEPT=1 cargo nextest run -p sim`, and read the diff.

#![expect(clippy::tests_outside_test_module, reason = "a file below tests/ is a test module")]

use std::fs;
use std::path::Path;

#[test]
fn scripts_show_what_was_recorded() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut scripts: Vec<_> =
        fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    scripts.sort();
    assert!(!scripts.is_empty());
    for script in scripts {
        let shown = sim::run(&fs::read_to_string(&script).unwrap())
            .unwrap_or_else(|fault| panic!("{script:?}: {fault}"));
        let recorded = script.with_extension("out");
        if std::env::var_os("SIM_ACCEPT").is_some() {
            fs::write(&recorded, &shown).unwrap();
        }
        let wanted = fs::read_to_string(&recorded).unwrap_or_default();
        assert!(shown == wanted, "{recorded:?} differs; it now shows:\n{shown}");
    }
}
