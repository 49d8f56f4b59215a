//! Operations through the wire.
