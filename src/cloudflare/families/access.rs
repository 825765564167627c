//! Access: applications, policies, groups, identity providers, service tokens, at the account and in zones (API.md
//! section 14).

use super::{of, of_account, of_zone, one, pages, redact};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part};

const ACCESS: Family = Family {
    kind: kinds::ACCESS,
    created: "/created_at",
    modified: "/updated_at",
    permission: "Access: Apps and Policies Read",
    // Access was never enabled.
    none_codes: &[9999],
    ..of_account()
};

const APPS: Family = Family {
    // The maximum is not stated; this is the default.
    shape: pages(1000),
    label: &["/name", "/domain"],
    redact: redact::named_secrets,
    ..ACCESS
};

const POLICIES: Family = Family { shape: pages(200), volatile: &["app_count"], ..ACCESS };

const ORGANIZATION: &str = "Access: Organizations, Identity Providers, and Groups Read";

const GROUPS: Family = Family { shape: pages(1000), permission: ORGANIZATION, ..ACCESS };

const PROVIDERS: Family = Family {
    shape: pages(200),
    created: "",
    modified: "",
    redact: redact::named_secrets,
    permission: ORGANIZATION,
    ..ACCESS
};

const SERVICE_TOKENS: Family = Family {
    shape: pages(1000),
    volatile: &["last_seen_at"],
    secret: &["client_secret"],
    permission: "Access: Service Tokens Read",
    ..ACCESS
};

pub(super) const FAMILIES: &[Family] = &[
    Family { name: "access_apps", title: "Access applications", path: "/accounts/{account}/access/apps", ..APPS },
    Family {
        name: "access_app_policies",
        title: "policies of Access applications",
        reach: of("access_apps").reach,
        path: "/accounts/{account}/access/apps/{parent}/policies",
        ..POLICIES
    },
    Family {
        name: "zone_access_apps",
        title: "Access applications in zones",
        reach: of_zone().reach,
        path: "/zones/{zone}/access/apps",
        ..APPS
    },
    Family {
        name: "zone_access_app_policies",
        title: "policies of Access applications in zones",
        reach: of("zone_access_apps").reach,
        path: "/zones/{zone}/access/apps/{parent}/policies",
        ..POLICIES
    },
    Family {
        name: "access_policies",
        title: "reusable Access policies",
        path: "/accounts/{account}/access/policies",
        shape: pages(100),
        ..POLICIES
    },
    Family { name: "access_groups", title: "Access groups", path: "/accounts/{account}/access/groups", ..GROUPS },
    Family {
        name: "zone_access_groups",
        title: "Access groups in zones",
        reach: of_zone().reach,
        path: "/zones/{zone}/access/groups",
        ..GROUPS
    },
    Family {
        name: "identity_providers",
        title: "identity providers of Access",
        path: "/accounts/{account}/access/identity_providers",
        ..PROVIDERS
    },
    Family {
        name: "zone_identity_providers",
        title: "identity providers of Access in zones",
        reach: of_zone().reach,
        path: "/zones/{zone}/access/identity_providers",
        ..PROVIDERS
    },
    Family {
        name: "service_tokens",
        title: "service tokens of Access",
        path: "/accounts/{account}/access/service_tokens",
        ..SERVICE_TOKENS
    },
    Family {
        name: "zone_service_tokens",
        title: "service tokens of Access in zones",
        reach: of_zone().reach,
        path: "/zones/{zone}/access/service_tokens",
        ..SERVICE_TOKENS
    },
    Family {
        name: "access_organization",
        title: "Access organization",
        path: "/accounts/{account}/access/organizations",
        permission: ORGANIZATION,
        missing_is_none: true,
        ..one(ACCESS)
    },
    Family {
        name: "zone_access_organizations",
        title: "Access organizations of zones",
        reach: of_zone().reach,
        path: "/zones/{zone}/access/organizations",
        permission: ORGANIZATION,
        missing_is_none: true,
        ..one(ACCESS)
    },
    Family {
        name: "access_keys",
        title: "rotation of Access signing keys",
        path: "/accounts/{account}/access/keys",
        created: "",
        modified: "/last_key_rotation_at",
        volatile: &["days_until_next_rotation"],
        permission: ORGANIZATION,
        ..one(ACCESS)
    },
    Family {
        name: "access_users",
        title: "people who logged in through Access",
        path: "/accounts/{account}/access/users",
        shape: pages(1000),
        label: &["/email"],
        key: &[Part::At("/email")],
        volatile: &["last_successful_login", "active_device_count"],
        permission: "Access: Audit Logs Read",
        ..ACCESS
    },
];
