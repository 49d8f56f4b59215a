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
        serve(&world.path("home/.local/share/tidegate"), "http://127.0.0.1:4280", "AKIALOCAL");
        serve(&world.path("other"), "http://127.0.0.1:4281", "AKIAOTHER");
        world
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// URL, region and key id, or the error, with these variables and flags.
    fn resolve(&self, variables: &str, flags: &str) -> Result<String, String> {
        let mut environment = self.environment.clone();
        environment.extend(pairs(variables));
        let mut flags: Environment = pairs(flags).collect();
        let global = Global {
            data_dir: flags.remove("data-dir").map(|name| self.path(&name)),
            endpoint_url: flags.remove("endpoint-url"),
            profile: flags.remove("profile"),
            region: flags.remove("region"),
            ca_bundle: flags.remove("ca-bundle").map(Into::into),
            json: false,
            aws: flags.remove("aws").is_some(),
        };
        assert!(flags.is_empty(), "{flags:?}");
        let target = Target::resolve(&global, &environment).map_err(|error| error.to_string())?;
        let key = match &target.keys {
            Keys::Fixed(key) => key.access_key_id.as_str(),
            Keys::Lent(_) => "LENT",
        };
        Ok(format!("{} {} {}", target.server.url, target.region, key))
    }
}

fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split_whitespace()
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.into(), value.into()))
}

fn serve(data_dir: &Path, url: &str, id: &str) {
    fs::create_dir_all(data_dir).unwrap();
    let file = ServerFile {
        endpoint_url: url.into(),
        region: "us-west-2".into(),
        account_id: "000000000000".into(),
        pid: 1,
        tls_cert: None,
    };
    file.write(data_dir).unwrap();
    let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = s\n");
    fs::write(data_dir.join("credentials"), text).unwrap();
}

/// Stands for a key in the variables.
const KEY: &str = "AWS_ACCESS_KEY_ID=AKIAVAR AWS_SECRET_ACCESS_KEY=s";

/// Stands for the URL of the local server, with its region.
const LOCAL: &str = "http://127.0.0.1:4280 us-west-2";

/// Variables, flags, and the URL, region and key that come of them.
#[rustfmt::skip]
const CASES: &[[&str; 3]] = &[
    // Nothing is said: the local server, its region, its key; no key that lies about.
    ["", "", "LOCAL AKIALOCAL"],
    ["KEY AWS_REGION=eu-north-1", "", "LOCAL AKIALOCAL"],
    ["", "region=r", "http://127.0.0.1:4280 r AKIALOCAL"],
    // A data directory.
    ["", "data-dir=other", "http://127.0.0.1:4281 us-west-2 AKIAOTHER"],
    ["KEY AWS_ENDPOINT_URL=http://v:1", "data-dir=other", "http://127.0.0.1:4281 us-west-2 AKIAOTHER"],
    ["", "data-dir=other endpoint-url=http://f:1", "http://f:1 eu-west-1 AKIAOTHER"],
    // Variables.
    ["KEY AWS_ENDPOINT_URL=http://v:1", "", "http://v:1 eu-west-1 AKIAVAR"],
    ["KEY AWS_ENDPOINT_URL=http://v:1 AWS_ENDPOINT_URL_SAGEMAKER=http://s:1", "", "http://s:1 eu-west-1 AKIAVAR"],
    ["KEY AWS_ENDPOINT_URL=http://v:1", "endpoint-url=http://f:1", "http://f:1 eu-west-1 AKIAVAR"],
    ["AWS_ENDPOINT_URL=", "", "LOCAL AKIALOCAL"],
    ["AWS_ENDPOINT_URL=http://v:1 AWS_DEFAULT_REGION=d", "", "http://v:1 d AKIAHOME"],
    ["AWS_ENDPOINT_URL=http://v:1 AWS_DEFAULT_REGION=d AWS_REGION=r", "", "http://v:1 r AKIAHOME"],
    // The local server under its own URL: its region, and its key unless another is meant.
    ["AWS_ENDPOINT_URL=http://127.0.0.1:4280/", "", "LOCAL AKIALOCAL"],
    ["KEY AWS_ENDPOINT_URL=http://127.0.0.1:4280", "", "LOCAL AKIAVAR"],
    ["AWS_ENDPOINT_URL=http://127.0.0.1:4280 AWS_PROFILE=remote", "", "LOCAL AKIAREMOTE"],
    // Profiles.
    ["AWS_PROFILE=remote", "", "http://remote:1 eu-west-2 AKIAREMOTE"],
    ["KEY AWS_PROFILE=remote", "", "http://remote:1 eu-west-2 AKIAVAR"],
    ["KEY", "profile=remote", "http://remote:1 eu-west-2 AKIAREMOTE"],
    ["AWS_PROFILE=remote", "data-dir=other", "http://127.0.0.1:4281 us-west-2 AKIAOTHER"],
    ["AWS_PROFILE=remote AWS_CONFIG_FILE=/dev/null", "", "LOCAL AKIALOCAL"],
    // AWS, only when it is asked for, and whatever else is named in variables and profiles.
    ["", "aws=", "https://api.sagemaker.eu-west-1.amazonaws.com eu-west-1 LENT"],
    ["", "aws= region=us-west-2", "https://api.sagemaker.us-west-2.amazonaws.com us-west-2 LENT"],
    ["AWS_DEFAULT_REGION=eu-north-1", "aws=", "https://api.sagemaker.eu-north-1.amazonaws.com eu-north-1 LENT"],
    ["AWS_REGION=cn-north-1 AWS_ENDPOINT_URL=http://v:1", "aws=", "https://api.sagemaker.cn-north-1.amazonaws.com.cn cn-north-1 LENT"],
    ["KEY AWS_PROFILE=remote", "aws=", "https://api.sagemaker.eu-west-2.amazonaws.com eu-west-2 LENT"],
];

