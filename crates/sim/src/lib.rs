//! The world in which the real control loop runs on a virtual clock.
