//! A link that is kept up: its states (C7), its retries, its breaker.
//!
//! ```text
//! Disconnected -> Connecting -> Authenticating -> Connected
//!       ^             |               |               |
//!       +-------------+---------------+---------------+   on error or timeout
//! ```
//!
//! Connected means a Pong came back, not only that keys exist.

use super::retry::{Backoff, Policy};
use super::transition::{self, Row, row};
use base::io::Now;

/// Where a link stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LinkState {
    /// No connection; the next try has its time, or it was given up.
    Disconnected,
    /// TCP connects.
    Connecting,
    /// The handshake, and the first Ping.
    Authenticating,
    /// Healthy.
    Connected,
}

/// What moves it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LinkEvent {
    /// A try begins.
    Dial,
    /// TCP is connected.
    Open,
    /// The handshake is over and a Pong came back.
    Healthy,
    /// Error or timeout.
    Failure,
}

/// Every transition there is.
pub const TRANSITIONS: &[Row<LinkState, LinkEvent>] = &[
    row(LinkState::Disconnected, LinkEvent::Dial, LinkState::Connecting),
    row(LinkState::Connecting, LinkEvent::Open, LinkState::Authenticating),
    row(LinkState::Authenticating, LinkEvent::Healthy, LinkState::Connected),
    row(LinkState::Connecting, LinkEvent::Failure, LinkState::Disconnected),
    row(LinkState::Authenticating, LinkEvent::Failure, LinkState::Disconnected),
    row(LinkState::Connected, LinkEvent::Failure, LinkState::Disconnected),
];

/// What follows a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Dial again at this time of [`Now::mono_ns`].
    DialAt {
        /// When.
        at_ns: u64,
        /// Milliseconds from now.
        wait_ms: u64,
        /// Which try that will be, from 1.
        attempt: u32,
    },
    /// Too many failures in a row: say so and stop.
    GiveUp {
        /// How many.
        failures: u32,
    },
}

/// One link.
#[derive(Clone, Debug)]
pub struct Link {
    state: LinkState,
    backoff: Backoff,
}

impl Link {
    /// A link that was not dialled yet.
    pub fn new(policy: Policy) -> Self {
        Self { state: LinkState::Disconnected, backoff: Backoff::new(policy) }
    }

    /// Where it stands.
    pub fn state(&self) -> LinkState {
        self.state
    }

    /// A try begins.
    pub fn on_dial(&mut self) {
        self.step(LinkEvent::Dial);
    }

    /// TCP is connected.
    pub fn on_open(&mut self) {
        self.step(LinkEvent::Open);
    }

    /// The handshake is over and a Pong came back.
    pub fn on_healthy(&mut self) {
        self.step(LinkEvent::Healthy);
        self.backoff.on_success();
    }

    /// Error or timeout.
    pub fn on_failure(&mut self, now: Now, random: u32) -> Next {
        self.step(LinkEvent::Failure);
        match self.backoff.on_failure(random) {
            Some(wait_ms) => Next::DialAt {
                at_ns: now.mono_ns.saturating_add(wait_ms.saturating_mul(1_000_000)),
                wait_ms,
                attempt: self.backoff.failures() + 1,
            },
            None => Next::GiveUp { failures: self.backoff.failures() },
        }
    }

    fn step(&mut self, event: LinkEvent) {
        self.state = transition::next(TRANSITIONS, self.state, event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: C7
    #[test]
    fn the_list_of_transitions_is_the_documents() {
        let printed = transition::render("link (C7)", TRANSITIONS);
        assert_eq!(printed, include_str!("../../tests/golden/link.txt"));
    }

    #[test]
    fn a_link_is_dialled_until_the_breaker_opens() {
        let mut link = Link::new(Policy::LINK);
        let now = Now { mono_ns: 5, utc_ms: 0 };
        for failure in 1..10 {
            link.on_dial();
            if failure % 2 == 0 {
                link.on_open();
            }
            let Next::DialAt { at_ns, wait_ms, attempt } = link.on_failure(now, 0) else { panic!("stopped") };
            assert_eq!((at_ns, attempt), (5 + wait_ms * 1_000_000, failure + 1));
        }
        link.on_dial();
        assert_eq!(link.on_failure(now, 0), Next::GiveUp { failures: 10 });
    }

    #[test]
    fn only_health_resets_the_count() {
        let mut link = Link::new(Policy::OPERATION);
        for _ in 0..5 {
            link.on_dial();
            link.on_open();
            link.on_healthy();
            assert_eq!(link.state(), LinkState::Connected);
            assert!(matches!(link.on_failure(Now::default(), 0), Next::DialAt { attempt: 2, .. }));
        }
    }
}
