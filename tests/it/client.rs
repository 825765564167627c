//! The client against a server that says exactly what a test wants said, byte for byte.

mod connects;
mod pacing;
mod reads;
mod scripted;
mod sends;
mod sweeps;
