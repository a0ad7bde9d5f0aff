//! A transfer journal: what it promised is rolled forward, what it staged and nobody names is removed.

use super::scan::Scan;
use super::{Anchor, Fate, Next, Opened, anchor, warn};
use crate::dirs::{DirId, Dirs};
use crate::ops::{Finish, Owner};
use crate::place::stat_in;
use crate::send::list;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::Hooks;
use base::ids::{TransferId, Value};
use base::io::{Act, ActOut, Errno, Fd, How, Io, Op, RenameHow};
use base::limits::DATA_AT;
use base::name::{Name, RelPath};
use base::points::Point;
use disk::journal::{End, Record, Writer};
use disk::paths::{ReservedName, Temps};
use disk::publish::{DirRef, StepId};
use disk::resume::{RollForward, RollOut, RollStep, TransferJournal, is_idle};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Files that a home takes before the first of them has its name, in seals.
const FILES_AHEAD: usize = 5;

pub(super) struct TransferWork<B> {
    opened: Opened,
    found: TransferJournal,
    /// Where it put names: share or root, and the directories below it in which it may have temps.
    anchor: Vec<u8>,
    staging: VecDeque<Vec<u8>>,
    dirs: Dirs,
    known: BTreeMap<DirRef, DirId>,
    phase: Phase,
    _slot: core::marker::PhantomData<B>,
}

enum Phase {
    Scan(Box<Scan>),
    /// What is valid of it is being synced.
    Cut {
        torn: bool,
        writer: Box<Writer>,
    },
    Roll(Box<Roll>),
    /// Temps of the transfer are removed from the directories it is known to have touched.
    Temps(Fate),
    Over(Fate),
}

struct Roll {
    machine: RollForward,
    writer: Writer,
    /// A step that could not be begun.
    waiting: Option<(StepId, Todo)>,
    /// The step whose operation is in flight.
    running: Option<(StepId, Running)>,
}

/// A step, apart from its machine.
enum Todo {
    Stat(DirRef, OwnedName),
    Hash(DirRef, ReservedName),
    HashOn(Hashing),
    Rename(DirRef, ReservedName, OwnedName, RenameHow),
    Link(DirRef, ReservedName, OwnedName),
    Discard(DirRef, ReservedName),
    SyncDir(DirRef),
    Append(u64, Vec<u8>),
    SyncJournal,
}

/// A name that outlives its machine's borrow.
struct OwnedName(Box<[u8]>);

impl OwnedName {
    fn of(name: Name<'_>) -> Self {
        Self(name.as_bytes().into())
    }

    fn as_name(&self) -> Name<'_> {
        Name::new(&self.0).expect("it was a name")
    }
}

/// What the operation in flight is for.
enum Running {
    Sync,
    Append { len: u32 },
    Hash(Hashing),
}

/// A staged file that is being hashed.
struct Hashing {
    fd: Fd,
    offset: u64,
    hasher: Box<blake3::Hasher>,
}

/// How the beginning of a step ended.
enum Begun {
    Done(Result<RollOut, Errno>),
    Running(Running),
    /// To be begun again.
    Later(Todo),
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> TransferWork<B> {
    pub(super) fn new<I: Io<Buf = B>, H: Hooks>(core: &Core<I, H>, opened: Opened) -> Self {
        let scan = Scan::new(core, opened.kind, opened.fd);
        Self {
            opened,
            found: TransferJournal::new(),
            anchor: Vec::new(),
            staging: VecDeque::new(),
            dirs: Dirs::new(core.settings.limits.directories_open_max),
            known: BTreeMap::new(),
            phase: Phase::Scan(Box::new(scan)),
            _slot: core::marker::PhantomData,
        }
    }

    pub(super) fn opened(self) -> Opened {
        self.opened
    }

    /// Lets go of everything but the journal itself.
    pub(super) fn close<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        if let Phase::Roll(roll) = &mut self.phase
            && let Some((_, Todo::HashOn(hashing))) = roll.waiting.take()
        {
            core.close(hashing.fd);
        }
        self.dirs.clear(core);
    }

