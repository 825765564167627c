//! Zero Trust and network.

use super::{act, by_hand, settled, show};
use crate::hunt::technique::{Aim, Technique, any, made};
use crate::model::Severity;

const BLANK: Technique = Technique {
    id: "",
    title: "",
    aim: Aim::PrivateAccess,
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

pub(super) const TECHNIQUES: &[Technique] = &[
    Technique {
        id: "CF-Z01",
        title: "an Access application or policy lets more people in",
        attack: &["T1556.009"],
        severity: Severity::Critical,
        acts: &[
            act("", "/accounts/*/access/apps/**"),
            act("", "/zones/*/access/apps/**"),
            act("", "/accounts/*/access/policies/**"),
            act("", "/accounts/*/access/groups/**"),
            act("", "/zones/*/access/groups/**"),
            act("", "/accounts/*/access/organizations/**"),
            act("", "/zones/*/access/organizations/**"),
            act("", "/accounts/*/access/infrastructure/**"),
            act("", "/accounts/*/access/gateway_ca/**"),
        ],
        shows: &[
            show("access_apps", any),
            show("access_app_policies", any),
            show("zone_access_apps", any),
            show("zone_access_app_policies", any),
            show("access_policies", any),
            show("access_groups", any),
            show("zone_access_groups", any),
            show("access_organization", any),
            show("zone_access_organizations", any),
        ],
        contain: settled("Put the policy back, and revoke the application's tokens."),
        revert: by_hand("Try it with a client from outside."),
        page: "Access policies",
        ..BLANK
    },
    Technique {
        id: "CF-Z02",
        title: "a service token of Access is made, rotated or prolonged",
        attack: &["T1098.001"],
        severity: Severity::Critical,
        acts: &[act("", "/accounts/*/access/service_tokens/**"), act("", "/zones/*/access/service_tokens/**")],
        shows: &[show("service_tokens", any), show("zone_service_tokens", any)],
        contain: settled("Delete it, or rotate it."),
        revert: by_hand("Give its owner a new one."),
        page: "Service tokens",
        ..BLANK
    },
    Technique {
        id: "CF-Z03",
        title: "an identity provider is added or changed",
        attack: &["T1484.002", "T1556.007"],
        severity: Severity::Critical,
        acts: &[
            act("", "/accounts/*/access/identity_providers/**"),
            act("", "/zones/*/access/identity_providers/**"),
            act("", "/accounts/*/access/users/**"),
            act("", "/accounts/*/access/keys/**"),
            act("", "/accounts/*/access/seats"),
        ],
        shows: &[
            show("identity_providers", any),
            show("zone_identity_providers", any),
            show("access_keys", any),
            show("access_users", any),
        ],
        contain: settled("Remove it, and revoke the sessions of the users it let in."),
        revert: by_hand("The list of sessions must be empty of them."),
        page: "Identity providers",
        ..BLANK
    },
    Technique {
        id: "CF-Z04",
        title: "a tunnel or private route is made or deleted, or a tunnel pointed elsewhere",
        attack: &["T1572", "T1133"],
        severity: Severity::Critical,
        acts: &[
            act("", "/accounts/*/cfd_tunnel/**"),
            act("", "/accounts/*/warp_connector/**"),
            act("", "/accounts/*/teamnet/**"),
            act("", "/accounts/*/tunnels/**"),
            act("", "/accounts/*/zerotrust/**"),
            act("", "/accounts/*/magic/**"),
        ],
        shows: &[
            show("tunnels", any),
            show("deleted_tunnels", made),
            show("tunnel_configurations", any),
            show("tunnel_connections", made),
            show("warp_connectors", any),
            show("deleted_warp_connectors", made),
            show("warp_connections", made),
            show("private_routes", any),
        ],
        hidden: "Reading the token of a tunnel is not logged: whoever could read tunnels may hold it.",
        contain: settled("Drop the connections, change the secret, delete the tunnel."),
        revert: by_hand("Install connectors with the new token."),
        page: "Tunnel tokens",
        ..BLANK
    },
    Technique {
        id: "CF-Z05",
        title: "Gateway rules or devices are changed",
        attack: &["T1686.001", "T1685"],
        acts: &[act("", "/accounts/*/gateway/**"), act("", "/accounts/*/devices/**"), act("", "/accounts/*/dlp/**")],
        shows: &[show("gateway_rules", any), show("gateway_configuration", any)],
        hidden: "Enrolled devices and their posture are in no family that quell reads.",
        contain: settled("Put the rule back; revoke devices: Zero Trust > My Team > Devices."),
        revert: settled("As in the known good."),
        withdraw: "Delete it.",
        page: "Gateway policies",
        ..BLANK
    },
];
