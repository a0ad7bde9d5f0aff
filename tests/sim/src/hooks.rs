//! `base::hooks::Hooks` of a simulated process: rules from a script, a store in memory, every report kept.
//!
//! The [`Office`] of a machine outlives its processes, as a store on disk does; each core has a
//! [`SimHooks`] on it. Replies of the store come after a random time, with a wake, as from another thread.

use crate::books::Books;
use crate::io::Line;
use crate::world::At;
use base::codes::Code;
use base::hooks::{
    Answer, Ask, Busy, Call, Decision, Effect, Event, FileAction, Frame, Hooks, Obligations, Peer, Psk,
    Record, Reply, Step, StoreAsk, Ticket, Trail,
};
use base::ids::{DecisionId, PskId, SessionId, TransferId, Value};
use base::io::Now;
use base::points::Point;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// A rule that denies; `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Denial {
    /// Name of the action, as [`base::hooks::Action::name`] spells it.
    pub action: Option<&'static str>,
    /// Share.
    pub root: Option<String>,
    /// Account.
    pub account: Option<String>,
}

/// A report of a core, as kept.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)] // the fields are those of `base::hooks::Event`
pub enum Seen {
    SessionUp {
        peer: Peer,
    },
    Ended {
        /// Which transfer.
        transfer: TransferId,
        /// Why it failed.
        code: Option<Code>,
    },
    /// A session ended.
    SessionDown {
        peer: Peer,
        code: Option<Code>,
    },
    Refused {
        code: Code,
        detail: String,
    },
    File {
        transfer: TransferId,
        path: Vec<u8>,
        action: FileAction,
        size: u64,
        root: Option<Value>,
        bytes_sent: u64,
        bytes_resumed: u64,
        code: Option<Code>,
    },
    Progress {
        transfer: TransferId,
        bytes: u64,
        files: u64,
    },
    Warning {
        code: Code,
        message: String,
        path: Option<Vec<u8>>,
    },
    Retry {
        what: &'static str,
        attempt: u32,
        wait_ms: u64,
        code: Code,
    },
    Decided {
        account: Arc<str>,
        action: String,
        root: String,
        effect: Effect,
    },
}

impl Seen {
    fn of(event: &Event<'_>) -> Self {
        match *event {
            Event::SessionUp { peer } => Self::SessionUp { peer: peer.clone() },
            Event::SessionDown { peer, code } => Self::SessionDown { peer: peer.clone(), code },
            Event::Refused { code, detail, .. } => Self::Refused { code, detail: detail.into() },
            Event::File { transfer, path, action, size, root, bytes_sent, bytes_resumed, code, .. } => {
                let path = path.to_vec();
                Self::File { transfer, path, action, size, root, bytes_sent, bytes_resumed, code }
            }
            Event::Progress { transfer, bytes, files, .. } => Self::Progress { transfer, bytes, files },
            Event::Warning { code, message, path } => {
                Self::Warning { code, message: message.into(), path: path.map(<[u8]>::to_vec) }
            }
            Event::Retry { what, attempt, wait_ms, code } => Self::Retry { what, attempt, wait_ms, code },
            Event::Ended { transfer, code, .. } => Self::Ended { transfer, code },
            Event::Decided { peer, action, root, decision, .. } => Self::Decided {
                account: Arc::clone(&peer.account),
                action: action.into(),
                root: root.into(),
                effect: decision.effect,
            },
        }
    }
}

/// A small frame of a transfer as a core sealed or opened it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenFrame {
    /// Sealed; else opened.
    pub sent: bool,
    /// The session.
    pub session: SessionId,
    /// Number of its type.
    pub kind: u16,
    /// Its data.
    pub data: Vec<u8>,
}

/// What the other threads of a machine's process know; kept over restarts.
#[derive(Default)]
pub struct Office {
    /// Generation of the rules; raise it after changing them.
    pub generation: u32,
    /// Rules that deny; all else is allowed.
    pub denials: Vec<Denial>,
    /// What is enforced on what is allowed; `None`: nothing.
    pub obligations: Option<Obligations>,
    /// Join secrets.
    pub secrets: BTreeMap<PskId, Psk>,
    /// What accounts store, where that is counted.
    pub books: Option<Books>,
    /// Receipts kept.
    pub receipts: BTreeMap<TransferId, Box<[u8]>>,
    /// Replies to requests, by protocol; any other protocol is not found.
    pub replies: BTreeMap<String, Reply>,
    /// Names of owners.
    pub owners: BTreeMap<u32, Arc<str>>,
    /// Names of groups.
    pub groups: BTreeMap<u32, Arc<str>>,
    /// Reports, in order.
    pub seen: Vec<(At, Seen)>,
    /// Steps of state machines, in order: which machine, and the step as the goldens spell it.
    pub steps: Vec<(&'static str, String)>,
    /// Frames, in order; whoever judges takes them.
    pub frames: Vec<SeenFrame>,
    /// Records sealed, in order; whoever judges takes them.
    pub sealed: Vec<Record>,
    /// How often the store or a protocol had no room.
    pub busy: u64,
    /// How often each crash point was passed.
    pub reached: BTreeMap<Point, u64>,
}

/// A handle of an office.
pub type SharedOffice = Rc<RefCell<Office>>;

/// One core's hooks.
pub struct SimHooks {
    line: Line,
    office: SharedOffice,
    /// Asked and not answered.
    waiting: u32,
    waiting_max: u32,
}

impl SimHooks {
    /// Hooks of the core that `line` belongs to; `waiting_max` is `Limits::hook_queue_max`.
    pub fn new(line: Line, office: SharedOffice, waiting_max: u32) -> Self {
        Self { line, office, waiting: 0, waiting_max }
    }

