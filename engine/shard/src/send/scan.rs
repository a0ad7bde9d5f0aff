//! The walk over the sources: entries in wire order, in bounded memory.
//!
//! Depth first, a directory before its children, siblings by bytes. One directory's names are held per
//! level; stats are taken in batches.

use super::ruled::Origins;
use crate::command::{Failure, Source};
use crate::dirs::{DirId, Dirs};
use crate::place::stat_in;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Entry, Kind, Stat};
use base::hooks::Hooks;
use base::io::{Act, ActOut, Errno, Fd, How, Io};
use base::name::{Name, RelPath, join};
use proto::transfer::chunk::chunk_log2_for;
use proto::transfer::offer::Options;
use std::collections::VecDeque;

/// Where a file can be opened again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// Its directory; the place is one of its users.
    pub(crate) dir: DirId,
    /// Its name there.
    pub(crate) name: Box<[u8]>,
}

/// One step of the walk.
#[derive(Debug)]
pub(crate) enum Found {
    /// An entry; files have a place.
    Entry(Entry, Option<Place>),
    /// Left out on purpose, worth a warning.
    Skipped { path: Vec<u8>, why: &'static str },
    /// Could not be read.
    Failed { path: Vec<u8>, code: Code },
}

/// One directory that is being walked.
struct Level {
    dir: DirId,
    /// Path of its entry; children are `path/name`.
    path: Vec<u8>,
    /// Names, sorted by bytes.
    names: Vec<Box<[u8]>>,
    next: usize,
    /// Stats of `names[next..next + stats.len()]`.
    stats: VecDeque<Result<Stat, Errno>>,
}

/// The walk.
pub(crate) struct Scan {
    sources: VecDeque<Source>,
    levels: Vec<Level>,
    options: Options,
    /// Directories this deep are listed, deeper ones only named.
    pub(crate) levels_max: usize,
    /// A directory or name could not be read: nothing may be deleted at the other end.
    pub(crate) failed_reads: bool,
}

/// Bytes of one portion of a listing.
const LIST_BYTES: u32 = 64 * 1024;

impl Scan {
    /// A walk over `sources`, which must be sorted by name.
    pub(crate) fn new(sources: Vec<Source>, options: Options) -> Self {
        Self {
            sources: sources.into(),
            levels: Vec::new(),
            options,
            levels_max: usize::MAX,
            failed_reads: false,
        }
    }

    /// The next thing found; `None` at the end.
    pub(crate) fn next<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, dirs: &mut Dirs) -> Option<Found> {
        loop {
            let Some(level) = self.levels.last_mut() else {
                let source = self.sources.pop_front()?;
                if let Some(found) = self.begin(core, dirs, source) {
                    return Some(found);
                }
                continue;
            };
            if level.next == level.names.len() {
                let dir = level.dir;
                self.levels.pop();
                dirs.release(dir);
                continue;
            }
            if level.stats.is_empty() {
                stat_ahead(core, dirs, level);
            }
            let Some(stat) = level.stats.pop_front() else { continue };
            let name = core::mem::take(&mut level.names[level.next]);
            level.next += 1;
            let (dir, path) = (level.dir, join(&level.path, &name));
            if let Some(found) = self.visit(core, dirs, dir, name, path, stat) {
                return Some(found);
            }
        }
    }

    /// Closes what is open.
    pub(crate) fn abandon(&mut self, dirs: &mut Dirs) {
        for level in self.levels.drain(..) {
            dirs.release(level.dir);
        }
        self.sources.clear();
    }

