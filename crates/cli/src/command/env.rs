//! `tidegate env`: makes a shell's AWS clients talk to the local server, with `eval "$(tidegate env)"`.
//!
//! It sets what names the server and its root key, or with `--profile` the key of another of its users: a profile that
//! somebody has put into the server's credentials file, or their own. And it unsets what would win over them or get in their way.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use crate::environment::variable;
use crate::output::Output;
use crate::shell::{quoted_for_fish, quoted_for_sh};
use crate::target::{BaseUrl, Origin, Server, credentials_file_of};
use crate::{Environment, Error, Global};

/// Always unset: each wins over the credentials file.
const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Unset where they are set: other names of profiles and keys that win over ours, settings that make clients ignore the
/// endpoint URL, and those that cannot go with one.
const IN_THE_WAY: [&str; 7] = [
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_ROLE_ARN",
    "AWS_SECURITY_TOKEN",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

const OLD_CLI_NOTE: &str = "note: AWS CLI before 2.13 ignores AWS_ENDPOINT_URL; give it --endpoint-url \"$AWS_ENDPOINT_URL\"";

const CERTIFICATE_NOTE: &str = "note: clients must trust the server's certificate; if no public authority signed it, name it (or its authority's) \
     with --ca-bundle FILE, which also sets AWS_CA_BUNDLE";

/// How to print it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Use it as: eval \"$(tidegate env)\"    in fish: tidegate env --shell fish | source\n\
                  With --profile NAME it is the key of that profile, which lies in the server's DIR/credentials or in \
                  your own credentials file"
)]
pub struct Arguments {
    /// Whose syntax to print
    #[arg(long, value_enum, default_value_t = Shell::Sh)]
    shell: Shell,
}

/// A family of shells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shell {
    /// sh, bash, zsh, dash, ksh
    Sh,
    Fish,
}

