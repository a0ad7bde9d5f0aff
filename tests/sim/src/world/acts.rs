//! Metadata steps, inline or one by one in the background.

use super::descriptors::Object;
use super::files::{span, span_mut};
use super::schedule::Event;
use super::{At, EndId, Inner};
use crate::buffers::SimBuf;
use crate::disk::{EBADF, Ino, SimDisk};
use crate::faults::FaultKind;
use base::entry::{Kind, Meta};
use base::io::{Act, ActOut, Batch, Errno, Fd, How, NameAt, Op, Out};
use base::name::NAME_BYTES_MAX;
use std::collections::VecDeque;

type Acts = Batch<SimBuf>;
type Outcome = Result<ActOut, Errno>;

/// A stored text without the NUL after it.
fn bare(text: &[u8]) -> &[u8] {
    &text[..text.len() - 1]
}

/// As `Batch::names_of` documents.
fn kind_byte(kind: Option<Kind>) -> u8 {
    match kind {
        Some(Kind::File) => 1,
        Some(Kind::Directory) => 2,
        Some(Kind::Symlink) => 3,
        None => 4,
    }
}

impl Inner {
    /// Runs a batch here and now.
    pub(super) fn act_inline(&mut self, at: At, batch: &mut Acts) {
        if batch.len() > self.config.limits.acts_inline_max as usize {
            self.violation(format!("{} acts in one inline batch", batch.len()));
        }
        self.set_disk_time(at.end);
        batch.results.clear();
        for index in 0..batch.len() {
            self.run_act(at, batch, index, true);
        }
    }

    /// Runs the next act of a background batch; others may run between two.
    pub(super) fn act_step(&mut self, id: u64, mut batch: Box<Acts>) {
        let Some(at) = self.ops.get(&id).map(|one| one.at) else { return };
        if batch.len() > self.config.limits.acts_per_batch_max as usize && batch.results.is_empty() {
            self.violation(format!("{} acts in one batch", batch.len()));
        }
        if batch.results.len() < batch.len() {
            let index = batch.results.len();
            self.run_act(at, &mut batch, index, false);
        }
        if batch.results.len() < batch.len() {
            self.put_back(id, Op::Acts(batch));
            self.plan_soon(Event::Effect(id));
        } else {
            self.finish(id, Ok(0), None, Out::Acts(batch));
        }
    }

    fn run_act(&mut self, at: At, batch: &mut Acts, index: usize, inline: bool) {
        let act = batch.acts()[index];
        let result = self.dispatch(at, batch, act, inline);
        self.record(at, act_name(&act), index as u64, result.map_or_else(|errno| -i64::from(errno.0), |_| 0));
        batch.results.push(result);
    }

    fn disk(&mut self, at: At) -> &mut SimDisk {
        &mut self.end(at.end).disk
    }

