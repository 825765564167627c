use crate::action::Kind;

pub(super) const TOKENS: &str = "API tokens: user-owned and account-owned";
pub(super) const MEMBERS: &str = "members, roles, invitations, two-factor enforcement";
pub(super) const DNS: &str = "DNS records";
pub(super) const EDGE_CERTIFICATES: &str = "certificate packs, custom and Origin CA certificates";
pub(super) const WAF: &str = "WAF custom, rate-limiting and managed rules; IP access rules";
pub(super) const GROUPS: &str = "user groups, SSO connectors, OAuth clients";
pub(super) const DNSSEC: &str = "DNSSEC, secondary DNS and zone transfers";
pub(super) const ZONES: &str = "zone settings, zone holds, registrar locks";
pub(super) const TLS: &str = "client and mTLS certificates, custom hostnames, CT alerting";
pub(super) const RULES: &str = "redirects, transforms, origin and cache rules, page rules, snippets, lists";
pub(super) const WORKERS: &str = "Workers: scripts, versions, routes, domains, schedules, tails";
pub(super) const PAGES: &str = "Pages projects, deployments and domains";
pub(super) const STORAGE: &str = "R2 buckets, KV, D1, queues, secrets stores";
pub(super) const ACCESS: &str = "Access apps, policies, identity providers, service tokens";
pub(super) const TUNNELS: &str = "tunnels and private network routes";
pub(super) const EMAIL: &str = "email routing rules and addresses";
pub(super) const LOGS: &str = "Logpush jobs, notification policies and webhooks";
pub(super) const BALANCING: &str = "load balancers, pools, Spectrum applications";
pub(super) const TURNSTILE: &str = "Turnstile widgets";

/// Actions that read every family: they look at each kind that has one.
pub static SWEEPS: &[&str] = &["cloudflare.diff", "cloudflare.hunt", "cloudflare.recheck"];

/// What there is in an account that an intruder may touch, and which actions look at it (API.md section 16).
pub static KINDS: &[Kind] = &[
    listed(TOKENS, &["cloudflare.tokens.inventory"]),
    unlisted("audit logs, versions 1 and 2", &["cloudflare.audit.collect", "cloudflare.audit.analyse"]),
    listed(MEMBERS, &["cloudflare.members.list"]),
    listed(DNS, &["cloudflare.dns.diff"]),
    listed(EDGE_CERTIFICATES, &["cloudflare.certificates.list"]),
    listed(WAF, &["cloudflare.waf.review"]),
    unlisted("Certificate Transparency logs: certificates that somebody got elsewhere for your names", &[]),
    listed(GROUPS, &[]),
    listed(DNSSEC, &[]),
    listed(ZONES, &[]),
    listed(TLS, &[]),
    listed(RULES, &[]),
    listed(WORKERS, &[]),
    listed(PAGES, &[]),
    listed(STORAGE, &[]),
    listed(ACCESS, &[]),
    listed(TUNNELS, &[]),
    listed(EMAIL, &[]),
    listed(LOGS, &[]),
    listed(BALANCING, &[]),
    listed(TURNSTILE, &[]),
    unlisted(
        "OAuth consents, dashboard sessions, Global API and Origin CA keys, Pages deploy hooks: no list shows them",
        &[],
    ),
    unlisted("reads by the intruder over the data plane (R2, KV, DNS queries)", &[]),
];

/// A kind that families belong to.
const fn listed(name: &'static str, examined_by: &'static [&'static str]) -> Kind {
    Kind { name, examined_by, is_listed: true }
}

/// A kind that no list shows.
const fn unlisted(name: &'static str, examined_by: &'static [&'static str]) -> Kind {
    Kind { name, examined_by, is_listed: false }
}
