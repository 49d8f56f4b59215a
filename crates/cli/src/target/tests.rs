//! Who is talked to and as whom, over all the ways to say it.

use std::fs;
use std::path::Path;

use super::*;

/// A home directory with AWS's files, and data directories with and without a running server.
struct World {
    folder: tempfile::TempDir,
    environment: Environment,
}

const CONFIG: &str = "[default]\nregion = eu-west-1\n[profile remote]\nendpoint_url = http://remote:1\nregion = eu-west-2\n\
                      [profile aws]\nendpoint_url = https://api.sagemaker.us-east-1.amazonaws.com\n";
const CREDENTIALS: &str = "[default]\naws_access_key_id = AKIAHOME\naws_secret_access_key = s\n\
                           [remote]\naws_access_key_id = AKIAREMOTE\naws_secret_access_key = s\naws_session_token = t\n\
                           [half]\naws_access_key_id = AKIAHALF\n";

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs::create_dir_all(home.join(".aws")).unwrap();
        fs::write(home.join(".aws/config"), CONFIG).unwrap();
        fs::write(home.join(".aws/credentials"), CREDENTIALS).unwrap();
        let world =
            Self { environment: [("HOME".to_owned(), home.display().to_string())].into(), folder };
        world.serve(
            &world.path("home/.local/share/tidegate"),
            "http://127.0.0.1:4280",
            "AKIALOCAL",
        );
        world.serve(&world.path("other"), "http://127.0.0.1:4281", "AKIAOTHER");
        world
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn serve(&self, data_dir: &Path, url: &str, id: &str) {
        fs::create_dir_all(data_dir).unwrap();
        let file = ServerFile {
            endpoint_url: url.into(),
            region: "us-west-2".into(),
            account_id: "000000000000".into(),
            pid: 1,
        };
        file.write(data_dir).unwrap();
        let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = s\n");
        fs::write(data_dir.join("credentials"), text).unwrap();
    }

    /// URL, region and key id, or the error.
    fn resolve(
        &self,
        variables: &[(&str, &str)],
        flags: &[(&str, &str)],
    ) -> Result<[String; 3], String> {
        let mut environment = self.environment.clone();
        environment.extend(
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let flag = |name: &str| {
            flags.iter().find(|(flag, _)| *flag == name).map(|(_, value)| (*value).to_owned())
        };
        let global = Global {
            data_dir: flag("data-dir").map(|name| self.path(&name)),
            endpoint_url: flag("endpoint-url"),
            profile: flag("profile"),
            region: flag("region"),
            json: false,
        };
        let target = Target::resolve(&global, &environment).map_err(|error| error.to_string())?;
        Ok([target.server.url.to_string(), target.region, target.key.access_key_id])
    }
}

const LOCAL: &str = "http://127.0.0.1:4280";
const KEY: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIAVAR"), ("AWS_SECRET_ACCESS_KEY", "s")];