    /// The inode of a descriptor.
    fn inode(&mut self, at: At, fd: Fd) -> Result<Ino, Errno> {
        match self.find(at, fd)? {
            (_, Object::File { ino, .. }) => Ok(ino),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// The inode of a descriptor that may be written.
    fn writable_inode(&mut self, at: At, fd: Fd) -> Result<Ino, Errno> {
        match self.find(at, fd)? {
            (_, Object::File { ino, write: true }) => Ok(ino),
            (_, Object::File { .. }) => {
                self.violation(format!("descriptor {} is open for reading", fd.0));
                Err(EBADF)
            }
            _ => Err(Errno::INVAL),
        }
    }

    fn named(&mut self, at: At, batch: &Acts, dir: Fd, name: Option<NameAt>) -> Result<Ino, Errno> {
        let dir = self.inode(at, dir)?;
        match name {
            Some(name) => self.disk(at).lookup(dir, bare(batch.name_z(name))),
            None => Ok(dir),
        }
    }

    fn dispatch(&mut self, at: At, batch: &mut Acts, act: Act, inline: bool) -> Outcome {
        match act {
            Act::Open { dir, path, how } => {
                let dir = self.inode(at, dir)?;
                self.open(at, dir, bare(batch.path_z(path)), how, inline)
            }
            Act::Close { fd } => nothing(self.close(at, fd)),
            Act::Stat { dir, name } => {
                let ino = self.named(at, batch, dir, name)?;
                Ok(ActOut::Stat(self.disk(at).stat(ino)))
            }
            Act::List { dir, bytes_max } => self.list(at, batch, dir, bytes_max),
            Act::ReadLink { dir, name } => {
                let dir = self.inode(at, dir)?;
                let target = self.disk(at).read_link(dir, bare(batch.name_z(name)))?.to_vec();
                Ok(ActOut::Text(batch.put_out(&target)))
            }
            Act::SetMeta { dir, name, meta } => {
                let ino = self.named(at, batch, dir, name)?;
                nothing(self.disk(at).set_meta(ino, &meta))
            }
            Act::Resize { fd, size } => {
                let ino = self.writable_inode(at, fd)?;
                nothing(self.disk(at).resize(ino, size))
            }
            Act::Clone { from, to } => {
                let (from, to) = (self.inode(at, from)?, self.writable_inode(at, to)?);
                nothing(self.disk(at).share(from, to))
            }
            Act::Punch { fd, offset, len } => {
                let ino = self.writable_inode(at, fd)?;
                nothing(self.disk(at).punch(ino, offset, len))
            }
            Act::Extent { fd, offset } => {
                let ino = self.inode(at, fd)?;
                let (from, to) = self.disk(at).extent(ino, offset)?;
                Ok(ActOut::Extent { from, to })
            }
            Act::SpaceOf { fd } => {
                self.inode(at, fd)?;
                let (free, read_only) = self.disk(at).space();
                Ok(ActOut::Space { free, read_only })
            }
            Act::Lock { fd } => {
                let (owner, _) = self.find(at, fd)?;
                let ino = self.inode(at, fd)?;
                nothing(self.disk(at).lock(ino, owner))
            }
            Act::Get { dir, name, at: from, len } => self.get(at, batch, dir, name, (from, len)),
            Act::Put { dir, name, at: from, len, meta, keep } => {
                let dir = self.inode(at, dir)?;
                self.put(at, batch, (dir, name), (from, len), &meta, keep)
            }
            Act::MakeDir { .. }
            | Act::Symlink { .. }
            | Act::Link { .. }
            | Act::Rename { .. }
            | Act::Remove { .. } => nothing(self.change_names(at, batch, act)),
        }
    }

    fn change_names(&mut self, at: At, batch: &Acts, act: Act) -> Result<(), Errno> {
        match act {
            Act::MakeDir { dir, name, mode } => {
                let dir = self.inode(at, dir)?;
                self.space_fault()?;
                self.disk(at).make_dir(dir, bare(batch.name_z(name)), mode).map(|_| ())
            }
            Act::Symlink { dir, name, target } => {
                let dir = self.inode(at, dir)?;
                self.space_fault()?;
                let (name, target) = (bare(batch.name_z(name)), bare(batch.text_z(target)));
                self.disk(at).symlink(dir, name, target).map(|_| ())
            }
            Act::Link { from_dir, from, to_dir, to } => {
                let (from_dir, to_dir) = (self.inode(at, from_dir)?, self.inode(at, to_dir)?);
                let (from, to) = (bare(batch.name_z(from)), bare(batch.name_z(to)));
                self.disk(at).link(from_dir, from, to_dir, to)
            }
            Act::Rename { from_dir, from, to_dir, to, how } => {
                let (from_dir, to_dir) = (self.inode(at, from_dir)?, self.inode(at, to_dir)?);
                let (from, to) = (bare(batch.name_z(from)), bare(batch.name_z(to)));
                self.disk(at).rename((from_dir, from), (to_dir, to), how)
            }
            Act::Remove { dir, name, directory } => {
                let dir = self.inode(at, dir)?;
                self.disk(at).remove(dir, bare(batch.name_z(name)), directory)
            }
            _ => Err(Errno::NOSYS),
        }
    }

    fn space_fault(&mut self) -> Result<(), Errno> {
        if self.plan.strikes(FaultKind::NoSpace, &mut self.random) { Err(Errno::NOSPC) } else { Ok(()) }
    }

    fn open(&mut self, at: At, dir: Ino, path: &[u8], how: How, inline: bool) -> Outcome {
        self.end(at.end).descriptors.room()?;
        let creates = matches!(how, How::Create { .. } | How::CreateOrOpen { .. });
        if creates {
            self.space_fault()?;
        } else if inline && self.plan.strikes(FaultKind::ColdOpen, &mut self.random) {
            return Err(Errno::AGAIN);
        }
        let (ino, write) = self.disk(at).open(dir, path, how)?;
        Ok(ActOut::Fd(self.add_descriptor(at.end, Object::File { ino, write })))
    }

    fn list(&mut self, at: At, batch: &mut Acts, dir: Fd, bytes_max: u32) -> Outcome {
        let ino = self.inode(at, dir)?;
        let (id, _) = self.find(at, dir)?;
        let end = &mut self.ends[at.end.0 as usize];
        let cursor = end.descriptors.cursor(id).ok_or(EBADF)?;
        if cursor.is_none() {
            let names = end.disk.list(ino, &mut self.random)?;
            *cursor = Some(names.into_iter().map(|(kind, name)| (kind_byte(kind), name)).collect());
        }
        let names: &mut VecDeque<_> = cursor.get_or_insert_default();
        let begin = batch.out.len();
        // As getdents64: at least one name of any length fits.
        let most = (bytes_max as usize).max(NAME_BYTES_MAX + 3);
        while let Some((_, name)) = names.front() {
            if batch.out.len() - begin + name.len() + 3 > most {
                break;
            }
            let Some((kind, name)) = names.pop_front() else { break };
            let hidden = self.plan.strikes(FaultKind::UnknownKind, &mut self.random);
            batch.put_listed(if hidden { 0 } else { kind }, &name);
        }
        Ok(ActOut::Names { text: batch.out_since(begin), more: !names.is_empty() })
    }

    fn get(&mut self, at: At, batch: &mut Acts, dir: Fd, name: NameAt, (from, len): (u32, u32)) -> Outcome {
        let dir = self.inode(at, dir)?;
        let mut data = batch.data.take();
        let name = bare(batch.name_z(name));
        let room = data.as_mut().and_then(|data| span_mut(data.as_mut(), from, len)).ok_or(Errno::INVAL);
        let result = match (room, self.disk(at).open(dir, name, How::Read)) {
            (Ok(room), Ok((ino, _))) => {
                let result = self.get_open(at, ino, room);
                self.disk(at).release(ino, 0);
                result
            }
            (Err(errno), Ok((ino, _))) => {
                self.disk(at).release(ino, 0);
                Err(errno)
            }
            (_, Err(errno)) => Err(errno),
        };
        batch.data = data;
        result
    }

    fn get_open(&mut self, at: At, ino: Ino, room: &mut [u8]) -> Outcome {
        let before = self.disk(at).stat(ino);
        if before.kind != Some(Kind::File) {
            return Ok(ActOut::Got { len: 0, before, after: before });
        }
        if self.plan.strikes(FaultKind::ReadError, &mut self.random) {
            return Err(Errno::IO);
        }
        let half = (room.len().min(before.size as usize)) / 2;
        let mut len = self.disk(at).read(ino, 0, &mut room[..half])?;
        if let Some(index) = self.edits.iter().position(|(end, file, _)| (*end, *file) == (at.end, ino)) {
            let (_, _, edit) = self.edits.remove(index);
            edit(self.disk(at));
            self.plan.count(FaultKind::EditInGet);
        }
        // A reader that got as much as the first stat promised need not look for more.
        let most = room.len().min(before.size as usize);
        len += self.disk(at).read(ino, len as u64, &mut room[len..most])?;
        let after = self.disk(at).stat(ino);
        Ok(ActOut::Got { len: len as u32, before, after })
    }

    fn put(
        &mut self,
        at: At,
        batch: &Acts,
        (dir, name): (Ino, NameAt),
        (from, len): (u32, u32),
        meta: &Meta,
        keep: bool,
    ) -> Outcome {
        self.end(at.end).descriptors.room()?;
        let name = bare(batch.name_z(name));
        let bytes = match &batch.data {
            _ if len == 0 => &[],
            Some(data) => span(data.as_ref(), from, len).ok_or(Errno::INVAL)?,
            None => return Err(Errno::INVAL),
        };
        self.space_fault()?;
        let (ino, write) = self.disk(at).open(dir, name, How::Create { mode: 0o600 })?;
        if let Err(errno) = self.fill(at.end, ino, bytes, meta) {
            self.disk(at).release(ino, 0);
            // The name was made above and nothing ran since.
            self.disk(at).remove(dir, name, false)?;
            return Err(errno);
        }
        if keep {
            let fd = self.add_descriptor(at.end, Object::File { ino, write });
            return Ok(ActOut::Put { inode: ino.0, fd: Some(fd) });
        }
        self.disk(at).release(ino, 0);
        Ok(ActOut::Put { inode: 0, fd: None })
    }

    fn fill(&mut self, end: EndId, ino: Ino, bytes: &[u8], meta: &Meta) -> Result<(), Errno> {
        if self.plan.strikes(FaultKind::WriteError, &mut self.random) {
            return Err(Errno::IO);
        }
        self.trace.fold(bytes);
        let disk = &mut self.end(end).disk;
        let mut done = 0;
        while done < bytes.len() {
            done += disk.write(ino, done as u64, &bytes[done..])?;
        }
        disk.set_meta(ino, meta)
    }
}

fn nothing(result: Result<(), Errno>) -> Outcome {
    result.map(|()| ActOut::Nothing)
}

fn act_name(act: &Act) -> &'static str {
    match act {
        Act::Open { .. } => "open",
        Act::Close { .. } => "close",
        Act::Stat { .. } => "stat",
        Act::List { .. } => "list",
        Act::ReadLink { .. } => "readlink",
        Act::MakeDir { .. } => "mkdir",
        Act::Symlink { .. } => "symlink",
        Act::Link { .. } => "link",
        Act::Rename { .. } => "rename",
        Act::Remove { .. } => "remove",
        Act::SetMeta { .. } => "setmeta",
        Act::Resize { .. } => "resize",
        Act::Clone { .. } => "clone",
        Act::Punch { .. } => "punch",
        Act::Extent { .. } => "extent",
        Act::SpaceOf { .. } => "space",
        Act::Lock { .. } => "lock",
        Act::Get { .. } => "get",
        Act::Put { .. } => "put",
    }
}
