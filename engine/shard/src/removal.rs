//! Removes names as `disk::delete` plans it, a portion at a time.
//!
//! Removals of one portion run in one batch. A directory whose listing has not ended keeps its descriptor
//! while what is in it goes, so that the listing goes on where it was.

use crate::dirs::{DirId, Dirs};
use crate::place::stat_in;
use crate::tools::Core;
use base::entry::Kind;
use base::hooks::Hooks;
use base::io::{Act, ActOut, Errno, Fd, How, Io};
use base::name::{Name, RelPath, is_reserved, join};
use disk::delete::{DeleteStep, DeleteWalk, Protect, Removed};
use disk::paths::ReservedName;
use disk::publish::StepId;
use disk::resume::{Known, sweep_staged};
use std::collections::BTreeSet;

/// What is done with the steps of a walk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Nothing: they are counted and reported.
    Dry,
    /// Names that the sender lacks go.
    Delete,
    /// What a user named goes.
    Named,
}

/// A walk under way.
pub(crate) struct Removal {
    walk: DeleteWalk,
    mode: Mode,
    root: Fd,
    /// What paths of the walk lie below, beneath `root`.
    base: Vec<u8>,
    /// Directories whose listing goes on, the innermost last.
    listings: Vec<(Vec<u8>, Fd)>,
    /// Where names are being removed.
    here: Option<(Vec<u8>, DirId)>,
    /// Directories beneath `root` that are still there and from which names went.
    touched: BTreeSet<Vec<u8>>,
}

/// Names of one portion, with their kinds.
type Portion = Vec<(u8, Box<[u8]>)>;

impl Removal {
    pub(crate) fn new(walk: DeleteWalk, mode: Mode, root: Fd, base: Vec<u8>) -> Self {
        Self { walk, mode, root, base, listings: Vec::new(), here: None, touched: BTreeSet::new() }
    }

