//! Files that survive, and two who want the same one.

use super::*;
use crate::testing::run_under_way;

fn whose() -> Whose {
    Whose {
        url: "http://127.0.0.1:4280".into(),
        account: "000000000000".into(),
        region: "us-east-1".into(),
        endpoint: "tide".parse().unwrap(),
    }
}

fn environment(folder: &Path) -> Environment {
    [("XDG_STATE_HOME".to_owned(), folder.display().to_string())].into()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_written_is_read_and_nobody_elses() {
    let state = tempfile::tempdir().unwrap();
    let place = Place::of(whose(), &environment(state.path())).unwrap();
    assert_eq!(place.read().unwrap(), None);
    let held = place.clone().hold().unwrap();
    let mut run = run_under_way();
    held.write(&run).unwrap();
    run.problem = None;
    held.write(&run).unwrap();
    assert_eq!(place.read().unwrap(), Some(run.clone()));
    assert_eq!(mode(&place.path()), 0o600);
    let folder = state.path().join("tidegate/journal");
    assert_eq!(mode(&folder), 0o700);
    // Once it is dropped, the next may have it.
    drop(held);
    assert_eq!(place.hold().unwrap().place().read().unwrap(), Some(run));
}

#[test]
fn a_folder_that_others_may_read_is_closed() {
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("tidegate/journal");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    Place::of(whose(), &environment(state.path())).unwrap().hold().unwrap();
    assert_eq!(mode(&folder), 0o700);
}

#[test]
fn a_second_one_is_told_who_has_it() {
    let state = tempfile::tempdir().unwrap();
    let place = Place::of(whose(), &environment(state.path())).unwrap();
    let _held = place.clone().hold().unwrap();
    let why = place.hold().unwrap_err().to_string();
    assert!(why.contains(&format!("process {} is updating", std::process::id())), "{why}");
    // Another endpoint is nobody's.
    let other = Whose { endpoint: "other".parse().unwrap(), ..whose() };
    Place::of(other, &environment(state.path())).unwrap().hold().unwrap();
}

#[test]
fn each_endpoint_of_each_server_has_a_file_of_its_own() {
    let environment = environment(Path::new("/state"));
    let path = |whose| Place::of(whose, &environment).unwrap().path();
    let mut paths = vec![
        path(whose()),
        path(Whose { url: "http://127.0.0.1:4281".into(), ..whose() }),
        path(Whose { account: "000000000001".into(), ..whose() }),
        path(Whose { region: "us-east-2".into(), ..whose() }),
        path(Whose { endpoint: "tide2".parse().unwrap(), ..whose() }),
    ];
    assert!(paths.iter().all(|path| path.starts_with("/state/tidegate/journal")));
    assert!(paths[0].file_name().unwrap().to_str().unwrap().starts_with("tide-"));
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 5);
}

#[test]
fn what_is_no_journal_of_ours_is_refused_in_a_line_with_its_path() {
    let state = tempfile::tempdir().unwrap();
    let environment = environment(state.path());
    let held = Place::of(whose(), &environment).unwrap().hold().unwrap();
    held.write(&run_under_way()).unwrap();
    let whole = fs::read(held.place().path()).unwrap();
    let foreign = Whose { url: "http://127.0.0.1:4281".into(), ..whose() };
    let foreign = safe_update::journal::write(&foreign, &run_under_way()).unwrap().into_bytes();
    let cut = whole[..whole.len() - 10].to_vec();
    let newer = String::from_utf8(whole).unwrap().replacen("\"version\":1", "\"version\":3", 1);
    let table = [
        (vec![0xff, 0xfe], "not the journal of a safe update"),
        (Vec::new(), "not the journal of a safe update"),
        (cut, "damaged"),
        (newer.into_bytes(), "newer tidegate"),
        (foreign, "another server"),
    ];
    for (bytes, problem) in table {
        fs::write(held.place().path(), bytes).unwrap();
        let why = held.place().read().unwrap_err().to_string();
        assert!(why.contains("journal/tide-") && why.contains(problem), "{why}");
        assert_eq!(why.lines().count(), 1);
    }
}

#[test]
fn the_folder_follows_the_xdg_rules() {
    let table = [
        (vec![("XDG_STATE_HOME", "/s"), ("HOME", "/h")], Some("/s/tidegate/journal")),
        (
            vec![("XDG_STATE_HOME", "relative"), ("HOME", "/h")],
            Some("/h/.local/state/tidegate/journal"),
        ),
        (vec![("HOME", "")], None),
    ];
    for (variables, wanted) in table {
        let environment =
            variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        assert_eq!(folder(&environment).ok(), wanted.map(PathBuf::from), "{variables:?}");
    }
}
