//! Records and their bodies. What is read back is checked as if a peer had sent it: a disk may have
//! changed a journal too.

use super::{CHECK_BYTES, HEAD_BYTES, RECORD_HEAD_BYTES};
use crate::paths::{ReservedKind, ReservedName};
use alloc::vec::Vec;
use base::entry::{Entry, FileTime, Kind};
use base::ids::{ChunkIndex, Value};
use base::name::{Name, RelPath};

pub(super) const BEGIN: u16 = 1;
pub(super) const RECEIVED: u16 = 2;
pub(super) const DURABLE: u16 = 3;
pub(super) const TORN: u16 = 4;
pub(super) const WHOLE: u16 = 5;
pub(super) const COMMITTING: u16 = 16;
pub(super) const DONE: u16 = 17;
pub(super) const RECEIPT: u16 = 18;
pub(super) const STAGING: u16 = 19;

/// Bytes of a BEGIN body without its anchor and path.
pub(super) const BEGIN_FIXED_BYTES: usize = 48;
/// Bytes of one RECEIVED row.
pub(super) const RECEIVED_ROW_BYTES: usize = 36;

const BEGIN_IN_PLACE: u8 = 1;
const COMMITTING_LAST: u16 = 1;
const FILE_NO_REPLACE: u8 = 1;

/// One record of either journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// What the part stages. First record of a part journal.
    Begin(Begin),
    /// Chunks whose last byte is written, with our own values of them. A later row of a chunk replaces an
    /// earlier one.
    Received(Vec<ChunkValue>),
    /// Everything received by records up to this sequence number is on disk.
    Durable {
        /// Sequence number of the last record it covers.
        through: u64,
    },
    /// The destination is written in place: its content is neither old nor new.
    Torn {
        /// Its inode.
        inode: u64,
    },
    /// The file written in place holds exactly this content.
    Whole {
        /// Its root.
        root: Value,
    },
    /// Files about to get their final names.
    Committing(Committing),
    /// Every file of the batch that could be published is, durably.
    Done {
        /// Which batch.
        batch: u32,
    },
    /// The signed receipt.
    Receipt(Vec<u8>),
    /// Temps of the transfer are about to be made in a directory.
    Staging(Staging),
}

/// Where a transfer has temps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Staging {
    /// Share name, or the local root of a pull.
    pub anchor: Vec<u8>,
    /// The directory below it.
    pub path: Vec<u8>,
}

/// What a part stages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begin {
    /// Share name, or the local root of a pull.
    pub anchor: Vec<u8>,
    /// The entry; its `path` is the destination below the anchor, its `target` is empty.
    pub entry: Entry,
    /// The chunks go over the old content, not into a part.
    pub in_place: bool,
}

/// A chunk and our own value of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkValue {
    /// Which.
    pub chunk: ChunkIndex,
    /// Its BLAKE3 value.
    pub value: Value,
}

/// A batch, or a piece of one, about to be renamed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committing {
    /// Number of the batch within the transfer.
    pub batch: u32,
    /// This piece is the batch's last; renames begin only after it is synced.
    pub last: bool,
    /// Share name, or the local root of a pull.
    pub anchor: Vec<u8>,
    /// Directories below the anchor that must be synced after the renames.
    pub directories: Vec<Vec<u8>>,
    /// The files.
    pub files: Vec<CommittingFile>,
}

/// One file about to be renamed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommittingFile {
    /// Index into `directories`.
    pub directory: u16,
    /// Must not replace an existing name.
    pub no_replace: bool,
    /// Staged name.
    pub temp: ReservedName,
    /// Final name, a component.
    pub name: Vec<u8>,
    /// Inode of the staged file.
    pub inode: u64,
    /// Root of its content.
    pub root: Value,
}

impl Begin {
    /// Length of a part journal that holds its head and this record and says nothing of any chunk: to cut it
    /// there takes back everything it said.
    pub fn end_bytes(&self) -> u64 {
        let paths = self.anchor.len() + self.entry.path.len();
        (HEAD_BYTES + RECORD_HEAD_BYTES + BEGIN_FIXED_BYTES + paths + CHECK_BYTES) as u64
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let entry = &self.entry;
        out.push(if self.in_place { BEGIN_IN_PLACE } else { 0 });
        out.push(entry.chunk_log2);
        for number in [entry.mode, entry.uid, entry.gid, entry.mtime.nanos] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&entry.size.to_be_bytes());
        out.extend_from_slice(&entry.allocated.to_be_bytes());
        out.extend_from_slice(&entry.mtime.seconds.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        text16(out, &self.anchor);
        text16(out, &entry.path);
    }

