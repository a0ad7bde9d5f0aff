//! A link that is kept up: its states (C7), its retries, its breaker.
//!
//! ```text
//! Disconnected -> Connecting -> Authenticating -> Connected
//!       ^             |               |               |
//!       +-------------+---------------+---------------+   on error or timeout
//! ```
//!
//! Connected means a Pong came back, not only that keys exist. A link that was connected once *stood*: from then on
//! it has the tries of [`Policy::LINK`], whatever the first connection had.

use super::retry::{Backoff, Policy};
use super::transition::{self, Row, Stepped, Undeclared, row};
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

/// One step of a link.
pub type LinkStep = Stepped<LinkState, LinkEvent>;

/// What follows a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Dial again at this time of [`Now::mono_ns`].
    DialAt {
        /// When.
        at_ns: u64,
        /// Milliseconds from now.
        wait_ms: u64,
        /// Which retry that will be, from 1.
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
    stood: bool,
}

impl Link {
    /// A link that was not dialled yet; `first` is for as long as it never stood.
    pub fn new(first: Policy) -> Self {
        Self { state: LinkState::Disconnected, backoff: Backoff::new(first), stood: false }
    }

    /// Where it stands.
    pub fn state(&self) -> LinkState {
        self.state
    }

    /// A try begins.
    ///
    /// # Errors
    /// Every step's: it is none of the list.
    pub fn on_dial(&mut self) -> LinkStep {
        self.step(LinkEvent::Dial)
    }

    /// TCP is connected.
    ///
    /// # Errors
    /// As [`Self::on_dial`].
    pub fn on_open(&mut self) -> LinkStep {
        self.step(LinkEvent::Open)
    }

    /// The handshake is over and a Pong came back.
    ///
    /// # Errors
    /// As [`Self::on_dial`].
    pub fn on_healthy(&mut self) -> LinkStep {
        let step = self.step(LinkEvent::Healthy)?;
        match core::mem::replace(&mut self.stood, true) {
            true => self.backoff.on_success(),
            false => self.backoff = Backoff::new(Policy::LINK),
        }
        Ok(step)
    }

    /// One address failed and there is another, which is dialled at once: a try is over when all of them failed.
    ///
    /// # Errors
    /// As [`Self::on_dial`].
    pub fn on_address_failed(&mut self) -> LinkStep {
        self.step(LinkEvent::Failure)
    }

    /// Error or timeout.
    ///
    /// # Errors
    /// As [`Self::on_dial`].
    pub fn on_failure(
        &mut self,
        now: Now,
        random: u32,
    ) -> Result<(Row<LinkState, LinkEvent>, Next), Undeclared> {
        let step = self.step(LinkEvent::Failure)?;
        let next = match self.backoff.on_failure(random) {
            Some(wait_ms) => Next::DialAt {
                at_ns: now.mono_ns.saturating_add(wait_ms.saturating_mul(1_000_000)),
                wait_ms,
                attempt: self.backoff.failures(),
            },
            None => Next::GiveUp { failures: self.backoff.failures() },
        };
        Ok((step, next))
    }

    fn step(&mut self, event: LinkEvent) -> LinkStep {
        transition::step(TRANSITIONS, &mut self.state, event)
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

    fn next(link: &mut Link, now: Now) -> Next {
        link.on_failure(now, 0).unwrap().1
    }

    fn stands(link: &mut Link) {
        for step in [link.on_dial(), link.on_open(), link.on_healthy()] {
            step.unwrap();
        }
        assert_eq!(link.state(), LinkState::Connected);
    }

    #[test]
    fn a_link_that_stood_is_dialled_until_the_breaker_opens() {
        let mut link = Link::new(Policy::ONCE);
        stands(&mut link);
        let now = Now { mono_ns: 5, utc_ms: 0 };
        for failure in 1..10 {
            let Next::DialAt { at_ns, wait_ms, attempt } = next(&mut link, now) else { panic!("stopped") };
            assert_eq!((at_ns, attempt), (5 + wait_ms * 1_000_000, failure));
            link.on_dial().unwrap();
            if failure % 2 == 0 {
                link.on_open().unwrap();
            }
        }
        assert_eq!(next(&mut link, now), Next::GiveUp { failures: 10 });
    }

    #[test]
    fn a_first_connection_has_its_own_tries_and_addresses_count_as_one() {
        let mut link = Link::new(Policy::ONCE);
        link.on_dial().unwrap();
        link.on_address_failed().unwrap();
        link.on_dial().unwrap();
        assert_eq!(next(&mut link, Now::default()), Next::GiveUp { failures: 1 });
    }

    #[test]
    fn only_health_resets_the_count() {
        let mut link = Link::new(Policy::OPERATION);
        for _ in 0..5 {
            stands(&mut link);
            assert!(matches!(next(&mut link, Now::default()), Next::DialAt { attempt: 1, .. }));
        }
        link.on_dial().unwrap();
        link.on_open().unwrap();
        assert!(matches!(next(&mut link, Now::default()), Next::DialAt { attempt: 2, .. }));
    }
}
