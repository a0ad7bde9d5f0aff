//! What earlier runs left in STATE/journal, before this one does anything.
//!
//! ```text
//! list -> each .xt: lock, scan, cut, roll forward -> each .xj: lock, scan, sweep -> sync STATE/journal
//! ```
//!
//! One journal at a time and one operation in flight. A journal that another command has locked is that
//! command's; one whose anchor is not held here is left for whoever holds it, until it is idle. A fault is
//! reported and stops nothing: it leaves a part's journal for the next start and sets a transfer's aside. What
//! that one did not finish was never acknowledged, and to finish it later could put an older version over one
//! that came meanwhile. Doing it twice does what doing it once does.

mod part;
mod scan;
mod transfer;

use crate::command::{Job, JobKind};
use crate::journal_file;
use crate::ops::{Finish, Owner};
use crate::place::stat_in;
use crate::settings::{Settings, Share};
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Event, Hooks};
use base::ids::CoreId;
use base::io::{Act, ActOut, Errno, Fd, How, Io, Op};
use base::name::{Name, RelPath};
use base::points::Point;
use disk::journal::{JournalKind, file_name, is_aside, parse_file_name};
use disk::resume::is_idle;
use part::PartWork;
use std::collections::VecDeque;
use transfer::TransferWork;

/// Bytes of one page of the listing.
const LIST_BYTES: u32 = 16 << 10;
/// Turns in which something is tried again that may be free later.
const PATIENCE: u32 = 64;

/// A directory that journals name their paths below.
pub(crate) struct Anchor {
    /// Share name, or the local root of a pull.
    pub(crate) text: Vec<u8>,
    /// Held open by the program.
    pub(crate) root: Fd,
}

/// What a journal's work needs next.
enum Next {
    /// An operation is in flight.
    Wait,
    /// Something is not to be had in this turn.
    Later,
    /// It is over.
    Over(Fate),
}

/// What becomes of a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Keep,
    Remove,
    /// It gets a name that no recovery reads.
    SetAside,
}

enum Work<B> {
    Transfer(Box<TransferWork<B>>),
    Part(Box<PartWork>),
    /// The directory of the journals is being synced.
    Last,
}

/// A journal that is open and locked.
struct Opened {
    kind: JournalKind,
    id: [u8; 16],
    fd: Fd,
    stat: base::entry::Stat,
}

/// Where a core stands before its own work begins.
pub(crate) enum Start<B> {
    /// It settles what earlier runs left; then the job begins, or connections are accepted.
    Recovering {
        recovery: Box<Recovery<B>>,
        job: Option<Box<Job>>,
        /// The job was ended before it began.
        cancelled: bool,
    },
    /// Another core of the daemon does.
    Waiting,
    Over,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Start<B> {
    /// The first core of a daemon recovers below its shares; a client does before a job that writes.
    pub(crate) fn new(settings: &Settings, id: CoreId) -> Self {
        if !settings.handshake.listens {
            return Self::Over;
        }
        if id != CoreId(0) {
            return Self::Waiting;
        }
        let anchor = |share: &Share| Anchor { text: share.name.as_bytes().to_vec(), root: share.root };
        let recovery = Box::new(Recovery::new(settings.shares.iter().map(anchor).collect()));
        Self::Recovering { recovery, job: None, cancelled: false }
    }

    /// What a job of a client needs before it: a pull goes on where an earlier one below its root ended.
    pub(crate) fn before(job: &Job) -> Option<Box<Recovery<B>>> {
        let JobKind::Pull { into, anchor, .. } = &job.kind else { return None };
        let anchor = Anchor { text: anchor.as_bytes().to_vec(), root: *into };
        Some(Box::new(Recovery::new(vec![anchor])))
    }

    /// Whether there is something to do without waiting.
    pub(crate) fn is_due(&self) -> bool {
        matches!(self, Self::Recovering { recovery, .. } if !recovery.in_flight)
    }
}

/// One run over the journals.
pub(crate) struct Recovery<B> {
    anchors: Vec<Anchor>,
    /// `None`: not listed yet. Transfers come first.
    journals: Option<VecDeque<(JournalKind, [u8; 16])>>,
    work: Option<Work<B>>,
    in_flight: bool,
    tries: u32,
    /// Names of journals changed.
    changed: bool,
    stopping: bool,
    over: bool,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Recovery<B> {
    pub(crate) fn new(anchors: Vec<Anchor>) -> Self {
        Self {
            anchors,
            journals: None,
            work: None,
            in_flight: false,
            tries: 0,
            changed: false,
            stopping: false,
            over: false,
        }
    }

    /// Ends as soon as nothing is in flight; the rest is the next start's.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Does all that needs no waiting.
    pub(crate) fn step<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        while !self.in_flight && !self.over {
            let patient = self.tries < PATIENCE && !self.stopping;
            let next = match &mut self.work {
                Some(work) if self.stopping => {
                    work.close(core);
                    Next::Over(Fate::Keep)
                }
                Some(Work::Transfer(work)) => work.step(core, &self.anchors, patient),
                Some(Work::Part(work)) => work.step(core, &self.anchors, patient),
                Some(Work::Last) => Next::Over(Fate::Keep),
                None => {
                    if !self.begin(core, patient) {
                        self.tries += 1;
                        return;
                    }
                    self.tries = 0;
                    continue;
                }
            };
            match next {
                Next::Wait => (self.in_flight, self.tries) = (true, 0),
                Next::Later => {
                    self.tries += 1;
                    return;
                }
                Next::Over(fate) => {
                    self.tries = 0;
                    self.end(core, fate);
                }
            }
        }
    }

