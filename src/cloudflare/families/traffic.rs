//! Older rules of zones: lockdowns, user agents, page rules, and the retired firewall (API.md sections 12 and 17).

use super::{of_zone, pages, redact};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part, Variant};

const FIREWALL: Family = Family {
    redact: redact::expressions,
    kind: kinds::RULES,
    label: &["/description"],
    created: "/created_on",
    modified: "/modified_on",
    permission: "Firewall Services Read",
    ..of_zone()
};

/// Deprecated on that day; what it still holds is at work, and nothing else shows it.
const RETIRED: Option<&str> = Some("2025-06-15: read instead as rulesets");

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "lockdowns",
        title: "zone lockdowns",
        path: "/zones/{zone}/firewall/lockdowns",
        shape: pages(1000),
        ..FIREWALL
    },
    Family {
        name: "user_agent_rules",
        title: "user agent rules",
        path: "/zones/{zone}/firewall/ua_rules",
        shape: pages(1000),
        ..FIREWALL
    },
    Family {
        name: "page_rules",
        title: "page rules",
        kind: kinds::RULES,
        path: "/zones/{zone}/pagerules",
        // Asked for no status, the list shows the disabled ones (documented default).
        variants: &[Variant::query(&[("status", "active")]), Variant::query(&[("status", "disabled")])],
        label: &["/targets/0/constraint/value"],
        created: "/created_on",
        modified: "/modified_on",
        redact: redact::addresses,
        permission: "Page Rules Read",
        ..of_zone()
    },
    Family {
        name: "legacy_firewall_rules",
        title: "firewall rules of the retired API",
        path: "/zones/{zone}/firewall/rules",
        shape: pages(100),
        retired: RETIRED,
        ..FIREWALL
    },
    Family {
        name: "legacy_filters",
        title: "filters of the retired API",
        path: "/zones/{zone}/filters",
        shape: pages(100),
        label: &["/expression"],
        key: &[Part::At("/expression"), Part::At("/ref")],
        kin: 1,
        retired: RETIRED,
        ..FIREWALL
    },
    Family {
        name: "legacy_rate_limits",
        title: "rate limits of the retired API",
        path: "/zones/{zone}/rate_limits",
        shape: pages(1000),
        retired: RETIRED,
        ..FIREWALL
    },
];