    fn decode(from: &mut Cursor<'_>) -> Option<Self> {
        let flags = from.u8()?;
        if flags & !BEGIN_IN_PLACE != 0 {
            return None;
        }
        let chunk_log2 = from.u8()?;
        let (mode, uid, gid, nanos) = (from.u32()?, from.u32()?, from.u32()?, from.u32()?);
        let (size, allocated, seconds) = (from.u64()?, from.u64()?, from.u64()? as i64);
        if from.u16()? != 0 {
            return None;
        }
        let anchor = from.text16()?.to_vec();
        let path = from.text16()?;
        RelPath::new(path).ok()?;
        let mtime = FileTime { seconds, nanos };
        let path = path.to_vec();
        let entry = Entry {
            kind: Kind::File,
            chunk_log2,
            mode,
            uid,
            gid,
            size,
            allocated,
            mtime,
            path,
            target: Vec::new(),
        };
        Some(Self { anchor, entry, in_place: flags == BEGIN_IN_PLACE })
    }
}

pub(super) fn encode_received(rows: &[ChunkValue], out: &mut Vec<u8>) {
    out.extend_from_slice(&(rows.len() as u32).to_be_bytes());
    for row in rows {
        out.extend_from_slice(&row.chunk.0.to_be_bytes());
        out.extend_from_slice(&row.value.0);
    }
}

fn decode_received(from: &mut Cursor<'_>) -> Option<Vec<ChunkValue>> {
    let count = from.u32()? as usize;
    if from.rest.len() != count.checked_mul(RECEIVED_ROW_BYTES)? {
        return None;
    }
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        rows.push(ChunkValue { chunk: ChunkIndex(from.u32()?), value: Value(from.array()?) });
    }
    Some(rows)
}

/// Builds the body of one COMMITTING record, up to a bound.
#[derive(Clone, Debug)]
pub(crate) struct CommittingBody {
    head: Vec<u8>,
    directories: Vec<u8>,
    directory_count: u16,
    files: Vec<u8>,
    file_count: u16,
    body_bytes_max: usize,
}

impl CommittingBody {
    /// An empty piece of a batch.
    pub(crate) fn new(batch: u32, anchor: &[u8], record_bytes_max: u32) -> Self {
        let mut head = Vec::with_capacity(8 + anchor.len());
        head.extend_from_slice(&batch.to_be_bytes());
        head.extend_from_slice(&[0; 2]);
        text16(&mut head, anchor);
        Self {
            head,
            directories: Vec::new(),
            directory_count: 0,
            files: Vec::new(),
            file_count: 0,
            body_bytes_max: record_bytes_max as usize - RECORD_HEAD_BYTES - super::CHECK_BYTES,
        }
    }

    fn fits(&self, more: usize) -> bool {
        self.head.len() + self.directories.len() + self.files.len() + 4 + more <= self.body_bytes_max
    }

    /// Adds a directory; `None`: it does not fit any more.
    pub(crate) fn directory(&mut self, path: &[u8]) -> Option<u16> {
        if !self.fits(2 + path.len()) || self.directory_count == u16::MAX {
            return None;
        }
        text16(&mut self.directories, path);
        self.directory_count += 1;
        Some(self.directory_count - 1)
    }

    /// Adds a file of a directory added before; `false`: it does not fit any more.
    pub(crate) fn file(
        &mut self,
        directory: u16,
        no_replace: bool,
        temp: &ReservedName,
        name: Name<'_>,
        inode: u64,
        root: &Value,
    ) -> bool {
        let name = name.as_bytes();
        if !self.fits(61 + name.len()) || self.file_count == u16::MAX {
            return false;
        }
        self.files.extend_from_slice(&directory.to_be_bytes());
        self.files.push(if no_replace { FILE_NO_REPLACE } else { 0 });
        self.files.push(temp.kind() as u8);
        self.files.extend_from_slice(&temp.id());
        self.files.extend_from_slice(&inode.to_be_bytes());
        self.files.extend_from_slice(&root.0);
        self.files.push(name.len() as u8);
        self.files.extend_from_slice(name);
        self.file_count += 1;
        true
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.directory_count == 0 && self.file_count == 0
    }

