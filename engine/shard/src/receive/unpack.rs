//! Packs: many small files, hashed here while they are hot, written on the core's helper thread.
//!
//! ```text
//! Pack -> rows checked, contents hashed -> Acts(Put ..) on the helper -> results -> roots count
//! ```
//!
//! The pack's slot stays with the batch until its last file is written, so the link pauses by itself when the
//! helper falls behind. A file's root counts once the file is there: before that no seal of it can hold.

use super::home::Home;
use super::publish::{Flight, owner};
use crate::dirs::DirId;
use crate::links::Links;
use crate::squeeze::Squeezed;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Hooks, Stage};
use base::ids::{FileIndex, Value};
use base::io::{Act, ActOut, Batch, Io, Op};
use base::limits::DATA_AT;
use proto::transfer::chunk::root_of_bytes;
use proto::transfer::pack::{self, PackView};
use proto::wire::PackTrailer;

/// One file of a pack.
struct Row {
    file: FileIndex,
    at: u32,
    len: u32,
    root: Value,
}

/// Files of a pack whose writing is in flight.
pub(super) struct Putting {
    rows: Vec<Row>,
    /// Where the rows of the batch in flight begin and end.
    from: usize,
    to: usize,
    /// Their directories, pinned once each.
    dirs: Vec<DirId>,
    began: Option<u64>,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// Brings the data of a compressed pack back, in its slot; returns how many bytes it has.
    ///
    /// # Errors
    /// Compression was not offered, or the data is not what the trailer says.
    pub(super) fn expand<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        slot: &mut B,
        data_len: u32,
        trailer: &PackTrailer,
    ) -> Result<u32, Squeezed> {
        if !trailer.flags.zstd() {
            return Ok(data_len);
        }
        if !self.spec.options.compress {
            return Err(Squeezed::NotOffered);
        }
        let mut from = core.sample();
        let content = &mut slot.as_mut()[DATA_AT as usize..];
        let plain = u32::try_from(pack::data_bytes(trailer)).map_err(|_| Squeezed::TooLong)?;
        core.squeezer.expand(content, data_len, plain, &core.settings.limits)?;
        let mut stages = self.totals.stages;
        core.timed(&mut stages, Stage::Compress, &mut from);
        self.totals.stages = stages;
        Ok(plain)
    }

    /// A pack came, in a slot that is lent: it is given back when its last file is written.
    ///
    /// # Errors
    /// It breaks a rule.
    pub(super) fn on_pack<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        slot: B,
        data_len: u32,
        trailer: &PackTrailer,
    ) -> Result<(), Code> {
        let limits = core.limits();
        let mut began = core.sample();
        let data = &slot.as_ref()[DATA_AT as usize..(DATA_AT + data_len) as usize];
        let view = PackView::parse(data, trailer, &limits).map_err(|error| error.code())?;
        let (mut rows, mut lost) = (Vec::with_capacity(view.len()), Vec::new());
        for (row, content) in view.iter() {
            let incoming = self.files.get_mut(&row.file).ok_or(Code::InvalidRequest)?;
            let came = incoming.root.is_some() || incoming.large.is_none() && incoming.temp.is_some();
            if came || incoming.seal.is_some() && row.code.is_some() {
                return Err(Code::InvalidRequest);
            }
            match row.code {
                Some(code) => lost.push((row.file, code)),
                None if incoming.large.is_some() => return Err(Code::InvalidRequest),
                None => {
                    incoming.entry.size = u64::from(row.length);
                    incoming.entry.mtime = row.mtime;
                    if incoming.meta.mtime.is_some() {
                        incoming.meta.mtime = Some(row.mtime);
                    }
                    incoming.temp = Some(self.temps.name(row.file));
                    let root = root_of_bytes(content);
                    rows.push(Row { file: row.file, at: row.at, len: row.length, root });
                }
            }
        }
        core.status.bytes_in += u64::from(trailer.table_offset);
        self.totals.bytes += u64::from(trailer.table_offset);
        let mut stages = self.totals.stages;
        core.timed(&mut stages, Stage::Hash, &mut began);
        self.totals.stages = stages;
        for (file, code) in lost {
            self.drop_file(core, file, code);
        }
        let putting = Putting { rows, from: 0, to: 0, dirs: Vec::new(), began };
        self.put(core, links, putting, slot, Batch::default());
        Ok(())
    }

    /// Writes the next files of a pack under their temps; after the last one the slot goes back.
    fn put<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        mut putting: Putting,
        slot: B,
        mut batch: Batch<B>,
    ) {
        let keep = self.spec.durability.syncs();
        let most = core.settings.limits.acts_per_batch_max as usize;
        putting.from = putting.to;
        putting.to = putting.rows.len().min(putting.from + most);
        if putting.from == putting.to {
            drop(slot);
            return links.release(core, self.key.link);
        }
        for row in &putting.rows[putting.from..putting.to] {
            // Checked when the pack came; a file in flight is not let go of.
            let Some(incoming) = self.files.get(&row.file) else { continue };
            let (Some(temp), dir, meta) = (incoming.temp, incoming.dir, incoming.meta) else { continue };
            let held = putting.dirs.last() == Some(&dir);
            let fd = if held { self.dirs.fd(core, dir) } else { self.dirs.pin(core, dir) };
            // A directory that cannot be opened makes an act that fails, so that results and rows stay together.
            let fd = fd
                .inspect(|_| {
                    if !held {
                        putting.dirs.push(dir)
                    }
                })
                .unwrap_or(base::io::Fd(-1));
            let name = batch.name(temp.as_name());
            batch.push(Act::Put { dir: fd, name, at: DATA_AT + row.at, len: row.len, meta, keep });
        }
        batch.data = Some(slot);
        let tag = self.publisher.tag(Flight::Put(putting));
        core.start(owner(self.key, tag), Op::Acts(Box::new(batch)));
    }

    /// Files of a pack are written, or could not be.
    pub(super) fn on_put<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        mut putting: Putting,
        batch: Option<Box<Batch<B>>>,
    ) {
        let Some(mut batch) = batch else { return };
        let mut stages = self.totals.stages;
        core.timed(&mut stages, Stage::Write, &mut putting.began);
        self.totals.stages = stages;
        for dir in putting.dirs.drain(..) {
            self.dirs.unpin(dir);
        }
        for (row, result) in putting.rows[putting.from..putting.to].iter().zip(&batch.results) {
            let Some(incoming) = self.files.get_mut(&row.file) else { continue };
            incoming.root = Some(row.root);
            match result {
                Ok(ActOut::Put { inode, fd }) => {
                    incoming.inode = *inode;
                    incoming.fd = *fd;
                }
                Ok(_) => incoming.failed = Some(Code::Io),
                Err(errno) => {
                    incoming.temp = None;
                    incoming.failed = Some(Code::from_errno(*errno));
                }
            }
            self.on_root(core, row.file);
        }
        let slot = batch.data.take();
        batch.clear();
        match slot {
            Some(slot) => self.put(core, links, putting, slot, *batch),
            None => links.release(core, self.key.link),
        }
    }
}
