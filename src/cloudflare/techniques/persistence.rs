//! Identity and persistence.

use serde_json::Value;

use super::{act, by, by_hand, show};
use crate::hunt::technique::{Aim, Technique, added, any, differs, made, removed, undone};
use crate::hunt::{AuditEvent, Difference, Item};
use crate::model::Severity;

const BLANK: Technique = Technique {
    id: "",
    title: "",
    aim: Aim::Persistence,
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

/// What a token may do, from where and until when.
fn is_wider(difference: &Difference) -> bool {
    let fields = ["/policies", "/condition", "/expires_on", "/not_before", "/status"];
    difference.change() == crate::model::Change::Changed && fields.iter().any(|field| differs(difference, field))
}

/// Whether members need a second factor, as an account says it.
const DUTY: &str = "/settings/enforce_twofactor";

/// Whether the duty was lifted, or may have been: what is not known of it is not taken for harmless.
fn is_lifted(before: Option<&Value>, after: Option<&Value>) -> bool {
    let said = |account: Option<&Value>| account.and_then(|account| account.pointer(DUTY)?.as_bool());
    said(before) != Some(false) && said(after) != Some(true) && !(before.is_some() && said(before) == said(after))
}

fn is_duty_lifted(difference: &Difference) -> bool {
    let known = |item: &Option<Item>| item.as_ref().map(|item| item.value.clone()).filter(|value| !value.is_null());
    is_lifted(known(&difference.before).as_ref(), known(&difference.after).as_ref())
}

fn lifts_duty(event: &AuditEvent) -> bool {
    is_lifted(event.before.as_ref(), event.after.as_ref())
}

fn by_key(event: &AuditEvent) -> bool {
    matches!(event.context.as_deref(), Some("api_key" | "origin_ca_key"))
}

fn by_dashboard(event: &AuditEvent) -> bool {
    event.context.as_deref() == Some("dash")
}

fn by_oauth(event: &AuditEvent) -> bool {
    event.context.as_deref() == Some("oauth")
}

pub(super) const TECHNIQUES: &[Technique] = &[
    Technique {
        id: "CF-I01",
        title: "a stolen API token is used",
        attack: &["T1078.004", "T1550.001", "T1528"],
        severity: Severity::Critical,
        hidden: "What a token read is logged only in part, and not by whom it was copied.",
        contain: by(&["cloudflare.token.disable"], "Disable the token, and every token that it made, in one step."),
        revert: by(
            &["cloudflare.token.revoke", "cloudflare.tokens.rotate"],
            "Delete it once the evidence is held; give its consumers a new one. The old value must be refused.",
        ),
        page: "Create API token",
        ..BLANK
    },
    Technique {
        id: "CF-I02",
        title: "a further token of a user is made",
        attack: &["T1098.001"],
        severity: Severity::Critical,
        acts: &[act("create", "/user/tokens")],
        shows: &[show("user_tokens", added)],
        hidden: "No credential lists the tokens of another user: each member must look, or be removed.",
        contain: by(
            &["cloudflare.token.disable"],
            "Disable it; another user's own token only that user can, or the member's removal.",
        ),
        revert: by(
            &["cloudflare.token.revoke"],
            "Delete it after the evidence is held; the list must no longer have it.",
        ),
        page: "Create API token",
        ..BLANK
    },
    Technique {
        id: "CF-I03",
        title: "a token of the account is made, which outlives its maker's membership",
        attack: &["T1098.001", "T1136.003"],
        severity: Severity::Critical,
        acts: &[act("create", "/accounts/*/tokens")],
        shows: &[show("account_tokens", added)],
        contain: by(&["cloudflare.token.disable"], "Disable it."),
        revert: by(&["cloudflare.token.revoke"], "Delete it after the evidence is held; reading it must then fail."),
        page: "Account API tokens",
        ..BLANK
    },
    Technique {
        id: "CF-I04",
        title: "a token is widened: its policies, addresses or expiry",
        attack: &["T1098.001", "T1098.003"],
        severity: Severity::Critical,
        acts: &[act("update", "/user/tokens/*"), act("update", "/accounts/*/tokens/*")],
        shows: &[show("user_tokens", is_wider), show("account_tokens", is_wider)],
        contain: by(&["cloudflare.token.disable"], "Disable it."),
        revert: by_hand("Put its policies back, then roll it: a roll keeps what was widened."),
        page: "Roll tokens",
        ..BLANK
    },
    Technique {
        id: "CF-I05",
        title: "a token is rolled by the intruder: its value is stolen and its owner locked out",
        attack: &["T1098.001", "T1531"],
        severity: Severity::Critical,
        acts: &[act("update", "/user/tokens/*/value"), act("update", "/accounts/*/tokens/*/value")],
        // No difference shows it: a roll changes the value alone, which is in no list and in no baseline. Whether it moves
        // `issued_on` is not documented, and `modified_on` moves with any other change.
        contain: by(&["cloudflare.token.disable"], "Disable it."),
        revert: by_hand("Make a new token for its consumers; the rolled one stays dead."),
        page: "Roll tokens",
        ..BLANK
    },
    Technique {
        id: "CF-I06",
        title: "the Global API key or the Origin CA key is taken",
        attack: &["T1552", "T1098.001"],
        severity: Severity::Critical,
        acts: &[act("", "/**").only(by_key), act("", "/user/api_key/**")],
        hidden: "A change of the Origin CA key is never logged, and every value that was once shown stays valid until then.",
        contain: by_hand(
            "The user changes both keys: My Profile > API Tokens > API Keys. Whatever still uses them stops.",
        ),
        revert: by_hand("The old key must be refused; keep a picture of the page."),
        page: "Get Global API key",
        ..BLANK
    },
    Technique {
        id: "CF-I07",
        title: "a member is invited, or a member or group gets other rights",
        attack: &["T1136.003", "T1098.003"],
        severity: Severity::Critical,
        acts: &[
            act("create", "/accounts/*/members"),
            act("update", "/accounts/*/members/*"),
            act("", "/accounts/*/iam/user_groups/**"),
            act("", "/accounts/*/iam/resource_groups/**"),
            // Who provisions members makes them, and says which groups they are in.
            act("create", "/accounts/*/scim/v2/Users/**"),
            act("update", "/accounts/*/scim/v2/Users/**"),
            act("", "/accounts/*/scim/v2/Groups/**"),
            act("update", "/memberships/*"),
            act("update", "/user/invites/*"),
        ],
        shows: &[
            show("members", made),
            show("user_groups", any),
            show("user_group_members", any),
            show("resource_groups", any),
        ],
        contain: by(
            &["cloudflare.member.remove", "cloudflare.member.set_roles"],
            "Remove the member, withdraw the invitation, or put the roles down.",
        ),
        revert: by_hand("Roles as in the known good; the list of members must show it."),
        withdraw: "Withdraw the invitation, or remove the member or the group; no list must have it any more.",
        page: "Manage account members",
        ..BLANK
    },
    Technique {
        id: "CF-I08",
        title: "a defender is demoted or removed, or a token of theirs deleted",
        attack: &["T1531"],
        severity: Severity::Critical,
        acts: &[
            act("delete", "/accounts/*/members/*"),
            act("update", "/accounts/*/members/*"),
            act("delete", "/accounts/*/tokens/*"),
            act("delete", "/user/tokens/*"),
            act("update", "/accounts/*/scim/v2/Users/**"),
            act("delete", "/accounts/*/scim/v2/Users/**"),
            act("delete", "/memberships/*"),
        ],
        shows: &[show("members", undone), show("account_tokens", removed), show("user_tokens", removed)],
        contain: by_hand("Use a break-glass token of the account, or support with proof of ownership."),
        revert: by_hand("Add the member again, and read the roles back; make the token anew for its consumers."),
        page: "Manage account members",
        ..BLANK
    },
    Technique {
        id: "CF-I09",
        title: "an OAuth application is consented to, or acts",
        attack: &["T1671", "T1528"],
        acts: &[act("", "/**").only(by_oauth), act("", "/accounts/*/oauth_clients/**")],
        shows: &[show("oauth_clients", any)],
        hidden: "No list shows which applications a user has consented to.",
        contain: by_hand("Each user revokes it: My Profile > Connected Applications."),
        revert: by_hand("Consent again with fewer scopes where it is needed."),
        page: "Manage OAuth clients",
        ..BLANK
    },
    Technique {
        id: "CF-I10",
        title: "single sign-on is switched off or pointed elsewhere, or members are provisioned by SCIM",
        attack: &["T1556.007", "T1484.002"],
        severity: Severity::Critical,
        acts: &[act("", "/accounts/*/sso_connectors/**"), act("", "/accounts/*/scim/**")],
        shows: &[show("sso_connectors", any)],
        contain: by_hand("Put the connector back: Manage account > Members > Settings."),
        revert: by_hand("A login with the domain must go through the identity provider."),
        page: "Dashboard SSO",
        ..BLANK
    },
    Technique {
        id: "CF-I11",
        title: "the duty to use a second factor is lifted, or a second factor removed",
        attack: &["T1556.006"],
        acts: &[act("update", "/accounts/*").only(lifts_duty), act("", "/user/two_factor_authentication/**")],
        shows: &[show("account", is_duty_lifted)],
        contain: by_hand("Enforce it again: Manage account > Configurations."),
        revert: by_hand("The list of members must show who has no second factor."),
        page: "Enforce 2FA on your account",
        ..BLANK
    },
    Technique {
        id: "CF-I12",
        title: "a session of the dashboard is taken over",
        attack: &["T1539", "T1550.004"],
        severity: Severity::Critical,
        acts: &[act("", "/**").only(by_dashboard)],
        hidden: "No list shows sessions, and a stolen one logs no login.",
        contain: by_hand("The user revokes every other session: My Profile > Sessions. Secure the mailbox first."),
        revert: by_hand("Password, second factor and sessions again afterwards."),
        page: "Manage active sessions",
        ..BLANK
    },
    Technique {
        id: "CF-I13",
        title: "the e-mail address or password of a profile is changed",
        attack: &["T1098", "T1531"],
        severity: Severity::Critical,
        acts: &[act("update", "/user"), act("update", "/user/email"), act("update", "/user/password")],
        shows: &[show("user", any)],
        hidden: "Only the profile of the calling user can be read, and the log of its scope is the user's own.",
        contain: by_hand("Secure the mailbox first; then open a support case."),
        revert: by_hand("The profile must show the user's own address."),
        page: "Change email address or password",
        ..BLANK
    },
];