/// Variables, flags, and two parts of the error that comes of them.
const MISTAKES: &[[&str; 4]] = &[
    ["", "data-dir=none", "none", "start one with: tidegate up"],
    ["TIDEGATE_DATA_DIR=/nowhere", "", "/nowhere", "start one with: tidegate up"],
    ["AWS_PROFILE=aws", "", "is AWS itself", "only talked to with --aws"],
    [
        "",
        "endpoint-url=https://api.sagemaker.us-east-1.amazonaws.com",
        "is AWS itself",
        "--endpoint-url",
    ],
    ["", "aws= endpoint-url=http://f:1", "--aws", "--endpoint-url is another server"],
    ["", "aws= data-dir=other", "--aws", "--data-dir is another server"],
    ["AWS_CONFIG_FILE=/dev/null", "aws=", "--aws needs a region", "AWS_REGION"],
    ["", "aws= region=evil.example/", "`evil.example/`", "no region of AWS's"],
    [
        "AWS_ENDPOINT_URL=https://sagemaker.us-east-1.api.aws",
        "",
        "is AWS itself",
        "from AWS_ENDPOINT_URL",
    ],
    ["", "endpoint-url=http://f:1 profile=missing", "no profile `missing`", ".aws/credentials"],
    ["AWS_PROFILE=half", "endpoint-url=http://f:1", "profile `half`", "aws_secret_access_key"],
    [
        "AWS_ACCESS_KEY_ID=a",
        "endpoint-url=http://f:1",
        "AWS_ACCESS_KEY_ID is set",
        "set both or neither",
    ],
    [
        "AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_CONFIG_FILE=/dev/null",
        "endpoint-url=http://f:1",
        "no access key for http://f:1",
        "--data-dir",
    ],
    ["HOME=", "", "no data directory", "--data-dir"],
];

#[test]
fn the_first_that_is_named_wins() {
    let world = World::new();
    for [variables, flags, wanted] in CASES {
        let (variables, wanted) = (
            variables.replace("KEY ", &format!("{KEY} ")),
            wanted.replace("LOCAL ", &format!("{LOCAL} ")),
        );
        let variables = if variables == "KEY" { KEY.to_owned() } else { variables };
        assert_eq!(world.resolve(&variables, flags), Ok(wanted), "{variables:?} {flags:?}");
    }
}

#[test]
fn what_cannot_be_says_why() {
    let world = World::new();
    for [variables, flags, what, rule] in MISTAKES {
        let message = world.resolve(variables, flags).unwrap_err();
        assert!(
            message.contains(what) && message.contains(rule),
            "{variables:?} {flags:?}: {message}"
        );
    }
}

#[test]
fn a_broken_file_of_profiles_is_named() {
    let world = World::new();
    fs::write(world.path("home/.aws/config"), "region = x\n").unwrap();
    let message = world.resolve("", "").unwrap_err();
    assert!(message.contains(".aws/config: line 1"), "{message}");
}
