//! Certificates at the edge, at the origin and of clients (API.md section 11).

use super::{canonical, of, of_account, of_zone, one, pages};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part, Variant};

const SSL: Family = Family { permission: "SSL and Certificates Read", kind: kinds::TLS, ..of_zone() };

/// Lists show only what is active, unless asked for all.
const ALL: &[Variant] = &[Variant::query(&[("status", "all")])];

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "certificate_packs",
        title: "certificate packs",
        kind: kinds::EDGE_CERTIFICATES,
        path: "/zones/{zone}/ssl/certificate_packs",
        variants: ALL,
        shape: pages(50),
        label: &["/type", "/hosts/0"],
        // Challenges of the certificate authority, new each time; and which of the certificates is served first.
        volatile: &[
            "validation_records",
            "dcv_delegation_records",
            "validation_errors",
            "modified_on",
            "/primary_certificate",
        ],
        canonical: canonical::pack,
        ..SSL
    },
    Family {
        name: "custom_certificates",
        title: "uploaded certificates",
        kind: kinds::EDGE_CERTIFICATES,
        path: "/zones/{zone}/custom_certificates",
        shape: pages(50),
        label: &["/hosts/0"],
        created: "/uploaded_on",
        modified: "/modified_on",
        ..SSL
    },
    Family {
        name: "origin_certificates",
        title: "Origin CA certificates",
        kind: kinds::EDGE_CERTIFICATES,
        path: "/certificates",
        variants: &[Variant::query(&[("zone_id", "{zone}")])],
        shape: pages(50),
        label: &["/hostnames/0"],
        volatile: &["csr"],
        ..SSL
    },
    Family {
        name: "client_certificates",
        title: "client certificates of API Shield",
        path: "/zones/{zone}/client_certificates",
        variants: ALL,
        shape: pages(50),
        label: &["/common_name"],
        created: "/issued_on",
        volatile: &["csr"],
        ..SSL
    },
    Family {
        name: "mtls_certificates",
        title: "mTLS certificates of the account",
        kind: kinds::TLS,
        path: "/accounts/{account}/mtls_certificates",
        created: "/uploaded_on",
        permission: "Account: SSL and Certificates Read",
        ..of_account()
    },
    Family {
        name: "mtls_associations",
        title: "what mTLS certificates are used for",
        kind: kinds::TLS,
        path: "/accounts/{account}/mtls_certificates/{parent}/associations",
        id: "",
        label: &["/service"],
        key: &[Part::At("/service")],
        permission: "Account: SSL and Certificates Read",
        ..of("mtls_certificates")
    },
    Family {
        name: "access_certificates",
        title: "mTLS certificates of Access",
        kind: kinds::TLS,
        path: "/accounts/{account}/access/certificates",
        shape: pages(50),
        created: "/created_at",
        modified: "/updated_at",
        permission: "Access: Mutual TLS Certificates Read",
        ..of_account()
    },
    Family {
        name: "zone_access_certificates",
        title: "mTLS certificates of Access in zones",
        kind: kinds::TLS,
        path: "/zones/{zone}/access/certificates",
        shape: pages(50),
        created: "/created_at",
        modified: "/updated_at",
        permission: "Access: Mutual TLS Certificates Read",
        ..of_zone()
    },
    Family {
        name: "origin_pulls",
        title: "certificates of authenticated origin pulls",
        path: "/zones/{zone}/origin_tls_client_auth",
        label: &["/issuer"],
        created: "/uploaded_on",
        secret: &["private_key"],
        ..SSL
    },
    Family {
        name: "origin_pulls_setting",
        title: "authenticated origin pulls",
        path: "/zones/{zone}/origin_tls_client_auth/settings",
        ..one(SSL)
    },
    Family {
        name: "origin_pulls_hostnames",
        title: "authenticated origin pulls by host",
        path: "/zones/{zone}/origin_tls_client_auth/hostnames",
        variants: ALL,
        shape: pages(1000),
        id: "",
        label: &["/hostname"],
        key: &[Part::At("/hostname"), Part::At("/cert_id")],
        kin: 1,
        created: "/created_at",
        modified: "/updated_at",
        ..SSL
    },
    Family {
        name: "origin_pulls_certificates",
        title: "certificates of authenticated origin pulls by host",
        path: "/zones/{zone}/origin_tls_client_auth/hostnames/certificates",
        label: &["/issuer"],
        created: "/uploaded_on",
        secret: &["private_key"],
        ..SSL
    },
    Family {
        name: "keyless_certificates",
        title: "keyless SSL servers",
        path: "/zones/{zone}/keyless_certificates",
        created: "/created_on",
        modified: "/modified_on",
        volatile: &["permissions"],
        ..SSL
    },
    Family { name: "universal_ssl", title: "Universal SSL", path: "/zones/{zone}/ssl/universal/settings", ..one(SSL) },
    Family {
        name: "ssl_verification",
        title: "state of certificate validation",
        path: "/zones/{zone}/ssl/verification",
        id: "/cert_pack_uuid",
        label: &["/hostname"],
        volatile: &["verification_info"],
        ..SSL
    },
    Family {
        name: "total_tls",
        title: "Total TLS",
        path: "/zones/{zone}/acm/total_tls",
        // Advanced Certificate Manager was not bought.
        none_codes: &[1450],
        ..one(SSL)
    },
    Family {
        name: "trust_store",
        title: "certificates that origins may present",
        path: "/zones/{zone}/acm/custom_trust_store",
        shape: pages(50),
        label: &["/issuer"],
        created: "/uploaded_on",
        modified: "/updated_at",
        none_codes: &[1450],
        ..SSL
    },
    Family {
        name: "ct_alerting",
        title: "alerts of Certificate Transparency",
        path: "/zones/{zone}/ct/alerting",
        ..one(SSL)
    },
];