/// What is to change in the environment.
#[derive(Debug, PartialEq, Eq)]
struct Changes {
    set: BTreeMap<&'static str, String>,
    unset: Vec<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    global: &Global,
    environment: &Environment,
    output: &Output,
) -> Result<ExitCode, Error> {
    // What the variables name already is no answer to the question what they should name.
    let server = Server::local(global, environment)?;
    let changes = changes(&server, global, environment)?;
    if output.json {
        output.json(&json!({ "set": changes.set, "unset": changes.unset }))?;
        return Ok(ExitCode::SUCCESS);
    }
    output.bytes(changes.script(arguments.shell).as_bytes())?;
    if output.data_is_terminal {
        output.note("note: this changes nothing by itself; use it as: eval \"$(tidegate env)\"");
    }
    output.note(OLD_CLI_NOTE);
    if server.url.is_secure() && !changes.set.contains_key("AWS_CA_BUNDLE") {
        output.note(CERTIFICATE_NOTE);
    }
    if let Some(name) = proxy_in_the_way(&server.url, environment) {
        output.note(format_args!(
            "note: {name} is set, and clients will send requests for {} through it; add the host to NO_PROXY",
            server.url
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn changes(server: &Server, global: &Global, environment: &Environment) -> Result<Changes, Error> {
    let Some((data_dir, file)) = &server.local else {
        return Err(Error::Failed("only a local server has an environment to print".to_owned()));
    };
    let url = match &global.endpoint_url {
        Some(url) => BaseUrl::parse(url, &Origin::Flag)?,
        None => server.url.clone(),
    };
    let credentials = match &global.profile {
        Some(name) => credentials_file_of(name, data_dir, environment)?,
        None => data_dir.join("credentials"),
    };
    let credentials = text_of(&credentials)?;
    let region = global.region.clone().unwrap_or_else(|| file.region.clone());
    let mut set = BTreeMap::from([
        ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
        ("AWS_DEFAULT_REGION", region.clone()),
        ("AWS_ENDPOINT_URL", url.to_string()),
        ("AWS_PROFILE", global.profile.clone().unwrap_or_else(|| "default".to_owned())),
        ("AWS_REGION", region),
        ("AWS_SHARED_CREDENTIALS_FILE", credentials),
    ]);
    let in_the_way = environment.keys().filter(|name| {
        name.starts_with("AWS_ENDPOINT_URL_") || IN_THE_WAY.contains(&name.as_str())
    });
    if let Some(path) = &global.ca_bundle {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        set.insert("AWS_CA_BUNDLE", text_of(&path)?);
    }
    // A name that is no identifier cannot be unset by a shell, and no client reads it.
    let in_the_way = in_the_way
        .filter(|name| name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()));
    let unset = KEYS.iter().map(|name| (*name).to_owned()).chain(in_the_way.cloned()).collect();
    Ok(Changes { set, unset })
}

fn text_of(path: &Path) -> Result<String, Error> {
    let refuse = || {
        Error::Usage(format!(
            "the path {} is not UTF-8; no variable can hold it: name another --data-dir",
            path.display()
        ))
    };
    path.to_str().map(str::to_owned).ok_or_else(refuse)
}

/// The proxy variable that clients would follow to this address, unless there is a list of exceptions to it.
fn proxy_in_the_way(url: &BaseUrl, environment: &Environment) -> Option<&'static str> {
    let exceptions =
        ["NO_PROXY", "no_proxy"].iter().any(|name| variable(environment, name).is_some());
    let names =
        if url.is_secure() { ["https_proxy", "HTTPS_PROXY"] } else { ["http_proxy", "HTTP_PROXY"] };
    names.into_iter().find(|name| !exceptions && variable(environment, name).is_some())
}

impl Changes {
    fn script(&self, shell: Shell) -> String {
        let mut script = String::new();
        for (name, value) in &self.set {
            let _ = match shell {
                Shell::Sh => writeln!(script, "export {name}={}", quoted_for_sh(value)),
                Shell::Fish => writeln!(script, "set -gx {name} {}", quoted_for_fish(value)),
            };
        }
        for name in &self.unset {
            let _ = match shell {
                Shell::Sh => writeln!(script, "unset {name}"),
                Shell::Fish => writeln!(script, "set -e {name}"),
            };
        }
        script
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use crate::ServerFile;

    use super::*;

    fn server(data_dir: &Path) -> Server {
        let file = ServerFile {
            endpoint_url: "http://127.0.0.1:9".into(),
            region: "eu-west-1".into(),
            account_id: "0".into(),
            pid: 1,
            tls_cert: None,
        };
        file.write(data_dir).unwrap();
        let global = Global { data_dir: Some(data_dir.to_owned()), ..Global::default() };
        Server::local(&global, &Environment::new()).unwrap()
    }

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_shell_ends_up_with_exactly_these_variables() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("it's a \"dir\" $(touch x) \\ here");
        std::fs::create_dir(&data_dir).unwrap();
        let before = environment(&[
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_ENDPOINT_URL_S3", "http://elsewhere"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"),
            ("AWS_DEFAULT_PROFILE", "work"),
            ("AWS_PAGER", "cat"),
        ]);
        let changes = changes(&server(&data_dir), &Global::default(), &before).unwrap();
        let script = changes.script(Shell::Sh) + "env | grep ^AWS_ | sort";
        let shell = Command::new("sh")
            .arg("-c")
            .arg(script)
            .env_clear()
            .envs(&before)
            .env("PATH", "/usr/bin:/bin")
            .output();
        let credentials = data_dir.join("credentials");
        let wanted = format!(
            "AWS_CONFIG_FILE=/dev/null\nAWS_DEFAULT_REGION=eu-west-1\nAWS_ENDPOINT_URL=http://127.0.0.1:9\nAWS_PAGER=cat\n\
             AWS_PROFILE=default\nAWS_REGION=eu-west-1\nAWS_SHARED_CREDENTIALS_FILE={}\n",
            credentials.display()
        );
        assert_eq!(String::from_utf8(shell.unwrap().stdout).unwrap(), wanted);
    }

    #[test]
    fn fish_has_its_own_commands() {
        let changes = Changes { set: [("A", "b c".to_owned())].into(), unset: vec!["D".into()] };
        assert_eq!(changes.script(Shell::Fish), "set -gx A 'b c'\nset -e D\n");
    }

    #[test]
    fn a_profile_is_taken_from_where_its_key_lies() {
        let folder = tempfile::tempdir().unwrap();
        let (data_dir, own) = (folder.path().join("data"), folder.path().join("own"));
        std::fs::create_dir(&data_dir).unwrap();
        let key = |name| format!("[{name}]\naws_access_key_id = A\naws_secret_access_key = b\n");
        std::fs::write(data_dir.join("credentials"), key("default") + &key("ann")).unwrap();
        std::fs::write(&own, key("ann") + &key("bob") + "[half]\naws_access_key_id = A\n").unwrap();
        let before = environment(&[("AWS_SHARED_CREDENTIALS_FILE", own.to_str().unwrap())]);
        let of = |profile: &str| {
            let global = Global { profile: Some(profile.into()), ..Global::default() };
            changes(&server(&data_dir), &global, &before).map(|changes| changes.set)
        };
        for (profile, file) in [("ann", &data_dir.join("credentials")), ("bob", &own)] {
            let set = of(profile).unwrap();
            assert_eq!(set["AWS_PROFILE"], profile);
            assert_eq!(Path::new(&set["AWS_SHARED_CREDENTIALS_FILE"]), file);
        }
        for profile in ["half", "nobody"] {
            let why = of(profile).unwrap_err().to_string();
            assert!(why.contains(profile) && why.contains("own"), "{why}");
        }
    }

    #[test]
    fn the_flags_win_over_what_the_server_says() {
        let folder = tempfile::tempdir().unwrap();
        let key = "[p]\naws_access_key_id = A\naws_secret_access_key = b\n";
        std::fs::write(folder.path().join("credentials"), key).unwrap();
        let global = Global {
            endpoint_url: Some("http://forwarded:1".into()),
            region: Some("r".into()),
            profile: Some("p".into()),
            ..Global::default()
        };
        let changes = changes(&server(folder.path()), &global, &Environment::new()).unwrap();
        assert_eq!(changes.set["AWS_ENDPOINT_URL"], "http://forwarded:1");
        assert_eq!(changes.set["AWS_REGION"], "r");
        assert_eq!(changes.set["AWS_PROFILE"], "p");
        assert_eq!(changes.unset, KEYS);
    }

    #[test]
    fn a_proxy_without_exceptions_is_worth_a_note() {
        let parse = |url| BaseUrl::parse(url, &Origin::Flag).unwrap();
        let (plain, secure) = (parse("http://localhost"), parse("https://localhost"));
        let https = environment(&[("https_proxy", "p")]);
        assert_eq!(proxy_in_the_way(&plain, &https), None);
        assert_eq!(proxy_in_the_way(&secure, &https), Some("https_proxy"));
        assert_eq!(
            proxy_in_the_way(&plain, &environment(&[("HTTP_PROXY", "p")])),
            Some("HTTP_PROXY")
        );
        assert_eq!(
            proxy_in_the_way(
                &plain,
                &environment(&[("HTTP_PROXY", "p"), ("no_proxy", "localhost")])
            ),
            None
        );
        assert_eq!(proxy_in_the_way(&plain, &Environment::new()), None);
    }
}
