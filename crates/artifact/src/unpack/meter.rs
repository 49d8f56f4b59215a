//! The counter between gzip and tar: bounds what the tar reader may swallow, and tells whose fault an error was.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use crate::{Interrupt, Stop};

/// What the meter saw, shared with who drives the tar reader (which owns the meter itself).
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// Bytes that may still be read before [`Gauge::exceeded`] is set.
    allowance: Cell<u64>,
    exceeded: Cell<bool>,
    ended: Cell<bool>,
    stopped: Cell<bool>,
}

impl Gauge {
    pub(super) fn allow(&self, bytes: u64) {
        self.allowance.set(bytes);
    }

    pub(super) fn exceeded(&self) -> bool {
        self.exceeded.get()
    }

    /// The decompressed stream has given its last byte.
    pub(super) fn ended(&self) -> bool {
        self.ended.get()
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.get()
    }
}

/// Reads through to `inner`, within the gauge's allowance.
#[derive(Debug)]
pub(super) struct Meter<R> {
    inner: R,
    gauge: Rc<Gauge>,
    stop: Stop,
}

impl<R> Meter<R> {
    pub(super) fn new(inner: R, gauge: Rc<Gauge>, stop: Stop) -> Self {
        Self { inner, gauge, stop }
    }
}

impl<R: Read> Read for Meter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_stopped() {
            self.gauge.stopped.set(true);
            return Err(Interrupt.into());
        }
        let allowance = self.gauge.allowance.get();
        if allowance == 0 && !buffer.is_empty() {
            self.gauge.exceeded.set(true);
            return Err(io::Error::other("more bytes than allowed"));
        }
        let room = usize::try_from(allowance).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(&mut buffer[..room])?;
        if count == 0 && room > 0 {
            self.gauge.ended.set(true);
        }
        self.gauge.allowance.set(allowance - count as u64);
        Ok(count)
    }
}

/// Remembers an error of the source itself, so that a failing disk is not mistaken for a broken archive.
#[derive(Debug)]
pub(super) struct Source<R> {
    inner: R,
    failure: Rc<RefCell<Option<io::Error>>>,
}

impl<R> Source<R> {
    pub(super) fn new(inner: R, failure: Rc<RefCell<Option<io::Error>>>) -> Self {
        Self { inner, failure }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                *self.failure.borrow_mut() = Some(io::Error::new(error.kind(), error.to_string()));
            }
        })
    }
}
