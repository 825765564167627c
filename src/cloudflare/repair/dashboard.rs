//! Where in the dashboard the items of a family are, from the account's home. The provider documents no such list, and
//! moves its menus: whoever looks there finds the section, if not always the page.

use crate::hunt::{Family, Reach};

/// Where items of `family` are; `zone` is the name of the zone that they are in.
pub(super) fn of_family(family: &Family, zone: Option<&str>) -> String {
    let path = section(family.name);
    let is_of_zone = family.reach == Reach::Zone || family.path.starts_with("/zones/");
    match zone.filter(|_| is_of_zone && !path.starts_with("Zero Trust")) {
        Some(zone) => format!("{zone} > {path}"),
        None => path.to_owned(),
    }
}

fn section(family: &str) -> &'static str {
    match family {
        "dns_records" => "DNS > Records",
        "dnssec" | "dns_settings" => "DNS > Settings",
        name if name.starts_with("secondary_dns") => "DNS > Settings > DNS Zone Transfers",
        "account_dns_settings" | "dns_views" | "account_nameservers" => {
            "Manage Account > Configurations > DNS Settings"
        }
        "certificate_packs"
        | "custom_certificates"
        | "universal_ssl"
        | "ssl_verification"
        | "total_tls"
        | "trust_store"
        | "ct_alerting"
        | "keyless_certificates" => "SSL/TLS > Edge Certificates",
        "client_certificates" => "SSL/TLS > Client Certificates",
        "mtls_certificates" | "mtls_associations" => "any zone > SSL/TLS > Client Certificates",
        "origin_certificates"
        | "origin_pulls"
        | "origin_pulls_setting"
        | "origin_pulls_hostnames"
        | "origin_pulls_certificates" => "SSL/TLS > Origin Server",
        "custom_hostnames" | "fallback_origins" => "SSL/TLS > Custom Hostnames",
        "spectrum_apps" => "Spectrum",
        "zone_rulesets" | "zone_ruleset_versions" => "Security > WAF, and Rules > Overview",
        "account_rulesets" | "account_ruleset_versions" => "Manage Account > WAF, and Manage Account > Bulk Redirects",
        "zone_access_rules" | "lockdowns" | "user_agent_rules" => "Security > WAF > Tools",
        "account_access_rules" | "user_access_rules" => "any zone > Security > WAF > Tools",
        "legacy_firewall_rules" | "legacy_filters" | "legacy_rate_limits" => "Security > WAF",
        name if name.starts_with("page_shield") => "Security > Page Shield",
        "lists" | "list_items" => "Manage Account > Configurations > Lists",
        "page_rules" => "Rules > Page Rules",
        "snippets" | "snippet_rules" => "Rules > Snippets",
        "managed_headers" | "url_normalization" => "Rules > Settings",
        "cloud_connector_rules" => "Rules > Cloud Connector",
        "zaraz" => "Zaraz",
        "workers_routes" => "Workers Routes",
        name if name.starts_with("workers_") || name.starts_with("dispatch_") => "Workers & Pages",
        name if name.starts_with("pages_") => "Workers & Pages",
        name if name.starts_with("r2_") => "R2 Object Storage",
        "kv_namespaces" => "Storage & Databases > KV",
        "d1_databases" => "Storage & Databases > D1",
        "queues" => "Storage & Databases > Queues",
        name if name.starts_with("secrets_store") => "Secrets Store",
        "turnstile_widgets" => "Turnstile",
        "access_apps" | "access_app_policies" | "zone_access_apps" | "zone_access_app_policies" => {
            "Zero Trust > Access > Applications"
        }
        "access_policies" => "Zero Trust > Access > Policies",
        "access_groups" | "zone_access_groups" => "Zero Trust > Access > Rule groups",
        "service_tokens" | "zone_service_tokens" => "Zero Trust > Access > Service auth",
        "access_certificates" | "zone_access_certificates" => "Zero Trust > Access > Service auth > Mutual TLS",
        "identity_providers" | "zone_identity_providers" => "Zero Trust > Settings > Authentication",
        "access_users" => "Zero Trust > My Team > Users",
        name if name.starts_with("access_") || name.starts_with("zone_access_") => "Zero Trust > Settings",
        name if name.starts_with("gateway_") => "Zero Trust > Gateway",
        "private_routes" => "Zero Trust > Networks > Routes",
        name if name.contains("tunnel") || name.contains("warp_") => "Zero Trust > Networks > Tunnels",
        name if name.starts_with("email_addresses") => "any zone > Email > Email Routing > Destination addresses",
        name if name.starts_with("email_") => "Email > Email Routing",
        "logpush_jobs" => "Analytics & Logs > Logpush",
        "zone_logpush_jobs" => "Analytics & Logs > Logpush",
        name if name.starts_with("alert_") => "Notifications",
        "load_balancers" | "waiting_rooms" | "health_checks" => "Traffic",
        "load_balancer_pools" | "load_balancer_monitors" => "Traffic > Load Balancing",
        "zones" => "Overview",
        "zone_settings" => "SSL/TLS, and Security > Settings",
        "zone_holds" => "Overview > Zone Hold",
        "custom_pages" => "Custom Pages",
        "account_custom_pages" => "Manage Account > Configurations > Custom Pages",
        "registrations" => "Domain Registration > Manage Domains",
        "user" | "user_invites" | "memberships" => "My Profile",
        "user_tokens" => "My Profile > API Tokens",
        "account_tokens" => "Manage Account > Account API tokens",
        "oauth_clients" => "Manage Account > OAuth clients",
        "subscriptions" => "Manage Account > Billing",
        "account" => "Manage Account > Configurations",
        _ => "Manage Account > Members",
    }
}

#[cfg(test)]
mod tests {
    use super::of_family;
    use crate::cloudflare::families::{families, family};

    #[test]
    fn what_lives_in_a_zone_is_found_under_its_name() {
        let place = |name: &str| family(name).map(|family| of_family(family, Some("one.example"))).unwrap_or_default();
        assert_eq!(place("dns_records"), "one.example > DNS > Records");
        assert_eq!(place("workers_scripts"), "Workers & Pages");
        assert_eq!(place("account_tokens"), "Manage Account > Account API tokens");
    }

    #[test]
    fn only_members_are_looked_for_among_the_members() {
        let there: Vec<&str> = families()
            .filter(|family| of_family(family, None) == "Manage Account > Members")
            .map(|family| family.name)
            .collect();
        assert_eq!(
            there,
            ["members", "roles", "resource_groups", "user_groups", "user_group_members", "sso_connectors"]
        );
    }
}
