//! Keeps each decision atomic and durable.
