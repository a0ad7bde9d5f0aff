//! Entries against the destination: what is missing, what differs, what may stay.

use super::home::{Directory, Home, Level, Place};
use super::journal::Journal;
use super::stage::Incoming;
use crate::digest::Digest;
use crate::dirs::DirId;
use crate::links::Links;
use crate::ops::{Finish, Owner};
use crate::place::stat_in;
use crate::send::read_link;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Entry, Kind, Stat};
use base::hooks::{FileAction, Hooks};
use base::ids::{FileIndex, Value};
use base::io::{Act, ActOut, Errno, How, Io};
use base::limits::Limits;
use base::name::{Name, RelPath, join};
use disk::meta::{self, LocalOwner};
use proto::transfer::chunk::Chunks;
use proto::transfer::offer::Existing;
use proto::transfer::want::{Verdict, Want};
use proto::wire::FrameType;

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// Answers entries, a batch a step, while nothing is being re-hashed.
    pub(super) fn compare<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        let limits = core.limits();
        self.digest_on(core);
        if !self.may_compare(&limits) {
            return;
        }
        let Some((batch, mut at)) = self.batches.pop_front() else { return };
        let number = self.key.number;
        let mut want = Want::new(number, FileIndex(batch.first + at as u32));
        let mut stats = self.stat_ahead(core, &batch.entries[at..]);
        while at < batch.entries.len() {
            let index = FileIndex(batch.first + at as u32);
            let entry = &batch.entries[at];
            let ahead = stats.pop().flatten();
            let owner = self.local_owner(core, entry, &batch);
            let root = batch.roots.get(at).copied();
            let Some(verdict) = self.verdict(core, index, entry, root, owner, ahead) else {
                // A part of an earlier run, or what is there, is being hashed; the rest is answered after it.
                self.batches.push_front((batch, at));
                return self.send_want(core, links, &want);
            };
            if want.push(&verdict, &limits).is_err() {
                let next = Want::new(number, index);
                let full = core::mem::replace(&mut want, next);
                self.send_want(core, links, &full);
                if want.push(&verdict, &limits).is_err() {
                    return self.fail(Code::InternalError, "a verdict that fits no message".to_owned());
                }
            }
            at += 1;
        }
        if batch.end {
            self.leave_levels(core, None);
        }
        self.send_want(core, links, &want);
    }

    /// Whether entries wait and nothing holds their answer back.
    pub(super) fn may_compare(&self, limits: &Limits) -> bool {
        !self.batches.is_empty()
            && self.resume.is_none()
            && self.digest.is_none()
            && self.files.len() <= limits.seal_files_max as usize * 4
    }

    /// Stats of entries that lie in directories already open, many at a time; `None`: stat it by itself.
    /// The result is in reverse, to be popped.
    fn stat_ahead<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        entries: &[Entry],
    ) -> Vec<Option<Result<Stat, Errno>>> {
        let mut results: Vec<Option<Result<Stat, Errno>>> = vec![None; entries.len()];
        let Some(Level { path, place: Place::Here(dir), fresh: false, .. }) = self.levels.last() else {
            results.reverse();
            return results;
        };
        let (path, dir) = (path.clone(), *dir);
        let Ok(fd) = self.dirs.fd(core, dir) else {
            results.reverse();
            return results;
        };
        let most = core.settings.limits.acts_inline_max as usize;
        let mut done = 0;
        while done < entries.len() {
            let mut batch = core.batch();
            for entry in entries[done..].iter().take(most) {
                let Some((parent, name)) = RelPath::new(&entry.path).ok().and_then(|path| path.split())
                else {
                    break;
                };
                if parent.as_bytes() != path || entry.kind == Kind::Directory {
                    break;
                }
                let name = batch.name(name);
                batch.push(Act::Stat { dir: fd, name: Some(name) });
            }
            let count = batch.len();
            if count > 0 {
                core.io.act(&mut batch);
            }
            for (slot, result) in results[done..].iter_mut().zip(&batch.results) {
                *slot = Some(match result {
                    Ok(ActOut::Stat(stat)) => Ok(*stat),
                    Ok(_) => Err(Errno::IO),
                    Err(errno) => Err(*errno),
                });
            }
            core.recycle(batch);
            if count < most {
                break;
            }
            done += count;
        }
        results.reverse();
        results
    }

    fn local_owner<I: Io<Buf = B>, H: Hooks>(
        &self,
        core: &Core<I, H>,
        entry: &Entry,
        batch: &proto::transfer::entries::EntriesBatch,
    ) -> LocalOwner {
        let map = |id, group| {
            let named = batch.owner_name(id, group).and_then(|name| core.hooks.owner_id(name, group));
            named.unwrap_or(id)
        };
        let options = &self.meta_options;
        LocalOwner {
            uid: options.owner.then(|| map(entry.uid, false)),
            gid: options.group.then(|| map(entry.gid, true)),
        }
    }

    /// What is wanted of one entry; `None` while a part is being re-hashed.
    fn verdict<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        entry: &Entry,
        root: Option<Value>,
        owner: LocalOwner,
        ahead: Option<Result<Stat, Errno>>,
    ) -> Option<Verdict> {
        let parent = match self.parent_of(core, &entry.path) {
            Place::Here(dir) => dir,
            Place::Absent => {
                self.note_level(entry, Place::Absent);
                self.count(core, &entry.path, entry.kind, FileAction::Created, (entry.size, None, 0, None));
                return Some(if entry.kind == Kind::Directory { Verdict::Made } else { Verdict::All });
            }
            Place::Refused(code) => {
                self.note_level(entry, Place::Refused(code));
                return Some(self.refuse(core, entry, code));
            }
        };
        let full = self.place_of(entry);
        if full.is_empty() {
            return Some(self.share_root(core, entry, parent, owner));
        }
        if entry.kind != Kind::Directory {
            let own = RelPath::new(&entry.path).ok().and_then(|path| path.split());
            if let Some((_, name)) = own {
                self.note_name(name.as_bytes());
            }
            if let Some(words) = self.refusal(entry).map(str::to_owned) {
                return Some(self.deny(core, entry, Code::AccessDenied, &words));
            }
        }
        let (parent, moved, ahead) = match self.elsewhere(core, entry) {
            None => (parent, false, ahead),
            Some(Place::Here(dir)) => (dir, true, None),
            Some(Place::Refused(code)) => return Some(self.refuse(core, entry, code)),
            Some(Place::Absent) => {
                self.count(core, &entry.path, entry.kind, FileAction::Created, (entry.size, None, 0, None));
                return Some(Verdict::All);
            }
        };
        let verdict = self.verdict_in(core, index, entry, root, owner, (parent, &full, moved), ahead);
        if moved {
            self.dirs.release(parent);
        }
        verdict
    }

    /// What is wanted of one entry whose directory is there.
    #[allow(clippy::too_many_arguments)]
    fn verdict_in<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        entry: &Entry,
        root: Option<Value>,
        owner: LocalOwner,
        (parent, full, moved): (DirId, &[u8], bool),
        ahead: Option<Result<Stat, Errno>>,
    ) -> Option<Verdict> {
        let name = match RelPath::new(full).ok().and_then(|path| path.split()) {
            Some((_, name)) => Box::<[u8]>::from(name.as_bytes()),
            None => return Some(self.refuse(core, entry, Code::BadPath)),
        };
        let fresh = self.levels.last().is_some_and(|level| level.fresh);
        let looked = match ahead {
            Some(ahead) => ahead,
            None if fresh && !moved => Err(Errno::NOENT),
            None => self.stat(core, parent, &name),
        };
        let stat = match looked {
            Ok(stat) => Some(stat),
            Err(Errno::NOENT) => None,
            Err(errno) => return Some(self.refuse(core, entry, Code::from_errno(errno))),
        };
        match entry.kind {
            Kind::Directory => Some(self.directory(core, entry, parent, &name, owner, stat)),
            Kind::Symlink => Some(self.symlink(core, index, entry, parent, name, owner, stat)),
            Kind::File => self.file(core, index, entry, root, parent, name, owner, stat),
        }
    }

    fn stat<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dir: DirId,
        name: &[u8],
    ) -> Result<Stat, Errno> {
        let fd = self.dirs.fd(core, dir)?;
        let name = Name::new(name).map_err(|_| Errno::INVAL)?;
        stat_in(core, fd, Some(name))
    }

    /// The directory an entry lies in; directories that are over are left.
    fn parent_of<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, path: &[u8]) -> Place {
        let parent =
            RelPath::new(path).ok().and_then(|path| path.split()).map(|(parent, _)| parent.as_bytes());
        match parent {
            None => {
                // The transfer's root itself: it lies in the parent of the destination.
                let destination = self.spec.destination.clone();
                let above = RelPath::new(&destination).ok().and_then(|path| path.split());
                let above = above.map_or(Vec::new(), |(parent, _)| parent.as_bytes().to_vec());
                self.made_directory(core, &above)
            }
            Some(parent) => {
                self.leave_levels(core, Some(parent));
                if let Some(level) = self.levels.last() {
                    return level.place;
                }
                let destination = self.spec.destination.clone();
                let place = self.made_directory(core, &destination);
                self.levels.push(Level {
                    path: Vec::new(),
                    place,
                    fresh: false,
                    sent: false,
                    names: Vec::new(),
                });
                place
            }
        }
    }

    /// The directory `path` below the share's root, made with its parents where it is not there.
    pub(super) fn made_directory<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        path: &[u8],
    ) -> Place {
        let root = self.spec.root;
        let mut above: Vec<u8> = Vec::new();
        let mut dir = self.dirs.add(root, Vec::new(), None);
        let Ok(whole) = RelPath::new(path) else { return Place::Refused(Code::BadPath) };
        for name in whole.components() {
            let made = match self.open_or_make(core, dir, name, 0o777 & !self.meta_options.umask) {
                Ok(Some((fd, _))) => fd,
                Ok(None) => return Place::Absent,
                Err(code) => return Place::Refused(code),
            };
            above = join(&above, name.as_bytes());
            self.dirs.release(dir);
            dir = self.dirs.add(root, above.clone(), Some(made));
        }
        Place::Here(dir)
    }

    /// Opens a directory, or makes it and opens it; whether it was made. `None`: a dry run would make it.
    fn open_or_make<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dir: DirId,
        name: Name<'_>,
        mode: u32,
    ) -> Result<Option<(base::io::Fd, bool)>, Code> {
        let fd = self.dirs.fd(core, dir).map_err(Code::from_errno)?;
        let open = |core: &mut Core<I, H>| {
            core.open(|batch| {
                let path = batch.path(RelPath::from(name));
                Act::Open { dir: fd, path, how: How::Directory }
            })
        };
        match open(core) {
            Ok(found) => {
                // An earlier run may have made it and ended before its name was synced.
                if self.spec.durability.syncs() && !self.spec.options.dry_run {
                    self.new_parents.insert(self.dirs.path(dir).to_vec());
                }
                return Ok(Some((found, false)));
            }
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(Code::from_errno(errno)),
        }
        if self.spec.options.dry_run {
            return Ok(None);
        }
        let made = core.act(|batch| {
            let name = batch.name(name);
            Act::MakeDir { dir: fd, name, mode }
        });
        match made {
            Ok(_) => drop(self.new_parents.insert(self.dirs.path(dir).to_vec())),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(Code::from_errno(errno)),
        }
        open(core).map(|fd| Some((fd, made.is_ok()))).map_err(Code::from_errno)
    }

    /// The root itself is the destination: it is there. A share's metadata is the operator's, a client's own
    /// directory gets the source's.
    fn share_root<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        entry: &Entry,
        root: DirId,
        owner: LocalOwner,
    ) -> Verdict {
        if entry.kind != Kind::Directory {
            return self.refuse(core, entry, Code::Conflict);
        }
        let here = self.dirs.fd(core, root).and_then(|fd| stat_in(core, fd, None)).ok();
        let applied = meta::applied(entry, owner, here.as_ref(), &self.meta_options).meta;
        let differs = here.is_some_and(|here| meta::differs(&applied, &here));
        self.note_level(entry, Place::Here(root));
        if self.spec.own_root && !self.spec.options.dry_run {
            self.directories.push(Directory { path: Vec::new(), meta: applied });
        }
        let (action, verdict) = match self.spec.own_root && differs {
            true => (FileAction::Metadata, Verdict::Metadata),
            false => (FileAction::Unchanged, Verdict::Nothing),
        };
        self.count(core, &entry.path, entry.kind, action, (0, None, 0, None));
        verdict
    }

    fn directory<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        entry: &Entry,
        parent: DirId,
        name: &[u8],
        owner: LocalOwner,
        stat: Option<Stat>,
    ) -> Verdict {
        let Ok(checked) = Name::new(name) else { return self.refuse(core, entry, Code::BadPath) };
        if stat.is_some_and(|stat| stat.kind != Some(Kind::Directory)) {
            self.note_level(entry, Place::Refused(Code::Conflict));
            return self.refuse(core, entry, Code::Conflict);
        }
        let options = &self.meta_options;
        let applied = meta::applied(entry, owner, stat.as_ref(), options).meta;
        let action = match &stat {
            None => FileAction::Created,
            Some(stat) if meta::differs(&applied, stat) => FileAction::Metadata,
            Some(_) => FileAction::Unchanged,
        };
        let mode = meta::working_mode(entry.mode);
        let mut fresh = false;
        let place = match self.open_or_make(core, parent, checked, mode) {
            Ok(Some((fd, made))) => {
                fresh = made;
                let (base, path) = self.dirs.below(parent, name);
                let path_copy = path.clone();
                if !self.spec.options.dry_run {
                    // Children change its mtime, so it is set at the end even where it is right.
                    self.directories.push(Directory { path: path_copy, meta: applied });
                }
                Place::Here(self.dirs.add(base, path, Some(fd)))
            }
            Ok(None) => Place::Absent,
            Err(code) => {
                self.note_level(entry, Place::Refused(code));
                return self.refuse(core, entry, code);
            }
        };
        self.note_level(entry, place);
        if let Some(level) = self.levels.last_mut() {
            level.fresh = fresh;
        }
        self.count(core, &entry.path, entry.kind, action, (0, None, 0, None));
        match action {
            FileAction::Created => Verdict::Made,
            FileAction::Metadata => Verdict::Metadata,
            _ => Verdict::Nothing,
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn symlink<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        entry: &Entry,
        parent: DirId,
        name: Box<[u8]>,
        owner: LocalOwner,
        stat: Option<Stat>,
    ) -> Verdict {
        let target = match &stat {
            Some(stat) if stat.kind == Some(Kind::Symlink) => {
                let target = self.dirs.fd(core, parent).and_then(|fd| {
                    let name = Name::new(&name).map_err(|_| Errno::INVAL)?;
                    read_link(core, fd, name)
                });
                target.ok()
            }
            _ => None,
        };
        let verdict = meta::verdict(entry, owner, stat.as_ref(), target.as_deref(), None, &self.meta_options);
        let verdict = match verdict {
            // A link's own owner and times are set by making it anew.
            meta::Verdict::Metadata => meta::Verdict::Content,
            other => other,
        };
        self.decide(core, index, entry, parent, name, owner, stat, verdict).unwrap_or(Verdict::Nothing)
    }

    #[allow(clippy::too_many_arguments)]
    fn file<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        entry: &Entry,
        root: Option<Value>,
        parent: DirId,
        name: Box<[u8]>,
        owner: LocalOwner,
        stat: Option<Stat>,
    ) -> Option<Verdict> {
        let same = match (root, &stat) {
            (Some(root), Some(stat)) if stat.kind == Some(Kind::File) && stat.size == entry.size => {
                Some(entry.size == 0 || self.content_of(core, index, parent, &name, stat.size)? == Some(root))
            }
            _ => None,
        };
        let verdict = meta::verdict(entry, owner, stat.as_ref(), None, same, &self.meta_options);
        self.decide(core, index, entry, parent, name, owner, stat, verdict)
    }

    /// Root of what is there; the outer `None`: it is being read, ask again. The inner `None`: it cannot be read.
    fn content_of<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        dir: DirId,
        name: &[u8],
        size: u64,
    ) -> Option<Option<Value>> {
        if let Some((_, root)) = self.digested.take_if(|(of, _)| *of == index) {
            return Some(root);
        }
        let opened = self.dirs.fd(core, dir).and_then(|dir| {
            let name = Name::new(name).map_err(|_| Errno::INVAL)?;
            core.open(|batch| {
                let path = batch.path(RelPath::from(name));
                Act::Open { dir, path, how: How::Read }
            })
        });
        let Ok(fd) = opened else { return Some(None) };
        self.digest = Some((index, Digest::new(fd, size)));
        self.digest_on(core);
        None
    }

    /// Goes on reading what is there.
    pub(super) fn digest_on<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let owner =
            Owner::Receive { link: self.key.link, number: self.key.number, tag: super::home::TAG_DIGEST };
        if let Some((_, digest)) = &mut self.digest {
            digest.read_on(core, owner);
        }
    }

    /// A read of what is there ended.
    pub(super) fn on_digest<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, finish: Finish<B>) {
        let Some((index, digest)) = &mut self.digest else { return };
        let (index, ended) = (*index, digest.on_read(&finish));
        drop(finish);
        let Some(result) = ended else { return self.digest_on(core) };
        if let Some((_, digest)) = self.digest.take() {
            core.close(digest.fd);
        }
        self.digested = Some((index, result.ok()));
    }

    /// From the comparison to the answer.
    #[allow(clippy::too_many_arguments)]
    fn decide<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        entry: &Entry,
        parent: DirId,
        name: Box<[u8]>,
        owner: LocalOwner,
        stat: Option<Stat>,
        verdict: meta::Verdict,
    ) -> Option<Verdict> {
        let applied = meta::applied(entry, owner, stat.as_ref(), &self.meta_options).meta;
        match (verdict, self.spec.options.existing, &stat) {
            (meta::Verdict::Blocked, ..) => return Some(self.refuse(core, entry, Code::Conflict)),
            (meta::Verdict::Same, ..) | (_, Existing::Keep, Some(_)) => {
                if verdict == meta::Verdict::Same {
                    self.drop_part(core, entry, parent);
                }
                self.count(core, &entry.path, entry.kind, FileAction::Unchanged, (entry.size, None, 0, None));
                return Some(Verdict::Nothing);
            }
            (_, Existing::Create, Some(_)) => return Some(self.refuse(core, entry, Code::Conflict)),
            (meta::Verdict::Metadata, ..) => {
                if !self.spec.options.dry_run
                    && let Err(errno) = self.set_meta(core, parent, &name, applied)
                {
                    return Some(self.refuse(core, entry, Code::from_errno(errno)));
                }
                self.count(core, &entry.path, entry.kind, FileAction::Metadata, (entry.size, None, 0, None));
                return Some(Verdict::Metadata);
            }
            (meta::Verdict::Content, _, Some(_)) if self.place_of(entry) != self.full_path(&entry.path) => {
                let words = "something else is stored there already";
                return Some(self.deny(core, entry, Code::Conflict, words));
            }
            (meta::Verdict::Content, ..) => {}
        }
        let replaced = stat.is_some();
        if self.spec.options.dry_run {
            let action = if replaced { FileAction::Replaced } else { FileAction::Created };
            self.count(core, &entry.path, entry.kind, action, (entry.size, None, 0, None));
            return Some(if replaced { Verdict::Replace } else { Verdict::All });
        }
        if let Some(words) = self.over_limit(1, entry.size) {
            return Some(self.deny(core, entry, Code::TooLarge, &words));
        }
        if let Some(words) = self.over_stored(entry, stat.as_ref()) {
            return Some(self.deny(core, entry, Code::TooLarge, &words));
        }
        self.bytes_wanted += entry.size;
        self.files_wanted += 1;
        if entry.kind == Kind::File && Chunks::of(entry, &core.settings.limits).is_err() {
            return Some(self.refuse(core, entry, Code::TooLarge));
        }
        self.dirs.keep(parent);
        let incoming = Incoming::new(entry.clone(), parent, name, applied, stat);
        self.want_file(core, index, incoming)
    }

    fn set_meta<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dir: DirId,
        name: &[u8],
        meta: base::entry::Meta,
    ) -> Result<(), Errno> {
        let fd = self.dirs.fd(core, dir)?;
        let name = Name::new(name).map_err(|_| Errno::INVAL)?;
        core.act(|batch| {
            let name = Some(batch.name(name));
            Act::SetMeta { dir: fd, name, meta }
        })?;
        Ok(())
    }

    pub(super) fn refuse<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        entry: &Entry,
        code: Code,
    ) -> Verdict {
        self.count(core, &entry.path, entry.kind, FileAction::Failed, (entry.size, None, 0, Some(code)));
        Verdict::Refused(code)
    }

    /// A directory entry becomes the innermost level.
    fn note_level(&mut self, entry: &Entry, place: Place) {
        if entry.kind != Kind::Directory {
            return;
        }
        if let Some((_, name)) = RelPath::new(&entry.path).ok().and_then(|path| path.split()) {
            self.note_name(name.as_bytes());
        }
        self.levels.push(Level {
            path: entry.path.clone(),
            place,
            fresh: false,
            sent: true,
            names: Vec::new(),
        });
    }

    /// The sender has this name in the innermost directory.
    fn note_name(&mut self, name: &[u8]) {
        if self.spec.options.delete
            && let Some(level) = self.levels.last_mut()
            && level.names.last().is_none_or(|last| **last != *name)
        {
            level.names.push(name.into());
        }
    }

    /// Leaves directories that `parent` is not in; `None`: all of them.
    fn leave_levels<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, parent: Option<&[u8]>) {
        while let Some(level) = self.levels.last() {
            if parent == Some(&level.path[..]) {
                return;
            }
            let Some(level) = self.levels.pop() else { return };
            if let Place::Here(dir) = level.place {
                if self.spec.options.delete && level.sent {
                    self.doom(core, dir, &level);
                }
                self.dirs.release(dir);
            }
        }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// Sends a Want once its temps may be made.
    fn send_want<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        want: &Want,
    ) {
        if want.count() > 0 {
            self.wants.push_back(want.encode());
            self.send_wants(core, links);
        }
    }

    /// Makes the symlinks and sends the Wants that waited until their directories were in the journal.
    pub(super) fn send_wants<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
    ) {
        if self.publisher.journal.as_ref().is_some_and(Journal::is_busy) {
            return;
        }
        for index in core::mem::take(&mut self.symlinks) {
            self.make_symlink(core, index);
        }
        while let Some(want) = self.wants.pop_front() {
            links.send_bytes(core, self.key.link, FrameType::Want, &want);
        }
    }

    /// Answers the first entry that is not answered by itself.
    pub(super) fn answer_one<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        index: FileIndex,
        verdict: &Verdict,
    ) {
        let mut want = Want::new(self.key.number, index);
        // One verdict always fits: its ranges are widened until they do.
        let _ = want.push(verdict, &core.settings.limits);
        self.send_want(core, links, &want);
        let Some((batch, at)) = self.batches.front_mut() else { return };
        *at += 1;
        if *at == batch.entries.len() {
            let end = batch.end;
            self.batches.pop_front();
            if end {
                self.leave_levels(core, None);
            }
        }
    }
}
