//! One core's way to the client's main thread.
//!
//! A client asks and is never asked: whatever a hub would want of it is denied. Events that a person or a program
//! relies on (names, warnings) wait for room in the queue, so that a slow reader of stdout slows the transfer as it
//! would with any tool; progress is dropped instead.

use super::run::Heard;
use crate::names::Names;
use crate::report::Told;
use base::codes::Code;
use base::hooks::{
    Action, Answer, Ask, Busy, Call, Decision, Effect, Event, FileAction, Hooks, Obligations, Peer, Reply,
    StoreAsk, Ticket, Trail,
};
use base::ids::{DecisionId, TransferId};
use base::io::Now;
use base::points::Point;
use ring::Waker;
use state::StateDir;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Events that go to the main thread together: it is woken once for them.
const EVENTS_MOST: usize = 256;

/// Replies of a client: receipts alone, of which there is one.
const REPLIES_MOST: usize = 4;

/// The client's hooks of one core.
pub(super) struct ClientHooks {
    to: SyncSender<Heard>,
    names: Arc<Names>,
    state: Arc<StateDir>,
    waker: Waker,
    to_here: SyncSender<(Ticket, Reply)>,
    replies: Receiver<(Ticket, Reply)>,
    /// Every name is told; else only those that failed.
    tells_names: bool,
    gathered: Vec<Told>,
}

impl ClientHooks {
    pub(super) fn new(
        to: SyncSender<Heard>,
        names: Arc<Names>,
        state: Arc<StateDir>,
        waker: Waker,
        tells_names: bool,
    ) -> Self {
        let (to_here, replies) = sync_channel(REPLIES_MOST);
        Self { to, names, state, waker, to_here, replies, tells_names, gathered: Vec::new() }
    }

    fn flush(&mut self) {
        if !self.gathered.is_empty() {
            // Only a main thread that is gone no longer takes it.
            drop(self.to.send(Heard::Told(std::mem::take(&mut self.gathered))));
        }
    }
}

/// Keeps a receipt file, durable when this returns; one that is there already stays.
///
/// # Errors
/// The disk refuses.
pub(super) fn keep_receipt(
    state: &StateDir,
    transfer: TransferId,
    bytes: &[u8],
) -> Result<std::path::PathBuf, state::DirError> {
    let name = format!("receipts/{transfer}.xr");
    let path = state.join(&name);
    if !Path::new(&path).exists() {
        state.write_file(&name, bytes, 0o600)?;
    }
    Ok(path)
}

fn told(event: &Event<'_>) -> Option<Told> {
    Some(match event {
        Event::File {
            path, kind, action, size, root, bytes_sent, bytes_resumed, bytes_reused, code, ..
        } => Told::File {
            path: path.to_vec(),
            kind: *kind,
            action: *action,
            size: *size,
            root: *root,
            bytes_sent: *bytes_sent,
            bytes_resumed: *bytes_resumed,
            bytes_reused: *bytes_reused,
            code: *code,
        },
        Event::Progress { bytes, bytes_total, files, files_total, limiting, .. } => Told::Progress {
            bytes: *bytes,
            bytes_total: *bytes_total,
            files: *files,
            files_total: *files_total,
            limiting: *limiting,
        },
        Event::Warning { code, message, path } => {
            Told::Warning { code: *code, message: (*message).to_owned(), path: path.map(<[u8]>::to_vec) }
        }
        Event::Retry { what, attempt, wait_ms, code } => {
            Told::Retry { what, attempt: *attempt, wait_ms: *wait_ms, code: *code }
        }
        Event::SessionUp { .. }
        | Event::SessionDown { .. }
        | Event::Refused { .. }
        | Event::Ended { .. }
        | Event::Decided { .. } => {
            return None;
        }
    })
}

impl Hooks for ClientHooks {
    fn generation(&self) -> u32 {
        0
    }

    fn decide(&mut self, ask: &Ask<'_>, _: Now) -> Decision {
        let effect = if ask.action == Action::Connect { Effect::Allow } else { Effect::Deny };
        Decision {
            id: DecisionId::default(),
            effect,
            code: Code::AccessDenied,
            reason: "a client serves nothing".into(),
            generation: 0,
            until_ms: u64::MAX,
            obligations: Obligations::NONE,
            trail: Trail::default(),
        }
    }

    fn request(&mut self, _: Ticket, _: &Peer, _: &Call<'_>) -> Answer {
        Answer::Now(Reply::Error { code: Code::NotFound, message: "a client serves nothing".to_owned() })
    }

    fn store(&mut self, ticket: Ticket, ask: StoreAsk) -> Result<(), Busy> {
        let reply = |reply: Reply| self.to_here.try_send((ticket, reply)).map_err(|_| Busy);
        match ask {
            StoreAsk::Psk(_) => reply(Reply::Psk(None))?,
            StoreAsk::Receipt { transfer, bytes } => {
                let (state, to, waker) = (self.state.clone(), self.to_here.clone(), self.waker.clone());
                let keep = move || {
                    let reply = match keep_receipt(&state, transfer, &bytes) {
                        Ok(_) => Reply::Success(None),
                        Err(error) => Reply::Error { code: Code::Io, message: error.to_string() },
                    };
                    let _ = to.try_send((ticket, reply));
                    waker.wake();
                };
                // A sync may take long, and a core does not wait.
                std::thread::Builder::new().name("receipt".to_owned()).spawn(keep).map_err(|_| Busy)?;
                return Ok(());
            }
            StoreAsk::Stored(_) => reply(Reply::Refused(Vec::new()))?,
        }
        self.waker.wake();
        Ok(())
    }

    fn poll(&mut self, out: &mut Vec<(Ticket, Reply)>) {
        out.extend(self.replies.try_iter());
    }

    fn event(&mut self, event: &Event<'_>) {
        if let Event::File { action, .. } = event
            && !self.tells_names
            && *action != FileAction::Failed
        {
            return;
        }
        match told(event) {
            Some(told @ Told::Progress { .. }) => drop(self.to.try_send(Heard::Told(vec![told]))),
            Some(told) => self.gathered.push(told),
            None => {}
        }
        if self.gathered.len() >= EVENTS_MOST {
            self.flush();
        }
    }

    fn turned(&mut self) {
        self.flush();
    }

    fn owner_name(&self, id: u32, group: bool) -> Option<Arc<str>> {
        self.names.name(id, group)
    }

    fn owner_id(&self, name: &str, group: bool) -> Option<u32> {
        self.names.id(name, group)
    }

    fn reach(&mut self, point: Point) {
        crate::crash::reach(point);
    }
}
