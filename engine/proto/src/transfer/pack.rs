//! Pack: many whole files in one record.
//!
//! ```text
//! | file | file |   file   | row row row |  trailer {transfer, rows, table offset, flags}
//! 0                         table offset
//! ```
//!
//! Files lie back to back, so the lengths of the rows sum to the table's offset and no two overlap. A row
//! with a code carries no bytes: the file could not be read.

use super::{Malformed, at_most, no_meaning};
use crate::wire::layouts::{Layout, field};
use crate::wire::{Flags, PackTrailer, Reader, WireError};
use alloc::vec::Vec;
use base::codes::Code;
use base::entry::FileTime;
use base::ids::FileIndex;
use base::limits::Limits;
use core::ops::Range;

/// Bytes of a row.
pub const ROW_BYTES: u32 = 24;

/// Byte table of a row.
pub const ROW: Layout = Layout {
    name: "Pack: row",
    place: "at the end of the data of a Pack frame, once for each file, in the order of their bytes",
    fields: &[
        field("file", "u32", "index in the order of entries"),
        field("length", "u32", "bytes of the file in this record, as read"),
        field("code", "u16", "0, or why it could not be read; then `length` is 0"),
        field("reserved", "u16", "zero"),
        field("mtime_s", "i64", "last change of what was read, seconds since 1970"),
        field("mtime_ns", "u32", "0 to 999 999 999"),
    ],
};

/// What travels of one file of a pack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PackRow {
    /// Which file.
    pub file: FileIndex,
    /// Where in the record its bytes begin.
    pub at: u32,
    /// How many they are: its size as read.
    pub length: u32,
    /// Why it could not be read; then it has no bytes.
    pub code: Option<Code>,
    /// Last change of what was read.
    pub mtime: FileTime,
}

/// One file's place in a pack that is being filled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Slot(u16);

#[derive(Clone, Copy, Debug)]
struct Filled {
    row: PackRow,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Reserved,
    Committed,
    Withdrawn,
}

/// Fills one record area with whole files. It holds no bytes: reads go straight into the area, at the
/// places it gives out, and the area is passed in once, at the end, for the table.
///
/// ```text
/// reserve(size) -> place -> the file is read there -> commit(what was read) ... finish(area)
/// ```
///
/// Reads may be in flight for many files at once and may end short; gaps are closed at the end.
#[derive(Clone, Debug)]
pub struct PackBuilder {
    transfer: u32,
    capacity: u32,
    file_bytes_max: u32,
    used: u32,
    slots: Vec<Filled>,
    open: u32,
}

impl PackBuilder {
    /// An empty pack for an area of `record_bytes`.
    pub fn new(transfer: u32, limits: &Limits) -> Self {
        Self {
            transfer,
            capacity: limits.record_bytes,
            file_bytes_max: limits.pack_file_bytes_max,
            used: 0,
            slots: Vec::new(),
            open: 0,
        }
    }

    /// Most bytes that the next file may have; `None` when not even an empty one fits.
    pub fn room(&self) -> Option<u32> {
        let rows = self.slots.len() as u32 + 1;
        if rows > u32::from(u16::MAX) {
            return None;
        }
        let left = self.capacity.checked_sub(self.used)?.checked_sub(rows * ROW_BYTES)?;
        Some(left.min(self.file_bytes_max))
    }

    /// Whether no place was given out.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Number of places given out and neither committed nor withdrawn.
    pub fn open(&self) -> u32 {
        self.open
    }

    /// A place for the next file, to be read into the returned part of the area; `None` when it does not fit.
    pub fn reserve(&mut self, file: FileIndex, length: u32) -> Option<(Slot, Range<u32>)> {
        if length > self.room()? {
            return None;
        }
        let slot = Slot(self.slots.len() as u16);
        let place = self.used..self.used + length;
        let row = PackRow { file, at: self.used, length, code: None, mtime: FileTime::default() };
        self.slots.push(Filled { row, state: State::Reserved });
        self.used = place.end;
        self.open += 1;
        Some((slot, place))
    }

    /// The file was read: `length` bytes, at most what was reserved, last changed at `mtime`.
    ///
    /// # Panics
    /// The slot is not open, or `length` is more than was reserved.
    pub fn commit(&mut self, slot: Slot, length: u32, mtime: FileTime) {
        let filled = self.close(slot, State::Committed);
        assert!(length <= filled.row.length, "more bytes than reserved");
        filled.row.length = length;
        filled.row.mtime = mtime;
    }

    /// The file could not be read: the receiver is told why.
    ///
    /// # Panics
    /// The slot is not open.
    pub fn fail(&mut self, slot: Slot, code: Code) {
        let filled = self.close(slot, State::Committed);
        filled.row.length = 0;
        filled.row.code = Some(code);
    }

    /// The file will not travel in this pack: its place is closed at the end.
    ///
    /// # Panics
    /// The slot is not open.
    pub fn withdraw(&mut self, slot: Slot) {
        self.close(slot, State::Withdrawn).row.length = 0;
    }

