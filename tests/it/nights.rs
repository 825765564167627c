//! Three nights from the first prompt to the closed incident, through the real binary in a pseudo-terminal: with a network
//! that goes, a terminal that hangs up, an intruder who is awake and colleagues who deploy meanwhile.

mod leaked_token;
mod morning;
mod network;
mod responder;
