//! Model servers as child processes of this machine, without containers and without privileges.
//!
//! Each instance has a folder of its own, a supervising process that ends its whole tree when the server is gone, an
//! environment built from nothing, and no way to the data directory or to files of the user that it was not given. `/opt/ml/model` cannot be provided without privileges: `SAGEMAKER_BASE_DIR` and
//! `SM_MODEL_DIR` stand for it.

mod backend;
#[cfg(test)]
pub(crate) mod bench;
mod block;
mod child;
mod confine;
mod driver;
mod environment;
pub mod exec;
mod folder;
mod image;
mod meter;
mod output;
mod port;
mod settings;
mod share;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod strangers;
pub mod supervise;
mod sweep;
mod system;
#[cfg(test)]
mod tests;

pub use confine::Exposed;
pub use driver::{OpenError, ProcessDriver};
pub use image::{Image, ImageTable, ImageTableError};
pub use settings::{GRACE_DEFAULT, PATH_DEFAULT, ProcessSettings};