    /// Appends a file whose bytes are in memory; `false` when it does not fit.
    pub fn append(&mut self, area: &mut [u8], file: FileIndex, bytes: &[u8], mtime: FileTime) -> bool {
        let Ok(length) = u32::try_from(bytes.len()) else { return false };
        let Some((slot, place)) = self.reserve(file, length) else { return false };
        area[place.start as usize..place.end as usize].copy_from_slice(bytes);
        self.commit(slot, length, mtime);
        true
    }

    /// Closes gaps, writes the table behind the files and begins an empty pack. Returns how many bytes of the
    /// area are the record's data, and its trailer.
    ///
    /// # Panics
    /// A slot is open, or `area` is shorter than a record.
    pub fn finish(&mut self, area: &mut [u8], flags: Flags) -> (u32, PackTrailer) {
        assert_eq!(self.open, 0, "reads are in flight");
        let mut at = 0u32;
        for row in self.rows() {
            if row.at != at {
                area.copy_within(row.at as usize..(row.at + row.length) as usize, at as usize);
            }
            at += row.length;
        }
        let table_offset = at;
        let mut rows = 0u16;
        for filled in self.slots.drain(..).filter(|filled| filled.state == State::Committed) {
            area[at as usize..][..ROW_BYTES as usize].copy_from_slice(&encode_row(&filled.row));
            at += ROW_BYTES;
            rows += 1;
        }
        self.used = 0;
        (at, PackTrailer { transfer: self.transfer, rows, table_offset, flags })
    }

    /// The committed files, in order, each where it was read to.
    pub fn rows(&self) -> impl Iterator<Item = &PackRow> + '_ {
        self.slots.iter().filter(|filled| filled.state == State::Committed).map(|filled| &filled.row)
    }

    fn close(&mut self, slot: Slot, state: State) -> &mut Filled {
        let filled = &mut self.slots[usize::from(slot.0)];
        assert_eq!(filled.state, State::Reserved, "a slot is closed once");
        filled.state = state;
        self.open -= 1;
        filled
    }
}

fn encode_row(row: &PackRow) -> [u8; ROW_BYTES as usize] {
    let mut out = [0; ROW_BYTES as usize];
    out[..4].copy_from_slice(&row.file.0.to_be_bytes());
    out[4..8].copy_from_slice(&row.length.to_be_bytes());
    out[8..10].copy_from_slice(&row.code.map_or(0, Code::number).to_be_bytes());
    out[12..20].copy_from_slice(&row.mtime.seconds.to_be_bytes());
    out[20..24].copy_from_slice(&row.mtime.nanos.to_be_bytes());
    out
}

/// A pack that was received, checked; it borrows the record and allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct PackView<'a> {
    files: &'a [u8],
    table: &'a [u8],
}

/// Bytes of the data that a pack with this trailer has, where it is not compressed.
pub fn data_bytes(trailer: &PackTrailer) -> u64 {
    u64::from(trailer.table_offset) + u64::from(trailer.rows) * u64::from(ROW_BYTES)
}

impl<'a> PackView<'a> {
    /// Checks a record's data against its trailer.
    ///
    /// # Errors
    /// The table does not end the data; lengths do not sum to its offset; a file above the pack bound; an
    /// unknown code, or a code beside bytes; reserved bytes that are not zero.
    pub fn parse(data: &'a [u8], trailer: &PackTrailer, limits: &Limits) -> Result<Self, Malformed> {
        at_most("data", data.len() as u64, u64::from(limits.record_bytes))?;
        let offset = trailer.table_offset as usize;
        let (files, table) =
            data.split_at_checked(offset).ok_or(no_meaning("table_offset", offset as u64))?;
        if table.len() != usize::from(trailer.rows) * ROW_BYTES as usize {
            return Err(no_meaning("rows", u64::from(trailer.rows)));
        }
        let mut at = 0u64;
        for bytes in table.chunks_exact(ROW_BYTES as usize) {
            let row = read_row(bytes, 0)?;
            at_most("length", u64::from(row.length), u64::from(limits.pack_file_bytes_max))?;
            at += u64::from(row.length);
        }
        if at != files.len() as u64 {
            return Err(no_meaning("table_offset", offset as u64));
        }
        Ok(Self { files, table })
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.table.len() / ROW_BYTES as usize
    }