    fn denies(&self, ask: &Ask<'_>) -> bool {
        self.office.borrow().denials.iter().any(|rule| {
            rule.action.is_none_or(|action| action == ask.action.name())
                && rule.root.as_deref().is_none_or(|root| root == ask.root)
                && rule.account.as_deref().is_none_or(|account| *account == *ask.subject.account)
        })
    }

    fn later(&mut self, ticket: Ticket, reply: Reply) -> bool {
        if self.waiting >= self.waiting_max {
            self.office.borrow_mut().busy += 1;
            return false;
        }
        self.waiting += 1;
        self.line.answer(ticket, reply);
        true
    }
}

impl Hooks for SimHooks {
    fn generation(&self) -> u32 {
        self.office.borrow().generation
    }

    fn decide(&mut self, ask: &Ask<'_>, _now: Now) -> Decision {
        let denied = self.denies(ask);
        let office = self.office.borrow();
        Decision {
            id: DecisionId::default(),
            effect: if denied { Effect::Deny } else { Effect::Allow },
            code: Code::AccessDenied,
            reason: Arc::from(if denied { "a denial of the script" } else { "the default" }),
            generation: office.generation,
            until_ms: u64::MAX,
            obligations: office.obligations.clone().unwrap_or(Obligations::NONE),
            trail: Trail::default(),
        }
    }

    fn request(&mut self, ticket: Ticket, _from: &Peer, call: &Call<'_>) -> Answer {
        let reply = self.office.borrow().replies.get(call.protocol).cloned();
        match reply {
            Some(reply) => {
                if self.later(ticket, reply) {
                    Answer::Later
                } else {
                    Answer::Busy
                }
            }
            None => Answer::Now(Reply::Error {
                code: Code::NotFound,
                message: format!("no protocol {}", call.protocol),
            }),
        }
    }

    fn store(&mut self, ticket: Ticket, ask: StoreAsk) -> Result<(), Busy> {
        if self.waiting >= self.waiting_max {
            self.office.borrow_mut().busy += 1;
            return Err(Busy);
        }
        let reply = match ask {
            StoreAsk::Psk(id) => {
                let now = self.line.world().now(self.line.at().end);
                let found = self.office.borrow().secrets.get(&id).cloned();
                Reply::Psk(found.filter(|psk| psk.expires_ms > now.utc_ms))
            }
            StoreAsk::Receipt { transfer, bytes } => {
                self.office.borrow_mut().receipts.insert(transfer, bytes);
                Reply::Success(None)
            }
            StoreAsk::Stored(change) => {
                let mut office = self.office.borrow_mut();
                office.books.as_mut().expect("only what is counted is asked about").take(&change);
                Reply::Refused(Vec::new())
            }
        };
        self.later(ticket, reply);
        Ok(())
    }

    fn stored_bytes(&self, _root: &str, _account: &str) -> Option<u64> {
        self.office.borrow().books.as_ref().map(Books::bytes)
    }

    fn recovered(&mut self) {
        let end = self.line.at().end;
        if let Some(books) = &mut self.office.borrow_mut().books {
            self.line.world().disk(end, |disk| books.settle(disk));
        }
    }

    fn poll(&mut self, out: &mut Vec<(Ticket, Reply)>) {
        let came = self.line.take_answers();
        self.waiting -= came.len() as u32;
        out.extend(came);
    }

    fn sealing(&mut self, record: &Record) {
        if self.line.is_alive() {
            self.office.borrow_mut().sealed.push(*record);
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        // A process that died in this turn seals frames that nobody will see.
        if self.line.is_alive() {
            let Frame { sent, session, kind, data } = *frame;
            self.office.borrow_mut().frames.push(SeenFrame { sent, session, kind, data: data.to_vec() });
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        self.office.borrow_mut().seen.push((self.line.at(), Seen::of(event)));
    }

    fn stepped(&mut self, step: &Step<'_>) {
        if self.line.is_alive() {
            let Step { machine, from, event, to, .. } = *step;
            self.office.borrow_mut().steps.push((machine, format!("{from:?} -- {event:?} -> {to:?}")));
        }
    }

    fn owner_name(&self, id: u32, group: bool) -> Option<Arc<str>> {
        let office = self.office.borrow();
        let names = if group { &office.groups } else { &office.owners };
        names.get(&id).cloned()
    }

    fn owner_id(&self, name: &str, group: bool) -> Option<u32> {
        let office = self.office.borrow();
        let names = if group { &office.groups } else { &office.owners };
        names.iter().find(|(_, known)| ***known == *name).map(|(&id, _)| id)
    }

    fn reach(&mut self, point: Point) {
        if !self.line.is_alive() {
            return;
        }
        *self.office.borrow_mut().reached.entry(point).or_default() += 1;
        self.line.reach(point);
    }
}
