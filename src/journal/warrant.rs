use crate::model::{Digest, EffectKey, World};

/// Proof that consent and intent for one call are on disk. Spent by the call that it names.
///
/// It cannot be made, copied or kept: its only constructors are [`super::Journal::intend`] and
/// [`super::Journal::intend_delivery`], after the fsync.
///
/// ```compile_fail
/// use quell::journal::Warrant;
/// use quell::model::{Digest, EffectKey, World};
/// // Nobody else makes one, whatever they have at hand:
/// fn forged(effect: EffectKey, call: Digest, world: World) -> Warrant { Warrant { effect, attempt: 1, call, world } }
/// ```
/// ```compile_fail
/// use quell::journal::Warrant;
/// // Nor spends one twice:
/// fn twice(warrant: Warrant) { drop(warrant); drop(warrant); }
/// ```
/// ```
/// use quell::journal::Warrant;
/// // Their twin: once is fine.
/// fn once(warrant: Warrant) { drop(warrant); }
/// ```
#[derive(Debug)]
#[must_use = "a warrant is on disk as an intent: not spending it leaves the effect in doubt"]
pub struct Warrant {
    effect: EffectKey,
    attempt: u32,
    call: Digest,
    world: World,
}

impl Warrant {
    pub(super) const fn new(effect: EffectKey, attempt: u32, call: Digest, world: World) -> Self {
        Self { effect, attempt, call, world }
    }

    /// Whether it names this call in this world.
    pub fn permits(&self, call: &Digest, world: &World) -> bool {
        self.call == *call && self.world == *world
    }

    /// The effect that it is for.
    pub const fn effect(&self) -> &EffectKey {
        &self.effect
    }

    /// Which attempt, from 1.
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }
}
