//! Three nights from the first prompt to the closed incident, through the real binary in a pseudo-terminal: with a network
//! that goes, a terminal that hangs up, an intruder who is awake and colleagues who deploy meanwhile.

mod leaked_token;
pub(crate) mod morning;
mod newcomer;
pub(crate) mod others;
mod phished_admin;
mod responder;

use jiff::Timestamp;
use quell::cloudflare::simulator::{Quota, WorldOptions, scenario};

use crate::scene::Scene;

/// The account of this scenario, in which the budget is whole again after half a minute.
async fn at_night(name: &str) -> Scene {
    let quota = Quota { requests: 1200, seconds: 30 };
    Scene::with(scenario(name).unwrap(), WorldOptions { quota, ..WorldOptions::at(Timestamp::now()) }).await
}
