//! Every request of the table against the official schema, and every path of the schema against the table.

use jiff::Timestamp;
use quell::cloudflare::families::families;
use quell::hunt::{Family, Seat, Shape, Variant};
use quell::provider::{Paging, ReadRequest};
use quell::simulator::LoggedRequest;

use crate::openapi::OpenApi;

const ID: &str = "023e105f4ecef8ad9ca31a8372d0c353";

/// Paths that the API has and the schema at hand has not, and where they are known from.
pub(crate) const NOT_IN_THE_SCHEMA: &[(&str, &str)] = &[
    ("/accounts/{}/alerting/v3/silences", "official Go client"),
    ("/accounts/{}/custom_pages", "official Go client"),
    ("/accounts/{}/r2/buckets/{}/cors", "official Go client"),
    ("/zones/{}/settings/zaraz/config", "official Go client"),
    ("/zones/{}/ssl/verification", "official Go client"),
    ("/zones/{}/waiting_rooms", "official Go client"),
];

/// Paths of the schema that no family reads, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("/accounts", "other accounts than the one in hand"),
    ("/accounts/{}/access/identity_providers/{}/scim/groups", "what the identity provider pushed; it is right there"),
    ("/accounts/{}/access/identity_providers/{}/scim/users", "what the identity provider pushed; it is right there"),
    ("/accounts/{}/access/logs/access_requests", "a log"),
    ("/accounts/{}/access/users/{}/active_sessions", "comes and goes; revoked as a whole"),
    ("/accounts/{}/alerting/v3/available_alerts", "what there could be"),
    ("/accounts/{}/alerting/v3/destinations/eligible", "what there could be"),
    ("/accounts/{}/alerting/v3/history", "a log"),
    ("/accounts/{}/audit_logs", "a log"),
    ("/accounts/{}/cfd_tunnel/{}/connectors/{}", "says no more than the list of connections"),
    ("/accounts/{}/cfd_tunnel/{}/token", "a live secret"),
    ("/accounts/{}/iam/permission_groups", "what there could be"),
    ("/accounts/{}/iam/permission_groups/{}", "what there could be"),
    ("/accounts/{}/logs/audit", "a log"),
    ("/accounts/{}/logs/audit/{}/history", "a log"),
    ("/accounts/{}/registrar/domains", "retired; read as registrations"),
    ("/accounts/{}/registrar/domains/{}", "retired; read as registrations"),
    ("/accounts/{}/rules/lists/bulk_operations/{}", "state of a write"),
    ("/accounts/{}/rulesets/phases/{}/entrypoint", "one of the rulesets"),
    ("/accounts/{}/rulesets/phases/{}/entrypoint/versions", "versions of one of the rulesets"),
    ("/accounts/{}/rulesets/phases/{}/entrypoint/versions/{}", "versions of one of the rulesets"),
    ("/accounts/{}/scim/v2/Groups", "the user groups, in another form"),
    ("/accounts/{}/scim/v2/Users", "the members, in another form"),
    ("/accounts/{}/secrets_store/quota", "a count"),
    ("/accounts/{}/tokens/permission_groups", "what there could be"),
    ("/accounts/{}/tokens/verify", "the caller itself"),
    ("/accounts/{}/warp_connector/{}/connectors/{}", "says no more than the list of connections"),
    ("/accounts/{}/warp_connector/{}/token", "a live secret"),
    ("/accounts/{}/workers/scripts-search", "the scripts, in another form"),
    ("/ips", "the provider's own addresses"),
    ("/organizations/{}/logs/audit", "a log"),
    ("/user/audit_logs", "a log"),
    ("/user/organizations", "retired; read as memberships"),
    ("/user/organizations/{}", "retired; read as memberships"),
    ("/user/tokens/permission_groups", "what there could be"),
    ("/user/tokens/verify", "the caller itself"),
    ("/zones/{}/custom_ns", "retired; the zone and its DNS settings say the same"),
    ("/zones/{}/dns_records/export", "the records, in another form"),
    ("/zones/{}/dns_records/usage", "a count"),
    ("/zones/{}/dnssec/zsk", "holds private keys"),
    ("/zones/{}/email/routing/dns", "what there should be"),
    ("/zones/{}/rulesets/phases/{}/entrypoint", "one of the rulesets"),
    ("/zones/{}/rulesets/phases/{}/entrypoint/versions", "versions of one of the rulesets"),
    ("/zones/{}/rulesets/phases/{}/entrypoint/versions/{}", "versions of one of the rulesets"),
    ("/zones/{}/security-center/insights", "what the provider thinks of the rest"),
    ("/zones/{}/security-center/insights/audit-log", "a log"),
    ("/zones/{}/settings", "retired; read setting by setting"),
    ("/zones/{}/ssl/certificate_packs/quota", "a count"),
];

