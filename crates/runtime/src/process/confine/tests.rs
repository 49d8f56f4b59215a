//! Which paths are open, on trees that look like machines.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::*;
use crate::process::Image;

/// A machine below a folder: `/` is where the real one's system is, and of no interest here.
struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { root: tempfile::tempdir().unwrap() };
        for folder in ["home/me/.ssh", "data/instances/i-1/tmp", "srv/app"] {
            fs::create_dir_all(machine.at(folder)).unwrap();
        }
        machine
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(path)
    }

    fn file(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    fn link(&self, from: &str, to: &str) {
        fs::create_dir_all(self.at(from).parent().unwrap()).unwrap();
        symlink(self.at(to), self.at(from)).unwrap();
    }

    /// A virtual environment on an interpreter that is an installation of its own.
    fn with_python(self) -> Self {
        self.file("home/me/.pyenv/versions/3.12/bin/python3.12", "");
        self.file("home/me/.pyenv/versions/3.12/lib/python3.12/os.py", "");
        self.link(
            "home/me/.pyenv/versions/3.12/bin/python3",
            "home/me/.pyenv/versions/3.12/bin/python3.12",
        );
        self.link("home/me/app/.venv/bin/python", "home/me/.pyenv/versions/3.12/bin/python3");
        self.file("home/me/app/.venv/pyvenv.cfg", "include-system-site-packages = false\n");
        self.file("home/me/app/.venv/lib/python3.12/site-packages/numpy/core.so", "");
        self.file("home/me/app/server.py", "");
        self.file("home/me/app/weights/w", "");
        self
    }

    fn confinement(&self) -> Confinement {
        Confinement::new(self.at("data"), Some(self.at("home/me")))
    }

    fn grants(&self, path: &str, image: &Image) -> Vec<Grant> {
        let table = ImageTable::new(vec![image.clone()]).unwrap();
        let recipe = table.recipe(&image.pattern, Path::new("/bin/tidegate")).unwrap();
        let folder = self.at("data/instances/i-1");
        let tenant = Tenant { recipe: &recipe, path, folder: &folder, sockets: None };
        self.confinement().grants(&tenant).unwrap()
    }

    /// Whether a path of the machine can be read and written under these grants, as the kernel would decide it.
    fn may(&self, grants: &[Grant], path: &str) -> (bool, bool) {
        let path = self.at(path).canonicalize().unwrap();
        let granted = |access| {
            grants.iter().any(|grant| grant.access == access && path.starts_with(&grant.path))
        };
        (granted(Access::Read) || granted(Access::Write), granted(Access::Write))
    }
}

fn image(command: &[&Path]) -> Image {
    let command = command.iter().map(|word| word.to_str().unwrap().to_owned()).collect();
    let (environment, readable, writable) = (BTreeMap::new(), Vec::new(), Vec::new());
    Image { pattern: "image".into(), command, environment, readable, writable }
}

const NOTHING: (bool, bool) = (false, false);
const READ: (bool, bool) = (true, false);
const WRITE: (bool, bool) = (true, true);

#[test]
fn its_own_folder_is_open_and_the_data_directory_and_the_home_are_not() {
    let machine = Machine::new();
    machine.file("data/credentials", "");
    machine.file("data/instances/i-2/model/weights", "");
    machine.file("home/me/.ssh/id_ed25519", "");
    let grants = machine.grants("/usr/bin", &image(&[Path::new("python3")]));
    for (path, expected) in [
        ("data/instances/i-1/tmp", WRITE),
        ("data/instances/i-2/model/weights", NOTHING),
        ("data/credentials", NOTHING),
        ("home/me/.ssh/id_ed25519", NOTHING),
    ] {
        assert_eq!(machine.may(&grants, path), expected, "{path}");
    }
    let etc = grants.iter().find(|grant| grant.path == Path::new("/etc"));
    assert_eq!(etc.map(|grant| grant.access), Some(Access::Read));
}

