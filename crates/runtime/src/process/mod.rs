//! Model servers as child processes of this machine, without containers and without privileges.
//!
//! Each instance has a folder of its own, a supervising process that ends its whole tree when the server is gone, and
//! an environment built from nothing. `/opt/ml/model` cannot be provided without privileges: `SAGEMAKER_BASE_DIR` and
//! `SM_MODEL_DIR` stand for it.

mod backend;
#[cfg(test)]
pub(crate) mod bench;
mod block;
mod child;
mod driver;
mod environment;
pub mod exec;
mod folder;
mod image;
mod output;
mod port;
mod settings;
pub mod supervise;
mod sweep;
mod system;
#[cfg(test)]
mod tests;

pub use driver::{OpenError, ProcessDriver};
pub use image::{Image, ImageTable, ImageTableError};
pub use settings::{GRACE_DEFAULT, PATH_DEFAULT, ProcessSettings};
