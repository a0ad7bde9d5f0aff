//! Packs: many small files read straight into one record.

use super::home::Home;
use super::seals::Item;
use crate::links::Links;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Kind, Stat};
use base::hooks::{Hooks, Stage, StageTimes};
use base::ids::FileIndex;
use base::io::{Act, ActOut, Errno, Io};
use base::limits::DATA_AT;
use base::name::Name;
use proto::transfer::chunk::root_of_bytes;
use proto::transfer::pack::{PackBuilder, Slot};
use proto::wire::{Flags, FrameType, PackTrailer};

/// One file whose read is in the batch.
struct Reading {
    index: FileIndex,
    slot: Slot,
    at: u32,
    len: u32,
}

/// Builds and sends one pack. Returns the data bytes it holds; `None`: no slot was free, or nothing is wanted.
pub(super) fn send_pack<I, H>(
    home: &mut Home,
    core: &mut Core<I, H>,
    links: &mut Links<I::Buf>,
    stages: &mut StageTimes,
) -> Option<u64>
where
    I: Io,
    H: Hooks,
{
    if home.packs.is_empty() {
        return None;
    }
    let mut slot = core.io.take()?;
    let limits = core.settings.limits.clone();
    let mut builder = PackBuilder::new(home.key.number, &limits);
    let mut from = core.sample();
    loop {
        let reading = reserve(home, core, &mut builder);
        if reading.1.is_empty() {
            core.recycle(reading.0);
            break;
        }
        slot = read(home, core, &mut builder, slot, reading);
    }
    core.timed(stages, Stage::Read, &mut from);
    hash(home, &builder, &slot.as_ref()[DATA_AT as usize..]);
    core.timed(stages, Stage::Hash, &mut from);
    let area = &mut slot.as_mut()[DATA_AT as usize..(DATA_AT + limits.record_bytes) as usize];
    let (data_len, mut trailer) = builder.finish(area, Flags::NONE);
    if trailer.rows > 0 {
        core.status.bytes_out += u64::from(trailer.table_offset);
        home.totals.bytes += u64::from(trailer.table_offset);
        let mut len = data_len;
        if home.spec.options.compress {
            if let Some(less) = home.worth.squeeze(&mut core.squeezer, &mut area[..data_len as usize]) {
                trailer.flags = trailer.flags.with(Flags::ZSTD);
                len = less;
            }
            core.timed(stages, Stage::Compress, &mut from);
        }
        links.send_slot(core, home.key.link, FrameType::Pack, slot, len, &trailer.encode());
        core.timed(stages, Stage::Seal, &mut from);
    }
    Some(u64::from(data_len))
}

/// Tells the receiver that a file will not come.
pub(super) fn send_failure<I: Io, H: Hooks>(
    home: &Home,
    core: &mut Core<I, H>,
    links: &mut Links<I::Buf>,
    file: FileIndex,
    code: Code,
) {
    let mut builder = PackBuilder::new(home.key.number, &core.settings.limits);
    let mut area = vec![0; core.settings.limits.record_bytes.min(4096) as usize];
    let Some((slot, _)) = builder.reserve(file, 0) else { return };
    builder.fail(slot, code);
    let (data_len, trailer): (u32, PackTrailer) = builder.finish(&mut area, Flags::NONE);
    links.send_small(core, home.key.link, FrameType::Pack, &area[..data_len as usize], &trailer.encode());
}

type Reads<B> = (base::io::Batch<B>, Vec<Reading>);

