//! Where a hub can be reached: `host:port`, checked once.

use base::limits::Limits;
use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};

/// `host:port`: a name, an IPv4 address, or an IPv6 address in brackets; a port from 1.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Address(String);

/// Which rule an address broke.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressError {
    /// Longer than `address_bytes_max`.
    TooLong {
        /// Most bytes.
        bytes_max: u32,
    },
    /// No `:port` at its end, or not 1 to 65535.
    Port,
    /// The host is empty, or holds what no host name does.
    Host,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes_max } => write!(f, "an address has at most {bytes_max} bytes"),
            Self::Port => write!(f, "an address ends in `:port`, from 1 to 65535"),
            Self::Host => {
                write!(f, "an address begins with a host name, an IPv4 address or [an IPv6 address]")
            }
        }
    }
}

impl std::error::Error for AddressError {}

impl Address {
    /// Checks an address.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, AddressError> {
        let bytes_max = limits.address_bytes_max;
        if text.len() > bytes_max as usize {
            return Err(AddressError::TooLong { bytes_max });
        }
        let (host, port) = text.rsplit_once(':').ok_or(AddressError::Port)?;
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(AddressError::Port);
        }
        let is_v6 = |host: &str| {
            let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            inner.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok())
        };
        let is_name = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        if !is_name && !is_v6(host) {
            return Err(AddressError::Host);
        }
        Ok(Self(text.to_owned()))
    }

    /// The address of a socket.
    ///
    /// # Errors
    /// Port 0, or a scope that another machine cannot use.
    pub fn of(socket: SocketAddr, limits: &Limits) -> Result<Self, AddressError> {
        Self::parse(&socket.to_string(), limits)
    }

    /// As text: what `std::net::ToSocketAddrs` takes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_host_and_port() {
        let limits = Limits::DEFAULT;
        for good in ["127.0.0.1:7440", "[::1]:1", "hub.example.com:65535", "a_b-c:9"] {
            assert_eq!(Address::parse(good, &limits).unwrap().as_str(), good);
        }
        for bad in ["", "hub", "hub:", "hub:0", "hub:65536", "hub:+1", "hub:1 "] {
            assert_eq!(Address::parse(bad, &limits), Err(AddressError::Port), "{bad:?}");
        }
        for bad in [":1", "::1:1", "[::1:1", "[x]:1", "a b:1", "a\u{1b}:1", "ä:1", "a/b:1"] {
            assert_eq!(Address::parse(bad, &limits), Err(AddressError::Host), "{bad:?}");
        }
        let long = format!("{}:1", "a".repeat(64));
        assert_eq!(Address::parse(&long, &Limits::TINY), Err(AddressError::TooLong { bytes_max: 64 }));
        assert_eq!(Address::of("[::1]:5".parse().unwrap(), &limits).unwrap().as_str(), "[::1]:5");
        assert!(Address::of("127.0.0.1:0".parse().unwrap(), &limits).is_err());
    }
}
