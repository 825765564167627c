//! Tunnels, what they lead to, who is connected, and the rules of Gateway (API.md section 14).

use super::{canonical, of, of_account, one, pages, redact};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part, Variant};

/// Asked for neither, a list shows both; asked apart, what belongs to a tunnel is read of those that are there.
const EXISTING: &[Variant] = &[Variant::query(&[("is_deleted", "false")])];
const DELETED: &[Variant] = &[Variant::query(&[("is_deleted", "true")])];

const TUNNELS: Family = Family {
    kind: kinds::TUNNELS,
    variants: EXISTING,
    shape: pages(1000),
    created: "/created_at",
    // Who is connected has a family of its own, and comes and goes.
    volatile: &["connections", "conns_active_at", "conns_inactive_at", "status"],
    secret: &["tunnel_secret", "credentials_file", "token"],
    permission: "Cloudflare Tunnel Read",
    ..of_account()
};

const CONNECTIONS: Family = Family {
    kind: kinds::TUNNELS,
    label: &["/origin_ips/0"],
    key: &[Part::At("/origin_ips")],
    canonical: canonical::connector,
    made_up: &[("conns", &["origin_ips"])],
    permission: "Cloudflare Tunnel Read",
    ..of("tunnels")
};

const GATEWAY: Family = Family {
    kind: kinds::TUNNELS,
    created: "/created_at",
    modified: "/updated_at",
    redact: redact::gateway,
    // Not stated; the group of Zero Trust.
    permission: "Zero Trust Read",
    ..of_account()
};

pub(super) const FAMILIES: &[Family] = &[
    Family { name: "tunnels", title: "tunnels", path: "/accounts/{account}/cfd_tunnel", ..TUNNELS },
    Family {
        name: "deleted_tunnels",
        title: "deleted tunnels",
        path: "/accounts/{account}/cfd_tunnel",
        variants: DELETED,
        ..TUNNELS
    },
    Family {
        name: "tunnel_configurations",
        title: "configurations of tunnels",
        path: "/accounts/{account}/cfd_tunnel/{parent}/configurations",
        kind: kinds::TUNNELS,
        created: "/created_at",
        volatile: &["version"],
        redact: redact::addresses,
        permission: "Cloudflare Tunnel Read",
        // A tunnel that is configured on its host has none here.
        missing_is_none: true,
        ..one(of("tunnels"))
    },
    Family {
        name: "tunnel_connections",
        title: "connectors of tunnels",
        path: "/accounts/{account}/cfd_tunnel/{parent}/connections",
        ..CONNECTIONS
    },
    Family {
        name: "warp_connectors",
        title: "WARP connectors",
        path: "/accounts/{account}/warp_connector",
        permission: "Cloudflare One Connectors Read",
        ..TUNNELS
    },
    Family {
        name: "deleted_warp_connectors",
        title: "deleted WARP connectors",
        path: "/accounts/{account}/warp_connector",
        variants: DELETED,
        permission: "Cloudflare One Connectors Read",
        ..TUNNELS
    },
    Family {
        name: "warp_connections",
        title: "hosts of WARP connectors",
        reach: of("warp_connectors").reach,
        path: "/accounts/{account}/warp_connector/{parent}/connections",
        permission: "Cloudflare One Connectors Read",
        ..CONNECTIONS
    },
    Family {
        name: "private_routes",
        title: "private network routes",
        kind: kinds::TUNNELS,
        path: "/accounts/{account}/teamnet/routes",
        variants: &[EXISTING[0], DELETED[0]],
        shape: pages(1000),
        label: &["/network"],
        created: "/created_at",
        permission: "Cloudflare Tunnel Read",
        ..of_account()
    },
    Family {
        name: "gateway_rules",
        title: "Gateway policies",
        path: "/accounts/{account}/gateway/rules",
        volatile: &["version"],
        ..GATEWAY
    },
    Family {
        name: "gateway_configuration",
        title: "Gateway settings",
        path: "/accounts/{account}/gateway/configuration",
        missing_is_none: true,
        ..one(GATEWAY)
    },
];
