//! The actions on a Cloudflare account, one file each.

use crate::action::AnyAction;

pub mod audit_analyse;
pub mod audit_collect;
pub mod certificates_list;
pub mod credential_switch;
pub mod diff;
pub mod dns_diff;
pub mod findings_settle;
pub mod graph;
pub mod holders;
pub mod hunt;
pub mod member_remove;
pub mod member_set_roles;
pub mod members_list;
pub mod recheck;
pub mod snapshot;
pub mod token_create_incident;
pub mod token_disable;
pub mod token_restore;
pub mod token_revoke;
pub mod tokens_inventory;
pub mod tokens_rotate;
pub mod waf_review;
pub mod whoami;

/// Every action of this wing.
pub static ACTIONS: &[&dyn AnyAction] = &[
    &audit_analyse::AuditAnalyse,
    &audit_collect::AuditCollect,
    &certificates_list::CertificatesList,
    &credential_switch::CredentialSwitch,
    &diff::Diff,
    &dns_diff::DnsDiff,
    &findings_settle::FindingsSettle,
    &graph::Graph,
    &holders::Holders,
    &hunt::Hunt,
    &member_remove::MemberRemove,
    &member_set_roles::MemberSetRoles,
    &members_list::MembersList,
    &recheck::Recheck,
    &snapshot::Snapshot,
    &token_create_incident::TokenCreateIncident,
    &token_disable::TokenDisable,
    &token_restore::TokenRestore,
    &token_revoke::TokenRevoke,
    &tokens_inventory::TokensInventory,
    &tokens_rotate::TokensRotate,
    &waf_review::WafReview,
    &whoami::Whoami,
];
