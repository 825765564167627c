//! Rulesets with their rules and versions, lists, and IP access rules (API.md section 12).

use serde_json::Value;

use super::{canonical, of, of_account, of_user, of_zone, pages, redact};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part, Shape};
use crate::provider::Paging;

/// A list tells of a ruleset, and not what is in it: each is read in full.
const RULESETS: Family = Family {
    kind: kinds::WAF,
    shape: Shape::List(Paging::CursorAfter { per_page: 50 }),
    parts: &["rules"],
    is_own: is_customers,
    label: &["/phase", "/name"],
    key: &[Part::At("/kind"), Part::At("/phase"), Part::At("/name")],
    kin: 2,
    modified: "/last_updated",
    volatile: &["/version"],
    aside: &["/marks"],
    redact: redact::rules,
    canonical: canonical::ruleset,
    made_up: &[("rules", &["rules", "order", "marks"])],
    ..of_account()
};

/// All versions bear the id of their ruleset.
const VERSIONS: Family = Family {
    kind: kinds::WAF,
    id: "/version",
    label: &["/version"],
    modified: "/last_updated",
    // The ruleset was deleted since it was listed.
    none_codes: &[10003],
    redact: redact::rules,
    ..of("zone_rulesets")
};

const ACCESS_RULES: Family = Family {
    kind: kinds::WAF,
    // The documentation gives no maximum.
    shape: pages(100),
    label: &["/mode", "/configuration/value"],
    key: &[Part::At("/configuration/target"), Part::At("/configuration/value"), Part::At("/mode")],
    kin: 2,
    created: "/created_on",
    modified: "/modified_on",
    volatile: &["allowed_modes"],
    permission: "Account Firewall Access Rules Read",
    ..of_account()
};

/// Those of kind `managed` are Cloudflare's and cannot be changed.
fn is_customers(ruleset: &Value) -> bool {
    ruleset["kind"] != "managed"
}

/// The list of a zone shows the rules of the account and of the user too (observed); they are read at their own level.
fn is_of_zone(rule: &Value) -> bool {
    rule.pointer("/scope/type").is_none_or(|level| level == "zone")
}

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "zone_rulesets",
        title: "rulesets of zones",
        reach: of_zone().reach,
        path: "/zones/{zone}/rulesets",
        detail: Some("/zones/{zone}/rulesets/{id}"),
        permission: "Zone WAF Read",
        ..RULESETS
    },
    Family {
        name: "zone_ruleset_versions",
        title: "versions of rulesets of zones",
        path: "/zones/{zone}/rulesets/{parent}/versions",
        permission: "Zone WAF Read",
        ..VERSIONS
    },
    Family {
        name: "account_rulesets",
        title: "rulesets of the account",
        path: "/accounts/{account}/rulesets",
        detail: Some("/accounts/{account}/rulesets/{id}"),
        permission: "Account WAF Read",
        ..RULESETS
    },
    Family {
        name: "account_ruleset_versions",
        title: "versions of rulesets of the account",
        reach: of("account_rulesets").reach,
        path: "/accounts/{account}/rulesets/{parent}/versions",
        permission: "Account WAF Read",
        ..VERSIONS
    },
    Family {
        name: "zone_access_rules",
        title: "IP access rules of zones",
        reach: of_zone().reach,
        path: "/zones/{zone}/firewall/access_rules/rules",
        is_own: is_of_zone,
        permission: "Firewall Services Read",
        ..ACCESS_RULES
    },
    Family {
        name: "account_access_rules",
        title: "IP access rules of the account",
        path: "/accounts/{account}/firewall/access_rules/rules",
        ..ACCESS_RULES
    },
    Family {
        name: "user_access_rules",
        title: "IP access rules of the calling user",
        reach: of_user().reach,
        path: "/user/firewall/access_rules/rules",
        ..ACCESS_RULES
    },
    Family {
        name: "lists",
        title: "lists",
        kind: kinds::RULES,
        path: "/accounts/{account}/rules/lists",
        key: &[Part::At("/name")],
        created: "/created_on",
        modified: "/modified_on",
        volatile: &["num_items", "num_referencing_filters"],
        permission: "Account Filter Lists Read",
        ..of_account()
    },
    Family {
        name: "list_items",
        title: "items of lists",
        kind: kinds::RULES,
        path: "/accounts/{account}/rules/lists/{parent}/items",
        shape: Shape::List(Paging::CursorAfter { per_page: 500 }),
        counted: "/num_items",
        // Items are made by many, and the log names their list.
        made_at: &["."],
        label: &["/ip", "/asn", "/hostname/url_hostname", "/redirect/source_url"],
        key: &[Part::At("/ip"), Part::At("/asn"), Part::At("/hostname/url_hostname"), Part::At("/redirect/source_url")],
        created: "/created_on",
        modified: "/modified_on",
        redact: redact::addresses,
        permission: "Account Filter Lists Read",
        ..of("lists")
    },
];
