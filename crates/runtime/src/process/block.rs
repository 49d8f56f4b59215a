//! What passes between the server, a supervisor and the stage before a command: an environment, what is open to the
//! command and what it may use on the way down, one line of report on the way up.
//!
//! The environment does not travel as the environment of those two: a `LD_PRELOAD` in it would run a stranger's code
//! in them. And not as arguments: any user can read those.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use super::confine::{Access, Grant};
use super::share::Share;

/// Names and values in order.
pub(crate) type Environment = Vec<(OsString, OsString)>;

/// What the stage before a command needs to know of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) environment: Environment,
    /// What is open to it.
    pub(crate) grants: Vec<Grant>,
    /// What it may use.
    pub(crate) share: Share,
}

/// An environment on the wire. `CreateModel` admits 32 KiB, the image table is the user's own; Linux would refuse to
/// start anything with more than 2 MiB.
const ENVIRONMENT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// All of it on the wire. Some dozens of paths come to some kilobytes.
const BLOCK_BYTES_MAX: u32 = 4 * 1024 * 1024;

/// A report: a launch error names a program of at most `PATH_MAX` bytes.
pub(crate) const REPORT_BYTES_MAX: usize = 8 * 1024;

/// The byte that asks a supervisor to end its command gracefully.
pub(crate) const STOP: u8 = b's';

/// A line that bounds memory, and one that names a processor; letters that no [`Access`] has.
const MEMORY: u8 = b'm';
const PROCESSOR: u8 = b'p';

/// A length, the environment as lines that end in NUL, an empty line, and the rest as such lines, told apart by their
/// first letter. Fails if it is too long or cannot be one.
pub(crate) fn encode(settings: &Settings) -> Result<Vec<u8>, String> {
    let Settings { environment, grants, share } = settings;
    let mut lines = Vec::new();
    for (name, value) in environment {
        let bad_name =
            name.is_empty() || name.as_bytes().iter().any(|byte| matches!(byte, 0 | b'='));
        if bad_name || value.as_bytes().contains(&0) {
            return Err(format!("the environment variable {} cannot be set", name.display()));
        }
        for part in [name.as_bytes(), b"=", value.as_bytes(), b"\0"] {
            lines.extend_from_slice(part);
        }
    }
    if lines.len() > ENVIRONMENT_BYTES_MAX {
        return Err("the environment is longer than 2 MiB".to_owned());
    }
    lines.push(0);
    for grant in grants {
        lines.push(letter(grant.access));
        lines.extend_from_slice(grant.path.as_os_str().as_bytes());
        lines.push(0);
    }
    let numbers = share.processors.iter().map(|number| (PROCESSOR, number.to_string()));
    let memory = share.memory_bytes.map(|bytes| (MEMORY, bytes.to_string()));
    for (letter, number) in numbers.chain(memory) {
        lines.push(letter);
        lines.extend_from_slice(number.as_bytes());
        lines.push(0);
    }
    let length = u32::try_from(lines.len()).ok().filter(|length| *length <= BLOCK_BYTES_MAX);
    let length = length.ok_or("the paths that are open to it are longer than 2 MiB")?;
    Ok([&length.to_le_bytes()[..], &lines].concat())
}

fn letter(access: Access) -> u8 {
    match access {
        Access::Read => b'r',
        Access::Write => b'w',
        Access::Bind => b'b',
    }
}

/// Reads what [`encode`] made, as it is.
pub(crate) fn read(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length_bytes = u32::from_le_bytes(length);
    if length_bytes > BLOCK_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut block = length.to_vec();
    from.take(length_bytes.into()).read_to_end(&mut block)?;
    Ok(block)
}

/// What [`read`] gave, as what was encoded.
pub(crate) fn decode(block: &[u8]) -> Settings {
    let mut lines = block.get(4..).unwrap_or_default().split(|byte| *byte == 0);
    let pair = |line: &[u8]| {
        let at = line.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (line.get(..at)?, line.get(at + 1..)?);
        Some((OsString::from_vec(name.to_vec()), OsStr::from_bytes(value).to_owned()))
    };
    let environment = lines.by_ref().take_while(|line| !line.is_empty()).filter_map(pair).collect();
    let mut settings = Settings { environment, ..Settings::default() };
    for (first, rest) in lines.filter_map(|line| line.split_first()) {
        let number = || std::str::from_utf8(rest).ok()?.parse::<u64>().ok();
        let all = [Access::Read, Access::Write, Access::Bind];
        match *first {
            MEMORY => settings.share.memory_bytes = number(),
            PROCESSOR => settings
                .share
                .processors
                .extend(number().and_then(|number| usize::try_from(number).ok())),
            first => settings.grants.extend(
                all.into_iter()
                    .find(|access| letter(*access) == first)
                    .map(|access| Grant { access, path: OsStr::from_bytes(rest).into() }),
            ),
        }
    }
    settings
}

/// How a supervised command ended, as its supervisor reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// It could not be started.
    Launch(String),
    Exit(i32),
    Signal(i32),
}

impl Report {
    /// One write, so that a reader sees all of it or nothing.
    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let line = match self {
            Self::Launch(text) => format!("launch {text}"),
            Self::Exit(status) => format!("exit {status}"),
            Self::Signal(number) => format!("signal {number}"),
        };
        let bytes = line.as_bytes();
        to.write_all(bytes.get(..REPORT_BYTES_MAX).unwrap_or(bytes))
    }

    /// Nothing if there is no report: then the supervisor was killed.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (kind, rest) = text.split_once(' ')?;
        match kind {
            "launch" => Some(Self::Launch(rest.to_owned())),
            "exit" => rest.parse().ok().map(Self::Exit),
            "signal" => rest.parse().ok().map(Self::Signal),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn settings_survive_the_way(
            pairs in proptest::collection::vec(("[^=\0]{1,20}", "[^\0]{0,40}"), 0..8),
            paths in proptest::collection::vec((0..3_usize, "/[^\0]{0,40}"), 0..8),
            memory_bytes: Option<u64>,
            processors in proptest::collection::vec(0..2000_usize, 0..8),
        ) {
            let environment: Environment =
                pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
            let access = [Access::Read, Access::Write, Access::Bind];
            let grants: Vec<_> = paths
                .into_iter()
                .map(|(kind, path)| Grant { access: access[kind], path: path.into() })
                .collect();
            let settings =
                Settings { environment, grants, share: Share { memory_bytes, processors } };
            let mut wire = encode(&settings).unwrap();
            wire.extend(b"what follows stays");
            let mut rest = &wire[..];
            let block = read(&mut rest).unwrap();
            prop_assert_eq!(decode(&block), settings);
            prop_assert_eq!(rest, b"what follows stays");
        }
    }

    #[test]
    fn what_cannot_be_an_environment_is_refused() {
        let encode = |name: &str, value: String| {
            let environment = vec![(name.into(), value.into())];
            encode(&Settings { environment, ..Settings::default() })
        };
        for (name, value) in [("", "a"), ("a=b", "c"), ("a", "b\0c"), ("a\0", "b")] {
            assert!(encode(name, value.to_owned()).is_err(), "{name:?}={value:?}");
        }
        assert!(encode("a", "x".repeat(3 << 20)).is_err());
        assert!(read(&mut &u32::MAX.to_le_bytes()[..]).is_err());
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        for report in
            [Report::Launch("cannot run 'x': no".into()), Report::Exit(3), Report::Signal(9)]
        {
            let mut wire = Vec::new();
            report.write(&mut wire).unwrap();
            assert_eq!(Report::parse(&wire), Some(report));
        }
        assert_eq!(Report::parse(b""), None);
    }
}
