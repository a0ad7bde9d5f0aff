//! Ack: what the receiver has, how safe it is, and how much more may be sent.
//!
//! Credit is a byte count per stream, in all since the transfer began, so a lost or merged Ack never
//! loses credit. Ranges are chunks of one file, or whole files in a row (packs; levels of whole files).

use super::order::check_path;
use super::{Full, Malformed, at_most, no_meaning};
use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, Writer};
use alloc::vec::Vec;
use base::codes::Code;
use base::entry::Kind;
use base::ids::FileIndex;
use base::limits::Limits;

const FIXED_BYTES: usize = 4 + 1 + 2 + 2 + 2 + 1 + 2;
const RANGE_BYTES: usize = 12;
const STREAM_BYTES: usize = 10;
const FAILED_BYTES: usize = 6;
const DELETION_BYTES: usize = 1 + 2 + 2;
const FLAG_DELETE_LIMITED: u8 = 1;
/// In place of a chunk: the range counts whole files.
const WHOLE: u32 = u32::MAX;

/// Byte table.
pub const LAYOUT: Layout = Layout {
    name: "Ack",
    place: "data of an Ack frame",
    fields: &[
        field("transfer", "u32", "session-local number"),
        field("level", "u8", "1 received, 2 durable, 3 published"),
        field(
            "ranges",
            "u16 + rows",
            "u32 file, u32 first chunk, u32 chunks; chunk 0xffffffff: whole files in a row",
        ),
        field("streams", "u16 + rows", "u16 stream, u64 bytes of content received on it in all"),
        field("failed", "u16 + rows", "u32 file, u16 code"),
        field("flags", "u8", "1: more names were to be deleted than the limit allows"),
        field(
            "deleted",
            "u16 + rows",
            "u8 kind (0 unknown), u16 code (0: gone, or in a dry run would be; else why not), u16 + path",
        ),
    ],
};

/// How safe what an Ack names is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Level {
    /// Its value holds; a crash may lose it.
    Received = 1,
    /// It survives power loss.
    Durable = 2,
    /// It has its final name, as safe as the transfer's durability says.
    Published = 3,
}

impl Level {
    fn from_byte(byte: u8) -> Result<Self, Malformed> {
        match byte {
            1 => Ok(Self::Received),
            2 => Ok(Self::Durable),
            3 => Ok(Self::Published),
            _ => Err(no_meaning("level", u64::from(byte))),
        }
    }
}

/// What an Ack names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AckRange {
    /// Chunks of one file.
    Chunks {
        /// Which file.
        file: FileIndex,
        /// The first chunk.
        first: u32,
        /// How many, at least 1.
        count: u32,
    },
    /// Whole files in a row.
    Files {
        /// The first file.
        first: FileIndex,
        /// How many, at least 1.
        count: u32,
    },
}

impl AckRange {
    /// Appends `next` to this range where it follows it directly.
    fn join(&mut self, next: &AckRange) -> bool {
        match (self, next) {
            (Self::Chunks { file, first, count }, Self::Chunks { file: f, first: at, count: n })
                if file == f && *first + *count == *at =>
            {
                *count += n;
                true
            }
            (Self::Files { first, count }, Self::Files { first: at, count: n })
                if first.0 + *count == at.0 =>
            {
                *count += n;
                true
            }
            _ => false,
        }
    }
}

/// What became of a name that the sender lacks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deletion {
    /// Path as entries have it.
    pub path: Vec<u8>,
    /// What it was, where that is known.
    pub kind: Option<Kind>,
    /// Why it is still there.
    pub failed: Option<Code>,
}

/// One acknowledgement. Filled by its methods, which keep it within one record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ack {
    /// Session-local number of the transfer.
    pub transfer: u32,
    /// How safe what `ranges` name is.
    pub level: Level,
    ranges: Vec<AckRange>,
    streams: Vec<(u16, u64)>,
    failed: Vec<(FileIndex, Code)>,
    /// The limit on deletions stopped them.
    pub delete_limited: bool,
    deleted: Vec<Deletion>,
    deleted_bytes: usize,
}

