//! What a session does, as people are told (V6).
//!
//! ```text
//! Connected -> Authenticated -> Processing -> Success -> Processing ..
//!                                   |  ^
//!                                   v  | retry
//!                                  Error -> Ended   fatal
//! ```

use super::transition::{self, Row, row};
use base::codes::Code;

/// What a session does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Phase {
    /// Connected, not yet verified.
    Connected,
    /// Verified, nothing asked yet.
    Authenticated,
    /// At work on a command.
    Processing,
    /// The last command succeeded.
    Success,
    /// The last command failed.
    Error,
    /// Over.
    Ended,
}

/// What moves it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PhaseEvent {
    /// The handshake verified the peer.
    Verified,
    /// A command is taken up.
    Command,
    /// It succeeded.
    Complete,
    /// It was refused or failed.
    Failed,
    /// It is tried again.
    Retry,
    /// The session cannot go on.
    Fatal,
}

/// Every transition there is.
pub const TRANSITIONS: &[Row<Phase, PhaseEvent>] = &[
    row(Phase::Connected, PhaseEvent::Verified, Phase::Authenticated),
    row(Phase::Connected, PhaseEvent::Fatal, Phase::Ended),
    row(Phase::Authenticated, PhaseEvent::Command, Phase::Processing),
    row(Phase::Authenticated, PhaseEvent::Fatal, Phase::Ended),
    row(Phase::Processing, PhaseEvent::Complete, Phase::Success),
    row(Phase::Processing, PhaseEvent::Failed, Phase::Error),
    row(Phase::Success, PhaseEvent::Command, Phase::Processing),
    row(Phase::Success, PhaseEvent::Fatal, Phase::Ended),
    row(Phase::Error, PhaseEvent::Retry, Phase::Processing),
    row(Phase::Error, PhaseEvent::Command, Phase::Processing),
    row(Phase::Error, PhaseEvent::Fatal, Phase::Ended),
];

impl Phase {
    /// The phase after an event.
    #[must_use]
    pub fn on(self, event: PhaseEvent) -> Self {
        transition::next(TRANSITIONS, self, event)
    }

    /// What a failed command leads to: another try where the code says it can help, within `tries_left`.
    pub fn after_error(code: Code, tries_left: u32) -> PhaseEvent {
        if code.row().retry && tries_left > 0 { PhaseEvent::Retry } else { PhaseEvent::Fatal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: V6
    #[test]
    fn the_list_of_transitions_is_the_documents() {
        let printed = transition::render("session (V6)", TRANSITIONS);
        assert_eq!(printed, include_str!("../../tests/golden/session.txt"));
    }

    #[test]
    fn errors_are_retried_where_that_can_help() {
        let failed = Phase::Connected.on(PhaseEvent::Verified).on(PhaseEvent::Command).on(PhaseEvent::Failed);
        assert_eq!(failed.on(Phase::after_error(Code::Busy, 1)), Phase::Processing);
        assert_eq!(failed.on(Phase::after_error(Code::Busy, 0)), Phase::Ended);
        assert_eq!(failed.on(Phase::after_error(Code::AccessDenied, 1)), Phase::Ended);
    }
}
