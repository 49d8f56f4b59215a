//! TCP ports for model servers that do not know Unix sockets.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

/// Tries for a port that no instance has. The system hands out ports all over its range, so that meeting one of ours
/// again and again means that the range is used up.
const TRIES_MAX: usize = 64;

/// The ports that instances have, whether they listen on them yet or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ports {
    taken: Arc<Mutex<BTreeSet<u16>>>,
}

/// A port of loopback that is not handed out again while this lives.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    ports: Ports,
}

impl Ports {
    /// A port that is free now. The model server must bind it itself, so between the two another program can take it;
    /// the model server then fails to start, and is started again.
    pub(crate) fn take(&self) -> io::Result<Port> {
        #[expect(
            clippy::collection_is_never_read,
            reason = "while they are open the system offers others"
        )]
        let mut refused = Vec::new();
        for _ in 0..TRIES_MAX {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let number = listener.local_addr()?.port();
            if self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(number) {
                return Ok(Port { number, ports: self.clone() });
            }
            refused.push(listener);
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no TCP port is free"))
    }
}

impl Port {
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.ports.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_and_has_one_owner_at_a_time() {
        let ports = Ports::default();
        let held: Vec<_> = (0..200).map(|_| ports.take().unwrap()).collect();
        let numbers: BTreeSet<_> = held.iter().map(|port| port.address().port()).collect();
        assert_eq!(numbers.len(), 200);
        drop(held);
        assert!(ports.taken.lock().unwrap().is_empty());
    }
}
