//! Traffic, content, name space.

use super::dns::{is_ownership, is_record, of_ownership, of_record};
use super::{act, by_hand, is_no_deletion, lists, phases, settled, show};
use crate::cloudflare::rules::is_firewall;
use crate::hunt::technique::{Aim, Technique, added, any, made};
use crate::hunt::{AuditEvent, Difference};
use crate::model::Severity;

const BLANK: Technique = Technique {
    id: "",
    title: "",
    aim: Aim::Traffic,
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

// A ruleset of which nothing says the phase may be either: it is told as something else that was changed.

fn is_firewall_ruleset(difference: &Difference) -> bool {
    phases::of_difference(difference).is_some_and(is_firewall)
}

fn is_other_ruleset(difference: &Difference) -> bool {
    phases::of_difference(difference).is_some_and(|phase| !is_firewall(phase))
}

fn of_firewall(event: &AuditEvent) -> bool {
    phases::of_event(event).is_some_and(is_firewall)
}

fn of_other_phase(event: &AuditEvent) -> bool {
    phases::of_event(event).is_some_and(|phase| !is_firewall(phase))
}

/// Settings that say how traffic is encrypted; the last four are in no family, and only the log tells of them.
const TLS: [&str; 11] = [
    "ssl",
    "min_tls_version",
    "security_header",
    "always_use_https",
    "automatic_https_rewrites",
    "tls_1_3",
    "ciphers",
    "tls_1_2_only",
    "opportunistic_encryption",
    "0rtt",
    "ssl_automatic_mode",
];

/// Settings that keep off whom the firewall does not know; the last two are in no family.
const SHIELD: [&str; 5] = ["security_level", "browser_check", "challenge_ttl", "waf", "advanced_ddos"];

fn setting_of(difference: &Difference) -> &str {
    difference.item().map(|item| item.id.as_str()).unwrap_or_default()
}

fn is_tls_setting(difference: &Difference) -> bool {
    TLS.contains(&setting_of(difference))
}

fn is_shield_setting(difference: &Difference) -> bool {
    SHIELD.contains(&setting_of(difference))
}

fn is_pulls_setting(difference: &Difference) -> bool {
    setting_of(difference) == "tls_client_auth"
}

pub(super) const TECHNIQUES: &[Technique] = &[
    Technique {
        id: "CF-T01",
        title: "a Worker is changed or deployed anew",
        attack: &["T1648", "T1659", "T1189"],
        severity: Severity::Critical,
        acts: &[
            act("", "/accounts/*/workers/scripts/*").only(is_no_deletion),
            act("", "/accounts/*/workers/scripts/*/content").only(is_no_deletion),
            act("", "/accounts/*/workers/scripts/*/versions/**"),
            act("", "/accounts/*/workers/scripts/*/deployments/**"),
            act("", "/accounts/*/workers/dispatch/**"),
            act("", "/accounts/*/workers/scripts/*/assets-upload-session"),
            act("", "/accounts/*/workers/assets/**"),
            act("", "/accounts/*/workers/workers/**").only(is_no_deletion),
            act("", "/accounts/*/workers/services/**").only(is_no_deletion),
            act("", "/accounts/*/builds/**"),
            act("", "/zones/*/workers/script").only(is_no_deletion),
        ],
        shows: &[
            show("workers_scripts", made),
            show("workers_versions", any),
            show("workers_deployments", any),
            show("dispatch_namespaces", any),
            show("dispatch_scripts", any),
        ],
        contain: settled("Detach its route and keep the script, or deploy a version that is known to be good."),
        revert: by_hand(
            "Deploy the known-good version; bound data is not rolled back. Rotate bound secrets afterwards.",
        ),
        page: "Versions & Deployments",
        ..BLANK
    },
    Technique {
        id: "CF-T02",
        title: "a Worker is put in front of a host or path",
        attack: &["T1659", "T1056.003", "T1557"],
        severity: Severity::Critical,
        acts: &[
            act("", "/zones/*/workers/routes/**"),
            act("", "/accounts/*/workers/domains/**"),
            act("", "/accounts/*/workers/scripts/*/subdomain"),
            act("", "/accounts/*/workers/subdomain"),
            act("", "/zones/*/workers/filters/**"),
        ],
        shows: &[
            show("workers_routes", any),
            show("workers_domains", any),
            show("workers_previews", any),
            show("workers_subdomain", any),
        ],
        contain: settled("Delete the route; what it was is kept."),
        revert: settled("Routes as in the known good; fetch the pages from outside."),
        withdraw: "Delete the route or domain; fetch the pages from outside.",
        page: "Workers routes and domains",
        ..BLANK
    },
    Technique {
        id: "CF-T03",
        title: "a Worker gets a trigger, a listener, a secret or a binding",
        attack: &["T1648", "T1546", "T1567"],
        acts: &[
            act("", "/accounts/*/workers/scripts/*/schedules"),
            act("", "/accounts/*/workers/scripts/*/tails/**"),
            act("", "/accounts/*/workers/scripts/*/secrets/**"),
            act("", "/accounts/*/workers/scripts/*/settings"),
            act("", "/accounts/*/workers/scripts/*/script-settings"),
            act("", "/accounts/*/workers/observability/**"),
            act("", "/accounts/*/workflows/**"),
            act("", "/accounts/*/queues/**").only(is_no_deletion),
        ],
        shows: &[
            show("workers_schedules", any),
            show("workers_tails", any),
            show("workers_secrets", any),
            show("workers_settings", any),
            show("workers_log_destinations", any),
            show("queues", made),
        ],
        contain: settled("Remove the trigger, the listener or the consumer."),
        revert: by_hand("Rotate every secret that was bound."),
        page: "Cron Triggers",
        ..BLANK
    },
    Technique {
        id: "CF-T04",
        title: "a Pages project is deployed, hooked or configured",
        attack: &["T1195.002", "T1648"],
        severity: Severity::Critical,
        acts: &[act("", "/accounts/*/pages/projects/**").only(is_no_deletion)],
        shows: &[show("pages_projects", made), show("pages_deployments", added), show("pages_domains", any)],
        hidden: "No list shows deploy hooks without their live addresses.",
        contain: settled("Roll back to a deployment that is known to be good."),
        revert: by_hand("Make deploy hooks and environment variables anew."),
        page: "Pages rollbacks",
        ..BLANK
    },
    Technique {
        id: "CF-T05",
        title: "a redirect, page, origin, transform or cache rule sends visitors elsewhere",
        attack: &["T1659", "T1565.002"],
        severity: Severity::Critical,
        acts: &[
            act("", "/zones/*/pagerules/**"),
            act("", "/zones/*/rulesets/**").only(of_other_phase),
            act("", "/accounts/*/rulesets/**").only(of_other_phase),
            act("", "/zones/*/cloud_connector/**"),
            act("", "/accounts/*/rules/lists/**").only(lists::of_redirects),
            act("update", "/zones/*/settings/mobile_redirect"),
        ],
        shows: &[
            show("page_rules", any),
            show("lists", lists::is_of_redirects),
            show("list_items", lists::is_redirect),
            show("zone_rulesets", is_other_ruleset),
            show("account_rulesets", is_other_ruleset),
            show("cloud_connector_rules", any),
        ],
        contain: settled("Switch the rule off."),
        revert: settled("The ruleset as in an older version of it; then purge the cache."),
        withdraw: "Delete the rule; then purge the cache.",
        page: "Ruleset Engine",
        ..BLANK
    },
    Technique {
        id: "CF-T06",
        title: "a snippet, Zaraz, a custom page or managed headers change what pages hold",
        attack: &["T1659", "T1491.002"],
        severity: Severity::Critical,
        acts: &[
            act("", "/zones/*/snippets/**"),
            act("", "/zones/*/settings/zaraz/**"),
            act("", "/zones/*/custom_pages/**"),
            act("", "/accounts/*/custom_pages/**"),
            act("", "/accounts/*/access/custom_pages/**"),
            act("", "/zones/*/managed_headers"),
            act("", "/zones/*/url_normalization"),
            act("", "/zones/*/page_shield/**"),
        ],
        shows: &[
            show("snippets", any),
            show("snippet_rules", any),
            show("zaraz", any),
            show("custom_pages", any),
            show("account_custom_pages", any),
            show("managed_headers", any),
            show("url_normalization", any),
            show("page_shield", any),
            show("page_shield_policies", any),
        ],
        contain: settled("Switch it off."),
        revert: settled("As in the known good; then purge the cache."),
        withdraw: "Delete it; then purge the cache.",
        page: "Snippets",
        ..BLANK
    },
    Technique {
        id: "CF-T07",
        title: "a DNS record is changed, added, removed, or shows its origin",
        attack: &["T1584.002", "T1557", "T1565.002"],
        severity: Severity::Critical,
        acts: &[
            act("", "/zones/*/dns_records/**").only(of_record),
            act("", "/zones/*/dns_settings"),
            act("", "/accounts/*/dns_settings"),
        ],
        shows: &[show("dns_records", is_record), show("dns_settings", any), show("account_dns_settings", any)],
        hidden: "DNS queries are not in the log: who was sent elsewhere is not known.",
        contain: settled("Put the record back as it was."),
        revert: settled("Wait for the old time to live; ask several resolvers."),
        page: "Manage DNS records",
        ..BLANK
    },
    Technique {
        id: "CF-T08",
        title: "a record proves control of the domain to others, or lets others certify it",
        attack: &["T1584.001", "T1588.004"],
        acts: &[act("", "/zones/*/dns_records/**").only(of_ownership)],
        shows: &[show("dns_records", is_ownership)],
        hidden: "What another service or authority was shown cannot be seen here.",
        contain: settled("Delete the record."),
        revert: by_hand("Ask the service in question, and look in Certificate Transparency logs."),
        page: "Manage DNS records",
        ..BLANK
    },
    Technique {
        id: "CF-T09",
        title: "a custom hostname or fallback origin serves a name for somebody else",
        attack: &["T1584.001"],
        acts: &[act("", "/zones/*/custom_hostnames/**")],
        shows: &[show("custom_hostnames", any), show("fallback_origins", any)],
        contain: settled("Delete it."),
        revert: settled("As in the known good."),
        withdraw: "Delete the hostname.",
        page: "Custom hostnames",
        ..BLANK
    },
    Technique {
        id: "CF-T10",
        title: "DNSSEC is switched off, or others may sign",
        attack: &["T1685"],
        acts: &[act("", "/zones/*/dnssec/**")],
        shows: &[show("dnssec", any)],
        contain: by_hand(
            "Switch it on again only after the registrar's DS record agrees: the wrong order makes the domain dark.",
        ),
        revert: by_hand("Remove DS, wait for its time to live, sign, add DS; ask a validating resolver."),
        page: "DNSSEC",
        ..BLANK
    },
    Technique {
        id: "CF-T11",
        title: "mail is routed to the intruder",
        attack: &["T1114.003"],
        severity: Severity::Critical,
        acts: &[act("", "/zones/*/email/routing/**"), act("", "/accounts/*/email/routing/**")],
        shows: &[
            show("email_routing", any),
            show("email_rules", any),
            show("email_catch_all", any),
            show("email_addresses", any),
        ],
        hidden: "Which mails were read cannot be seen here.",
        contain: settled("Set the catch-all as it was, and delete the destination."),
        revert: by_hand("Take password-reset mails for read: rotate what resets by mail."),
        page: "Email Routing",
        ..BLANK
    },
    Technique {
        id: "CF-T12",
        title: "firewall rules are skipped, switched off or weakened",
        attack: &["T1686.001"],
        acts: &[
            act("", "/zones/*/rulesets/**").only(of_firewall),
            act("", "/accounts/*/rulesets/**").only(of_firewall),
            act("", "/zones/*/firewall/rules/**"),
            act("", "/zones/*/filters/**"),
            act("", "/zones/*/rate_limits/**"),
            act("update", "/zones/*/settings/security_level"),
            act("update", "/zones/*/settings/browser_check"),
            act("update", "/zones/*/settings/challenge_ttl"),
            act("update", "/zones/*/settings/waf"),
            act("update", "/zones/*/settings/advanced_ddos"),
            act("", "/zones/*/bot_management/**"),
            act("", "/zones/*/firewall/waf/**"),
            act("", "/zones/*/api_gateway/**"),
            act("", "/zones/*/schema_validation/**"),
            act("", "/zones/*/token_validation/**"),
            act("", "/zones/*/content-upload-scan/**"),
            act("", "/zones/*/leaked-credential-checks/**"),
        ],
        shows: &[
            show("zone_rulesets", is_firewall_ruleset),
            show("account_rulesets", is_firewall_ruleset),
            show("zone_settings", is_shield_setting),
        ],
        contain: settled("Switch the rule off."),
        revert: settled("The ruleset as in an older version of it."),
        withdraw: "Delete the rule.",
        page: "WAF custom rules",
        ..BLANK
    },
    Technique {
        id: "CF-T13",
        title: "an address is let past every protection, or others are locked out",
        attack: &["T1686.001"],
        acts: &[
            act("", "/zones/*/firewall/access_rules/rules/**"),
            act("", "/accounts/*/firewall/access_rules/rules/**"),
            act("", "/user/firewall/access_rules/rules/**"),
            act("", "/accounts/*/rules/lists/**").only(lists::of_addresses),
            act("", "/zones/*/firewall/lockdowns/**"),
            act("", "/zones/*/firewall/ua_rules/**"),
        ],
        shows: &[
            show("zone_access_rules", any),
            show("account_access_rules", any),
            show("user_access_rules", any),
            show("lists", lists::is_of_addresses),
            show("list_items", lists::is_address),
            show("lockdowns", any),
            show("user_agent_rules", any),
        ],
        contain: settled("Delete the allowance."),
        revert: settled("As in the known good; the address is a mark of the intruder."),
        withdraw: "Delete it: nothing was there before. The address is a mark of the intruder.",
        page: "IP Access rules",
        ..BLANK
    },
    Technique {
        id: "CF-T14",
        title: "encryption is weakened or switched off",
        attack: &["T1689", "T1600", "T1557"],
        acts: &[
            act("update", "/zones/*/settings/ssl"),
            act("update", "/zones/*/settings/min_tls_version"),
            act("update", "/zones/*/settings/security_header"),
            act("update", "/zones/*/settings/always_use_https"),
            act("update", "/zones/*/settings/automatic_https_rewrites"),
            act("update", "/zones/*/settings/tls_1_3"),
            act("update", "/zones/*/settings/ciphers"),
            act("update", "/zones/*/settings/tls_1_2_only"),
            act("update", "/zones/*/settings/opportunistic_encryption"),
            act("update", "/zones/*/settings/0rtt"),
            act("update", "/zones/*/settings/ssl_automatic_mode"),
            act("", "/zones/*/hostnames/settings/**"),
            act("update", "/zones/*/ssl/universal/settings"),
            act("", "/zones/*/acm/**"),
        ],
        shows: &[
            show("zone_settings", is_tls_setting),
            show("universal_ssl", any),
            show("total_tls", any),
            show("trust_store", any),
        ],
        contain: settled("Put the setting back."),
        revert: settled("Browsers keep the age of HSTS: look how long."),
        page: "Encryption modes",
        ..BLANK
    },
    Technique {
        id: "CF-T15",
        title: "a certificate is ordered, uploaded, issued or deleted",
        attack: &["T1588.004", "T1649"],
        acts: &[
            act("", "/zones/*/ssl/certificate_packs/**"),
            act("", "/zones/*/custom_certificates/**"),
            act("", "/certificates/**"),
            act("", "/zones/*/client_certificates/**"),
            act("", "/accounts/*/mtls_certificates/**"),
            act("", "/zones/*/keyless_certificates/**"),
            act("", "/accounts/*/access/certificates/**"),
            act("", "/zones/*/access/certificates/**"),
            act("", "/zones/*/ct/alerting"),
            act("update", "/zones/*/ssl/verification/**"),
            act("", "/zones/*/certificate_authorities/**"),
        ],
        shows: &[
            show("certificate_packs", any),
            show("custom_certificates", any),
            show("origin_certificates", any),
            show("client_certificates", any),
            show("mtls_certificates", any),
            show("keyless_certificates", any),
            show("access_certificates", any),
            show("zone_access_certificates", any),
            show("ct_alerting", any),
        ],
        hidden: "Certificates that somebody got elsewhere stand in Certificate Transparency logs alone.",
        contain: settled("Remove the pack, revoke the certificate."),
        revert: by_hand("Ask the authority for revocation; set CAA; make a new key."),
        page: "Certificate Transparency Monitoring",
        ..BLANK
    },
    Technique {
        id: "CF-T16",
        title: "a load balancer, pool or Spectrum application sends traffic elsewhere",
        attack: &["T1557", "T1565.002"],
        severity: Severity::Critical,
        acts: &[
            act("", "/zones/*/load_balancers/**"),
            act("", "/accounts/*/load_balancers/**"),
            act("", "/user/load_balancers/**"),
            act("", "/zones/*/spectrum/apps/**"),
            act("", "/zones/*/healthchecks/**"),
            act("", "/zones/*/waiting_rooms/**"),
        ],
        shows: &[
            show("load_balancers", any),
            show("load_balancer_pools", any),
            show("load_balancer_monitors", any),
            show("spectrum_apps", any),
            show("health_checks", any),
            show("waiting_rooms", any),
        ],
        contain: settled("Put the pool's origins back."),
        revert: settled("As in the known good."),
        withdraw: "Delete it; traffic must no longer go there.",
        page: "Load Balancing",
        ..BLANK
    },
    Technique {
        id: "CF-T17",
        title: "authenticated origin pulls are switched off",
        attack: &["T1686.001"],
        acts: &[act("", "/zones/*/origin_tls_client_auth/**"), act("update", "/zones/*/settings/tls_client_auth")],
        shows: &[
            show("origin_pulls", any),
            show("origin_pulls_setting", any),
            show("origin_pulls_hostnames", any),
            show("origin_pulls_certificates", any),
            show("zone_settings", is_pulls_setting),
        ],
        contain: settled("Switch them on."),
        revert: by_hand("Look at the firewall of the origin."),
        page: "Authenticated Origin Pulls",
        ..BLANK
    },
];