    pub(super) fn step<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        anchors: &[Anchor],
        patient: bool,
    ) -> Next {
        loop {
            self.phase = match core::mem::replace(&mut self.phase, Phase::Over(Fate::Keep)) {
                Phase::Scan(mut scan) => {
                    while let Some((_, record)) = scan.next_record() {
                        self.note(core, record);
                    }
                    if !scan.is_over() {
                        let next = scan.read(core);
                        self.phase = Phase::Scan(scan);
                        return next;
                    }
                    self.on_scanned(core, anchors, *scan)
                }
                Phase::Cut { torn, writer } => {
                    self.phase = Phase::Cut { torn, writer };
                    core.start(Owner::Recovery, Op::Sync { file: self.opened.fd, data_only: false });
                    return Next::Wait;
                }
                Phase::Roll(mut roll) => match self.roll(core, anchors, &mut roll, patient) {
                    Some(next) => {
                        self.phase = Phase::Roll(roll);
                        return next;
                    }
                    None => Phase::Temps(self.on_rolled(core, &roll.machine)),
                },
                Phase::Temps(fate) => {
                    self.known.clear();
                    self.dirs.clear(core);
                    if fate != Fate::Keep {
                        self.remove_temps(core, anchors);
                    }
                    Phase::Over(fate)
                }
                Phase::Over(fate) => return Next::Over(fate),
            };
        }
    }

    pub(super) fn on_op<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, finish: Finish<B>) {
        self.phase = match core::mem::replace(&mut self.phase, Phase::Over(Fate::Keep)) {
            Phase::Scan(mut scan) => {
                scan.on_read(&finish);
                Phase::Scan(scan)
            }
            Phase::Cut { torn, writer } => match finish.result {
                Ok(_) => {
                    if torn {
                        core.reach(Point::RecoverTruncated);
                    }
                    let machine = core::mem::take(&mut self.found).roll_forward();
                    Phase::Roll(Box::new(Roll { machine, writer: *writer, waiting: None, running: None }))
                }
                Err(errno) => self.give_up(core, errno),
            },
            Phase::Roll(mut roll) => {
                roll.on_op(core, finish);
                Phase::Roll(roll)
            }
            phase => phase,
        };
    }

    fn note<I: Io<Buf = B>, H: Hooks>(&mut self, core: &Core<I, H>, record: Record) {
        match &record {
            Record::Committing(piece) => self.anchor.clone_from(&piece.anchor),
            Record::Staging(staging) => {
                self.anchor.clone_from(&staging.anchor);
                // Temps of earlier directories have their names: a home holds no more files than that at once.
                if self.staging.len() > core.settings.limits.seal_files_max as usize * FILES_AHEAD {
                    self.staging.pop_front();
                }
                self.staging.push_back(staging.path.clone());
            }
            _ => {}
        }
        self.found.apply(record);
    }

    fn on_scanned<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        anchors: &[Anchor],
        scan: Scan,
    ) -> Phase {
        let scanned = match scan.finish() {
            Ok(scanned) => scanned,
            Err(errno) => return self.give_up(core, errno),
        };
        let writer = match (scanned.end, scanned.writer) {
            (End::Newer { .. }, _) => {
                let message = "a journal was written by a newer version; it is set aside";
                warn(core, Code::Version, message, Some((self.opened.kind, self.opened.id)));
                return Phase::Over(Fate::SetAside);
            }
            // Nothing was renamed before its first sync.
            (End::NoHead, _) | (_, None) => return Phase::Over(Fate::Remove),
            (End::Clean | End::Torn, Some(writer)) => writer,
        };
        if self.found.is_settled() {
            return Phase::Temps(Fate::Remove);
        }
        if anchor(anchors, &self.anchor).is_none() {
            let idle = is_idle(self.opened.stat.mtime, core.now.utc_ms, &core.settings.limits);
            return Phase::Over(if idle { Fate::Remove } else { Fate::Keep });
        }
        let torn = scanned.valid_bytes < self.opened.stat.size;
        if torn
            && let Err(errno) = core.act(|_| Act::Resize { fd: self.opened.fd, size: scanned.valid_bytes })
        {
            return self.give_up(core, errno);
        }
        Phase::Cut { torn, writer: Box::new(writer) }
    }

    fn give_up<I: Io<Buf = B>, H: Hooks>(&self, core: &mut Core<I, H>, errno: Errno) -> Phase {
        let message = "a journal of an earlier run cannot be used; it is set aside";
        warn(core, Code::from_errno(errno), message, Some((self.opened.kind, self.opened.id)));
        Phase::Temps(Fate::SetAside)
    }

    fn on_rolled<I: Io<Buf = B>, H: Hooks>(&self, core: &mut Core<I, H>, machine: &RollForward) -> Fate {
        if machine.is_settled() {
            return Fate::Remove;
        }
        let message = "a batch of an earlier run could not be finished; its journal is set aside";
        warn(core, Code::Io, message, Some((self.opened.kind, self.opened.id)));
        Fate::SetAside
    }

    /// Temps of a transfer that is over. What is not met here goes when it has been idle long enough.
    fn remove_temps<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, anchors: &[Anchor]) {
        let Some(root) = anchor(anchors, &self.anchor) else { return };
        let temps = Temps::of(crate::receive::hash, TransferId(self.opened.id));
        let paths: BTreeSet<Vec<u8>> = self.staging.drain(..).collect();
        for path in paths {
            let id = self.dirs.add(root, path, None);
            if let Ok(dir) = self.dirs.fd(core, id) {
                for (_, name) in list(core, dir).unwrap_or_default() {
                    let temp = ReservedName::parse(&name);
                    if let Some(temp) = temp.filter(|temp| temps.include(temp)) {
                        // A failure leaves it for the sweep of what is idle.
                        let _ = discard(core, dir, &temp);
                    }
                }
            }
            self.dirs.release(id);
            self.dirs.settle(core);
        }
    }

    /// Rolls forward as far as it goes; `None` when it is over.
    fn roll<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        anchors: &[Anchor],
        roll: &mut Roll,
        patient: bool,
    ) -> Option<Next> {
        loop {
            let (id, todo) = match roll.waiting.take() {
                Some(waiting) => waiting,
                None => {
                    let (id, step) = roll.machine.next(&mut roll.writer)?;
                    match Todo::of(step) {
                        Ok(todo) => (id, todo),
                        Err(point) => {
                            core.reach(point);
                            continue;
                        }
                    }
                }
            };
            let begun = match self.begin(core, anchors, &roll.machine, todo, patient) {
                Ok(begun) => begun,
                Err(errno) => Begun::Done(Err(errno)),
            };
            match begun {
                Begun::Done(result) => roll.machine.on_done(id, result),
                Begun::Running(running) => {
                    roll.running = Some((id, running));
                    return Some(Next::Wait);
                }
                Begun::Later(todo) => {
                    roll.waiting = Some((id, todo));
                    return Some(Next::Later);
                }
            }
        }
    }

    /// Begins a step.
    ///
    /// # Errors
    /// How it failed at once.
    fn begin<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        anchors: &[Anchor],
        machine: &RollForward,
        todo: Todo,
        patient: bool,
    ) -> Result<Begun, Errno> {
        self.dirs.settle(core);
        let dir = match todo.dir().map(|dir| self.directory(core, anchors, machine, dir)) {
            Some(Err(Errno::AGAIN)) if patient => return Ok(Begun::Later(todo)),
            Some(dir) => dir?,
            None => Fd(-1),
        };
        let start = |core: &mut Core<I, H>, file, data_only| {
            core.start(Owner::Recovery, Op::Sync { file, data_only });
            Ok(Begun::Running(Running::Sync))
        };
        match todo {
            Todo::SyncDir(_) => start(core, dir, false),
            Todo::SyncJournal => start(core, self.opened.fd, true),
            Todo::Stat(_, name) => {
                let stat = stat_in(core, dir, Some(name.as_name()))?;
                Ok(Begun::Done(Ok(RollOut::Stat(stat))))
            }
            Todo::Rename(_, temp, name, how) => nothing(core.act(|batch| {
                let (from, to) = (batch.name(temp.as_name()), batch.name(name.as_name()));
                Act::Rename { from_dir: dir, from, to_dir: dir, to, how }
            })),
            Todo::Link(_, temp, name) => nothing(core.act(|batch| {
                let (from, to) = (batch.name(temp.as_name()), batch.name(name.as_name()));
                Act::Link { from_dir: dir, from, to_dir: dir, to }
            })),
            Todo::Discard(_, temp) => nothing(discard(core, dir, &temp)),
            Todo::Hash(at, temp) => {
                let opened = core.open(|batch| {
                    let path = batch.path(RelPath::from(temp.as_name()));
                    Act::Open { dir, path, how: How::Read }
                });
                match opened {
                    Err(Errno::AGAIN) if patient => Ok(Begun::Later(Todo::Hash(at, temp))),
                    opened => {
                        let hashing = Hashing { fd: opened?, offset: 0, hasher: Box::default() };
                        Ok(hashing.read(core))
                    }
                }
            }
            Todo::HashOn(hashing) => Ok(hashing.read(core)),
            Todo::Append(offset, bytes) => {
                let Some(mut buf) = core.io.take() else {
                    return Ok(Begun::Later(Todo::Append(offset, bytes)));
                };
                let room = buf.as_mut().get_mut(..bytes.len()).ok_or(Errno::NOSPC)?;
                room.copy_from_slice(&bytes);
                let (file, len) = (self.opened.fd, bytes.len() as u32);
                core.start(Owner::Recovery, Op::Write { file, offset, buf, at: 0, len, uncached: false });
                Ok(Begun::Running(Running::Append { len }))
            }
        }
    }

    fn directory<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        anchors: &[Anchor],
        machine: &RollForward,
        dir: DirRef,
    ) -> Result<Fd, Errno> {
        let id = match self.known.get(&dir) {
            Some(id) => *id,
            None => {
                let (text, path) = machine.directory(dir);
                let root = anchor(anchors, text).ok_or(Errno::ACCES)?;
                let id = self.dirs.add(root, path.as_bytes().to_vec(), None);
                self.known.insert(dir, id);
                id
            }
        };
        self.dirs.fd(core, id)
    }
}

