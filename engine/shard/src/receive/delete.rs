//! `--delete`: names that the sender lacks are found as directories are left and go once every file is in place.
//!
//! ```text
//! leave a directory -> doom          all files published -> [count -> over the limit: nothing goes] -> remove
//! ```

use super::finish::Finish;
use super::home::{Home, Level};
use crate::counted::Counting;
use crate::dirs::DirId;
use crate::guard::Guard;
use crate::links::Links;
use crate::removal::{Mode, Removal, sweep_idle};
use crate::tools::Core;
use base::codes::Code;
use base::entry::Kind;
use base::hooks::{Event, FileAction, Hooks};
use base::io::{Act, ActOut, Errno, How, Io};
use base::name::{RelPath, is_reserved, join};
use disk::delete::{DeleteWalk, Doomed, Removed, extraneous};
use proto::transfer::ack::Deletion;
use proto::wire::FrameType;

/// Bytes of one portion of a listing.
const LIST_BYTES: u32 = 64 * 1024;
/// What a doomed name costs beside its path.
const DOOMED_BYTES: u64 = 64;

/// The deletions of a transfer that has published its files.
pub(super) struct Deleting {
    removal: Removal,
    /// Names are only being counted: what goes if they are not too many.
    counted: Option<Vec<Doomed>>,
    /// The link is full of reports, or too much waits to be counted.
    waits: bool,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// Notes the names in a directory that the sender does not have.
    pub(super) fn doom<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dir: DirId,
        level: &Level,
    ) {
        let fresh = self.dirs.fd(core, dir).and_then(|fd| {
            // A fresh descriptor lists from the beginning.
            core.open(|batch| {
                let path = batch.path(RelPath::ROOT);
                Act::Open { dir: fd, path, how: How::Directory }
            })
        });
        let listed = fresh.and_then(|fd| {
            let listed = self.doom_listed(core, fd, level);
            core.close_now(fd);
            listed
        });
        // What was not seen whole is not judged.
        self.failed_reads |= listed.is_err();
    }

    fn doom_listed<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dir: base::io::Fd,
        level: &Level,
    ) -> Result<(), Errno> {
        let path = RelPath::new(&level.path).map_err(|_| Errno::INVAL)?;
        loop {
            let mut batch = core.batch();
            batch.push(Act::List { dir, bytes_max: LIST_BYTES });
            core.io.act(&mut batch);
            let (text, more) = match batch.results.first() {
                Some(Ok(ActOut::Names { text, more })) => (*text, *more),
                Some(Err(errno)) => return Err(*errno),
                _ => return Err(Errno::IO),
            };
            if !self.spec.options.dry_run {
                for (_, name) in batch.names_of(text).filter(|(_, name)| is_reserved(name)) {
                    // One that is not idle is met again.
                    let _ = sweep_idle(core, dir, name);
                }
            }
            let (known, filters) = (self.doomed.len(), &self.spec.options.filters);
            let spared = &self.spec.leave.spared;
            let destination = &self.spec.destination;
            let mut protect = |path: &[u8], directory: bool| {
                !filters.includes(path, directory) || !directory && is_spared(spared, destination, path)
            };
            extraneous(path, &level.names, batch.names_of(text), &mut protect, &mut self.doomed);
            core.recycle(batch);
            let found = self.doomed[known..].iter();
            self.doomed_bytes += found.map(|name| name.path.len() as u64 + DOOMED_BYTES).sum::<u64>();
            if self.doomed_bytes > core.settings.limits.doomed_bytes_max {
                self.doomed.truncate(known);
                self.limit_deletions();
                return Ok(());
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// More names were to be deleted than may be: both ends say so.
    fn limit_deletions(&mut self) {
        self.totals.delete_limited = true;
        self.ack_published.delete_limited = true;
    }

    /// Begins to delete; `None`: nothing is deleted.
    pub(super) fn begin_deletions<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
    ) -> Option<Deleting> {
        let doomed = core::mem::take(&mut self.doomed);
        if doomed.is_empty() {
            return None;
        }
        if self.failed_reads {
            core.hooks.event(&Event::Warning {
                code: Code::Io,
                message: "nothing was deleted: some of the source could not be read",
                path: None,
            });
            return None;
        }
        let counts = self.spec.options.delete_max.is_some() && !self.spec.options.dry_run;
        let counted = counts.then(|| doomed.clone());
        let mode = if counts || self.spec.options.dry_run { Mode::Dry } else { Mode::Delete };
        Some(Deleting { removal: self.removal(core, doomed, mode), counted, waits: false })
    }

    fn removal<I: Io<Buf = B>, H: Hooks>(
        &self,
        core: &Core<I, H>,
        doomed: Vec<Doomed>,
        mode: Mode,
    ) -> Removal {
        // A dry run names all that would go, whether the limit allows it or not.
        let most = self.spec.options.delete_max.filter(|_| mode == Mode::Delete);
        let walk = DeleteWalk::new(doomed, self.failed_reads, most, &core.settings.limits);
        Removal::new(walk, mode, self.spec.root, self.spec.destination.clone())
    }

    /// Whether deletions can go on without waiting.
    pub(super) fn may_delete(&self) -> bool {
        matches!(&self.finish, Finish::Deleting(deleting) if !deleting.waits)
    }

    /// Deletes a portion. `true`: that was the last one.
    pub(super) fn delete_on<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
    ) -> bool {
        let Finish::Deleting(mut deleting) = core::mem::take(&mut self.finish) else { return true };
        let counted = |counting: &Counting| counting.is_full(&core.settings.limits);
        deleting.waits =
            self.counting.as_ref().is_some_and(counted) || links.is_backed_up(core, self.key.link);
        let over = !deleting.waits && self.delete_portion(core, links, &mut deleting);
        if !over {
            self.finish = Finish::Deleting(deleting);
        }
        over
    }

    fn delete_portion<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        deleting: &mut Deleting,
    ) -> bool {
        let (filters, spared) = (&self.spec.options.filters, &self.spec.leave.spared);
        let destination = &self.spec.destination;
        let mut protect = |path: &[u8], directory: bool| {
            !filters.includes(path, directory) || !directory && is_spared(spared, destination, path)
        };
        let mut ended = Vec::new();
        let over = deleting.removal.step(core, &mut self.dirs, &mut protect, &mut ended);
        let most = self.spec.options.delete_max.unwrap_or(u64::MAX);
        let exceeds = deleting.removal.removed() > most || deleting.removal.is_limited();
        if deleting.counted.is_some() && (over || exceeds) {
            deleting.removal.close(core, &mut self.dirs);
            let doomed = deleting.counted.take().filter(|_| !exceeds);
            let Some(doomed) = doomed else {
                self.limit_deletions();
                return true;
            };
            deleting.removal = self.removal(core, doomed, Mode::Delete);
            return false;
        }
        if deleting.counted.is_none() {
            for removed in ended {
                self.deleted(core, links, removed);
            }
        }
        if over {
            if exceeds {
                self.limit_deletions();
            }
            self.new_parents.extend(deleting.removal.take_touched());
        }
        over
    }

    /// Counts a name that is gone, or could not be removed, and tells both ends.
    fn deleted<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        removed: Removed,
    ) {
        let Removed { path, kind, result } = removed;
        let (action, failed) = match result {
            Ok(()) => {
                self.count_gone(&path, kind);
                (FileAction::Deleted, None)
            }
            Err(code) => (FileAction::Failed, Some(code)),
        };
        self.count(core, &path, kind, action, (0, None, 0, failed));
        let deletion = Deletion { path, kind, failed };
        let limits = core.limits();
        while self.ack_published.delete(&deletion, &limits).is_err() {
            links.send_bytes(core, self.key.link, FrameType::Ack, &self.ack_published.encode());
            self.ack_published.clear();
        }
    }

    /// Lets go of what deletions hold open.
    pub(super) fn close_deletions<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        if let Finish::Deleting(deleting) = &mut self.finish {
            deleting.removal.close(core, &mut self.dirs);
        }
    }
}

/// Whether a rule of the decision about removing keeps a file.
fn is_spared(spared: &Guard, destination: &[u8], path: &[u8]) -> bool {
    !spared.is_empty() && spared.refusal(&join(destination, path), Kind::File, 0).is_some()
}
