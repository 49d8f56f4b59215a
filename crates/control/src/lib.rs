//! Drives instances towards what is wanted.