    /// Whether it holds no file.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Each file: its row, with the place of its bytes in the record, and the bytes.
    pub fn iter(&self) -> impl Iterator<Item = (PackRow, &'a [u8])> + 'a {
        let files = self.files;
        let mut at = 0u32;
        self.table.chunks_exact(ROW_BYTES as usize).filter_map(move |bytes| {
            let row = read_row(bytes, at).ok()?;
            let content = files.get(at as usize..)?.get(..row.length as usize)?;
            at += row.length;
            Some((row, content))
        })
    }
}

fn read_row(bytes: &[u8], at: u32) -> Result<PackRow, Malformed> {
    let mut reader = Reader::new(bytes);
    let (file, length) = (FileIndex(reader.u32()?), reader.u32()?);
    let (code, reserved) = (reader.u16()?, reader.u16()?);
    let mtime = FileTime { seconds: reader.i64()?, nanos: reader.u32()? };
    at_most("mtime_ns", u64::from(mtime.nanos), 999_999_999)?;
    if reserved != 0 {
        return Err(WireError::Value { field: "reserved", value: u64::from(reserved) }.into());
    }
    let code = match code {
        0 => None,
        number => Some(Code::from_number(number).ok_or(no_meaning("code", u64::from(number)))?),
    };
    if code.is_some() && length != 0 {
        return Err(no_meaning("length", u64::from(length)));
    }
    Ok(PackRow { file, at, length, code, mtime })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn time(seconds: i64) -> FileTime {
        FileTime { seconds, nanos: 5 }
    }

    proptest! {
        #[test]
        fn files_round_trip_whatever_was_reserved(
            files in prop::collection::vec((0u32..200, 0u32..40, 0u8..4), 0..12),
        ) {
            let limits = Limits::TINY;
            let mut area = vec![0xeeu8; limits.record_bytes as usize];
            let mut builder = PackBuilder::new(3, &limits);
            let mut slots = Vec::new();
            for (index, &(length, short, fate)) in files.iter().enumerate() {
                let Some((slot, place)) = builder.reserve(FileIndex(index as u32), length) else { break };
                slots.push((slot, place, length.saturating_sub(short), fate, index));
            }
            let mut expected = Vec::new();
            for (slot, place, length, fate, index) in slots {
                let part = &mut area[place.start as usize..][..length as usize];
                part.fill(index as u8);
                match fate {
                    0 => builder.withdraw(slot),
                    1 => {
                        builder.fail(slot, Code::Changed);
                        expected.push((index as u32, Vec::new(), Some(Code::Changed)));
                    }
                    _ => {
                        builder.commit(slot, length, time(index as i64));
                        expected.push((index as u32, vec![index as u8; length as usize], None));
                    }
                }
            }
            let (len, trailer) = builder.finish(&mut area, Flags::NONE);
            prop_assert!(builder.is_empty());
            let view = PackView::parse(&area[..len as usize], &trailer, &limits);
            let view = view.map_err(|error| TestCaseError::fail(alloc::format!("{error:?}")))?;
            prop_assert_eq!(view.len(), expected.len());
            let mut at = 0;
            for ((row, bytes), (file, content, code)) in view.iter().zip(expected) {
                prop_assert_eq!((row.file.0, bytes, row.code, row.at), (file, &content[..], code, at));
                at += row.length;
            }
        }

        #[test]
        fn foreign_bytes_never_panic(
            data in prop::collection::vec(any::<u8>(), 0..300),
            rows in 0u16..6,
            table_offset in 0u32..400,
        ) {
            let trailer = PackTrailer { transfer: 1, rows, table_offset, flags: Flags::NONE };
            if let Ok(view) = PackView::parse(&data, &trailer, &Limits::TINY) {
                prop_assert_eq!(view.iter().count(), view.len());
            }
        }
    }

    #[test]
    fn a_pack_is_full_when_bytes_and_rows_fill_the_record() {
        let limits = Limits::TINY;
        let mut area = vec![0; 1024];
        let mut builder = PackBuilder::new(1, &limits);
        assert_eq!(builder.room(), Some(512));
        assert!(!builder.append(&mut area, FileIndex(0), &[1; 513], time(0)));
        assert!(builder.append(&mut area, FileIndex(0), &[1; 512], time(0)));
        assert_eq!(builder.room(), Some(1024 - 512 - 48));
        assert!(builder.append(&mut area, FileIndex(1), &[2; 464], time(0)));
        assert_eq!(builder.room(), None);
        let (len, trailer) = builder.finish(&mut area, Flags::NONE);
        assert_eq!((len, trailer.rows, trailer.table_offset), (1024, 2, 976));
        assert!(PackView::parse(&area, &trailer, &limits).is_ok());
    }

    #[test]
    fn tables_that_do_not_fit_their_files_are_refused() {
        let limits = Limits::TINY;
        let mut area = vec![0; 1024];
        let mut builder = PackBuilder::new(1, &limits);
        assert!(builder.append(&mut area, FileIndex(4), b"abc", time(1)));
        assert!(builder.append(&mut area, FileIndex(5), b"defg", time(1)));
        let (len, trailer) = builder.finish(&mut area, Flags::NONE);
        let data = &area[..len as usize];
        assert!(PackView::parse(data, &trailer, &limits).is_ok());
        for bad in [
            PackTrailer { rows: 1, ..trailer },
            PackTrailer { rows: 3, ..trailer },
            PackTrailer { table_offset: 6, ..trailer },
            PackTrailer { table_offset: 1000, ..trailer },
        ] {
            assert!(PackView::parse(data, &bad, &limits).is_err(), "{bad:?}");
        }
        for (at, value) in [(7 + 7, 9u8), (7 + 7, 2), (7 + 9, 1), (7 + 11, 1), (7 + 20, 0xff)] {
            let mut data = data.to_vec();
            data[at] = value;
            assert!(PackView::parse(&data, &trailer, &limits).is_err(), "byte {at}");
        }
    }
}
