//! The declared state machines of a session (V6), its requests (P3) and its link (C7), as this core drives them.
//!
//! The machines are `proto`'s; whoever owns one moves it here and tells [`Hooks::stepped`] of each step. A step that a
//! machine's list does not have panics in a build with debug assertions, and ends the session in any other.

use crate::command::Failure;
use crate::control::failure;
use crate::link::{LinkId, Role};
use crate::links::Links;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Hooks, Step};
use base::ids::SessionId;
use base::io::Io;
use core::fmt::Debug;
use proto::message::{MessageId, Requests};
use proto::session::phase::{Course, PhaseStep};
use proto::session::transition::{Row, Undeclared};

/// Name of the machine of a link that is kept up.
pub(crate) const LINK: &str = "link";
/// Name of a request's machine.
pub(crate) const REQUEST: &str = "request";
const SESSION: &str = "session";

/// What a peer and a log hear of a step that the list does not have.
pub(crate) const UNDECLARED: &str = "a step that the protocol does not have: a fault of this program";

/// Tells of a step.
pub(crate) fn told<I: Io, H: Hooks, S: Debug, E: Debug>(
    core: &mut Core<I, H>,
    machine: &'static str,
    session: Option<SessionId>,
    row: &Row<S, E>,
) {
    core.hooks.stepped(&Step { machine, session, from: &row.from, event: &row.event, to: &row.to });
}

/// What a job ends with after a step that the list does not have.
pub(crate) fn fault(_: Undeclared) -> Failure {
    failure(Code::InternalError, UNDECLARED)
}

/// A reply came: the asking side's last three steps in one. `false`: one of them the list does not have.
pub(crate) fn answered<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    asked: &mut Requests,
    id: MessageId,
    error: bool,
) -> bool {
    let steps: [&dyn Fn(&mut Requests) -> _; 3] =
        [&|asked| asked.on_taken(id), &|asked| asked.on_reply(id, error), &|asked| asked.on_complete(id)];
    steps.iter().all(|step| match step(asked) {
        Ok(row) => {
            told(core, REQUEST, None, &row);
            true
        }
        Err(_) => false,
    })
}

impl<B: AsMut<[u8]> + AsRef<[u8]>> Links<B> {
    /// The handshake of a session verified its peer.
    pub(crate) fn on_session<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        self.moved(core, id, |course| Some(course.on_verified()));
    }

    /// A command of a session is taken up: a request until its reply, a transfer until its end.
    pub(crate) fn on_command<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        self.moved(core, id, Course::on_command);
    }

    /// A command that was refused is taken up once more.
    pub(crate) fn on_retry<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        self.moved(core, id, Course::on_retry);
    }

    /// A command of a session ended, well or `failed`. A session that is over knows already.
    pub(crate) fn on_done<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        failed: bool,
    ) {
        if self.find(id).is_some_and(|link| link.is_up()) {
            self.moved(core, id, |course| course.on_done(failed));
        }
    }

    /// A session is over: `orderly`, when both ends are done with each other.
    pub(crate) fn on_over<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        orderly: bool,
    ) {
        // A connection that never came about was no session.
        if self.find(id).is_some_and(|link| link.socket.0 >= 0) {
            while self.moved(core, id, |course| course.on_end(orderly)) {}
        }
    }

    /// Moves a session's machine; whether it made a step.
    fn moved<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        step: impl FnOnce(&mut Course) -> Option<PhaseStep>,
    ) -> bool {
        let Some(link) = self.find_mut(id).filter(|link| link.role == Role::Control) else { return false };
        let session = link.session;
        match step(&mut link.course) {
            None => false,
            Some(Ok(row)) => {
                told(core, SESSION, session, &row);
                true
            }
            Some(Err(Undeclared)) => {
                self.fail(core, id, Code::InternalError, UNDECLARED);
                false
            }
        }
    }
}