/// A path with nothing in its braces.
pub(super) fn emptied(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// A seat at which every brace of `family` can be filled.
fn seat() -> Seat {
    Seat { parent: Some("parent".to_owned()), ..Seat::zone(ID, "one.example") }
}

/// The first page of a variant, as a server sees it.
fn logged(request: ReadRequest, shape: Shape) -> LoggedRequest {
    let request = match shape {
        Shape::List(Paging::Pages { per_page }) => request.with("page", "1").with("per_page", per_page.to_string()),
        Shape::List(Paging::Cursor { size: (name, size) }) => request.with(name, size.to_string()),
        Shape::List(Paging::CursorAfter { per_page }) => request.with("per_page", per_page.to_string()),
        _ => request,
    };
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).finish();
    LoggedRequest {
        seq: 1,
        at: Timestamp::UNIX_EPOCH,
        method: "GET".to_owned(),
        path: request.path,
        query,
        body: None,
        status: 200,
        applied: false,
        credential: String::new(),
    }
}

fn requests(family: &Family) -> Vec<LoggedRequest> {
    let request = |variant: &Variant| family.request(variant, &seat(), ID, str::to_owned);
    let mut requests: Vec<LoggedRequest> =
        family.variants.iter().map(|variant| logged(request(variant), family.shape)).collect();
    let detail = family.detail_request(ID, &seat(), ID, str::to_owned);
    requests.extend(detail.map(|detail| logged(detail, Shape::One)));
    requests
}

#[test]
fn every_request_of_the_table_is_one_of_the_schema() {
    let Some(schema) = OpenApi::load() else { return };
    let mut wrong = Vec::new();
    for family in families() {
        if NOT_IN_THE_SCHEMA.iter().any(|(path, _)| *path == emptied(family.path)) {
            continue;
        }
        for request in requests(family) {
            wrong.extend(schema.violations(&request).into_iter().map(|why| format!("{}: {why}", family.name)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn headers_are_ones_that_the_schema_describes() {
    let Some(schema) = OpenApi::load() else { return };
    for family in families().filter(|family| !family.name.contains("cors")) {
        for (name, value) in family.variants.iter().flat_map(|variant| variant.headers) {
            let described = schema.header_values(&family.path.replace("{account}", ID).replace("{parent}", "p"), name);
            assert!(described.iter().any(|it| it == value), "{}: {name}: {value} of {described:?}", family.name);
        }
    }
}

#[test]
fn every_path_of_the_schema_is_read_or_left_out_for_a_reason() {
    let Some(schema) = OpenApi::load() else { return };
    let read: Vec<String> =
        families().flat_map(|family| [family.path].into_iter().chain(family.detail)).map(emptied).collect();
    let readable: Vec<String> = schema.readable().iter().map(|path| emptied(path)).collect();
    for path in &readable {
        let is_item_of_a_list = path.strip_suffix("/{}").is_some_and(|list| read.iter().any(|it| it == list));
        let is_left_out = LEFT_OUT.iter().any(|(left, _)| left == path);
        let is_read = read.contains(path);
        assert!(is_read || is_item_of_a_list || is_left_out, "nothing reads {path}");
        assert!(!is_left_out || !is_read, "{path} is read, though it is said to be left out");
    }
    for (path, why) in LEFT_OUT.iter().chain(NOT_IN_THE_SCHEMA) {
        assert!(!why.is_empty());
        let is_absent = NOT_IN_THE_SCHEMA.iter().any(|(absent, _)| absent == path);
        assert_ne!(readable.iter().any(|it| it == path), is_absent, "{path}");
        assert_eq!(read.iter().any(|it| it == path), is_absent, "{path}");
    }
}