#[test]
fn a_virtual_environment_is_open_with_its_interpreter_and_nothing_else_of_the_home() {
    let machine = Machine::new().with_python();
    machine.file("home/me/.pyenv/secret", "");
    let (python, server) =
        (machine.at("home/me/app/.venv/bin/python"), machine.at("home/me/app/server.py"));
    let in_path =
        machine.grants(python.parent().unwrap().to_str().unwrap(), &image(&[Path::new("python")]));
    let named = machine.grants("/usr/bin", &image(&[&python, &server]));
    for (path, by_path, by_name) in [
        ("home/me/app/.venv/lib/python3.12/site-packages/numpy/core.so", READ, READ),
        ("home/me/.pyenv/versions/3.12/lib/python3.12/os.py", READ, READ),
        ("home/me/.pyenv/versions/3.12/bin/python3.12", READ, READ),
        ("home/me/.pyenv/secret", NOTHING, NOTHING),
        ("home/me/app/weights/w", NOTHING, READ),
        ("home/me/.ssh", NOTHING, NOTHING),
    ] {
        assert_eq!(machine.may(&in_path, path), by_path, "{path} by PATH");
        assert_eq!(machine.may(&named, path), by_name, "{path} by name");
    }
}

#[test]
fn shims_open_the_installations_behind_them() {
    let machine = Machine::new().with_python();
    machine.file("home/me/.pyenv/shims/python3", "#!/usr/bin/env bash\n");
    machine.file("home/me/.pyenv/version", "3.12");
    let shims = machine.at("home/me/.pyenv/shims");
    let grants = machine.grants(shims.to_str().unwrap(), &image(&[Path::new("python3")]));
    for path in ["home/me/.pyenv/version", "home/me/.pyenv/versions/3.12/lib/python3.12/os.py"] {
        assert_eq!(machine.may(&grants, path), READ, "{path}");
    }
    assert_eq!(machine.may(&grants, "home/me/.ssh"), NOTHING);
}

#[test]
fn folders_of_tools_in_a_home_do_not_open_what_lies_beside_them() {
    let machine = Machine::new();
    machine.file("home/me/.local/bin/serve", "");
    machine.file("home/me/.local/lib/python3/site.py", "");
    machine.file("home/me/.local/share/keyrings/login", "");
    machine.file("home/me/.cargo/bin/tool", "");
    machine.file("home/me/.cargo/credentials.toml", "");
    machine.file("home/me/bin/mine", "");
    machine.file("home/me/.local/share/pipx/venvs/x/bin/x", "");
    machine.file("home/me/.local/share/pipx/venvs/x/pyvenv.cfg", "");
    machine.file("home/me/.local/share/pipx/venvs/x/lib/x.py", "");
    machine.link("home/me/.local/bin/x", "home/me/.local/share/pipx/venvs/x/bin/x");
    let folders = ["home/me/.local/bin", "home/me/.cargo/bin", "home/me/bin", "home/me"];
    let path = folders.map(|folder| machine.at(folder).to_str().unwrap().to_owned()).join(":");
    let grants = machine.grants(&format!("bin:.:{path}"), &image(&[Path::new("serve")]));
    for (path, expected) in [
        ("home/me/.local/bin/serve", READ),
        ("home/me/.local/lib/python3/site.py", READ),
        ("home/me/.local/share/pipx/venvs/x/lib/x.py", READ),
        ("home/me/.local/share/keyrings/login", NOTHING),
        ("home/me/.cargo/bin/tool", READ),
        ("home/me/.cargo/credentials.toml", NOTHING),
        ("home/me/bin/mine", READ),
        ("home/me/.ssh", NOTHING),
    ] {
        assert_eq!(machine.may(&grants, path), expected, "{path}");
    }
}

#[test]
fn a_script_brings_its_interpreter_and_its_folder() {
    let machine = Machine::new().with_python();
    let python = machine.at("home/me/app/.venv/bin/python");
    machine.file("srv/app/serve", &format!("#!{} -u\n", python.display()));
    machine.file("srv/app/helper.py", "");
    machine.file("srv/other", "");
    machine.file("home/me/alone.py", "");
    machine.file("home/me/private", "");
    let flag = format!("--model={}", machine.at("home/me/app/weights/w").display());
    let (script, alone) = (machine.at("srv/app/serve"), machine.at("home/me/alone.py"));
    let grants = machine.grants("/usr/bin", &image(&[&script, &alone, Path::new(&flag)]));
    for (path, expected) in [
        ("srv/app/helper.py", READ),
        ("home/me/.pyenv/versions/3.12/lib/python3.12/os.py", READ),
        ("home/me/app/.venv/pyvenv.cfg", READ),
        ("home/me/app/weights/w", READ),
        ("home/me/app/server.py", NOTHING),
        ("home/me/alone.py", READ),
        ("home/me/private", NOTHING),
        ("srv/other", NOTHING),
    ] {
        assert_eq!(machine.may(&grants, path), expected, "{path}");
    }
}

