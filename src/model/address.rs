use std::net::IpAddr;

use ipnet::IpNet;

/// An IP address, or a range of them, as people write it. An address is a range of one.
///
/// # Errors
/// What is wrong with it, and what to write in its place.
pub fn ip_range(text: &str) -> Result<IpNet, (String, &'static str)> {
    let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let Some(range) = text.parse::<IpNet>().ok().or_else(alone) else {
        return Err((
            format!("`{text}` is no range of addresses"),
            "write it as 203.0.113.50, 203.0.113.0/24 or 2001:db8::/48",
        ));
    };
    if range.prefix_len() == 0 {
        return Err((format!("`{text}` is every address there is"), "name the addresses that quell is run from"));
    }
    Ok(range)
}