    /// Does the next portion and reports what became of names. `true`: it is over.
    pub(crate) fn step<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dirs: &mut Dirs,
        protect: &mut Protect<'_>,
        ended: &mut Vec<Removed>,
    ) -> bool {
        let most = core.settings.limits.acts_inline_max as usize;
        let mut batch = core.batch();
        let mut ids: Vec<StepId> = Vec::new();
        for _ in 0..most {
            let Some((id, step)) = self.walk.next() else { break };
            match step {
                DeleteStep::Reach(point) if self.mode == Mode::Delete => core.reach(point),
                DeleteStep::Reach(_) => {}
                DeleteStep::List { dir, bytes_max } => {
                    let dir = dir.as_bytes().to_vec();
                    let listed = self.list(core, &dir, bytes_max);
                    let more = listed.as_ref().is_ok_and(|(_, more)| *more);
                    let names = listed.as_ref().map_err(|errno| *errno);
                    let names = names.map(|(names, _)| names.iter().map(|(kind, name)| (*kind, &**name)));
                    self.walk.on_listed(id, names, more, protect);
                }
                DeleteStep::Remove { .. } if self.mode == Mode::Dry => self.walk.on_removed(id, Ok(())),
                DeleteStep::Remove { dir, name, directory } => {
                    let dir = whole(&self.base, dir.as_bytes());
                    let name = batch.name(name);
                    match self.directory(core, dirs, dir) {
                        Ok(dir) => {
                            batch.push(Act::Remove { dir, name, directory });
                            ids.push(id);
                        }
                        Err(errno) => self.walk.on_removed(id, Err(errno)),
                    }
                }
            }
        }
        if !ids.is_empty() {
            core.io.act(&mut batch);
        }
        for (at, id) in ids.into_iter().enumerate() {
            let result = batch.results.get(at).copied().unwrap_or(Err(Errno::IO));
            self.walk.on_removed(id, result.map(drop));
        }
        core.recycle(batch);
        while let Some(removed) = self.walk.report() {
            self.touch(&removed);
            ended.push(removed);
        }
        if self.walk.is_over() {
            self.close(core, dirs);
        }
        self.walk.is_over()
    }

    /// How many names are gone, or would be.
    pub(crate) fn removed(&self) -> u64 {
        self.walk.removed()
    }

    /// The walk's limit spared names.
    pub(crate) fn is_limited(&self) -> bool {
        self.walk.over_limit() > 0
    }

    /// Directories beneath the root whose names changed.
    pub(crate) fn take_touched(&mut self) -> BTreeSet<Vec<u8>> {
        core::mem::take(&mut self.touched)
    }

    /// Lets go of every descriptor.
    pub(crate) fn close<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, dirs: &mut Dirs) {
        for (_, fd) in self.listings.drain(..) {
            core.close_now(fd);
        }
        if let Some((_, dir)) = self.here.take() {
            dirs.release(dir);
        }
    }

    /// The directory `path` beneath the root; its descriptor is good until the directories settle.
    fn directory<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dirs: &mut Dirs,
        path: Vec<u8>,
    ) -> Result<Fd, Errno> {
        if let Some((here, dir)) = &self.here
            && *here == path
        {
            return dirs.fd(core, *dir);
        }
        let dir = dirs.add(self.root, path.clone(), None);
        if let Some((_, left)) = self.here.replace((path, dir)) {
            dirs.release(left);
        }
        dirs.fd(core, dir)
    }

    /// The next names of a directory of the walk, and whether there are more.
    fn list<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dir: &[u8],
        bytes_max: u32,
    ) -> Result<(Portion, bool), Errno> {
        let fd = match self.listings.last() {
            Some((open, fd)) if open == dir => *fd,
            _ => self.open(core, dir)?,
        };
        let mut batch = core.batch();
        batch.push(Act::List { dir: fd, bytes_max });
        core.io.act(&mut batch);
        let listed = match batch.results.first() {
            Some(Ok(ActOut::Names { text, more })) => {
                Ok((batch.names_of(*text).map(|(kind, name)| (kind, name.into())).collect(), *more))
            }
            Some(Err(errno)) => Err(*errno),
            _ => Err(Errno::IO),
        };
        core.recycle(batch);
        let listed = listed.map(|(names, more)| (self.look_at(core, fd, names), more));
        if !matches!(listed, Ok((_, true))) {
            self.listings.pop();
            core.close_now(fd);
        }
        listed
    }

    /// Opens a directory of the walk to be listed from its beginning.
    fn open<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, dir: &[u8]) -> Result<Fd, Errno> {
        if self.listings.len() >= core.settings.limits.directories_open_max as usize {
            return Err(Errno::MFILE);
        }
        let path = whole(&self.base, dir);
        let path = RelPath::new(&path).map_err(|_| Errno::INVAL)?;
        let root = self.root;
        let fd = core.open(|batch| {
            let path = batch.path(path);
            Act::Open { dir: root, path, how: How::Directory }
        })?;
        self.listings.push((dir.to_vec(), fd));
        Ok(fd)
    }

    /// Names as they were listed, but for those of our own that nobody came back for, which go here and now.
    /// A dry run meets no refusal that tells a directory, so it asks where the listing does not say.
    fn look_at<I: Io, H: Hooks>(&self, core: &mut Core<I, H>, dir: Fd, mut names: Portion) -> Portion {
        match self.mode {
            Mode::Named => {}
            Mode::Delete => {
                names.retain(|(_, name)| !is_reserved(name) || sweep_idle(core, dir, name).is_none());
            }
            Mode::Dry => {
                for (kind, name) in names.iter_mut().filter(|(kind, _)| *kind == 0) {
                    let stat = Name::new(name).ok().and_then(|name| stat_in(core, dir, Some(name)).ok());
                    *kind = stat.and_then(|stat| stat.kind).map_or(0, |kind| kind as u8);
                }
            }
        }
        names
    }

    fn touch(&mut self, removed: &Removed) {
        if self.mode != Mode::Delete || removed.result.is_err() {
            return;
        }
        let path = whole(&self.base, &removed.path);
        if removed.kind == Some(Kind::Directory) {
            self.touched.remove(&path);
        }
        let parent = path.iter().rposition(|&byte| byte == b'/').map_or(&b""[..], |at| &path[..at]);
        if !self.touched.contains(parent) {
            self.touched.insert(parent.to_vec());
        }
    }
}

/// A path of the walk, beneath the root.
fn whole(base: &[u8], path: &[u8]) -> Vec<u8> {
    if path.is_empty() { base.to_vec() } else { join(base, path) }
}

/// Removes what an earlier run staged and nobody came back for; `None`: it stays.
pub(crate) fn sweep_idle<I: Io, H: Hooks>(core: &mut Core<I, H>, dir: Fd, name: &[u8]) -> Option<()> {
    let staged = ReservedName::parse(name)?;
    let stat = stat_in(core, dir, Some(staged.as_name())).ok()?;
    let limits = core.limits();
    if !sweep_staged(&staged, &stat, Known::Unknown, core.now.utc_ms, &limits) {
        return None;
    }
    // What cannot be removed is met again.
    let removed = core.act(|batch| {
        let name = batch.name(staged.as_name());
        Act::Remove { dir, name, directory: false }
    });
    removed.ok().map(drop)
}
