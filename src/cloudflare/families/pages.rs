//! Pages projects, their deployments and domains (API.md section 13). Deploy hooks are not listed: their address is the
//! credential.

use super::{of, of_account, pages, redact};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part};

const PAGES: Family = Family {
    kind: kinds::PAGES,
    created: "/created_on",
    secret: &["web_analytics_token"],
    redact: redact::pages,
    permission: "Pages Read",
    ..of_account()
};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "pages_projects",
        title: "Pages projects",
        path: "/accounts/{account}/pages/projects",
        // More are refused (observed); the documentation gives no maximum.
        shape: pages(10),
        id: "/name",
        // The deployments have a family of their own.
        volatile: &["/canonical_deployment", "/latest_deployment"],
        ..PAGES
    },
    Family {
        name: "pages_deployments",
        title: "deployments of Pages",
        reach: of("pages_projects").reach,
        path: "/accounts/{account}/pages/projects/{parent}/deployments",
        shape: pages(25),
        made_at: &["."],
        label: &["/environment", "/url"],
        modified: "/modified_on",
        volatile: &["stages", "latest_stage"],
        ..PAGES
    },
    Family {
        name: "pages_domains",
        title: "domains of Pages",
        reach: of("pages_projects").reach,
        path: "/accounts/{account}/pages/projects/{parent}/domains",
        key: &[Part::At("/name")],
        volatile: &["validation_data", "verification_data", "domain_id"],
        ..PAGES
    },
];
