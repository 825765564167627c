//! Where logs go, and who is told of what (API.md section 15).

use super::{of_account, of_zone, redact};
use crate::cloudflare::kinds;
use crate::hunt::Family;

const LOGPUSH: Family = Family {
    kind: kinds::LOGS,
    label: &["/dataset", "/name"],
    volatile: &["last_complete", "last_error", "error_message"],
    secret: &["ownership_challenge"],
    redact: redact::log_destination,
    // Reading needs it too: the destination may hold a credential.
    permission: "Logs Write",
    ..of_account()
};

const ALERTING: Family = Family { kind: kinds::LOGS, permission: "Notifications Read", ..of_account() };

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "logpush_jobs",
        title: "Logpush jobs of the account",
        path: "/accounts/{account}/logpush/jobs",
        ..LOGPUSH
    },
    Family {
        name: "zone_logpush_jobs",
        title: "Logpush jobs of zones",
        reach: of_zone().reach,
        path: "/zones/{zone}/logpush/jobs",
        ..LOGPUSH
    },
    Family {
        name: "alert_policies",
        title: "notification policies",
        path: "/accounts/{account}/alerting/v3/policies",
        created: "/created",
        modified: "/modified",
        ..ALERTING
    },
    Family {
        name: "alert_webhooks",
        title: "webhooks of notifications",
        path: "/accounts/{account}/alerting/v3/destinations/webhooks",
        created: "/created_at",
        volatile: &["last_success", "last_failure"],
        secret: &["secret"],
        redact: redact::webhook,
        ..ALERTING
    },
    Family {
        name: "alert_pagerduty",
        title: "PagerDuty services of notifications",
        path: "/accounts/{account}/alerting/v3/destinations/pagerduty",
        ..ALERTING
    },
    Family {
        name: "alert_silences",
        title: "silenced notifications",
        path: "/accounts/{account}/alerting/v3/silences",
        label: &["/policy_id"],
        created: "/created_at",
        modified: "/updated_at",
        ..ALERTING
    },
];
