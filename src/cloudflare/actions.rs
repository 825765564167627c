//! The actions on a Cloudflare account, one file each.

use crate::action::AnyAction;

pub mod certificates_list;
pub mod dns_diff;
pub mod findings_settle;
pub mod token_disable;
pub mod token_revoke;
pub mod tokens_inventory;
pub mod tokens_rotate;
pub mod waf_review;

/// Every action of this wing.
pub static ACTIONS: &[&dyn AnyAction] = &[
    &certificates_list::CertificatesList,
    &dns_diff::DnsDiff,
    &findings_settle::FindingsSettle,
    &token_disable::TokenDisable,
    &token_revoke::TokenRevoke,
    &tokens_inventory::TokensInventory,
    &tokens_rotate::TokensRotate,
    &waf_review::WafReview,
];
