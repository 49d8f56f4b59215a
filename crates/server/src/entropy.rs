//! Random bits for names that must not be guessed to collide: instances and requests.

/// Bits of the system's generator. Should it fail, ids repeat: requests are still answered, and an instance whose id is
/// taken is not started until the next tick draws another.
pub(crate) fn bits() -> u128 {
    let mut bits = [0; 16];
    match getrandom::fill(&mut bits) {
        Ok(()) => u128::from_le_bytes(bits),
        Err(_) => 0,
    }
}