    /// The operation in flight ended.
    pub(crate) fn on_op<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, finish: Finish<B>) {
        self.in_flight = false;
        match &mut self.work {
            Some(Work::Transfer(work)) => work.on_op(core, finish),
            Some(Work::Part(work)) => work.on_op(core, finish),
            Some(Work::Last) | None => {}
        }
    }

    /// Begins what comes next. `false`: it is tried again in the next turn.
    fn begin<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, patient: bool) -> bool {
        let Some(journals) = &mut self.journals else {
            match list(core) {
                Err(Errno::AGAIN) if patient => return false,
                Ok(journals) => self.journals = Some(journals),
                Err(errno) => {
                    warn(
                        core,
                        Code::from_errno(errno),
                        "the journals of earlier runs cannot be listed",
                        None,
                    );
                    self.journals = Some(VecDeque::new());
                }
            }
            return true;
        };
        let next = journals.front().copied().filter(|_| !self.stopping);
        let Some((kind, id)) = next else {
            self.finish(core);
            return true;
        };
        match open(core, kind, id) {
            Err(Errno::AGAIN) if patient => return false,
            Ok(opened) => {
                self.work = Some(match kind {
                    JournalKind::Transfer => {
                        core.reach(Point::RecoverOpened);
                        Work::Transfer(Box::new(TransferWork::new(core, opened)))
                    }
                    JournalKind::Part => Work::Part(Box::new(PartWork::new(core, opened))),
                });
            }
            // It has ended meanwhile, or a command that lives holds it.
            Err(Errno::NOENT | Errno::AGAIN) => {}
            Err(errno) if kind == JournalKind::Transfer => {
                let message = "a journal of an earlier run cannot be opened; it is set aside";
                warn(core, Code::from_errno(errno), message, Some((kind, id)));
                self.changed |= set_aside(core, kind, id);
            }
            Err(errno) => {
                let message = "a journal of an earlier run cannot be opened; it is kept";
                warn(core, Code::from_errno(errno), message, Some((kind, id)));
            }
        }
        journals.pop_front();
        true
    }

    /// Every journal was looked at.
    fn finish<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        if core::mem::take(&mut self.changed) {
            let file = core.settings.journal;
            core.start(Owner::Recovery, Op::Sync { file, data_only: false });
            self.work = Some(Work::Last);
            self.in_flight = true;
        } else {
            self.over = true;
        }
    }

    fn end<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, fate: Fate) {
        let opened = match self.work.take() {
            Some(Work::Transfer(work)) => work.opened(),
            Some(Work::Part(work)) => work.opened(),
            Some(Work::Last) => {
                core.reach(Point::RecoverSwept);
                return;
            }
            None => return,
        };
        // Its lock is still held; what cannot be removed is met again at the next start.
        self.changed |= match fate {
            Fate::Keep => false,
            Fate::Remove => journal_file::remove(core, opened.kind, opened.id).is_ok(),
            Fate::SetAside => set_aside(core, opened.kind, opened.id),
        };
        core.close(opened.fd);
    }
}