impl Ack {
    /// Says nothing yet.
    pub fn new(transfer: u32, level: Level) -> Self {
        Self {
            transfer,
            level,
            ranges: Vec::new(),
            streams: Vec::new(),
            failed: Vec::new(),
            delete_limited: false,
            deleted: Vec::new(),
            deleted_bytes: 0,
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
            && self.streams.is_empty()
            && self.failed.is_empty()
            && self.deleted.is_empty()
            && !self.delete_limited
    }

    /// What it names.
    pub fn ranges(&self) -> &[AckRange] {
        &self.ranges
    }

    /// Stream, and bytes of content received on it in all.
    pub fn streams(&self) -> &[(u16, u64)] {
        &self.streams
    }

    /// Files that failed at the receiver, and why.
    pub fn failed(&self) -> &[(FileIndex, Code)] {
        &self.failed
    }

    /// Names that the sender lacks, and what became of them.
    pub fn deleted(&self) -> &[Deletion] {
        &self.deleted
    }

    /// Names a range; neighbours in a row become one.
    ///
    /// # Errors
    /// The message is full: send it and push into the next.
    pub fn push(&mut self, range: AckRange, limits: &Limits) -> Result<(), Full> {
        if self.ranges.last_mut().is_some_and(|last| last.join(&range)) {
            return Ok(());
        }
        self.room_for(RANGE_BYTES, self.ranges.len(), limits)?;
        self.ranges.push(range);
        Ok(())
    }

    /// States the bytes received on one stream in all; a later count of the same stream replaces it.
    ///
    /// # Errors
    /// The message is full.
    pub fn credit(&mut self, stream: u16, bytes: u64, limits: &Limits) -> Result<(), Full> {
        if let Some(row) = self.streams.iter_mut().find(|row| row.0 == stream) {
            row.1 = bytes;
            return Ok(());
        }
        self.room_for(STREAM_BYTES, self.streams.len(), limits)?;
        self.streams.push((stream, bytes));
        Ok(())
    }

    /// Names a file that failed.
    ///
    /// # Errors
    /// The message is full.
    pub fn fail(&mut self, file: FileIndex, code: Code, limits: &Limits) -> Result<(), Full> {
        self.room_for(FAILED_BYTES, self.failed.len(), limits)?;
        self.failed.push((file, code));
        Ok(())
    }

    /// Names what became of a name that the sender lacks. A path that no peer would take is left out.
    ///
    /// # Errors
    /// The message is full.
    pub fn delete(&mut self, deletion: &Deletion, limits: &Limits) -> Result<(), Full> {
        if check_path(&deletion.path, limits).is_err() {
            return Ok(());
        }
        let bytes = DELETION_BYTES + deletion.path.len();
        self.room_for(bytes, self.deleted.len(), limits)?;
        self.deleted.push(deletion.clone());
        self.deleted_bytes += bytes;
        Ok(())
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.ranges.clear();
        self.streams.clear();
        self.failed.clear();
        self.delete_limited = false;
        self.deleted.clear();
        self.deleted_bytes = 0;
    }

    /// The message's bytes: at most one record.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(self.len());
        out.u32(self.transfer).u8(self.level as u8).u16(self.ranges.len() as u16);
        for range in &self.ranges {
            match *range {
                AckRange::Chunks { file, first, count } => out.u32(file.0).u32(first).u32(count),
                AckRange::Files { first, count } => out.u32(first.0).u32(WHOLE).u32(count),
            };
        }
        out.u16(self.streams.len() as u16);
        for (stream, bytes) in &self.streams {
            out.u16(*stream).u64(*bytes);
        }
        out.u16(self.failed.len() as u16);
        for (file, code) in &self.failed {
            out.u32(file.0).u16(code.number());
        }
        out.u8(u8::from(self.delete_limited) * FLAG_DELETE_LIMITED).u16(self.deleted.len() as u16);
        for row in &self.deleted {
            out.u8(row.kind.map_or(0, |kind| kind as u8)).u16(row.failed.map_or(0, Code::number));
            out.counted16(&row.path);
        }
        out.into_vec()
    }

