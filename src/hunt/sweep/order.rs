use crate::hunt::Seat;

/// Brings zones into the order in which they are swept: those that the audit log says were touched, then the crown
/// jewels, then the rest, each by name.
pub fn by_interest(zones: &mut [Seat], is_touched: impl Fn(&Seat) -> bool, is_jewel: impl Fn(&Seat) -> bool) {
    zones.sort_by_cached_key(|zone| (!is_touched(zone), !is_jewel(zone), zone.name.clone()));
}

#[cfg(test)]
mod tests {
    use super::by_interest;
    use crate::hunt::Seat;

    #[test]
    fn touched_zones_come_before_jewels_and_these_before_the_rest() {
        let mut zones = ["d", "b", "a", "c"].map(|name| Seat::zone(name, name));
        by_interest(&mut zones, |zone| zone.name == "c" || zone.name == "d", |zone| zone.name == "b");
        assert_eq!(zones.map(|zone| zone.name), ["c", "d", "b", "a"]);
    }
}
