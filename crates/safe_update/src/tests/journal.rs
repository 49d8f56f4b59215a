//! A journal says what was written into it, or that it does not.

use domain::safe_update::{Request, Run};
use domain::time::Timestamp;

use super::fake::{server, wait_for};
use crate::journal::{JournalError, Whose, read, write};
use crate::survey;

fn whose() -> Whose {
    Whose {
        url: "http://127.0.0.1:4280".to_owned(),
        account: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: "e".parse().unwrap(),
    }
}

fn run() -> Run {
    let server = server();
    let survey = wait_for(survey(&server, &"e".parse().unwrap(), &"new".parse().unwrap())).unwrap();
    let mut run =
        Run::begin(survey.facts, survey.saved, Request::default(), Timestamp::from_millis(1))
            .unwrap();
    // Floats come back to the last bit.
    run.saved.alarms[0].alarm["Threshold"] = (0.1 + 0.2).into();
    run.facts.running[0].weight = 1.0 / 3.0;
    run
}

#[test]
fn a_run_comes_back_as_it_was() {
    let run = run();
    assert_eq!(read(&write(&whose(), &run).unwrap(), &whose()), Ok(run));
}

#[test]
fn a_journal_that_is_cut_off_or_damaged_is_refused() {
    let text = write(&whose(), &run()).unwrap();
    for end in 0..text.len() {
        if let Some(cut) = text.get(..end) {
            assert!(read(cut, &whose()).is_err(), "cut off at {end}");
        }
    }
    let mut damaged = 0;
    for at in (0..text.len()).step_by(7) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(other) = String::from_utf8(bytes) {
            assert!(read(&other, &whose()).is_err(), "byte {at}");
            damaged += 1;
        }
    }
    assert!(damaged > 100);
}

#[test]
fn a_foreign_journal_is_refused_and_says_whose_it_is() {
    let text = write(&whose(), &run()).unwrap();
    let others = [
        Whose { url: "https://example.com".to_owned(), ..whose() },
        Whose { account: "111122223333".to_owned(), ..whose() },
        Whose { region: "eu-west-1".to_owned(), ..whose() },
        Whose { endpoint: "f".parse().unwrap(), ..whose() },
    ];
    let texts = others.iter().map(|other| read(&text, other).unwrap_err().to_string());
    assert_eq!(
        texts.collect::<Vec<_>>(),
        [
            "it is about another server: http://127.0.0.1:4280, not https://example.com",
            "it is about another account: 000000000000, not 111122223333",
            "it is about another region: us-east-1, not eu-west-1",
            "it is about another endpoint: e, not f",
        ]
    );
}

#[test]
fn other_files_and_newer_journals_are_told_apart() {
    for other in ["", "{}", "{\"kind\":\"recipe\"}\n{}\n", "not json\n"] {
        assert_eq!(read(other, &whose()), Err(JournalError::Other), "{other}");
    }
    let text = write(&whose(), &run()).unwrap();
    let newer = text.replacen("\"version\":1", "\"version\":3", 1);
    assert_eq!(read(&newer, &whose()), Err(JournalError::Newer(3)));
}

/// A program that knows no `DeploymentConfig` would leave it out, and update all at once.
#[test]
fn only_a_run_that_says_how_traffic_goes_over_is_too_new_for_older_programs() {
    let version = |run: &Run| -> u64 {
        let text = write(&whose(), run).unwrap();
        assert_eq!(read(&text, &whose()).as_ref(), Ok(run));
        let head: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        head["version"].as_u64().unwrap()
    };
    let plain = run();
    let form = serde_json::to_value(&plain.request).unwrap();
    assert_eq!(form.as_object().unwrap().len(), 3, "older programs read {form}");
    assert_eq!(version(&plain), 1);
    let mut guarded = run();
    guarded.request.deployment_config =
        Some(serde_json::from_str(r#"{"RollingUpdatePolicy": {}}"#).unwrap());
    assert_eq!(version(&guarded), 2);
    let mut retained = run();
    retained.request.retain_deployment_config = true;
    assert_eq!(version(&retained), 2);
}
