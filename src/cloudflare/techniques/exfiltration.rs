//! Collection and exfiltration.

use super::{act, by_hand, is_no_deletion, settled, show};
use crate::hunt::Difference;
use crate::hunt::technique::{Aim, Technique, added, any, differs, made, removed, undone};
use crate::model::Severity;

const BLANK: Technique = Technique {
    id: "",
    title: "",
    aim: Aim::Exfiltration,
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

/// A job that is new, or that pushes to another place than before. One that is thinned takes nothing out.
fn is_pushed_elsewhere(difference: &Difference) -> bool {
    added(difference) || (!removed(difference) && differs(difference, "/destination_conf"))
}

pub(super) const TECHNIQUES: &[Technique] = &[
    Technique {
        id: "CF-E01",
        title: "logs are pushed to the intruder",
        attack: &["T1537", "T1567.002"],
        severity: Severity::Critical,
        acts: &[
            act("create", "/accounts/*/logpush/jobs"),
            act("create", "/zones/*/logpush/jobs"),
            act("update", "/accounts/*/logpush/jobs/*"),
            act("update", "/zones/*/logpush/jobs/*"),
            act("", "/accounts/*/logpush/ownership/**"),
            act("", "/zones/*/logpush/ownership/**"),
            act("", "/zones/*/logpush/edge/**"),
        ],
        shows: &[show("logpush_jobs", is_pushed_elsewhere), show("zone_logpush_jobs", is_pushed_elsewhere)],
        contain: settled("Switch the job off; keep its configuration."),
        revert: by_hand("Logs hold cookies, tokens and personal data: begin the branch for data breaches."),
        page: "Logpush",
        ..BLANK
    },
    Technique {
        id: "CF-E02",
        title: "a log feed of the defenders is cut or thinned",
        attack: &["T1685.002"],
        acts: &[
            act("delete", "/accounts/*/logpush/jobs/*"),
            act("delete", "/zones/*/logpush/jobs/*"),
            act("update", "/accounts/*/logpush/jobs/*"),
            act("update", "/zones/*/logpush/jobs/*"),
            act("", "/accounts/*/logs/control/**"),
            act("", "/zones/*/logs/control/**"),
        ],
        shows: &[show("logpush_jobs", undone), show("zone_logpush_jobs", undone)],
        contain: settled("Make the job again."),
        revert: by_hand("Fill the hole in your own system from the audit logs, which are kept for 18 months."),
        page: "Logpush",
        ..BLANK
    },
    Technique {
        id: "CF-E03",
        title: "stored data is opened to the world or copied",
        attack: &["T1530", "T1537"],
        severity: Severity::Critical,
        // What is deleted is destroyed, not opened: that is a technique of its own.
        acts: &[
            act("", "/accounts/*/r2/**").only(is_no_deletion),
            act("", "/accounts/*/storage/kv/**").only(is_no_deletion),
            act("", "/accounts/*/d1/**").only(is_no_deletion),
            // A queue is told of each object, or a bucket is copied from one account to another.
            act("", "/accounts/*/event_notifications/**").only(is_no_deletion),
            act("", "/accounts/*/slurper/**"),
        ],
        shows: &[
            show("r2_buckets", made),
            show("r2_buckets_eu", made),
            show("r2_buckets_fedramp", made),
            show("r2_custom_domains", made),
            show("r2_public_access", made),
            show("r2_cors", made),
            show("r2_custom_domains_eu", made),
            show("r2_public_access_eu", made),
            show("r2_cors_eu", made),
            show("r2_custom_domains_fedramp", made),
            show("r2_public_access_fedramp", made),
            show("r2_cors_fedramp", made),
            show("kv_namespaces", made),
            show("d1_databases", made),
        ],
        hidden: "Objects read from R2, values read from KV and rows read from D1 are in no audit log.",
        contain: settled("Close public access; rotate the S3 keys."),
        revert: by_hand("Say what may have been read: everything that the credential reached."),
        page: "R2 public buckets",
        ..BLANK
    },
    Technique {
        id: "CF-E04",
        title: "secrets are read through a Worker or the Secrets Store",
        attack: &["T1552.001", "T1555.006"],
        acts: &[act("", "/accounts/*/secrets_store/**"), act("", "/accounts/*/workers/scripts/*/bindings")],
        shows: &[show("secrets_stores", any), show("secrets_store_secrets", any), show("workers_settings", added)],
        hidden: "What a running Worker does with its secrets is not logged.",
        contain: settled("Remove the Worker's route or binding."),
        revert: by_hand("Rotate every secret that a Worker of the window was bound to."),
        page: "Workers secrets",
        ..BLANK
    },
    Technique {
        id: "CF-E05",
        title: "a zone is transferred to, or written from, elsewhere",
        attack: &["T1590.002", "T1584.002"],
        acts: &[act("", "/zones/*/secondary_dns/**"), act("", "/accounts/*/secondary_dns/**")],
        shows: &[
            show("secondary_dns_incoming", any),
            show("secondary_dns_outgoing", any),
            show("secondary_dns_outgoing_status", any),
            show("secondary_dns_peers", any),
            show("secondary_dns_tsigs", any),
            show("secondary_dns_acls", any),
        ],
        contain: settled("Switch outgoing transfers off, delete the peer."),
        revert: by_hand("Make a new TSIG key."),
        page: "Secondary DNS",
        ..BLANK
    },
    Technique {
        id: "CF-E06",
        title: "the account is read through",
        attack: &["T1580", "T1526", "T1087.004"],
        severity: Severity::Medium,
        hidden: "Reads are logged in part at best, and never by log v1: whatever the credential could read was readable.",
        contain: by_hand("Nothing takes it back."),
        revert: by_hand("Treat what could be read as known to the intruder."),
        page: "Audit logs",
        ..BLANK
    },
];
