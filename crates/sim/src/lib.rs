//! The world in which the real control loop, the real API and the real store run on a virtual clock, with pretended
//! instances: behaviour over time as a script with a recorded answer, and thousands of hours in a second.
//!
//! Nothing here is a model of Tidegate: only the clock, the instances and the traffic are pretended.

mod clock;
pub mod interleave;
pub mod laws;
pub mod life;
mod repl;
mod traffic;
mod world;

pub use clock::SimClock;
pub use repl::run;
pub use traffic::SimTraffic;
pub use world::{Answer, Caller, Fault, World, request};
