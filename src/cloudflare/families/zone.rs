//! Zones, their settings, holds and registrations (API.md section 9).

use super::{of_account, of_zone, one, redact};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part, Shape, Variant};
use crate::provider::Paging;

/// The settings whose change weakens a zone or shows its origin (API.md section 9), and the ciphers. The list of all
/// settings in one answer is past its end of life, so each costs a request.
const SETTINGS: &[Variant] = &[
    Variant::part("always_use_https"),
    Variant::part("automatic_https_rewrites"),
    Variant::part("browser_check"),
    Variant::part("challenge_ttl"),
    Variant::part("ciphers"),
    Variant::part("development_mode"),
    Variant::part("ipv6"),
    Variant::part("min_tls_version"),
    Variant::part("pseudo_ipv4"),
    Variant::part("security_header"),
    Variant::part("security_level"),
    Variant::part("ssl"),
    Variant::part("tls_1_3"),
    Variant::part("tls_client_auth"),
];

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "zones",
        title: "zones",
        kind: kinds::ZONES,
        path: "/zones",
        variants: &[Variant::query(&[("account.id", "{account}")])],
        shape: Shape::List(Paging::Pages { per_page: 50 }),
        key: &[Part::At("/name")],
        created: "/created_on",
        modified: "/modified_on",
        // Seconds that are left of the mode, and what the caller may do.
        volatile: &["/development_mode", "permissions"],
        permission: "Zone Read",
        ..of_account()
    },
    Family {
        name: "zone_settings",
        title: "zone settings",
        kind: kinds::ZONES,
        path: "/zones/{zone}/settings/{part}",
        variants: SETTINGS,
        shape: Shape::One,
        label: &["/id"],
        modified: "/modified_on",
        volatile: &["editable", "time_remaining"],
        permission: "Zone Settings Read",
        ..of_zone()
    },
    Family {
        name: "zone_holds",
        title: "zone holds",
        kind: kinds::ZONES,
        path: "/zones/{zone}/hold",
        permission: "Zone Read",
        ..one(of_zone())
    },
    Family {
        name: "custom_pages",
        title: "custom error and challenge pages",
        kind: kinds::ZONES,
        path: "/zones/{zone}/custom_pages",
        label: &["/id"],
        created: "/created_on",
        modified: "/modified_on",
        redact: redact::addresses,
        permission: "Account Settings Read",
        ..of_zone()
    },
    Family {
        name: "account_custom_pages",
        title: "custom error and challenge pages of the account",
        kind: kinds::ZONES,
        path: "/accounts/{account}/custom_pages",
        label: &["/id"],
        created: "/created_on",
        modified: "/modified_on",
        redact: redact::addresses,
        permission: "Account Settings Read",
        ..of_account()
    },
    Family {
        name: "registrations",
        title: "domain registrations",
        kind: kinds::ZONES,
        path: "/accounts/{account}/registrar/registrations",
        shape: Shape::List(Paging::Cursor { size: ("per_page", 50) }),
        id: "/domain_name",
        label: &["/domain_name"],
        created: "/created_at",
        permission: "Registrar Domains Read",
        ..of_account()
    },
];