    /// Reads and checks a message.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut ack = Self::new(reader.u32()?, Level::from_byte(reader.u8()?)?);
        for _ in 0..read_count(&mut reader, "ranges", RANGE_BYTES, &mut ack.ranges)? {
            let range = read_range(&mut reader, limits)?;
            ack.ranges.push(range);
        }
        let streams = read_count(&mut reader, "streams", STREAM_BYTES, &mut ack.streams)?;
        for _ in 0..streams {
            let row = (reader.u16()?, reader.u64()?);
            ack.streams.push(row);
        }
        for _ in 0..read_count(&mut reader, "failed", FAILED_BYTES, &mut ack.failed)? {
            let (file, number) = (FileIndex(reader.u32()?), reader.u16()?);
            let code = Code::from_number(number).ok_or(no_meaning("code", u64::from(number)))?;
            ack.failed.push((file, code));
        }
        ack.delete_limited = match reader.u8()? {
            0 => false,
            FLAG_DELETE_LIMITED => true,
            flags => return Err(no_meaning("flags", u64::from(flags))),
        };
        for _ in 0..read_count(&mut reader, "deleted", DELETION_BYTES, &mut ack.deleted)? {
            let row = read_deletion(&mut reader, limits)?;
            ack.deleted_bytes += DELETION_BYTES + row.path.len();
            ack.deleted.push(row);
        }
        reader.finish()?;
        Ok(ack)
    }

    fn len(&self) -> usize {
        FIXED_BYTES
            + self.ranges.len() * RANGE_BYTES
            + self.streams.len() * STREAM_BYTES
            + self.failed.len() * FAILED_BYTES
            + self.deleted_bytes
    }

    fn room_for(&self, bytes: usize, count: usize, limits: &Limits) -> Result<(), Full> {
        let fits = self.len() + bytes <= limits.record_bytes as usize && count < usize::from(u16::MAX);
        if fits { Ok(()) } else { Err(Full) }
    }
}

/// Reads a count of rows and makes room for them, once that many bytes are there.
fn read_count<T>(
    reader: &mut Reader<'_>,
    field: &'static str,
    row_bytes: usize,
    rows: &mut Vec<T>,
) -> Result<u16, Malformed> {
    let count = reader.u16()?;
    at_most(field, u64::from(count), (reader.remaining() / row_bytes) as u64)?;
    rows.reserve_exact(usize::from(count));
    Ok(count)
}

fn read_range(reader: &mut Reader<'_>, limits: &Limits) -> Result<AckRange, Malformed> {
    let (file, first, count) = (FileIndex(reader.u32()?), reader.u32()?, reader.u32()?);
    if count == 0 {
        return Err(Malformed::Ranges);
    }
    if first == WHOLE {
        file.0.checked_add(count).ok_or(Malformed::Ranges)?;
        return Ok(AckRange::Files { first: file, count });
    }
    let end = first.checked_add(count).ok_or(Malformed::Ranges)?;
    if end > limits.chunk_values_max {
        return Err(Malformed::Ranges);
    }
    Ok(AckRange::Chunks { file, first, count })
}