impl Hashing {
    fn read<I: Io, H: Hooks>(self, core: &mut Core<I, H>) -> Begun {
        let Some(buf) = core.io.take() else { return Begun::Later(Todo::HashOn(self)) };
        let (file, offset, len) = (self.fd, self.offset, core.settings.limits.record_bytes);
        core.start(Owner::Recovery, Op::Read { file, offset, buf, at: DATA_AT, len, uncached: false });
        Begun::Running(Running::Hash(self))
    }
}

impl Roll {
    fn on_op<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, finish: Finish<I::Buf>) {
        let Some((id, running)) = self.running.take() else { return };
        let result = match (running, finish.result) {
            (Running::Hash(hashing), result) => match (result, &finish.slot) {
                (Ok(count), Some(slot)) if count > 0 => {
                    let Hashing { fd, offset, mut hasher } = hashing;
                    hasher.update(&slot.as_ref()[DATA_AT as usize..(DATA_AT + count) as usize]);
                    let hashing = Hashing { fd, offset: offset + u64::from(count), hasher };
                    self.waiting = Some((id, Todo::HashOn(hashing)));
                    return;
                }
                (result, _) => {
                    core.close(hashing.fd);
                    result.map(|_| RollOut::Root(Value(*hashing.hasher.finalize().as_bytes())))
                }
            },
            (Running::Append { len }, Ok(count)) if count < len => Err(Errno::NOSPC),
            (Running::Append { .. } | Running::Sync, result) => result.map(|_| RollOut::Nothing),
        };
        self.machine.on_done(id, result);
    }
}

