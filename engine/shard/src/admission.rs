//! Who may connect: connections per address, handshakes in progress in all and per address.
//!
//! At a bound on handshakes the oldest unauthenticated connection goes, never the new one, so that a flood
//! starves itself. The bound on connections per address refuses the new one: those are authenticated.

use crate::link::LinkId;
use base::limits::Limits;
use core::net::{IpAddr, SocketAddr};
use std::collections::{BTreeMap, VecDeque};

/// Books of one core.
#[derive(Default)]
pub(crate) struct Admission {
    /// In the order of their arrival.
    half_open: VecDeque<(LinkId, IpAddr)>,
    connections: BTreeMap<IpAddr, u32>,
}

impl Admission {
    /// Whether a further connection from this address is let in at all.
    pub(crate) fn admits(&self, address: SocketAddr, limits: &Limits) -> bool {
        self.connections.get(&address.ip()).copied().unwrap_or(0)
            < limits.connections_per_address_max.saturating_add(limits.half_open_per_address_max)
    }

    /// Counts a new connection; names the handshake that must make room for it.
    pub(crate) fn begin(&mut self, link: LinkId, address: SocketAddr, limits: &Limits) -> Option<LinkId> {
        let ip = address.ip();
        *self.connections.entry(ip).or_insert(0) += 1;
        self.half_open.push_back((link, ip));
        let same = self.half_open.iter().filter(|(_, other)| *other == ip).count();
        let victim = if same > limits.half_open_per_address_max as usize {
            self.half_open.iter().find(|(_, other)| *other == ip)
        } else if self.half_open.len() > limits.half_open_per_core_max as usize {
            self.half_open.front()
        } else {
            None
        };
        victim.map(|(link, _)| *link)
    }

    /// Counts a connection that another core let in.
    pub(crate) fn began_elsewhere(&mut self, address: SocketAddr) {
        *self.connections.entry(address.ip()).or_insert(0) += 1;
    }

    /// A handshake ended, well or not.
    pub(crate) fn half_open_ended(&mut self, link: LinkId) {
        self.half_open.retain(|(other, _)| *other != link);
    }

    /// An accepted connection is gone.
    pub(crate) fn connection_ended(&mut self, address: SocketAddr) {
        if let Some(count) = self.connections.get_mut(&address.ip()) {
            *count -= 1;
            if *count == 0 {
                self.connections.remove(&address.ip());
            }
        }
    }

    /// Handshakes in progress.
    pub(crate) fn half_open(&self) -> u32 {
        self.half_open.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(slot: u32) -> LinkId {
        LinkId { slot, generation: 0 }
    }

    // proves: P6
    #[test]
    fn a_flood_evicts_its_own_oldest() {
        let limits = Limits::TINY;
        let mut admission = Admission::default();
        let flood: SocketAddr = "10.0.0.1:1".parse().expect("address");
        let honest: SocketAddr = "10.0.0.2:1".parse().expect("address");
        assert_eq!(admission.begin(link(0), honest, &limits), None);
        assert_eq!(admission.begin(link(1), flood, &limits), None);
        assert_eq!(admission.begin(link(2), flood, &limits), None);
        // The third of one address costs that address its oldest, not the honest one.
        assert_eq!(admission.begin(link(3), flood, &limits), Some(link(1)));
        admission.half_open_ended(link(1));
        assert_eq!(admission.half_open(), 3);
    }

    #[test]
    fn authenticated_connections_are_bounded_per_address() {
        let limits = Limits::TINY;
        let mut admission = Admission::default();
        let from: SocketAddr = "10.0.0.1:1".parse().expect("address");
        let most = limits.connections_per_address_max + limits.half_open_per_address_max;
        for slot in 0..most {
            assert!(admission.admits(from, &limits));
            admission.begin(link(slot), from, &limits);
            admission.half_open_ended(link(slot));
        }
        assert!(!admission.admits(from, &limits));
        admission.connection_ended(from);
        assert!(admission.admits(from, &limits));
    }
}