#[test]
fn the_first_that_is_named_wins() {
    let world = World::new();
    let with_key = |more: &[(&'static str, &'static str)]| [&KEY[..], more].concat();
    type Case<'a> = (Vec<(&'a str, &'a str)>, Vec<(&'a str, &'a str)>, [&'a str; 3]);
    let table: Vec<Case<'_>> = vec![
        // Nothing is said: the local server, its region, its key; no key that lies about.
        (vec![], vec![], [LOCAL, "us-west-2", "AKIALOCAL"]),
        (with_key(&[("AWS_REGION", "eu-north-1")]), vec![], [LOCAL, "us-west-2", "AKIALOCAL"]),
        (vec![], vec![("region", "r")], [LOCAL, "r", "AKIALOCAL"]),
        // A data directory.
        (vec![], vec![("data-dir", "other")], ["http://127.0.0.1:4281", "us-west-2", "AKIAOTHER"]),
        (
            with_key(&[("AWS_ENDPOINT_URL", "http://v:1")]),
            vec![("data-dir", "other")],
            ["http://127.0.0.1:4281", "us-west-2", "AKIAOTHER"],
        ),
        (
            vec![],
            vec![("data-dir", "other"), ("endpoint-url", "http://f:1")],
            ["http://f:1", "eu-west-1", "AKIAOTHER"],
        ),
        // Variables.
        (
            with_key(&[("AWS_ENDPOINT_URL", "http://v:1")]),
            vec![],
            ["http://v:1", "eu-west-1", "AKIAVAR"],
        ),
        (
            with_key(&[
                ("AWS_ENDPOINT_URL", "http://v:1"),
                ("AWS_ENDPOINT_URL_SAGEMAKER", "http://s:1"),
            ]),
            vec![],
            ["http://s:1", "eu-west-1", "AKIAVAR"],
        ),
        (
            with_key(&[("AWS_ENDPOINT_URL", "http://v:1")]),
            vec![("endpoint-url", "http://f:1")],
            ["http://f:1", "eu-west-1", "AKIAVAR"],
        ),
        (vec![("AWS_ENDPOINT_URL", "")], vec![], [LOCAL, "us-west-2", "AKIALOCAL"]),
        (
            vec![("AWS_ENDPOINT_URL", "http://v:1"), ("AWS_DEFAULT_REGION", "d")],
            vec![],
            ["http://v:1", "d", "AKIAHOME"],
        ),
        (
            vec![
                ("AWS_ENDPOINT_URL", "http://v:1"),
                ("AWS_DEFAULT_REGION", "d"),
                ("AWS_REGION", "r"),
            ],
            vec![],
            ["http://v:1", "r", "AKIAHOME"],
        ),
        // The local server under its own URL: its region, and its key unless another is meant.
        (vec![("AWS_ENDPOINT_URL", LOCAL)], vec![], [LOCAL, "us-west-2", "AKIALOCAL"]),
        (with_key(&[("AWS_ENDPOINT_URL", LOCAL)]), vec![], [LOCAL, "us-west-2", "AKIAVAR"]),
        (
            vec![("AWS_ENDPOINT_URL", LOCAL), ("AWS_PROFILE", "remote")],
            vec![],
            [LOCAL, "us-west-2", "AKIAREMOTE"],
        ),
        // Profiles.
        (vec![("AWS_PROFILE", "remote")], vec![], ["http://remote:1", "eu-west-2", "AKIAREMOTE"]),
        (
            with_key(&[("AWS_PROFILE", "remote")]),
            vec![],
            ["http://remote:1", "eu-west-2", "AKIAVAR"],
        ),
        (
            with_key(&[]),
            vec![("profile", "remote")],
            ["http://remote:1", "eu-west-2", "AKIAREMOTE"],
        ),
        (
            vec![("AWS_PROFILE", "remote")],
            vec![("data-dir", "other")],
            ["http://127.0.0.1:4281", "us-west-2", "AKIAOTHER"],
        ),
        (
            vec![("AWS_PROFILE", "remote"), ("AWS_CONFIG_FILE", "/dev/null")],
            vec![],
            [LOCAL, "us-west-2", "AKIALOCAL"],
        ),
    ];
    for (variables, flags, wanted) in table {
        let found = world.resolve(&variables, &flags);
        assert_eq!(
            found.as_ref().map(|found| found.each_ref().map(String::as_str)),
            Ok(wanted),
            "{variables:?} {flags:?}"
        );
    }
}

#[test]
fn what_cannot_be_says_why() {
    let world = World::new();
    type Case<'a> = (Vec<(&'a str, &'a str)>, Vec<(&'a str, &'a str)>, [&'a str; 2]);
    let url = ("endpoint-url", "http://f:1");
    let table: Vec<Case<'_>> = vec![
        (vec![], vec![("data-dir", "none")], ["none", "start one with: tidegate up"]),
        (
            vec![("TIDEGATE_DATA_DIR", "/nowhere")],
            vec![],
            ["/nowhere", "start one with: tidegate up"],
        ),
        (vec![("AWS_PROFILE", "aws")], vec![], ["is AWS itself", "from profile `aws`"]),
        (
            vec![("AWS_ENDPOINT_URL", "https://sagemaker.us-east-1.api.aws")],
            vec![],
            ["is AWS itself", "from AWS_ENDPOINT_URL"],
        ),
        (vec![], vec![url, ("profile", "missing")], ["no profile `missing`", ".aws/credentials"]),
        (vec![("AWS_PROFILE", "half")], vec![url], ["profile `half`", "aws_secret_access_key"]),
        (
            vec![("AWS_ACCESS_KEY_ID", "a")],
            vec![url],
            ["AWS_ACCESS_KEY_ID is set", "set both or neither"],
        ),
        (
            vec![("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"), ("AWS_CONFIG_FILE", "/dev/null")],
            vec![url],
            ["no access key for http://f:1", "--data-dir"],
        ),
        (vec![("HOME", "")], vec![], ["no data directory", "--data-dir"]),
    ];
    for (variables, flags, wanted) in table {
        let message = world.resolve(&variables, &flags).unwrap_err();
        for part in wanted {
            assert!(message.contains(part), "{variables:?} {flags:?}: {message}");
        }
    }
}

#[test]
fn a_broken_file_of_profiles_is_named() {
    let world = World::new();
    fs::write(world.path("home/.aws/config"), "region = x\n").unwrap();
    let message = world.resolve(&[], &[]).unwrap_err();
    assert!(message.contains(".aws/config: line 1"), "{message}");
}
