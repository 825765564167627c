//! Domain control, impairment, impact.

use super::{act, by, by_hand, settled, show};
use crate::hunt::technique::{Aim, Technique, any, removed};
use crate::model::Severity;

const BLANK: Technique = Technique {
    id: "",
    title: "",
    aim: Aim::Impact,
    attack: &[],
    severity: Severity::High,
    acts: &[],
    shows: &[],
    hidden: "",
    contain: by_hand(""),
    revert: by_hand(""),
    withdraw: "",
    page: "",
};

pub(super) const TECHNIQUES: &[Technique] = &[
    Technique {
        id: "CF-D01",
        title: "a registration is unlocked, transferred or given other contacts",
        attack: &["T1584.001"],
        severity: Severity::Critical,
        acts: &[act("", "/accounts/*/registrar/**")],
        shows: &[show("registrations", any)],
        hidden: "What the registry itself was told cannot be seen here: ask RDAP. Account-owned tokens cannot read registrations.",
        contain: by_hand("Lock it, cancel the transfer, call the registrar and the registry."),
        revert: by_hand("DS, name servers and contacts as they were."),
        page: "Cloudflare Registrar",
        ..BLANK
    },
    Technique {
        id: "CF-D02",
        title: "a zone is deleted, paused, moved, or its hold released",
        attack: &["T1485", "T1531", "T1584.001"],
        severity: Severity::Critical,
        acts: &[
            act("create", "/zones"),
            act("delete", "/zones/*"),
            act("update", "/zones/*"),
            act("", "/zones/*/hold"),
            act("", "/accounts/*/custom_ns/**"),
            act("", "/zones/*/custom_ns/**"),
        ],
        shows: &[show("zones", any), show("zone_holds", any), show("account_nameservers", any)],
        contain: settled("Put the hold on, with subdomains; call support."),
        revert: by_hand(
            "Make the zone again from an export; its name servers may differ, and the registrar must know.",
        ),
        page: "Zone holds",
        ..BLANK
    },
    Technique {
        id: "CF-D03",
        title: "a notification is removed or silenced",
        attack: &["T1685"],
        acts: &[act("", "/accounts/*/alerting/**"), act("", "/accounts/*/security-center/**")],
        shows: &[
            show("alert_policies", any),
            show("alert_webhooks", any),
            show("alert_pagerduty", any),
            show("alert_silences", any),
        ],
        contain: settled("Put the policy back, end the silence."),
        revert: by_hand("Let it send a test. No notification tells of tokens, members or DNS in any case."),
        page: "Notifications",
        ..BLANK
    },
    Technique {
        id: "CF-D04",
        title: "the account is used for somebody else's computing",
        attack: &["T1496"],
        severity: Severity::Medium,
        acts: &[
            act("create", "/accounts/*/ai/**"),
            act("create", "/accounts/*/stream/**"),
            act("", "/accounts/*/subscriptions/**"),
            act("", "/zones/*/subscription/**"),
            act("", "/user/subscriptions/**"),
        ],
        shows: &[show("subscriptions", any)],
        hidden: "Use is told by the bill, not by the audit log.",
        contain: by_hand("Remove what runs; ask for a look at the bill."),
        revert: by_hand("Keep the evidence for the dispute."),
        page: "Usage based billing",
        ..BLANK
    },
    Technique {
        id: "CF-D05",
        title: "zones, storage or Workers are deleted",
        attack: &["T1485", "T1490"],
        severity: Severity::Critical,
        acts: &[
            act("delete", "/zones/*"),
            act("delete", "/accounts/*/r2/buckets/*"),
            act("delete", "/accounts/*/storage/kv/namespaces/**"),
            act("delete", "/accounts/*/d1/database/*"),
            // What lies in them goes with less noise than they do.
            act("delete", "/accounts/*/r2/buckets/*/objects/**"),
            act("", "/accounts/*/r2/buckets/*/lifecycle"),
            act("create", "/accounts/*/storage/kv/namespaces/*/bulk/delete"),
            act("delete", "/accounts/*"),
            act("delete", "/accounts/*/workers/scripts/*"),
            act("delete", "/accounts/*/workers/workers/*"),
            act("delete", "/accounts/*/workers/services/*"),
            act("delete", "/zones/*/workers/script"),
            act("delete", "/accounts/*/pages/projects/*"),
            act("delete", "/accounts/*/queues/*"),
        ],
        shows: &[
            show("zones", removed),
            show("r2_buckets", removed),
            show("r2_buckets_eu", removed),
            show("r2_buckets_fedramp", removed),
            show("kv_namespaces", removed),
            show("d1_databases", removed),
            show("workers_scripts", removed),
            show("pages_projects", removed),
            show("queues", removed),
        ],
        contain: by(&["cloudflare.token.disable"], "Cut the credential before anything else."),
        revert: by_hand("Restore from backups and from infrastructure as code."),
        page: "Audit logs",
        ..BLANK
    },
];
