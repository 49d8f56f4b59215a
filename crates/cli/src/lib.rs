//! The commands that speak to a server: what they ask, and how the answers are shown to people and programs.
//!
//! They are clients like any other: nothing here reaches into a server, and nothing may be asked of it that boto3 could
//! not ask. The program's other commands, and `main`, are the crate `server`'s; it flattens [`Command`] and [`Global`]
//! into its own tree and calls [`run`].
//!
//! Data goes to stdout, everything said about it to stderr. Which server is meant is decided in `target`.

mod client;
mod command;
mod environment;
mod error;
mod global;
mod interruption;
mod journal;
mod output;
mod remote;
mod server_file;
mod shell;
mod target;
#[cfg(test)]
mod testing;
mod wall;

pub use command::{Command, run};
pub use environment::{DATA_DIR_VARIABLE, Environment, default_data_dir};
pub use error::{Error, Refusal};
pub use global::Global;
pub use server_file::ServerFile;
pub use target::{Origin, aws_files, aws_profiles};
