//! A part journal: kept for a rerun, or swept with its part.

use super::scan::Scan;
use super::{Anchor, Fate, Next, Opened, anchor, warn};
use crate::ops::{Finish, Owner};
use crate::place::{open_directory, stat_in};
use crate::tools::Core;
use base::codes::Code;
use base::entry::Stat;
use base::hooks::Hooks;
use base::ids::PartId;
use base::io::{Act, Errno, Fd, Io, Op};
use base::name::{Name, RelPath};
use disk::journal::{Begin, End, Record};
use disk::paths::part_name;
use disk::resume::{Sweep, is_idle, sweep_part_journal};

pub(super) struct PartWork {
    opened: Opened,
    phase: Phase,
}

enum Phase {
    Scan(Box<Scan>),
    /// Of a file written in place: the rest is read for its marks.
    Marks {
        scan: Box<Scan>,
        begin: Begin,
        torn: bool,
    },
    Begun(Begin),
    /// The part is removed; its directory is being synced.
    Removed(Fd),
    Over(Fate),
}

impl PartWork {
    pub(super) fn new<I: Io, H: Hooks>(core: &Core<I, H>, opened: Opened) -> Self {
        let scan = Scan::new(core, opened.kind, opened.fd);
        Self { opened, phase: Phase::Scan(Box::new(scan)) }
    }

    pub(super) fn opened(self) -> Opened {
        self.opened
    }

    pub(super) fn close<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        if let Phase::Removed(dir) = self.phase {
            core.close(dir);
            self.phase = Phase::Over(Fate::Keep);
        }
    }

    pub(super) fn step<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        anchors: &[Anchor],
        patient: bool,
    ) -> Next {
        loop {
            self.phase = match core::mem::replace(&mut self.phase, Phase::Over(Fate::Keep)) {
                Phase::Scan(mut scan) => match scan.next_record() {
                    Some((_, Record::Begin(begin))) if begin.in_place => {
                        Phase::Marks { scan, begin, torn: false }
                    }
                    Some((_, Record::Begin(begin))) => Phase::Begun(begin),
                    None if !scan.is_over() => {
                        let next = scan.read(core);
                        self.phase = Phase::Scan(scan);
                        return next;
                    }
                    _ => Phase::Over(self.without_begin(core, *scan)),
                },
                Phase::Marks { mut scan, begin, mut torn } => {
                    while let Some((_, record)) = scan.next_record() {
                        match record {
                            Record::Torn { .. } => torn = true,
                            Record::Whole { .. } => torn = false,
                            _ => {}
                        }
                    }
                    if !scan.is_over() {
                        let next = scan.read(core);
                        self.phase = Phase::Marks { scan, begin, torn };
                        return next;
                    }
                    match scan.finish() {
                        // The file was never touched, or is whole again: nobody needs the marks.
                        Ok(_) if !torn => Phase::Over(Fate::Remove),
                        _ => Phase::Begun(begin),
                    }
                }
                Phase::Begun(begin) => match self.sweep(core, anchors, &begin) {
                    Err(Errno::AGAIN) if patient => {
                        self.phase = Phase::Begun(begin);
                        return Next::Later;
                    }
                    Ok(phase) => phase,
                    // What cannot be looked at is not judged.
                    Err(_) => Phase::Over(Fate::Keep),
                },
                Phase::Removed(file) => {
                    self.phase = Phase::Removed(file);
                    core.start(Owner::Recovery, Op::Sync { file, data_only: false });
                    return Next::Wait;
                }
                Phase::Over(fate) => return Next::Over(fate),
            };
        }
    }

    pub(super) fn on_op<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, finish: Finish<I::Buf>) {
        match &mut self.phase {
            Phase::Scan(scan) | Phase::Marks { scan, .. } => scan.on_read(&finish),
            Phase::Removed(dir) => {
                core.close(*dir);
                let fate = if finish.result.is_ok() { Fate::Remove } else { Fate::Keep };
                self.phase = Phase::Over(fate);
            }
            Phase::Begun(_) | Phase::Over(_) => {}
        }
    }

    fn without_begin<I: Io, H: Hooks>(&self, core: &mut Core<I, H>, scan: Scan) -> Fate {
        let journal = Some((self.opened.kind, self.opened.id));
        match scan.finish() {
            Ok(scanned) => match scanned.end {
                End::Newer { .. } => {
                    warn(
                        core,
                        Code::Version,
                        "a journal was written by a newer version; it is kept",
                        journal,
                    );
                    Fate::Keep
                }
                End::Clean | End::Torn | End::NoHead => Fate::Remove,
            },
            Err(errno) => {
                let message = "a journal of an earlier run cannot be read; it is kept";
                warn(core, Code::from_errno(errno), message, journal);
                Fate::Keep
            }
        }
    }

    fn sweep<I: Io, H: Hooks>(
        &self,
        core: &mut Core<I, H>,
        anchors: &[Anchor],
        begin: &Begin,
    ) -> Result<Phase, Errno> {
        let limits = core.limits();
        let (now_ms, mtime) = (core.now.utc_ms, self.opened.stat.mtime);
        let Some(root) = anchor(anchors, &begin.anchor) else {
            let fate = if is_idle(mtime, now_ms, &limits) { Fate::Remove } else { Fate::Keep };
            return Ok(Phase::Over(fate));
        };
        let path = RelPath::new(&begin.entry.path).map_err(|_| Errno::INVAL)?;
        let Some((above, name)) = path.split() else { return Ok(Phase::Over(Fate::Remove)) };
        let staged = part_name(PartId(self.opened.id));
        let name = if begin.in_place { name } else { staged.as_name() };
        let dir = match open_directory(core, root, above) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(Phase::Over(Fate::Remove)),
            dir => dir?,
        };
        let phase = self.judge(core, dir, name, begin, mtime);
        if !matches!(phase, Ok(Phase::Removed(_))) {
            core.close(dir);
        }
        phase
    }

    fn judge<I: Io, H: Hooks>(
        &self,
        core: &mut Core<I, H>,
        dir: Fd,
        name: Name<'_>,
        begin: &Begin,
        mtime: base::entry::FileTime,
    ) -> Result<Phase, Errno> {
        let part: Option<Stat> = match stat_in(core, dir, Some(name)) {
            Ok(stat) => Some(stat),
            Err(Errno::NOENT) => None,
            Err(errno) => return Err(errno),
        };
        let limits = core.limits();
        match sweep_part_journal(Some(begin), part.as_ref(), mtime, core.now.utc_ms, &limits) {
            Sweep::Keep => Ok(Phase::Over(Fate::Keep)),
            Sweep::Journal => Ok(Phase::Over(Fate::Remove)),
            Sweep::PartAndJournal => {
                core.act(|batch| {
                    let name = batch.name(name);
                    Act::Remove { dir, name, directory: false }
                })?;
                Ok(Phase::Removed(dir))
            }
        }
    }
}
