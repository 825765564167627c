//! DNS records, DNSSEC, and who may copy a zone or write it from outside (API.md section 10).

use super::{canonical, of_account, of_zone, one, pages};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part, Shape};

/// What a transfer changes each time.
const TRANSFER: Family = Family {
    kind: kinds::DNSSEC,
    created: "/created_time",
    modified: "/modified_time",
    volatile: &["checked_time", "last_transferred_time", "soa_serial"],
    permission: "DNS Read",
    // A zone that nobody transfers answers that there is no configuration.
    missing_is_none: true,
    ..one(of_zone())
};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "dns_records",
        title: "DNS records",
        kind: kinds::DNS,
        path: "/zones/{zone}/dns_records",
        // 5,000,000 are allowed, and very large pages time out (documented).
        shape: pages(5000),
        label: &["/type", "/name"],
        key: &[Part::At("/type"), Part::At("/name"), Part::At("/content"), Part::At("/priority")],
        kin: 2,
        created: "/created_on",
        modified: "/modified_on",
        aside: &["/image"],
        canonical: canonical::record,
        made_up: &[("proxied", &["proxied"]), ("ttl", &["ttl"]), ("settings", &["settings"])],
        overlaid: canonical::earlier_record,
        permission: "DNS Read",
        ..of_zone()
    },
    Family {
        name: "dnssec",
        title: "DNSSEC",
        kind: kinds::DNSSEC,
        path: "/zones/{zone}/dnssec",
        modified: "/modified_on",
        permission: "DNS Read",
        ..one(of_zone())
    },
    Family {
        name: "dns_settings",
        title: "DNS settings of zones",
        kind: kinds::DNSSEC,
        path: "/zones/{zone}/dns_settings",
        permission: "DNS Read",
        ..one(of_zone())
    },
    Family {
        name: "account_dns_settings",
        title: "DNS settings for new zones",
        kind: kinds::DNSSEC,
        path: "/accounts/{account}/dns_settings",
        permission: "Account DNS Settings Read",
        ..one(of_account())
    },
    Family {
        name: "dns_views",
        title: "internal DNS views",
        kind: kinds::DNSSEC,
        path: "/accounts/{account}/dns_settings/views",
        shape: pages(5000),
        key: &[Part::At("/name")],
        created: "/created_time",
        modified: "/modified_time",
        permission: "DNS View Read",
        ..of_account()
    },
    Family {
        name: "account_nameservers",
        title: "name servers of the account's own",
        kind: kinds::DNSSEC,
        path: "/accounts/{account}/custom_ns",
        id: "/ns_name",
        label: &["/ns_name"],
        permission: "Account Settings Read",
        ..of_account()
    },
    Family {
        name: "secondary_dns_incoming",
        title: "incoming zone transfers",
        path: "/zones/{zone}/secondary_dns/incoming",
        ..TRANSFER
    },
    Family {
        name: "secondary_dns_outgoing",
        title: "outgoing zone transfers",
        path: "/zones/{zone}/secondary_dns/outgoing",
        ..TRANSFER
    },
    Family {
        name: "secondary_dns_outgoing_status",
        title: "whether zones are transferred",
        path: "/zones/{zone}/secondary_dns/outgoing/status",
        shape: Shape::Text,
        ..TRANSFER
    },
    Family {
        name: "secondary_dns_peers",
        title: "peers of zone transfers",
        kind: kinds::DNSSEC,
        path: "/accounts/{account}/secondary_dns/peers",
        permission: "Account Settings Read",
        ..of_account()
    },
    Family {
        name: "secondary_dns_tsigs",
        title: "TSIG keys of zone transfers",
        kind: kinds::DNSSEC,
        path: "/accounts/{account}/secondary_dns/tsigs",
        // The list gives the keys themselves.
        secret: &["secret"],
        permission: "Account Settings Read",
        ..of_account()
    },
    Family {
        name: "secondary_dns_acls",
        title: "addresses that may transfer zones",
        kind: kinds::DNSSEC,
        path: "/accounts/{account}/secondary_dns/acls",
        permission: "Account Settings Read",
        ..of_account()
    },
];
