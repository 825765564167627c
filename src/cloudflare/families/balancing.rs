//! Load balancers, and what they send traffic to (API.md section 15).

use super::{of_account, of_zone, pages, redact};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part};

const BALANCING: Family = Family {
    kind: kinds::BALANCING,
    created: "/created_on",
    modified: "/modified_on",
    redact: redact::balancing,
    permission: "Load Balancing: Monitors and Pools Read",
    ..of_account()
};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "load_balancers",
        title: "load balancers",
        reach: of_zone().reach,
        path: "/zones/{zone}/load_balancers",
        key: &[Part::At("/name")],
        permission: "Load Balancers Read",
        ..BALANCING
    },
    Family {
        name: "load_balancer_pools",
        title: "pools of load balancers",
        path: "/accounts/{account}/load_balancers/pools",
        volatile: &["disabled_at"],
        ..BALANCING
    },
    Family {
        name: "load_balancer_monitors",
        title: "monitors of load balancers",
        path: "/accounts/{account}/load_balancers/monitors",
        label: &["/description"],
        ..BALANCING
    },
    Family {
        name: "health_checks",
        title: "health checks",
        reach: of_zone().reach,
        path: "/zones/{zone}/healthchecks",
        shape: pages(1000),
        volatile: &["status", "failure_reason"],
        permission: "Health Checks Read",
        ..BALANCING
    },
    Family {
        name: "waiting_rooms",
        title: "waiting rooms",
        reach: of_zone().reach,
        path: "/zones/{zone}/waiting_rooms",
        // The documentation gives no maximum; this is the default.
        shape: pages(25),
        permission: "Waiting Rooms Read",
        ..BALANCING
    },
];