    fn begin<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dirs: &mut Dirs,
        source: Source,
    ) -> Option<Found> {
        let path = source.name.clone();
        let failed = |code| Some(Found::Failed { path: source.path.clone(), code });
        let Ok(whole) = RelPath::new(&source.path) else { return failed(Code::BadPath) };
        let Some((parent, name)) = whole.split() else {
            return self.begin_base(core, dirs, source.base, path);
        };
        let dir = dirs.add(source.base, parent.as_bytes().to_vec(), None);
        let stat = dirs.fd(core, dir).and_then(|fd| stat_in(core, fd, Some(name)));
        let found = self.visit(core, dirs, dir, name.as_bytes().into(), path, stat);
        dirs.release(dir);
        found
    }

    /// The base directory itself is the source.
    fn begin_base<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dirs: &mut Dirs,
        base: Fd,
        path: Vec<u8>,
    ) -> Option<Found> {
        let dir = dirs.add(base, Vec::new(), None);
        let found = match dirs.fd(core, dir).and_then(|fd| stat_in(core, fd, None)) {
            Ok(stat) => {
                let entry = entry_of(Kind::Directory, path.clone(), &stat, Vec::new());
                dirs.keep(dir);
                match self.descend(core, dirs, dir, path.clone()) {
                    Ok(()) => Found::Entry(entry, None),
                    Err(code) => Found::Failed { path, code },
                }
            }
            Err(errno) => Found::Failed { path, code: Code::from_errno(errno) },
        };
        dirs.release(dir);
        Some(found)
    }

    fn visit<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dirs: &mut Dirs,
        dir: DirId,
        name: Box<[u8]>,
        path: Vec<u8>,
        stat: Result<Stat, Errno>,
    ) -> Option<Found> {
        let stat = match stat {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Some(Found::Failed { path, code: Code::Vanished }),
            Err(errno) => {
                self.failed_reads = true;
                return Some(Found::Failed { path, code: Code::from_errno(errno) });
            }
        };
        let directory = stat.kind == Some(Kind::Directory);
        if !path.is_empty() && !self.options.filters.includes(&path, directory) {
            return None;
        }
        match stat.kind {
            Some(Kind::Directory) if !self.options.recursive => {
                Some(Found::Skipped { path, why: "a directory; -r copies it" })
            }
            Some(Kind::Directory) => Some(self.enter(core, dirs, dir, &name, path, &stat)),
            Some(Kind::Symlink) if !self.options.links => {
                Some(Found::Skipped { path, why: "a symbolic link; -l keeps it" })
            }
            Some(Kind::Symlink) => Some(self.link(core, dirs, dir, &name, path, &stat)),
            Some(Kind::File) => {
                let limits = core.settings.limits.clone();
                let Ok(chunk_log2) = chunk_log2_for(stat.size, &limits) else {
                    return Some(Found::Failed { path, code: Code::TooLarge });
                };
                let mut entry = entry_of(Kind::File, path, &stat, Vec::new());
                entry.chunk_log2 = chunk_log2;
                dirs.keep(dir);
                Some(Found::Entry(entry, Some(Place { dir, name })))
            }
            None => Some(Found::Skipped { path, why: "a device, socket or FIFO" }),
        }
    }

    fn enter<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dirs: &mut Dirs,
        parent: DirId,
        name: &[u8],
        path: Vec<u8>,
        stat: &Stat,
    ) -> Found {
        let opened = Name::new(name).map_err(|_| Errno::INVAL).and_then(|name| {
            let fd = dirs.fd(core, parent)?;
            let name = RelPath::from(name);
            core.open(|batch| {
                let path = batch.path(name);
                Act::Open { dir: fd, path, how: How::Directory }
            })
        });
        match opened {
            Ok(fd) if self.levels.len() >= self.levels_max => {
                core.close(fd);
                Found::Entry(entry_of(Kind::Directory, path, stat, Vec::new()), None)
            }
            Ok(fd) => {
                let (base, below) = dirs.below(parent, name);
                let dir = dirs.add(base, below, Some(fd));
                let entry = entry_of(Kind::Directory, path.clone(), stat, Vec::new());
                match self.descend(core, dirs, dir, path.clone()) {
                    Ok(()) => Found::Entry(entry, None),
                    Err(code) => Found::Failed { path, code },
                }
            }
            Err(errno) => {
                self.failed_reads = true;
                Found::Failed { path, code: Code::from_errno(errno) }
            }
        }
    }

    fn link<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dirs: &mut Dirs,
        dir: DirId,
        name: &[u8],
        path: Vec<u8>,
        stat: &Stat,
    ) -> Found {
        let target = Name::new(name).map_err(|_| Errno::INVAL).and_then(|name| {
            let fd = dirs.fd(core, dir)?;
            read_link(core, fd, name)
        });
        match target {
            Ok(target) => Found::Entry(entry_of(Kind::Symlink, path, stat, target), None),
            Err(errno) => {
                self.failed_reads = true;
                Found::Failed { path, code: Code::from_errno(errno) }
            }
        }
    }

    /// Lists a directory and makes it the innermost level, which takes over one use of it.
    fn descend<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dirs: &mut Dirs,
        dir: DirId,
        path: Vec<u8>,
    ) -> Result<(), Code> {
        let listed = dirs.fd(core, dir).map_err(Code::from_errno).and_then(|fd| list(core, fd));
        let mut names = match listed {
            Ok(names) => names,
            Err(code) => {
                self.failed_reads = true;
                dirs.release(dir);
                return Err(code);
            }
        };
        names.retain(|(_, name)| !disk::paths::is_reserved(name));
        let mut names: Vec<Box<[u8]>> = names.into_iter().map(|(_, name)| name).collect();
        names.sort_unstable();
        self.levels.push(Level { dir, path, names, next: 0, stats: VecDeque::new() });
        Ok(())
    }
}

fn entry_of(kind: Kind, path: Vec<u8>, stat: &Stat, target: Vec<u8>) -> Entry {
    let size = match kind {
        Kind::File => stat.size,
        Kind::Directory => 0,
        Kind::Symlink => target.len() as u64,
    };
    Entry {
        kind,
        chunk_log2: 0,
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        size,
        allocated: if kind == Kind::File { stat.allocated } else { 0 },
        mtime: stat.mtime,
        path,
        target,
    }
}