#[test]
fn what_an_entry_lists_is_open_around_the_data_directory() {
    let machine = Machine::new();
    machine.file("data/credentials", "");
    machine.file("srv/models/w", "");
    machine.file("scratch/cache", "");
    let mut entry = image(&[Path::new("python3")]);
    entry.readable = vec![machine.at(""), machine.at("not/there")];
    entry.writable = vec![machine.at("scratch")];
    let grants = machine.grants("/usr/bin", &entry);
    for (path, expected) in [
        ("srv/models/w", READ),
        ("home/me/.ssh", READ),
        ("scratch/cache", WRITE),
        ("data/credentials", NOTHING),
        ("data/instances", NOTHING),
        ("data/instances/i-1", WRITE),
    ] {
        assert_eq!(machine.may(&grants, path), expected, "{path}");
    }
}

#[test]
fn a_data_directory_within_an_installation_stays_closed() {
    let machine = Machine::new();
    for file in ["bin/python3", "data/credentials", "data/bin/python3", "pyvenv.cfg"] {
        machine.file(&format!("srv/venv/{file}"), "");
    }
    let path =
        ["bin", "data/bin"].map(|bin| machine.at("srv/venv").join(bin).display().to_string());
    let table = ImageTable::new(vec![image(&[Path::new("python3")])]).unwrap();
    let recipe = table.recipe("image", Path::new("/bin/tidegate")).unwrap();
    let (folder, path) = (machine.at("srv/venv/data/instances/i-1"), path.join(":"));
    let tenant = Tenant { recipe: &recipe, path: &path, folder: &folder, sockets: None };
    let grants = Confinement::new(machine.at("srv/venv/data"), None).grants(&tenant).unwrap();
    assert_eq!(machine.may(&grants, "srv/venv/pyvenv.cfg"), READ);
    assert_eq!(machine.may(&grants, "srv/venv/data/credentials"), NOTHING);
    assert_eq!(machine.may(&grants, "srv/venv/data/bin/python3"), NOTHING);
}

#[test]
fn entries_that_would_expose_the_data_directory_are_refused() {
    let machine = Machine::new();
    machine.link("alias", "data");
    let python = Path::new("python3");
    let change = |change: &dyn Fn(&mut Image)| {
        let mut entry = image(&[python]);
        change(&mut entry);
        let table = ImageTable::new(vec![entry]).unwrap();
        machine.confinement().check(&table).err().map(|error| error.to_string())
    };
    let data = machine.at("data");
    let word = |path: &str| machine.at(path).to_str().unwrap().to_owned();
    for (path, refused) in
        [("data/x.py", true), ("alias/x/y.py", true), ("srv/x.py", false), ("", false)]
    {
        let error = change(&|entry| entry.command.push(word(path)));
        assert_eq!(error.is_some(), refused, "{path}: {error:?}");
        let error = change(&|entry| entry.readable.push(machine.at(path)));
        assert_eq!(error.is_some(), refused, "{path}: {error:?}");
    }
    for (path, refused) in [("data/x", true), ("alias", true), ("", true), ("srv", false)] {
        let error = change(&|entry| entry.writable.push(machine.at(path)));
        assert_eq!(error.is_some(), refused, "{path}: {error:?}");
    }
    let text = change(&|entry| entry.writable.push(data.clone())).unwrap();
    assert!(text.contains("writable") && text.contains(data.to_str().unwrap()), "{text}");
}

#[test]
fn a_built_in_image_gets_its_binary_and_no_installations() {
    let machine = Machine::new().with_python();
    machine.file("home/me/bin/tidegate", "");
    machine.file("home/me/bin/other", "");
    fs::create_dir_all(machine.at("sockets")).unwrap();
    let (exe, folder) = (machine.at("home/me/bin/tidegate"), machine.at("data/instances/i-1"));
    let recipe = ImageTable::default().recipe("tidegate/echo:1", &exe).unwrap();
    let (path, sockets) = (machine.at("home/me/app/.venv/bin"), machine.at("sockets"));
    let path = path.to_str().unwrap();
    let tenant = Tenant { recipe: &recipe, path, folder: &folder, sockets: Some(&sockets) };
    let grants = machine.confinement().grants(&tenant).unwrap();
    for (path, expected) in [
        ("home/me/bin/tidegate", READ),
        ("home/me/bin/other", NOTHING),
        ("home/me/app/.venv/pyvenv.cfg", NOTHING),
        ("sockets", NOTHING),
        ("data/instances/i-1", WRITE),
    ] {
        assert_eq!(machine.may(&grants, path), expected, "{path}");
    }
    assert!(grants.contains(&Grant { access: Access::Bind, path: sockets.clone() }));
}
