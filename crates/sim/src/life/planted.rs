//! Where tests plant faults: between the program and what it stands on. The program is correct as it is, and what is
//! around it lies to it, or does on its behalf what it would never do.

use std::fmt;
use std::sync::Arc;

use domain::route::Traffic;
use runtime::driver::Driver;
use store::Store;
use store::memory::Disk;

/// One fault. Whatever is not overridden stays as it is.
pub trait Planted: Send + Sync + fmt::Debug {
    /// The store as a server has it, from its start on.
    fn store(&self, store: Arc<dyn Store>, _disk: &Disk) -> Arc<dyn Store> {
        store
    }

    /// The store as one call or one loop has it.
    fn way(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        store
    }

    /// The driver as the loops have it.
    fn driver(&self, driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
        driver
    }

    /// The data plane as the loop has it that looks after fleets.
    fn traffic(&self, traffic: Arc<dyn Traffic>) -> Arc<dyn Traffic> {
        traffic
    }
}

/// Nothing is wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl Planted for Nothing {}