    pub(super) fn encode(&self, last: bool, out: &mut Vec<u8>) {
        let flags = if last { COMMITTING_LAST } else { 0 };
        out.extend_from_slice(&self.head[..4]);
        out.extend_from_slice(&flags.to_be_bytes());
        out.extend_from_slice(&self.head[6..]);
        out.extend_from_slice(&self.directory_count.to_be_bytes());
        out.extend_from_slice(&self.directories);
        out.extend_from_slice(&self.file_count.to_be_bytes());
        out.extend_from_slice(&self.files);
    }
}

impl Committing {
    fn decode(from: &mut Cursor<'_>) -> Option<Self> {
        let batch = from.u32()?;
        let flags = from.u16()?;
        if flags & !COMMITTING_LAST != 0 {
            return None;
        }
        let anchor = from.text16()?.to_vec();
        let count = from.u16()?;
        let mut directories = Vec::new();
        for _ in 0..count {
            let path = from.text16()?;
            RelPath::new(path).ok()?;
            directories.push(path.to_vec());
        }
        let count = from.u16()?;
        let mut files = Vec::new();
        for _ in 0..count {
            let file = CommittingFile::decode(from)?;
            if usize::from(file.directory) >= directories.len() {
                return None;
            }
            files.push(file);
        }
        Some(Self { batch, last: flags == COMMITTING_LAST, anchor, directories, files })
    }
}

impl Staging {
    fn decode(from: &mut Cursor<'_>) -> Option<Self> {
        let anchor = from.text16()?.to_vec();
        let path = from.text16()?;
        RelPath::new(path).ok()?;
        Some(Self { anchor, path: path.to_vec() })
    }
}

pub(super) fn encode_staging(anchor: &[u8], path: &[u8], out: &mut Vec<u8>) {
    text16(out, anchor);
    text16(out, path);
}

impl CommittingFile {
    fn decode(from: &mut Cursor<'_>) -> Option<Self> {
        let directory = from.u16()?;
        let flags = from.u8()?;
        if flags & !FILE_NO_REPLACE != 0 {
            return None;
        }
        let kind = ReservedKind::from_byte(from.u8()?)?;
        let temp = ReservedName::new(kind, from.array()?);
        let (inode, root) = (from.u64()?, Value(from.array()?));
        let len = from.u8()?;
        let name = from.take(usize::from(len))?;
        Name::new(name).ok()?;
        Some(Self { directory, no_replace: flags == FILE_NO_REPLACE, temp, name: name.to_vec(), inode, root })
    }
}

impl Record {
    /// Reads the body of a record of this kind; `None` when it is not one, to the last byte.
    pub(super) fn decode(kind: u16, body: &[u8]) -> Option<Self> {
        let mut from = Cursor { rest: body };
        let record = match kind {
            BEGIN => Self::Begin(Begin::decode(&mut from)?),
            RECEIVED => Self::Received(decode_received(&mut from)?),
            DURABLE => Self::Durable { through: from.u64()? },
            TORN => Self::Torn { inode: from.u64()? },
            WHOLE => Self::Whole { root: Value(from.array()?) },
            COMMITTING => Self::Committing(Committing::decode(&mut from)?),
            DONE => Self::Done { batch: from.u32()? },
            RECEIPT => Self::Receipt(from.take(body.len())?.to_vec()),
            STAGING => Self::Staging(Staging::decode(&mut from)?),
            _ => return None,
        };
        from.rest.is_empty().then_some(record)
    }

    /// Whether it belongs into a part journal; else it belongs into a transfer journal.
    pub(super) fn is_of_part(&self) -> bool {
        match self {
            Self::Begin(_)
            | Self::Received(_)
            | Self::Durable { .. }
            | Self::Torn { .. }
            | Self::Whole { .. } => true,
            Self::Committing(_) | Self::Done { .. } | Self::Receipt(_) | Self::Staging(_) => false,
        }
    }
}

/// Appends a length in 16 bits and the bytes. Paths are bounded far below.
fn text16(out: &mut Vec<u8>, text: &[u8]) {
    assert!(text.len() <= usize::from(u16::MAX), "paths and anchors are bounded by path_bytes_max");
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text);
}

/// Takes fixed-width numbers off the front of a body.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn text16(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }
}
