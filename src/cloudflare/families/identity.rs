//! Who may do what: tokens, members, groups, sign-on, OAuth clients (API.md sections 5 to 7).

use super::{SINGLE, canonical, of, of_account, of_user, one, pages};
use crate::cloudflare::kinds;
use crate::hunt::{Family, Part};

const BY_EMAIL: &[Part] = &[Part::At("/email")];

const TOKEN: Family = Family {
    kind: kinds::TOKENS,
    shape: pages(50),
    created: "/issued_on",
    modified: "/modified_on",
    volatile: &["last_used_on"],
    // Documented for the one answer that makes or rolls a token, and for no list.
    secret: &["value"],
    canonical: canonical::token,
    ..of_account()
};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "user",
        title: "the calling user",
        kind: kinds::MEMBERS,
        path: "/user",
        // Every user writes to the same path: only the id tells whose profile it is.
        id: "/id",
        label: &["/email"],
        created: "/created_on",
        modified: "/modified_on",
        permission: "User Details Read",
        ..one(of_user())
    },
    Family {
        name: "user_tokens",
        title: "API tokens of the calling user",
        reach: of_user().reach,
        path: "/user/tokens",
        permission: "API Tokens Read",
        ..TOKEN
    },
    Family {
        name: "account_tokens",
        title: "API tokens of the account",
        path: "/accounts/{account}/tokens",
        permission: "Account API Tokens Read",
        ..TOKEN
    },
    Family {
        name: "memberships",
        title: "memberships of the calling user",
        kind: kinds::MEMBERS,
        path: "/memberships",
        shape: pages(50),
        label: &["/account/name"],
        permission: "Memberships Read",
        ..of_user()
    },
    Family {
        name: "user_invites",
        title: "invitations to the calling user",
        kind: kinds::MEMBERS,
        path: "/user/invites",
        label: &["/organization_name"],
        created: "/invited_on",
        permission: "Memberships Read",
        ..of_user()
    },
    Family {
        name: "account",
        title: "account settings",
        kind: kinds::MEMBERS,
        path: "/accounts/{account}",
        created: "/created_on",
        permission: "Account Settings Read",
        ..one(of_account())
    },
    Family {
        name: "members",
        title: "members and pending invitations",
        kind: kinds::MEMBERS,
        path: "/accounts/{account}/members",
        shape: pages(50),
        label: &["/email"],
        // A person who is invited again is another membership, and the same person.
        key: BY_EMAIL,
        canonical: canonical::member,
        permission: "Account Settings Read",
        ..of_account()
    },
    Family {
        name: "roles",
        title: "roles",
        kind: kinds::MEMBERS,
        path: "/accounts/{account}/roles",
        shape: pages(50),
        permission: "Account Settings Read",
        ..of_account()
    },
    Family {
        name: "resource_groups",
        title: "resource groups that policies of members name",
        kind: kinds::GROUPS,
        path: "/accounts/{account}/iam/resource_groups",
        permission: "Account Settings Read",
        ..of_account()
    },
    Family {
        name: "user_groups",
        title: "user groups",
        kind: kinds::GROUPS,
        path: "/accounts/{account}/iam/user_groups",
        shape: pages(500),
        created: "/created_on",
        modified: "/modified_on",
        canonical: canonical::member,
        permission: "Account Settings Read",
        ..of_account()
    },
    Family {
        name: "user_group_members",
        title: "members of user groups",
        kind: kinds::GROUPS,
        path: "/accounts/{account}/iam/user_groups/{parent}/members",
        shape: pages(500),
        label: &["/email"],
        key: BY_EMAIL,
        permission: "Account Settings Read",
        ..of("user_groups")
    },
    Family {
        name: "sso_connectors",
        title: "single sign-on connectors",
        kind: kinds::GROUPS,
        path: "/accounts/{account}/sso_connectors",
        shape: SINGLE,
        label: &["/email_domain"],
        key: &[Part::At("/email_domain")],
        created: "/created_on",
        modified: "/updated_on",
        permission: "SSO Connector Read",
        ..of_account()
    },
    Family {
        name: "oauth_clients",
        title: "OAuth clients of the account",
        kind: kinds::GROUPS,
        path: "/accounts/{account}/oauth_clients",
        id: "/client_id",
        label: &["/client_name"],
        created: "/created_at",
        modified: "/updated_at",
        secret: &["client_secret"],
        permission: "Account Settings Read",
        ..of_account()
    },
    Family {
        name: "subscriptions",
        title: "subscriptions",
        kind: kinds::MEMBERS,
        path: "/accounts/{account}/subscriptions",
        label: &["/rate_plan/public_name"],
        volatile: &["current_period_start", "current_period_end"],
        permission: "Billing Read",
        ..of_account()
    },
];
