use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::NotifyTarget;

/// What the team has said beforehand: what must not be touched or suspected, and what matters most, whatever a runbook or
/// an audit log says; and whom to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Safeguards {
    /// Break-glass credentials, by id or name: quell never changes them.
    pub break_glass: Vec<String>,
    /// The team's own addresses: never called hostile.
    pub own_ip_ranges: Vec<IpNet>,
    /// Names of the zones that matter most, in small letters and without a final dot: looked at first.
    pub crown_jewels: Vec<String>,
    /// Whom a runbook may tell by name.
    pub notify: Vec<NotifyTarget>,
}

impl Safeguards {
    /// Whether the credential with this id and name, as the provider lists it, must never be touched.
    pub fn is_break_glass(&self, id: &str, name: &str) -> bool {
        // What is called by an e-mail is meant in whatever case.
        let is_called = |kept: &String| kept == name || (name.contains('@') && kept.eq_ignore_ascii_case(name));
        self.break_glass.iter().any(|kept| kept == id || is_called(kept))
    }

    /// Whether an address, as a log has it, is the team's own. What is no address is nobody's.
    pub fn is_own_address(&self, ip: &str) -> bool {
        let Ok(ip) = ip.parse::<IpAddr>() else { return false };
        self.own_ip_ranges.iter().any(|range| range.contains(&ip.to_canonical()))
    }

    /// Whether the zone of this name, in small letters and without a final dot, matters most.
    pub fn is_crown_jewel(&self, zone: &str) -> bool {
        self.crown_jewels.iter().any(|jewel| jewel == zone)
    }

    /// When it is the zone's turn: the crown jewels come in the order in which they were named, all others after them.
    pub fn turn(&self, zone: &str) -> usize {
        self.crown_jewels.iter().position(|jewel| jewel == zone).unwrap_or(self.crown_jewels.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Safeguards;

    #[test]
    fn own_addresses_are_known_in_every_spelling() {
        let ranges = ["192.0.2.0/24", "2001:db8::/32"].map(|range| range.parse().unwrap());
        let safeguards = Safeguards { own_ip_ranges: ranges.into(), ..Safeguards::default() };
        for own in ["192.0.2.7", "::ffff:192.0.2.7", "2001:0db8:0::1"] {
            assert!(safeguards.is_own_address(own), "{own}");
        }
        for other in ["192.0.3.7", "2001:db9::1", "", "192.0.2.0/24", "office"] {
            assert!(!safeguards.is_own_address(other), "{other}");
        }
    }
}
