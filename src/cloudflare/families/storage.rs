//! Where data lies: R2, KV, D1, queues, secrets stores; and Turnstile widgets (API.md section 13).

use super::{of, of_account, one, pages};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part, Shape, Variant};
use crate::provider::Paging;

const STORAGE: Family = Family { kind: kinds::STORAGE, ..of_account() };

/// Buckets of one jurisdiction are not seen from another.
const EU: &[Variant] = &[Variant::headers(&[("cf-r2-jurisdiction", "eu")])];
const FEDRAMP: &[Variant] = &[Variant::headers(&[("cf-r2-jurisdiction", "fedramp")])];

const BUCKETS: Family = Family {
    name: "r2_buckets",
    title: "R2 buckets",
    path: "/accounts/{account}/r2/buckets",
    shape: Shape::List(Paging::Cursor { size: ("per_page", 1000) }),
    inside: "buckets",
    id: "/name",
    created: "/creation_date",
    permission: "Workers R2 Storage Read",
    // R2 was never enabled.
    none_codes: &[10042],
    ..STORAGE
};

/// What belongs to a bucket, where it still is.
const OF_BUCKET: Family =
    Family { permission: "Workers R2 Storage Read", none_codes: &[10006], reach: of("r2_buckets").reach, ..STORAGE };

const CUSTOM: Family = Family {
    name: "r2_custom_domains",
    title: "custom domains of R2 buckets",
    path: "/accounts/{account}/r2/buckets/{parent}/domains/custom",
    inside: "domains",
    id: "/domain",
    label: &["/domain"],
    volatile: &["status"],
    ..OF_BUCKET
};

const MANAGED: Family = Family {
    name: "r2_public_access",
    title: "public addresses of R2 buckets",
    path: "/accounts/{account}/r2/buckets/{parent}/domains/managed",
    ..one(OF_BUCKET)
};

const CORS: Family = Family {
    name: "r2_cors",
    title: "CORS rules of R2 buckets",
    path: "/accounts/{account}/r2/buckets/{parent}/cors",
    none_codes: &[10006, 10059],
    ..one(OF_BUCKET)
};

const IN_EU: Family = Family { variants: EU, reach: of("r2_buckets_eu").reach, ..OF_BUCKET };
const IN_FEDRAMP: Family = Family { variants: FEDRAMP, reach: of("r2_buckets_fedramp").reach, ..OF_BUCKET };

pub(super) const FAMILIES: &[Family] = &[
    BUCKETS,
    CUSTOM,
    MANAGED,
    CORS,
    Family { name: "r2_buckets_eu", title: "R2 buckets in the EU", variants: EU, ..BUCKETS },
    Family {
        name: "r2_custom_domains_eu",
        title: "custom domains of R2 buckets in the EU",
        variants: EU,
        reach: IN_EU.reach,
        ..CUSTOM
    },
    Family {
        name: "r2_public_access_eu",
        title: "public addresses of R2 buckets in the EU",
        variants: EU,
        reach: IN_EU.reach,
        ..MANAGED
    },
    Family {
        name: "r2_cors_eu",
        title: "CORS rules of R2 buckets in the EU",
        variants: EU,
        reach: IN_EU.reach,
        ..CORS
    },
    Family { name: "r2_buckets_fedramp", title: "R2 buckets under FedRAMP", variants: FEDRAMP, ..BUCKETS },
    Family {
        name: "r2_custom_domains_fedramp",
        title: "custom domains of R2 buckets under FedRAMP",
        variants: FEDRAMP,
        reach: IN_FEDRAMP.reach,
        ..CUSTOM
    },
    Family {
        name: "r2_public_access_fedramp",
        title: "public addresses of R2 buckets under FedRAMP",
        variants: FEDRAMP,
        reach: IN_FEDRAMP.reach,
        ..MANAGED
    },
    Family {
        name: "r2_cors_fedramp",
        title: "CORS rules of R2 buckets under FedRAMP",
        variants: FEDRAMP,
        reach: IN_FEDRAMP.reach,
        ..CORS
    },
    Family {
        name: "kv_namespaces",
        title: "KV namespaces",
        path: "/accounts/{account}/storage/kv/namespaces",
        shape: pages(1000),
        label: &["/title"],
        permission: "Workers KV Storage Read",
        ..STORAGE
    },
    Family {
        name: "d1_databases",
        title: "D1 databases",
        path: "/accounts/{account}/d1/database",
        shape: pages(10_000),
        id: "/uuid",
        created: "/created_at",
        permission: "D1 Read",
        ..STORAGE
    },
    Family {
        name: "queues",
        title: "queues, with producers and consumers",
        path: "/accounts/{account}/queues",
        id: "/queue_id",
        label: &["/queue_name"],
        key: &[Part::At("/queue_name")],
        created: "/created_on",
        modified: "/modified_on",
        volatile: &["consumers_total_count", "producers_total_count"],
        permission: "Queues Read",
        ..STORAGE
    },
    Family {
        name: "secrets_stores",
        title: "secrets stores",
        path: "/accounts/{account}/secrets_store/stores",
        shape: pages(100),
        created: "/created",
        modified: "/modified",
        permission: "Secrets Store Read",
        ..STORAGE
    },
    Family {
        name: "secrets_store_secrets",
        title: "names of secrets in stores",
        reach: of("secrets_stores").reach,
        path: "/accounts/{account}/secrets_store/stores/{parent}/secrets",
        shape: pages(100),
        created: "/created",
        modified: "/modified",
        secret: &["value"],
        permission: "Secrets Store Read",
        ..STORAGE
    },
    Family {
        name: "turnstile_widgets",
        title: "Turnstile widgets",
        kind: kinds::TURNSTILE,
        path: "/accounts/{account}/challenges/widgets",
        shape: pages(1000),
        id: "/sitekey",
        created: "/created_on",
        modified: "/modified_on",
        secret: &["secret"],
        permission: "Turnstile Sites Read",
        ..of_account()
    },
];
