//! What rewrites pages and headers on their way: snippets, managed headers, Zaraz; and what Page Shield saw in browsers
//! (API.md section 12).

use super::{canonical, of_zone, one, pages, redact};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part, Shape, Variant};
use crate::provider::Paging;

/// What Page Shield saw: by default without inactive ones, duplicates and Cloudflare's own.
const SEEN: Family = Family {
    kind: kinds::RULES,
    shape: Shape::List(Paging::Pages { per_page: 100 }),
    label: &["/url"],
    key: &[Part::At("/url"), Part::At("/hash")],
    kin: 1,
    created: "/added_at",
    // When and where it was seen last, and what is thought of it today.
    volatile: &[
        "first_seen_at",
        "last_seen_at",
        "fetched_at",
        "first_page_url",
        "page_urls",
        "cryptomining_score",
        "dataflow_score",
        "js_integrity_score",
        "magecart_score",
        "malware_score",
        "obfuscation_score",
    ],
    permission: "Zone Settings Read",
    ..of_zone()
};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "snippets",
        title: "snippets",
        kind: kinds::RULES,
        path: "/zones/{zone}/snippets",
        shape: pages(25),
        id: "/snippet_name",
        label: &["/snippet_name"],
        created: "/created_on",
        modified: "/modified_on",
        // The code is not in the list: that it was changed is seen by the time alone.
        canonical: canonical::snippet,
        made_up: &[("modified_on", &["code_changed_on"])],
        permission: "Snippets Read",
        ..of_zone()
    },
    Family {
        name: "snippet_rules",
        title: "rules that run snippets",
        kind: kinds::RULES,
        path: "/zones/{zone}/snippets/snippet_rules",
        label: &["/snippet_name"],
        key: &[Part::At("/snippet_name"), Part::At("/expression")],
        kin: 1,
        modified: "/last_updated",
        redact: redact::expressions,
        permission: "Snippets Read",
        ..of_zone()
    },
    Family {
        name: "managed_headers",
        title: "managed transforms of headers",
        kind: kinds::RULES,
        path: "/zones/{zone}/managed_headers",
        permission: "Zone WAF Read",
        ..one(of_zone())
    },
    Family {
        name: "url_normalization",
        title: "normalisation of addresses",
        kind: kinds::RULES,
        path: "/zones/{zone}/url_normalization",
        permission: "Zone WAF Read",
        ..one(of_zone())
    },
    Family {
        name: "cloud_connector_rules",
        title: "cloud connector rules",
        kind: kinds::RULES,
        path: "/zones/{zone}/cloud_connector/rules",
        label: &["/description"],
        permission: "Cloud Connector Read",
        ..of_zone()
    },
    Family {
        name: "page_shield",
        title: "Page Shield",
        kind: kinds::RULES,
        path: "/zones/{zone}/page_shield",
        modified: "/updated_at",
        permission: "Zone Settings Read",
        ..one(of_zone())
    },
    Family {
        name: "page_shield_policies",
        title: "Page Shield policies",
        kind: kinds::RULES,
        path: "/zones/{zone}/page_shield/policies",
        redact: redact::expressions,
        label: &["/description"],
        permission: "Zone Settings Read",
        ..of_zone()
    },
    Family {
        name: "page_shield_scripts",
        title: "scripts seen in browsers",
        path: "/zones/{zone}/page_shield/scripts",
        variants: &[Variant::query(&[
            ("status", "active,infrequent,inactive"),
            ("exclude_cdn_cgi", "false"),
            ("exclude_duplicates", "false"),
        ])],
        ..SEEN
    },
    Family {
        name: "page_shield_connections",
        title: "connections seen in browsers",
        path: "/zones/{zone}/page_shield/connections",
        variants: &[Variant::query(&[("status", "active,infrequent,inactive"), ("exclude_cdn_cgi", "false")])],
        key: &[Part::At("/url")],
        ..SEEN
    },
    Family {
        name: "zaraz",
        title: "Zaraz",
        kind: kinds::RULES,
        path: "/zones/{zone}/settings/zaraz/config",
        redact: redact::zaraz,
        permission: "Zaraz Read",
        missing_is_none: true,
        ..one(of_zone())
    },
];
