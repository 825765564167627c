//! Host names of others that a zone serves, and TCP ports that it forwards (API.md sections 11 and 15).

use super::{canonical, of_zone, one, pages, redact};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "custom_hostnames",
        title: "custom hostnames",
        kind: kinds::TLS,
        path: "/zones/{zone}/custom_hostnames",
        shape: pages(1000),
        label: &["/hostname"],
        key: &[Part::At("/hostname")],
        created: "/created_at",
        // Challenges, new each time; and the certificate under the name, which is renewed by itself.
        volatile: &[
            "ownership_verification",
            "ownership_verification_http",
            "validation_records",
            "dcv_delegation_records",
            "validation_errors",
            "verification_errors",
            "/ssl/expires_on",
            "/ssl/uploaded_on",
            "/ssl/serial_number",
        ],
        secret: &["custom_key"],
        canonical: canonical::hostname,
        redact: redact::custom_metadata,
        permission: "SSL and Certificates Read",
        ..of_zone()
    },
    Family {
        name: "fallback_origins",
        title: "fallback origins of custom hostnames",
        kind: kinds::TLS,
        path: "/zones/{zone}/custom_hostnames/fallback_origin",
        created: "/created_at",
        modified: "/updated_at",
        permission: "SSL and Certificates Read",
        missing_is_none: true,
        ..one(of_zone())
    },
    Family {
        name: "spectrum_apps",
        title: "Spectrum applications",
        kind: kinds::BALANCING,
        path: "/zones/{zone}/spectrum/apps",
        shape: pages(100),
        label: &["/protocol", "/dns/name"],
        created: "/created_on",
        modified: "/modified_on",
        permission: "Zone Settings Read",
        ..of_zone()
    },
];
