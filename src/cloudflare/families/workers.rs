//! Workers: what runs, where, when, and with which reach (API.md section 13).

use super::{canonical, of, of_account, of_zone, one, pages, redact};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part, Variant};

const WORKERS: Family = Family {
    kind: kinds::WORKERS,
    created: "/created_on",
    modified: "/modified_on",
    permission: "Workers Scripts Read",
    ..of_account()
};

/// What makes a version of a script and deploys it at once: an upload of its code, its settings, a secret.
const UPLOADS: &[&str] = &[".", "..", "../content", "../settings", "../secrets"];

/// What belongs to a script.
const OF_SCRIPT: Family = Family {
    // The script was deleted since it was listed.
    none_codes: &[10007],
    reach: of("workers_scripts").reach,
    ..WORKERS
};

/// What a binding holds. Plain variables are where people put secrets too.
const BINDINGS: &[&str] = &["text", "json", "key_base64", "key_jwk"];

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "workers_scripts",
        title: "Workers scripts",
        path: "/accounts/{account}/workers/scripts",
        parts: &["content"],
        label: &["/id"],
        // The tag of the content stays: it tells one upload from another.
        volatile: &["placement_status"],
        ..WORKERS
    },
    Family {
        name: "workers_settings",
        title: "settings and bindings of Workers",
        path: "/accounts/{account}/workers/scripts/{parent}/settings",
        created: "",
        modified: "",
        volatile: &["annotations"],
        secret: BINDINGS,
        canonical: canonical::bindings,
        ..one(OF_SCRIPT)
    },
    Family {
        name: "workers_versions",
        title: "versions of Workers",
        path: "/accounts/{account}/workers/scripts/{parent}/versions",
        // The documentation gives no maximum.
        shape: pages(50),
        inside: "items",
        made_at: UPLOADS,
        label: &["/number"],
        created: "/metadata/created_on",
        modified: "/metadata/modified_on",
        volatile: &["hasPreview"],
        secret: BINDINGS,
        redact: redact::annotations,
        ..OF_SCRIPT
    },
    Family {
        name: "workers_deployments",
        title: "deployments of Workers",
        path: "/accounts/{account}/workers/scripts/{parent}/deployments",
        inside: "deployments",
        made_at: UPLOADS,
        label: &["/author_email", "/source"],
        modified: "",
        redact: redact::annotations,
        ..OF_SCRIPT
    },
    Family {
        name: "workers_schedules",
        title: "cron triggers of Workers",
        path: "/accounts/{account}/workers/scripts/{parent}/schedules",
        inside: "schedules",
        id: "/cron",
        label: &["/cron"],
        ..OF_SCRIPT
    },
    Family {
        name: "workers_secrets",
        title: "names of secrets of Workers",
        path: "/accounts/{account}/workers/scripts/{parent}/secrets",
        id: "/name",
        secret: &["text", "key_base64", "key_jwk"],
        created: "",
        modified: "",
        ..OF_SCRIPT
    },
    Family {
        name: "workers_tails",
        title: "live logs of Workers",
        path: "/accounts/{account}/workers/scripts/{parent}/tails",
        label: &["/id"],
        created: "",
        modified: "",
        // Whoever knows the address reads the log.
        secret: &["url"],
        permission: "Workers Tail Read",
        shape: one(OF_SCRIPT).shape,
        ..OF_SCRIPT
    },
    Family {
        name: "workers_previews",
        title: "Workers on workers.dev",
        path: "/accounts/{account}/workers/scripts/{parent}/subdomain",
        created: "",
        modified: "",
        ..one(OF_SCRIPT)
    },
    Family {
        name: "workers_routes",
        title: "routes of Workers",
        kind: kinds::WORKERS,
        path: "/zones/{zone}/workers/routes",
        label: &["/pattern"],
        key: &[Part::At("/pattern")],
        permission: "Workers Routes Read",
        ..of_zone()
    },
    Family {
        name: "workers_domains",
        title: "custom domains of Workers",
        path: "/accounts/{account}/workers/domains",
        label: &["/hostname"],
        key: &[Part::At("/hostname")],
        created: "",
        modified: "",
        volatile: &["cert_id"],
        ..WORKERS
    },
    Family {
        name: "workers_subdomain",
        title: "workers.dev subdomain",
        path: "/accounts/{account}/workers/subdomain",
        created: "",
        modified: "",
        // None was ever chosen.
        none_codes: &[10007],
        ..one(WORKERS)
    },
    Family {
        name: "workers_account_settings",
        title: "settings of all Workers",
        path: "/accounts/{account}/workers/account-settings",
        created: "",
        modified: "",
        ..one(WORKERS)
    },
    Family {
        name: "workers_log_destinations",
        title: "destinations of Workers logs",
        path: "/accounts/{account}/workers/observability/destinations",
        // The parameter is called otherwise here; 50 is the most.
        variants: &[Variant::query(&[("perPage", "50")])],
        id: "/slug",
        created: "",
        modified: "",
        redact: redact::log_destination,
        permission: "Workers Observability Read",
        ..WORKERS
    },
    Family {
        name: "dispatch_namespaces",
        title: "dispatch namespaces",
        path: "/accounts/{account}/workers/dispatch/namespaces",
        id: "/namespace_name",
        label: &["/namespace_name"],
        volatile: &["script_count"],
        ..WORKERS
    },
    Family {
        name: "dispatch_scripts",
        title: "scripts of dispatch namespaces",
        reach: of("dispatch_namespaces").reach,
        path: "/accounts/{account}/workers/dispatch/namespaces/{parent}/scripts",
        id: "/script/id",
        label: &["/script/id"],
        none_codes: &[100119],
        ..WORKERS
    },
];
