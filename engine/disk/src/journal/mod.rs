//! The two append-only files that make a receive survive; byte tables in `FORMAT.md`.
//!
//! A **part journal** (`<part id>.xj`) belongs to one file above `journal_file_bytes_min`: what it is
//! (BEGIN), which chunks came with which value (RECEIVED), which of them are durable (DURABLE), whether a
//! file written in place is torn (TORN, WHOLE). A **transfer journal** (`<transfer id>.xt`) holds what is
//! about to get its final name (COMMITTING), what has it durably (DONE), and the receipt (RECEIPT).
//!
//! ```text
//! head | record | record | record | <- first record that does not check: the journal ends before it
//!        each names the check of the one before, so nothing is spliced, reordered or left over
//! ```
//!
//! [`Writer`] turns records into bytes at an offset; [`Reader`] takes bytes and gives records. Neither
//! touches a file. A record never exceeds `record_bytes`, so a batch may take several.

mod reader;
mod record;
mod writer;

pub use reader::{End, Reader, Scanned};
pub use record::{Begin, ChunkValue, Committing, CommittingFile, Record, Staging};
pub use writer::{Append, RecordTooLarge, Writer};

pub(crate) use record::CommittingBody;

use crate::paths::RESERVED_BYTES_MAX;
use alloc::format;
use alloc::string::String;
use base::ids::PartId;
use base::limits::Limits;

/// Version of both formats.
pub const VERSION: u16 = 1;
/// Bytes of the head of a journal.
pub const HEAD_BYTES: usize = 48;
/// Bytes of a record before its body.
pub const RECORD_HEAD_BYTES: usize = 32;
/// Bytes of a check.
pub const CHECK_BYTES: usize = 16;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JournalKind {
    /// `.xj`, one file.
    Part,
    /// `.xt`, one transfer.
    Transfer,
}

impl JournalKind {
    /// First bytes of the file.
    pub fn magic(self) -> [u8; 8] {
        match self {
            Self::Part => *b"xferd-xj",
            Self::Transfer => *b"xferd-xt",
        }
    }

    /// What its file name ends in.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Part => "xj",
            Self::Transfer => "xt",
        }
    }
}

/// Name of a journal's file: 32 hexadecimal digits and the extension.
pub fn file_name(kind: JournalKind, id: [u8; 16]) -> String {
    format!("{}.{}", PartId(id), kind.extension())
}

/// Reads such a name back; `None` for any other file.
pub fn parse_file_name(name: &[u8]) -> Option<(JournalKind, [u8; 16])> {
    let (digits, extension) = core::str::from_utf8(name).ok()?.split_once('.')?;
    let kind =
        [JournalKind::Part, JournalKind::Transfer].into_iter().find(|kind| kind.extension() == extension)?;
    let id = PartId::from_hex(digits)?.0;
    (file_name(kind, id).as_bytes() == name).then_some((kind, id))
}

/// What the name of a journal that was set aside ends in.
const ASIDE: &str = ".aside";

/// Name of a journal that nobody acts on any more, kept for whoever looks into the fault.
pub fn aside_name(kind: JournalKind, id: [u8; 16]) -> String {
    format!("{}{ASIDE}", file_name(kind, id))
}

/// Whether a file is a journal that was set aside.
pub fn is_aside(name: &[u8]) -> bool {
    name.strip_suffix(ASIDE.as_bytes()).is_some_and(|journal| parse_file_name(journal).is_some())
}

/// Bytes of a COMMITTING record that names one file with the longest paths.
const fn committing_bytes_max(limits: &Limits) -> u64 {
    let frame = RECORD_HEAD_BYTES + CHECK_BYTES;
    let fixed = 6 + 2 + 2 + 2 + 2;
    let row = 2 + 1 + 1 + 16 + 8 + 32 + 1;
    (frame + fixed + row) as u64 + limits.path_bytes_max as u64 * 2 + limits.name_bytes_max as u64
}

/// Bytes of the longest BEGIN record.
const fn begin_bytes_max(limits: &Limits) -> u64 {
    (RECORD_HEAD_BYTES + CHECK_BYTES + record::BEGIN_FIXED_BYTES) as u64 + limits.path_bytes_max as u64 * 2
}

const _: () = assert!(committing_bytes_max(&Limits::DEFAULT) <= Limits::DEFAULT.record_bytes as u64);
const _: () = assert!(committing_bytes_max(&Limits::TINY) <= Limits::TINY.record_bytes as u64);
const _: () = assert!(begin_bytes_max(&Limits::DEFAULT) <= Limits::DEFAULT.record_bytes as u64);
const _: () = assert!(begin_bytes_max(&Limits::TINY) <= Limits::TINY.record_bytes as u64);
const _: () = assert!(RESERVED_BYTES_MAX <= Limits::TINY.name_bytes_max as usize);

#[cfg(test)]
mod tests;