/// Reserves places for the next files and makes the batch that reads them.
fn reserve<I: Io, H: Hooks>(
    home: &mut Home,
    core: &mut Core<I, H>,
    builder: &mut PackBuilder,
) -> Reads<I::Buf> {
    let mut batch = core.batch();
    let mut reading = Vec::new();
    let mut of = None;
    while reading.len() < core.settings.limits.acts_inline_max as usize {
        let Some(&index) = home.packs.front() else { break };
        let Some(Item { entry, place: Some(place), .. }) = home.seals.item(index) else {
            home.packs.pop_front();
            continue;
        };
        // One directory at a time: its descriptor is good until another one is asked for.
        let place_dir = place.dir;
        if *of.get_or_insert(place_dir) != place_dir {
            break;
        }
        let len = entry.size as u32;
        let Some((slot, range)) = builder.reserve(index, len) else { break };
        home.packs.pop_front();
        let name = Name::new(&place.name).map_err(|_| Errno::INVAL);
        let dir = home.dirs.fd(core, place.dir);
        match (name, dir) {
            (Ok(name), Ok(dir)) => {
                let name = batch.name(name);
                let at = DATA_AT + range.start;
                batch.push(Act::Get { dir, name, at, len });
                reading.push(Reading { index, slot, at: range.start, len });
            }
            (Err(errno), _) | (_, Err(errno)) => fail_read(home, core, builder, index, slot, errno),
        }
    }
    (batch, reading)
}

/// The pack itself tells the receiver.
fn fail_read<I: Io, H: Hooks>(
    home: &mut Home,
    core: &mut Core<I, H>,
    builder: &mut PackBuilder,
    index: FileIndex,
    slot: Slot,
    errno: Errno,
) {
    let code = if errno == Errno::NOENT { Code::Vanished } else { Code::from_errno(errno) };
    builder.fail(slot, code);
    home.fail_item(core, index, code);
}

/// Reads a batch of files and commits what came.
fn read<I: Io, H: Hooks>(
    home: &mut Home,
    core: &mut Core<I, H>,
    builder: &mut PackBuilder,
    slot: I::Buf,
    (mut batch, reading): Reads<I::Buf>,
) -> I::Buf {
    batch.data = Some(slot);
    core.io.act(&mut batch);
    let results = core::mem::take(&mut batch.results);
    let mut slot = batch.data.take();
    for (read, result) in reading.into_iter().zip(results) {
        match result {
            Ok(ActOut::Got { len, before, after })
                if steady(&before, &after) && u64::from(len) == before.size =>
            {
                builder.commit(read.slot, len, before.mtime);
            }
            Ok(ActOut::Got { before, after, .. }) if before.kind == Some(Kind::File) => {
                let again = home.retried.insert(read.index);
                let fits = after.size <= u64::from(core.settings.limits.pack_file_bytes_max);
                if again && fits {
                    // It grew or was being written: read it once more, with the size it has now.
                    builder.withdraw(read.slot);
                    if let Some(item) = home.seals.item(read.index) {
                        item.entry.size = after.size;
                    }
                    home.packs.push_front(read.index);
                } else {
                    builder.fail(read.slot, Code::Changed);
                    home.fail_item(core, read.index, Code::Changed);
                }
            }
            Ok(_) => fail_read(home, core, builder, read.index, read.slot, Errno::INVAL),
            Err(errno) => fail_read(home, core, builder, read.index, read.slot, errno),
        }
        debug_assert!(read.at + read.len <= core.settings.limits.record_bytes);
    }
    core.recycle(batch);
    // The batch gives back the slot it was given.
    slot.take().expect("a batch returns its data")
}

fn steady(before: &Stat, after: &Stat) -> bool {
    before.kind == Some(Kind::File)
        && (before.size, before.mtime, before.ctime) == (after.size, after.mtime, after.ctime)
}

/// Roots of everything in the pack, while it is hot.
fn hash(home: &mut Home, builder: &PackBuilder, area: &[u8]) {
    let rows: Vec<_> = builder.rows().filter(|row| row.code.is_none()).copied().collect();
    for row in rows {
        let bytes = &area[row.at as usize..(row.at + row.length) as usize];
        let root = root_of_bytes(bytes);
        home.seals.read(row.file, u64::from(row.length), row.mtime, root);
    }
}
