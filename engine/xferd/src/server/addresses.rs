//! At which addresses this daemon is reached: what an invitation names.

use crate::config::PORT;
use crate::escape::shown;
use crate::failure::Failure;
use base::limits::Limits;
use identity::Address;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Addresses for a token: those that were named, else those it listens on; a wildcard stands for every global
/// address of this machine, or for loopback when there is none.
///
/// # Errors
/// One that is no address, or none at all.
pub fn for_token(named: &[String], listen: &[SocketAddr], limits: &Limits) -> Result<Vec<Address>, Failure> {
    let port = listen.first().map_or(PORT, |address| address.port());
    if !named.is_empty() {
        return named.iter().map(|text| parse(text, port, limits)).collect();
    }
    let mut found: Vec<SocketAddr> = Vec::new();
    for address in listen {
        if address.port() == 0 {
            return Err(Failure::usage(
                "the port is chosen when the daemon starts",
                "start it first, or name --address HOST:PORT",
            ));
        }
        let more = if address.ip().is_unspecified() { globals(address) } else { vec![*address] };
        found.extend(more.into_iter().filter(|address| !found.contains(address)).collect::<Vec<_>>());
    }
    found.truncate(limits.addresses_max as usize);
    let addresses: Result<Vec<Address>, _> =
        found.into_iter().map(|address| Address::of(address, limits)).collect();
    addresses.map_err(|error| Failure::usage(error.to_string(), "name one with --address HOST:PORT"))
}

/// `host`, `host:port`, `1.2.3.4`, `::1`, `[::1]:7440`.
fn parse(text: &str, port: u16, limits: &Limits) -> Result<Address, Failure> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let whole = match bare.parse::<IpAddr>() {
        Ok(ip) => SocketAddr::new(ip, port).to_string(),
        Err(_) if text.contains(':') => text.to_owned(),
        Err(_) => format!("{text}:{port}"),
    };
    Address::parse(&whole, limits).map_err(|error| {
        Failure::usage(
            format!("--address \"{}\": {error}", shown(text)),
            "write HOST:PORT, such as hub.example.org:7440",
        )
    })
}

fn globals(wildcard: &SocketAddr) -> Vec<SocketAddr> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let (found, loopback) = match wildcard.ip() {
        IpAddr::V4(_) => (ipv4(&read("/proc/net/fib_trie")), IpAddr::from(Ipv4Addr::LOCALHOST)),
        IpAddr::V6(_) => (ipv6(&read("/proc/net/if_inet6")), IpAddr::from(Ipv6Addr::LOCALHOST)),
    };
    let found = if found.is_empty() { vec![loopback] } else { found };
    found.into_iter().map(|ip| SocketAddr::new(ip, wildcard.port())).collect()
}

/// The routing table's own addresses: a leaf `|-- 192.0.2.7` followed by `/32 host LOCAL`.
fn ipv4(trie: &str) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    let mut leaf: Option<Ipv4Addr> = None;
    for line in trie.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("|-- ") {
            leaf = text.parse().ok();
        } else if line == "/32 host LOCAL"
            && let Some(ip) = leaf
            && !ip.is_loopback()
            && !ip.is_link_local()
            && !found.contains(&ip.into())
        {
            found.push(ip.into());
        }
    }
    found
}

/// Address, interface, prefix, scope (00 is global), flags (0x20 deprecated, 0x40 tentative), name.
fn ipv6(table: &str) -> Vec<IpAddr> {
    let row = |line: &str| {
        let mut fields = line.split_whitespace();
        let ip = u128::from_str_radix(fields.next()?, 16).ok()?;
        let (scope, flags) = (fields.nth(2)?, u32::from_str_radix(fields.next()?, 16).ok()?);
        (scope == "00" && flags & 0x60 == 0).then(|| IpAddr::from(Ipv6Addr::from(ip)))
    };
    table.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_the_local_leaves() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 192.0.2.7\n        \
                    /32 host LOCAL\n     |-- 192.0.2.255\n        /32 link BROADCAST\nLocal:\n     |-- 192.0.2.7\n        \
                    /32 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 169.254.1.1\n        /32 host LOCAL\n";
        assert_eq!(ipv4(trie), ["192.0.2.7".parse::<IpAddr>().expect("address")]);
        let table = "00000000000000000000000000000001 01 80 10 80       lo\n\
                     20010db8000000000000000000000007 02 40 00 80     eth0\n\
                     fe800000000000000000000000000001 02 40 20 80     eth0\n\
                     20010db8000000000000000000000008 02 40 00 a0     eth0\n";
        assert_eq!(ipv6(table), ["2001:db8::7".parse::<IpAddr>().expect("address")]);
    }

    #[test]
    fn named_addresses_go_first_and_get_a_port() {
        let limits = Limits::DEFAULT;
        let listen = ["127.0.0.1:9".parse().expect("address")];
        let texts = |named: &[&str]| -> Vec<String> {
            let named: Vec<String> = named.iter().map(ToString::to_string).collect();
            let found = for_token(&named, &listen, &limits).expect("addresses");
            found.iter().map(ToString::to_string).collect()
        };
        assert_eq!(texts(&[]), ["127.0.0.1:9"]);
        assert_eq!(texts(&["hub", "hub:1", "::1", "[::2]:3"]), ["hub:9", "hub:1", "[::1]:9", "[::2]:3"]);
        assert_eq!(for_token(&["a b:1".into()], &listen, &limits).expect_err("refused").exit, 1);
        let free = ["127.0.0.1:0".parse().expect("address")];
        assert_eq!(for_token(&[], &free, &limits).expect_err("refused").exit, 1);
    }
}