impl Todo {
    /// Of a step; a point that is passed is no step.
    fn of(step: RollStep<'_>) -> Result<Self, Point> {
        Ok(match step {
            RollStep::Stat { dir, name } => Self::Stat(dir, OwnedName::of(name)),
            RollStep::Hash { dir, temp } => Self::Hash(dir, temp),
            RollStep::Rename { dir, temp, name, how } => Self::Rename(dir, temp, OwnedName::of(name), how),
            RollStep::Link { dir, temp, name } => Self::Link(dir, temp, OwnedName::of(name)),
            RollStep::Discard { dir, temp } => Self::Discard(dir, temp),
            RollStep::SyncDir(dir) => Self::SyncDir(dir),
            RollStep::Append { offset, bytes } => Self::Append(offset, bytes),
            RollStep::SyncJournal => Self::SyncJournal,
            RollStep::Reach(point) => return Err(point),
        })
    }

    /// The directory it is about.
    fn dir(&self) -> Option<DirRef> {
        match self {
            Self::Stat(dir, _) | Self::Hash(dir, _) | Self::Rename(dir, ..) => Some(*dir),
            Self::Link(dir, ..) | Self::Discard(dir, _) | Self::SyncDir(dir) => Some(*dir),
            Self::HashOn(_) | Self::Append(..) | Self::SyncJournal => None,
        }
    }
}

fn discard<I: Io, H: Hooks>(core: &mut Core<I, H>, dir: Fd, temp: &ReservedName) -> Result<ActOut, Errno> {
    core.act(|batch| {
        let name = batch.name(temp.as_name());
        Act::Remove { dir, name, directory: false }
    })
}

fn nothing(result: Result<ActOut, Errno>) -> Result<Begun, Errno> {
    Ok(Begun::Done(result.map(|_| RollOut::Nothing)))
}