/// Takes the stats of the next names of a level in one batch.
fn stat_ahead<I: Io, H: Hooks>(core: &mut Core<I, H>, dirs: &mut Dirs, level: &mut Level) {
    let most = core.settings.limits.acts_inline_max as usize;
    let ahead = &level.names[level.next..level.names.len().min(level.next + most)];
    let fd = match dirs.fd(core, level.dir) {
        Ok(fd) => fd,
        Err(errno) => {
            level.stats.extend(ahead.iter().map(|_| Err(errno)));
            return;
        }
    };
    let mut batch = core.batch();
    for name in ahead {
        // Names come from a listing, which holds no name that breaks the rules.
        let Ok(name) = Name::new(name) else { continue };
        let name = batch.name(name);
        batch.push(Act::Stat { dir: fd, name: Some(name) });
    }
    core.io.act(&mut batch);
    for result in &batch.results {
        level.stats.push_back(match result {
            Ok(ActOut::Stat(stat)) => Ok(*stat),
            Ok(_) => Err(Errno::IO),
            Err(errno) => Err(*errno),
        });
    }
    core.recycle(batch);
}

/// Target of a symlink.
pub(crate) fn read_link<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    dir: Fd,
    name: Name<'_>,
) -> Result<Vec<u8>, Errno> {
    let mut batch = core.batch();
    let name = batch.name(name);
    batch.push(Act::ReadLink { dir, name });
    core.io.act(&mut batch);
    let target = match batch.results.first() {
        Some(Ok(ActOut::Text(text))) => Ok(batch.out_text(*text).to_vec()),
        Some(Err(errno)) => Err(*errno),
        _ => Err(Errno::IO),
    };
    core.recycle(batch);
    target
}

/// Names of a directory, each with its listed kind.
pub(crate) type Listing = Vec<(u8, Box<[u8]>)>;

/// All names of an open directory with their listed kinds, in no order, within the bound on names.
///
/// # Errors
/// What the listing said, or [`Code::TooLarge`] above `directory_names_bytes_max`.
pub(crate) fn list<I: Io, H: Hooks>(core: &mut Core<I, H>, dir: Fd) -> Result<Listing, Code> {
    let most = core.settings.limits.directory_names_bytes_max;
    let mut bytes = 0;
    let mut names = Vec::new();
    loop {
        let mut batch = core.batch();
        batch.push(Act::List { dir, bytes_max: LIST_BYTES });
        core.io.act(&mut batch);
        let more = match batch.results.first() {
            Some(Ok(ActOut::Names { text, more })) => {
                for (kind, name) in batch.names_of(*text) {
                    bytes += name.len() as u64 + 24;
                    names.push((kind, Box::from(name)));
                }
                Ok(*more)
            }
            Some(Err(errno)) => Err(Code::from_errno(*errno)),
            _ => Err(Code::Io),
        };
        core.recycle(batch);
        if bytes > most {
            return Err(Code::TooLarge);
        }
        if !more? {
            return Ok(names);
        }
    }
}

/// A walk for a listing: the names in one directory, or all below it.
pub(crate) struct Walk {
    scan: Scan,
    dirs: Dirs,
    origins: Origins,
    /// The directory itself is not listed.
    first: bool,
}

impl Walk {
    /// Begins at `path` beneath `root`; a file is listed by itself.
    ///
    /// # Errors
    /// Nothing is there, or it cannot be looked at.
    pub(crate) fn begin<I: Io, H: Hooks>(
        core: &mut Core<I, H>,
        root: Fd,
        path: &[u8],
        recursive: bool,
    ) -> Result<Self, Failure> {
        let stat = crate::place::stat(core, root, path).map_err(|errno| Failure {
            code: Code::from_errno(errno),
            message: format!("{}: {}", disk::escape::Escaped(path), Code::from_errno(errno).name()),
        })?;
        let directory = stat.kind == Some(Kind::Directory);
        let name = match path.rsplit(|&byte| byte == b'/').next() {
            Some(name) if !directory => name.to_vec(),
            _ => Vec::new(),
        };
        let options = Options { recursive: true, links: true, ..Options::default() };
        let sources = vec![Source { base: root, path: path.to_vec(), name }];
        let origins = Origins::of(&sources);
        let mut scan = Scan::new(sources, options);
        scan.levels_max = if recursive { usize::MAX } else { 1 };
        Ok(Self { scan, dirs: Dirs::new(16), origins, first: directory })
    }

    /// Where an entry lies beneath the share.
    pub(crate) fn beneath(&self, path: &[u8]) -> Vec<u8> {
        self.origins.beneath(path)
    }

    /// The next name; `Some(None)` is one that is left out.
    pub(crate) fn next<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) -> Option<Option<Entry>> {
        loop {
            self.dirs.settle(core);
            let found = self.scan.next(core, &mut self.dirs)?;
            if core::mem::take(&mut self.first) {
                continue;
            }
            return Some(match found {
                Found::Entry(entry, place) => {
                    if let Some(place) = place {
                        self.dirs.release(place.dir);
                    }
                    Some(entry)
                }
                Found::Skipped { .. } | Found::Failed { .. } => None,
            });
        }
    }

    /// Closes what is open.
    pub(crate) fn end<I: Io, H: Hooks>(mut self, core: &mut Core<I, H>) {
        self.scan.abandon(&mut self.dirs);
        self.dirs.clear(core);
    }
}
