//! The commands that speak to a server.