fn read_deletion(reader: &mut Reader<'_>, limits: &Limits) -> Result<Deletion, Malformed> {
    let (kind, code) = (reader.u8()?, reader.u16()?);
    let kind = match kind {
        0 => None,
        kind => Some(Kind::from_byte(kind).ok_or(no_meaning("kind", u64::from(kind)))?),
    };
    let failed = match code {
        0 => None,
        code => Some(Code::from_number(code).ok_or(no_meaning("code", u64::from(code)))?),
    };
    let path = check_path(reader.counted16(limits.path_bytes_max as usize)?, limits)?;
    at_most("empty path", u64::from(path.as_bytes().is_empty()), 0)?;
    Ok(Deletion { path: path.as_bytes().to_vec(), kind, failed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges() -> impl Strategy<Value = AckRange> {
        prop_oneof![
            (0u32..9, 0u32..10, 1u32..3).prop_map(|(file, first, count)| AckRange::Chunks {
                file: FileIndex(file),
                first,
                count
            }),
            (0u32..90, 1u32..9).prop_map(|(first, count)| AckRange::Files { first: FileIndex(first), count }),
        ]
    }

    /// What an acknowledgement names, one by one.
    fn named(ranges: &[AckRange]) -> Vec<(u32, Option<u32>)> {
        let each = |range: &AckRange| -> Vec<_> {
            match *range {
                AckRange::Chunks { file, first, count } => {
                    (first..first + count).map(|chunk| (file.0, Some(chunk))).collect()
                }
                AckRange::Files { first, count } => {
                    (first.0..first.0 + count).map(|file| (file, None)).collect()
                }
            }
        };
        ranges.iter().flat_map(each).collect()
    }

    proptest! {
        #[test]
        fn acks_round_trip(
            ranges in prop::collection::vec(ranges(), 0..20),
            streams in prop::collection::vec((0u16..4, any::<u64>()), 0..6),
            failed in prop::collection::vec(any::<u32>(), 0..5),
            deleted in prop::collection::vec(("[a-c]{1,9}(/[a-c]{1,9}){0,2}", 0u8..4, any::<bool>()), 0..5),
            delete_limited in any::<bool>(),
        ) {
            let limits = Limits { chunk_values_max: 64, ..Limits::TINY };
            let mut ack = Ack::new(9, Level::Durable);
            for range in &ranges {
                // chunk ranges that join may pass the bound of the limits, as no file has that many
                prop_assert_eq!(ack.push(*range, &limits), Ok(()));
            }
            for (stream, bytes) in &streams {
                prop_assert_eq!(ack.credit(*stream, *bytes, &limits), Ok(()));
            }
            for file in failed {
                prop_assert_eq!(ack.fail(FileIndex(file), Code::NoSpace, &limits), Ok(()));
            }
            ack.delete_limited = delete_limited;
            for (path, kind, fails) in deleted {
                let (path, kind) = (path.into_bytes(), Kind::from_byte(kind));
                let row = Deletion { path, kind, failed: fails.then_some(Code::AccessDenied) };
                prop_assert_eq!(ack.delete(&row, &limits), Ok(()));
            }
            prop_assert_eq!(named(ack.ranges()), named(&ranges));
            let bytes = ack.encode();
            prop_assert_eq!(bytes.len(), ack.len());
            prop_assert_eq!(Ack::parse(&bytes, &limits), Ok(ack));
            for cut in 0..bytes.len() {
                prop_assert!(Ack::parse(&bytes[..cut], &limits).is_err());
            }
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = Ack::parse(&bytes, &Limits::TINY);
            let _ = Ack::parse(&bytes, &Limits::DEFAULT);
        }
    }

    #[test]
    fn a_full_message_stays_within_a_record() {
        let limits = Limits::TINY;
        let mut ack = Ack::new(1, Level::Received);
        let mut count = 0;
        while ack.push(AckRange::Files { first: FileIndex(count * 2), count: 1 }, &limits).is_ok() {
            count += 1;
        }
        assert_eq!(count, (1024 - 14) / 12);
        assert!(ack.encode().len() <= 1024);
        let next = AckRange::Files { first: FileIndex(count * 2 - 1), count: 3 };
        assert_eq!(ack.push(next, &limits), Ok(()), "what joins needs no room");
        let row = Deletion { path: [b'x'; 60].to_vec(), kind: None, failed: None };
        assert_eq!(ack.delete(&row, &limits), Err(Full));
        ack.clear();
        assert!(ack.is_empty());
        while ack.delete(&row, &limits).is_ok() {}
        assert_eq!((ack.deleted().len(), ack.encode().len()), (15, 14 + 15 * 65));
    }

    #[test]
    fn a_deleted_name_is_a_path_that_entries_could_have() {
        let limits = Limits::TINY;
        let mut ack = Ack::new(1, Level::Published);
        for path in [&b"a/../b"[..], b"/a", b".xferd-x", &[b'a'; 65]] {
            let row = Deletion { path: path.to_vec(), kind: None, failed: None };
            assert_eq!(ack.delete(&row, &limits), Ok(()), "left out");
            assert!(ack.is_empty());
            let mut bytes = ack.encode();
            let count = bytes.len() - 1;
            bytes[count] = 1;
            bytes.extend([0, 0, 0, 0, path.len() as u8]);
            bytes.extend(path);
            assert!(Ack::parse(&bytes, &limits).is_err(), "{path:?}");
        }
        let empty = [&ack.encode()[..12], &[0, 1, 0, 0, 0, 0, 0][..]].concat();
        assert!(Ack::parse(&empty, &limits).is_err(), "the root itself is never deleted");
    }

    #[test]
    fn ranges_without_meaning_are_refused() {
        let limits = Limits::TINY;
        let with = |range: AckRange| {
            let mut ack = Ack::new(1, Level::Received);
            ack.ranges.push(range);
            Ack::parse(&ack.encode(), &limits)
        };
        let file = FileIndex(0);
        assert!(with(AckRange::Chunks { file, first: 15, count: 1 }).is_ok());
        assert_eq!(with(AckRange::Chunks { file, first: 15, count: 2 }), Err(Malformed::Ranges));
        assert_eq!(with(AckRange::Chunks { file, first: 0, count: 0 }), Err(Malformed::Ranges));
        assert_eq!(with(AckRange::Chunks { file, first: u32::MAX - 1, count: 2 }), Err(Malformed::Ranges));
        assert_eq!(with(AckRange::Files { first: FileIndex(u32::MAX), count: 1 }), Err(Malformed::Ranges));
        let mut bytes = Ack::new(1, Level::Received).encode();
        bytes[4] = 4;
        assert!(Ack::parse(&bytes, &limits).is_err());
    }
}
