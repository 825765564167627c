//! Email routing (API.md section 15).

use super::{of_account, of_zone, one, pages};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part, Variant};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "email_routing",
        title: "email routing",
        kind: kinds::EMAIL,
        path: "/zones/{zone}/email/routing",
        created: "/created",
        modified: "/modified",
        volatile: &["skip_wizard", "tag"],
        permission: "Zone Settings Read",
        missing_is_none: true,
        ..one(of_zone())
    },
    Family {
        name: "email_rules",
        title: "email routing rules",
        kind: kinds::EMAIL,
        path: "/zones/{zone}/email/routing/rules",
        shape: pages(50),
        label: &["/matchers/0/value", "/name"],
        volatile: &["tag"],
        permission: "Email Routing Rules Read",
        ..of_zone()
    },
    Family {
        name: "email_catch_all",
        title: "catch-all rules of email routing",
        kind: kinds::EMAIL,
        path: "/zones/{zone}/email/routing/rules/catch_all",
        volatile: &["/id", "tag"],
        permission: "Email Routing Rules Read",
        missing_is_none: true,
        ..one(of_zone())
    },
    Family {
        name: "email_addresses",
        title: "destination addresses of email routing",
        kind: kinds::EMAIL,
        path: "/accounts/{account}/email/routing/addresses",
        // By default those that nobody has confirmed yet are hidden.
        variants: &[Variant::query(&[("verified", "true")]), Variant::query(&[("verified", "false")])],
        shape: pages(50),
        label: &["/email"],
        key: &[Part::At("/email")],
        created: "/created",
        modified: "/modified",
        volatile: &["tag"],
        permission: "Email Routing Addresses Read",
        ..of_account()
    },
];
