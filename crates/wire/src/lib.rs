//! AWS's protocols: bytes to typed requests and back.
