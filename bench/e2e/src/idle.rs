//! Sessions that do nothing but live.

use crate::Shared;
use crate::session::Session;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::path::Path;

/// How long one look at all of them waits.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Opens a session for each state, waits for the clock, answers pings until the run is over.
pub(crate) fn hold(shared: &Shared, states: &[&Path]) {
    let mut sessions = Vec::with_capacity(states.len());
    for state in states {
        match Session::open(shared.to, state) {
            Ok(session) => sessions.push(session),
            Err(why) => shared.failed(format!("idle session {}: {why}", sessions.len())),
        }
    }
    shared.gate.wait();
    shared.gate.wait();
    while !shared.is_over() {
        let mut watched: Vec<PollFd<'_>> =
            sessions.iter().map(|session| PollFd::new(&session.socket, PollFlags::IN)).collect();
        if poll(&mut watched, Some(&LOOK)).unwrap_or(0) == 0 {
            continue;
        }
        let ready: Vec<bool> = watched.iter().map(|one| !one.revents().is_empty()).collect();
        let mut gone = Vec::new();
        for (index, session) in sessions.iter_mut().enumerate().filter(|(index, _)| ready[*index]) {
            if let Err(why) = session.one() {
                shared.failed(format!("idle session: {why}"));
                gone.push(index);
            }
        }
        for index in gone.into_iter().rev() {
            sessions.swap_remove(index);
        }
    }
}
