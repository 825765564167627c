//! The one list that names every wing.

use crate::action::{Catalogue, Wing};
use crate::{actions, cloudflare};

/// The actions of this binary.
pub static CATALOGUE: Catalogue = Catalogue::new(&[
    Wing { actions: cloudflare::actions::ACTIONS, kinds: cloudflare::KINDS, sweeps: cloudflare::SWEEPS },
    Wing { actions: actions::ACTIONS, kinds: &[], sweeps: &[] },
]);
