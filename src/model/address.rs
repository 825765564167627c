use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// An address as all addresses are compared: in its one plain spelling, and as version 4 where it only stands for one. What
/// is no address stays as it is.
pub fn plain_address(text: &str) -> String {
    text.trim().parse::<IpAddr>().map_or_else(|_| text.to_owned(), |ip| ip.to_canonical().to_string())
}

/// An e-mail as all e-mails are compared: no provider tells two apart by the case of their letters.
pub fn plain_email(text: &str) -> String {
    text.trim().to_lowercase()
}

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
    let range = match range {
        // Version 4 in the spelling of version 6.
        IpNet::V6(six) if six.prefix_len() >= 96 => six
            .addr()
            .to_ipv4_mapped()
            .and_then(|four| Ipv4Net::new(four, six.prefix_len() - 96).ok())
            .map_or(range, IpNet::from),
        _ => range,
    };
    if range.prefix_len() == 0 {
        return Err((format!("`{text}` is every address there is"), "name the addresses that quell is run from"));
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::{ip_range, plain_address, plain_email};

    #[test]
    fn one_address_and_one_mailbox_have_one_spelling() {
        for (text, plain) in [
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("2001:0db8::0001", "2001:db8::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::FFFF:c000:207", "192.0.2.7"),
            (" 192.0.2.7 ", "192.0.2.7"),
            ("office", "office"),
            ("", ""),
        ] {
            assert_eq!(plain_address(text), plain, "{text}");
        }
        assert_eq!(plain_email("Maya@A.Example"), "maya@a.example");
        assert_eq!(ip_range("::ffff:192.0.2.0/120").unwrap().to_string(), "192.0.2.0/24");
        assert_eq!(ip_range("2001:DB8:0::/48").unwrap().to_string(), "2001:db8::/48");
    }
}
