//! What a session does, as people are told (V6).
//!
//! ```text
//! Connected -> Authenticated -> Processing -> Success -> Processing ..
//!                                   |  ^
//!                                   v  | retry
//!                                  Error -> Ended   fatal
//! ```
//!
//! A command is a request until its reply, or a transfer until its end. Commands of one session may overlap:
//! [`Course`] is at work from the first to the last of them.

use super::transition::{self, Row, Stepped, row};
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

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 6] =
        [Self::Connected, Self::Authenticated, Self::Processing, Self::Success, Self::Error, Self::Ended];

    /// Its name in a status.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Authenticated => "authenticated",
            Self::Processing => "processing",
            Self::Success => "success",
            Self::Error => "error",
            Self::Ended => "ended",
        }
    }
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
    /// Both ends are done with each other.
    Closed,
    /// The session cannot go on.
    Fatal,
}

/// Every transition there is.
pub const TRANSITIONS: &[Row<Phase, PhaseEvent>] = &[
    row(Phase::Connected, PhaseEvent::Verified, Phase::Authenticated),
    row(Phase::Connected, PhaseEvent::Fatal, Phase::Ended),
    row(Phase::Authenticated, PhaseEvent::Command, Phase::Processing),
    row(Phase::Authenticated, PhaseEvent::Closed, Phase::Ended),
    row(Phase::Authenticated, PhaseEvent::Fatal, Phase::Ended),
    row(Phase::Processing, PhaseEvent::Complete, Phase::Success),
    row(Phase::Processing, PhaseEvent::Failed, Phase::Error),
    row(Phase::Success, PhaseEvent::Command, Phase::Processing),
    row(Phase::Success, PhaseEvent::Closed, Phase::Ended),
    row(Phase::Success, PhaseEvent::Fatal, Phase::Ended),
    row(Phase::Error, PhaseEvent::Retry, Phase::Processing),
    row(Phase::Error, PhaseEvent::Command, Phase::Processing),
    row(Phase::Error, PhaseEvent::Fatal, Phase::Ended),
];

/// One step of a session.
pub type PhaseStep = Stepped<Phase, PhaseEvent>;

/// What a failed command leads to: another try where the code says it can help, within `tries_left`.
pub fn after_error(code: Code, tries_left: u32) -> PhaseEvent {
    if code.row().retry && tries_left > 0 { PhaseEvent::Retry } else { PhaseEvent::Fatal }
}

/// One session: its phase, and how many commands it is at work on.
#[derive(Clone, Debug)]
pub struct Course {
    phase: Phase,
    working: u32,
}

impl Course {
    /// Connected.
    pub fn new() -> Self {
        Self { phase: Phase::Connected, working: 0 }
    }

    /// What the session does.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The handshake verified the peer.
    ///
    /// # Errors
    /// Every step's: it is none of the list.
    pub fn on_verified(&mut self) -> PhaseStep {
        self.step(PhaseEvent::Verified)
    }

    /// A command is taken up; no step while another one is at work.
    ///
    /// # Errors
    /// As [`Self::on_verified`].
    pub fn on_command(&mut self) -> Option<PhaseStep> {
        self.working += 1;
        (self.working == 1).then(|| self.step(PhaseEvent::Command))
    }

    /// A failed command is tried again.
    ///
    /// # Errors
    /// As [`Self::on_verified`].
    pub fn on_retry(&mut self) -> Option<PhaseStep> {
        self.working += 1;
        (self.working == 1).then(|| self.step(PhaseEvent::Retry))
    }

    /// A command ended, well or `failed`; no step while another one is at work.
    ///
    /// # Errors
    /// As [`Self::on_verified`].
    pub fn on_done(&mut self, failed: bool) -> Option<PhaseStep> {
        self.working = self.working.saturating_sub(1);
        let event = if failed { PhaseEvent::Failed } else { PhaseEvent::Complete };
        (self.working == 0).then(|| self.step(event))
    }

    /// The session ends: its next step towards that, `None` once it is over. What is at work has failed then;
    /// `orderly`, when both ends are done with each other.
    ///
    /// # Errors
    /// As [`Self::on_verified`].
    pub fn on_end(&mut self, orderly: bool) -> Option<PhaseStep> {
        let event = match self.phase {
            Phase::Ended => return None,
            Phase::Processing => PhaseEvent::Failed,
            Phase::Authenticated | Phase::Success if orderly => PhaseEvent::Closed,
            _ => PhaseEvent::Fatal,
        };
        self.working = 0;
        Some(self.step(event))
    }

    fn step(&mut self, event: PhaseEvent) -> PhaseStep {
        transition::step(TRANSITIONS, &mut self.phase, event)
    }
}

impl Default for Course {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    // proves: V6
    #[test]
    fn the_list_of_transitions_is_the_documents() {
        let printed = transition::render("session (V6)", TRANSITIONS);
        assert_eq!(printed, include_str!("../../tests/golden/session.txt"));
    }

    fn verified() -> Course {
        let mut course = Course::new();
        course.on_verified().unwrap();
        course
    }

    #[test]
    fn errors_are_retried_where_that_can_help() {
        assert_eq!(after_error(Code::Busy, 1), PhaseEvent::Retry);
        assert_eq!(after_error(Code::Busy, 0), PhaseEvent::Fatal);
        assert_eq!(after_error(Code::AccessDenied, 1), PhaseEvent::Fatal);
        let mut course = verified();
        course.on_command().unwrap().unwrap();
        course.on_done(true).unwrap().unwrap();
        assert_eq!(course.on_retry().unwrap().unwrap().to, Phase::Processing);
    }

    #[test]
    fn commands_that_overlap_are_one_stretch_of_work() {
        let mut course = verified();
        assert_eq!(course.on_command().unwrap().unwrap().to, Phase::Processing);
        assert_eq!((course.on_command(), course.on_done(true)), (None, None));
        assert_eq!(course.on_done(false).unwrap().unwrap().to, Phase::Success);
    }

    #[test]
    fn a_session_ends_from_everywhere() {
        let ends = |mut course: Course, orderly| -> Vec<PhaseEvent> {
            core::iter::from_fn(|| Some(course.on_end(orderly)?.unwrap().event)).collect()
        };
        assert_eq!(ends(Course::new(), true), [PhaseEvent::Fatal]);
        assert_eq!(ends(verified(), true), [PhaseEvent::Closed]);
        assert_eq!(ends(verified(), false), [PhaseEvent::Fatal]);
        let mut working = verified();
        working.on_command();
        assert_eq!(ends(working, true), [PhaseEvent::Failed, PhaseEvent::Fatal]);
    }

    #[test]
    #[should_panic(expected = "undeclared transition: Authenticated on Complete")]
    fn nothing_ends_that_did_not_begin() {
        let _ = verified().on_done(false);
    }
}
