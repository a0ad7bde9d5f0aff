//! States of a connection until it is verified (P1), and the tie-break of two standing links (P2).
//!
//! ```text
//! Connected -> OutboundPending -> Verified        Hello sent ... Ready received
//!           -> InboundPending  -> Verified        Hello received ... the initiator's Fin holds
//!  any of the first three -> Failed               invalid, refused, deadline passed
//! ```

use crate::session::transition::{Row, row};
use base::ids::DeviceId;

/// Where a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// The connection exists, nothing was said.
    Connected,
    /// We sent Hello.
    OutboundPending,
    /// We received Hello.
    InboundPending,
    /// Both sides proved who they are.
    Verified,
    /// It ends.
    Failed,
}

/// What moves a connection from state to state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// We sent Hello.
    HelloSent,
    /// A Hello arrived whose form is right.
    HelloReceived,
    /// The responder's Ready opened.
    ReadyReceived,
    /// The initiator's Fin holds and all else about it.
    FinVerified,
    /// Invalid, refused, or the deadline passed.
    Failure,
}

/// Every transition there is.
pub const TRANSITIONS: &[Row<State, Event>] = &[
    row(State::Connected, Event::HelloSent, State::OutboundPending),
    row(State::Connected, Event::HelloReceived, State::InboundPending),
    row(State::Connected, Event::Failure, State::Failed),
    row(State::OutboundPending, Event::ReadyReceived, State::Verified),
    row(State::OutboundPending, Event::Failure, State::Failed),
    row(State::InboundPending, Event::FinVerified, State::Verified),
    row(State::InboundPending, Event::Failure, State::Failed),
];

/// Of two standing links that two devices opened to each other at once, the one opened by the smaller device
/// id survives: whether that is the one `opened_by_us`.
pub fn link_survives(opened_by_us: bool, ours: DeviceId, theirs: DeviceId) -> bool {
    opened_by_us == (ours < theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: P2
    #[test]
    fn of_two_links_both_ends_keep_the_same_one() {
        let (small, large) = (DeviceId([1; 32]), DeviceId([2; 32]));
        // The link that `small` opened, seen from both ends, then the other.
        assert!(link_survives(true, small, large) && link_survives(false, large, small));
        assert!(!link_survives(true, large, small) && !link_survives(false, small, large));
    }
}
