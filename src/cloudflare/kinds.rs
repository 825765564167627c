use crate::action::Kind;

/// What there is in an account that an intruder may touch, and which actions look at it (API.md section 16).
pub static KINDS: &[Kind] = &[
    Kind { name: "API tokens: user-owned and account-owned", examined_by: &["cloudflare.tokens.inventory"] },
    Kind { name: "audit logs, versions 1 and 2", examined_by: &["cloudflare.audit.collect"] },
    Kind { name: "members, roles, invitations, two-factor enforcement", examined_by: &["cloudflare.members.list"] },
    Kind { name: "DNS records", examined_by: &["cloudflare.dns.diff"] },
    Kind {
        name: "certificate packs, custom and Origin CA certificates",
        examined_by: &["cloudflare.certificates.list"],
    },
    Kind {
        name: "WAF custom, rate-limiting and managed rules; IP access rules",
        examined_by: &["cloudflare.waf.review"],
    },
    Kind {
        name: "Certificate Transparency logs: certificates that somebody got elsewhere for your names",
        examined_by: &[],
    },
    Kind { name: "user groups, SSO connectors, OAuth clients and consents", examined_by: &[] },
    Kind { name: "DNSSEC, secondary DNS and zone transfers", examined_by: &[] },
    Kind { name: "zone settings, zone holds, registrar locks", examined_by: &[] },
    Kind { name: "client and mTLS certificates, custom hostnames, CT alerting", examined_by: &[] },
    Kind { name: "redirects, transforms, origin and cache rules, page rules, snippets, lists", examined_by: &[] },
    Kind { name: "Workers: scripts, versions, routes, domains, schedules, tails", examined_by: &[] },
    Kind { name: "Pages projects, deployments and hooks", examined_by: &[] },
    Kind { name: "R2 buckets, KV, D1, queues, secrets stores", examined_by: &[] },
    Kind { name: "Access apps, policies, identity providers, service tokens", examined_by: &[] },
    Kind { name: "tunnels and private network routes", examined_by: &[] },
    Kind { name: "email routing rules and addresses", examined_by: &[] },
    Kind { name: "Logpush jobs, notification policies and webhooks", examined_by: &[] },
    Kind { name: "load balancers, pools, Spectrum applications", examined_by: &[] },
    Kind { name: "Turnstile widgets", examined_by: &[] },
    Kind { name: "reads by the intruder over the data plane (R2, KV, DNS queries)", examined_by: &[] },
];