impl<B> Work<B> {
    /// Lets go of everything but the journal itself.
    fn close<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>)
    where
        B: AsRef<[u8]> + AsMut<[u8]>,
    {
        match self {
            Self::Transfer(work) => work.close(core),
            Self::Part(work) => work.close(core),
            Self::Last => {}
        }
    }
}

fn open<I: Io, H: Hooks>(core: &mut Core<I, H>, kind: JournalKind, id: [u8; 16]) -> Result<Opened, Errno> {
    let fd = journal_file::open(core, kind, id, How::Write)?;
    match core.act(|_| Act::Stat { dir: fd, name: None }) {
        Ok(ActOut::Stat(stat)) => Ok(Opened { kind, id, fd, stat }),
        other => {
            core.close(fd);
            Err(other.err().unwrap_or(Errno::IO))
        }
    }
}

/// Names of the journals, transfers first, each kind by its ids; as many as the bound on names allows.
fn list<I: Io, H: Hooks>(core: &mut Core<I, H>) -> Result<VecDeque<(JournalKind, [u8; 16])>, Errno> {
    let dir = core.settings.journal;
    // A fresh descriptor lists from the beginning.
    let fd = core.open(|batch| {
        let path = batch.path(RelPath::ROOT);
        Act::Open { dir, path, how: How::Directory }
    })?;
    let most = core.settings.limits.directory_names_bytes_max as usize / size_of::<[u8; 16]>();
    let mut found: Vec<(bool, [u8; 16])> = Vec::new();
    let mut more = Ok(true);
    while more == Ok(true) && found.len() < most {
        let mut batch = core.batch();
        batch.push(Act::List { dir: fd, bytes_max: LIST_BYTES });
        core.io.act(&mut batch);
        more = match batch.results.first() {
            Some(Ok(ActOut::Names { text, more })) => {
                let journals = batch.names_of(*text).filter_map(|(_, name)| parse_file_name(name));
                found.extend(journals.map(|(kind, id)| (kind == JournalKind::Part, id)));
                for (_, name) in batch.names_of(*text).filter(|(_, name)| is_aside(name)) {
                    sweep_aside(core, fd, name);
                }
                Ok(*more)
            }
            Some(Err(errno)) => Err(*errno),
            _ => Err(Errno::IO),
        };
        core.recycle(batch);
    }
    core.close(fd);
    more?;
    found.sort_unstable();
    let kind = |part| if part { JournalKind::Part } else { JournalKind::Transfer };
    Ok(found.into_iter().map(|(part, id)| (kind(part), id)).collect())
}

/// Sets a journal aside. `false`: it keeps its name.
fn set_aside<I: Io, H: Hooks>(core: &mut Core<I, H>, kind: JournalKind, id: [u8; 16]) -> bool {
    let set = journal_file::set_aside(core, kind, id);
    if let Err(errno) = set {
        let message = "a journal could not be set aside: remove it by hand, or an older version may come back at the next start";
        warn(core, Code::from_errno(errno), message, Some((kind, id)));
    }
    set.is_ok()
}

/// Removes a journal that was set aside long ago.
fn sweep_aside<I: Io, H: Hooks>(core: &mut Core<I, H>, dir: Fd, name: &[u8]) {
    let Ok(name) = Name::new(name) else { return };
    let limits = core.limits();
    // Its name is its inode's last change.
    let idle = stat_in(core, dir, Some(name)).is_ok_and(|stat| is_idle(stat.ctime, core.now.utc_ms, &limits));
    if idle {
        // What cannot be removed is met again.
        let _ = core.act(|batch| {
            let name = batch.name(name);
            Act::Remove { dir, name, directory: false }
        });
    }
}

fn anchor(anchors: &[Anchor], text: &[u8]) -> Option<Fd> {
    anchors.iter().find(|anchor| anchor.text == text).map(|anchor| anchor.root)
}

fn warn<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    code: Code,
    message: &'static str,
    journal: Option<(JournalKind, [u8; 16])>,
) {
    let name = journal.map(|(kind, id)| file_name(kind, id));
    let path = name.as_ref().map(|name| name.as_bytes());
    core.hooks.event(&Event::Warning { code, message, path });
}
