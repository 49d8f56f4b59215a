//! `tidegate __exec`: the last stage before a command. It ties the process to its supervisor, takes off what must not
//! be inherited, closes what is not the command's to reach, and becomes the command.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};

use super::block::{self, Settings};
use super::confine::limits;
use super::system;

/// What a shell returns for a command that it could not start.
const COULD_NOT_START: u8 = 127;

/// The first descriptor after standard input, output and error.
const FIRST_OWN_DESCRIPTOR: i32 = 3;

/// Runs `--parent PID -- COMMAND…`, and returns only if that fails. On standard input, a socket, it reads the command's
/// environment, what is open to it and what it may use, and writes why it failed.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let Ok(channel) = io::stdin().as_fd().try_clone_to_owned() else {
        return COULD_NOT_START.into();
    };
    // A duplicate closes itself on exec: the supervisor knows by that that the command has started.
    let mut channel = UnixStream::from(channel);
    let failure = match become_command(args, &mut channel) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    let _ = channel.write_all(failure.as_bytes());
    COULD_NOT_START.into()
}

fn become_command(
    args: impl Iterator<Item = OsString>,
    channel: &mut UnixStream,
) -> Result<std::convert::Infallible, String> {
    let (parent, command) = parse(args).ok_or("usage: tidegate __exec --parent PID -- COMMAND")?;
    system::die_with_parent(parent).map_err(|error| error.to_string())?;
    let block = block::read(channel).map_err(|error| format!("no environment came: {error}"))?;
    let Settings { environment, grants, share } = block::decode(&block);
    system::clear_signal_mask()
        .map_err(|error| format!("cannot reset the signal mask: {error}"))?;
    // What the server inherited from whoever started it is not the model server's business either.
    close_fds::set_fds_cloexec(FIRST_OWN_DESCRIPTOR, &[]);
    let (program, arguments) = command.split_first().ok_or("the command is empty")?;
    limits::apply().map_err(|error| format!("cannot limit the command: {error}"))?;
    system::confine(&grants).map_err(|error| format!("cannot confine the command: {error}"))?;
    // The last, for it bounds this stage too, and the command may be given less than all of the above takes.
    share.apply().map_err(|error| format!("cannot bound what the command uses: {error}"))?;
    let error = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .exec();
    Err(format!("cannot run '{}': {error}", program.display()))
}

fn parse(mut args: impl Iterator<Item = OsString>) -> Option<(i32, Vec<OsString>)> {
    let parent = (args.next()? == "--parent").then(|| args.next()?.to_str()?.parse().ok())??;
    (args.next()? == "--").then(|| (parent, args.collect()))
}
