//! Whatever no other entry names, and what is nobody's doing.

use std::sync::LazyLock;

use serde_json::Value;

use super::{act, by_hand, show};
use crate::cloudflare::families::families;
use crate::hunt::Difference;
use crate::hunt::technique::{Act, Aim, Show, Technique, added, any, removed, undone};
use crate::model::Severity;

/// It looks at every family that is read, and says what none of them reads: that nothing else was changed is never
/// sure.
pub(super) static TECHNIQUE: LazyLock<Technique> = LazyLock::new(|| {
    let read = families().filter(|family| family.retired.is_none());
    Technique {
        id: "CF-X01",
        title: "something else is changed",
        aim: Aim::Other,
        attack: &[],
        severity: Severity::Medium,
        acts: const { &[act("", "/**")] },
        // Made once, and as long-lived as the program.
        shows: read.map(|family| show(family.name, any)).collect::<Vec<_>>().leak(),
        hidden: "Settings of zones beyond those that `zone_settings` reads, bot management, sent notifications, \
                 logins through Access and the audit log of a parent organization are in no family, and read nowhere.",
        contain: by_hand("Find out what it is for; until then take it for hostile."),
        revert: by_hand("Put it back by hand as it was, or as its owner says; then read it again."),
        withdraw: "Delete it by hand, or do as its owner says; then read it again.",
        page: "Audit logs",
    }
});

/// Acts that a log calls writes and that leave nothing behind, each with why.
pub const LEAVE_NOTHING: &[(Act, &str)] =
    &[(act("", "/graphql"), "a question"), (act("", "/zones/*/purge_cache"), "the cache fills again by itself")];

/// What differs without anybody's doing.
#[derive(Debug, Clone, Copy)]
pub struct ByItself {
    /// The differences.
    pub shows: Show,
    /// How they come about, in a few words.
    pub why: &'static str,
}

const fn by_itself(family: &'static str, when: fn(&Difference) -> bool, why: &'static str) -> ByItself {
    ByItself { shows: show(family, when), why }
}

/// It ends three hours after it was switched on.
fn is_development_over(difference: &Difference) -> bool {
    difference.after.as_ref().is_some_and(|item| item.id == "development_mode" && item.value["value"] == "off")
}

/// A deployment that says that a push to the project's repository triggered it.
fn is_pushed(difference: &Difference) -> bool {
    let trigger = difference.after.as_ref().and_then(|item| item.value.pointer("/deployment_trigger/type"));
    added(difference) && trigger.and_then(Value::as_str).is_some_and(|trigger| trigger.ends_with(":push"))
}

/// Differences that are no findings as long as no log has a write of somebody's that made them.
pub const BY_ITSELF: &[ByItself] = &[
    by_itself(
        "account_ruleset_versions",
        any,
        "every change of a ruleset makes one, and rulesets are shown as they are",
    ),
    by_itself("zone_ruleset_versions", any, "every change of a ruleset makes one, and rulesets are shown as they are"),
    by_itself("certificate_packs", removed, "what was renewed takes the place of what expires"),
    by_itself("ssl_verification", any, "how far a validation is"),
    by_itself("deleted_tunnels", removed, "what was deleted is forgotten in the end"),
    by_itself("deleted_warp_connectors", removed, "what was deleted is forgotten in the end"),
    by_itself("tunnel_connections", removed, "connectors come and go"),
    by_itself("warp_connections", removed, "connectors come and go"),
    by_itself(
        "memberships",
        any,
        "what the calling user belongs to, here and elsewhere; the members of this account show",
    ),
    by_itself("roles", any, "what roles Cloudflare offers"),
    by_itself("user_invites", any, "other accounts invite whom they like"),
    by_itself("page_shield_connections", any, "what browsers were seen to reach"),
    by_itself("page_shield_scripts", any, "what browsers were seen to load"),
    by_itself("pages_deployments", undone, "builds go on, and old ones are forgotten"),
    by_itself("pages_deployments", is_pushed, "a push to the repository builds one"),
    by_itself("workers_tails", removed, "a tail ends some hours after it was begun"),
    by_itself("workers_versions", undone, "old ones are forgotten"),
    by_itself("zone_settings", is_development_over, "the mode for development ends after three hours"),
];
