//! Entries: one batch of what a transfer holds, in order, paths shortened against the one before.
//!
//! A batch is one record. Each batch names the owners that occur in it, so neither end keeps owners over
//! batches. The parser yields [`Entry`] values that cannot be wrong: path, kind, sizes, chunk size, times
//! and order are checked, and nothing else leaves it.

use super::chunk::Chunks;
use super::order::{Order, check_path};
use super::{Malformed, at_most, no_meaning};
use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, Writer};
use alloc::string::String;
use alloc::vec::Vec;
use base::entry::{Entry, FileTime, Kind};
use base::ids::Value;
use base::limits::Limits;

/// Fixed bytes of a batch's head and of each entry and owner.
const HEAD_BYTES: usize = 18;
const ENTRY_BYTES: usize = 48;
const OWNER_BYTES: usize = 6;
const FLAG_END: u16 = 1;
const FLAG_FAILED_READS: u16 = 2;
const FLAG_ROOTS: u16 = 4;
const FLAG_DENIED: u16 = 8;
/// Fixed bytes of what is denied and of each of its rows.
const DENIED_BYTES: usize = 6;
const DENIED_ROW_BYTES: usize = 3;
/// Most bytes of a rule's words.
const WORDS_BYTES_MAX: usize = 255;
const MODE_MAX: u32 = 0o7777;
const NANOS_MAX: u32 = 999_999_999;

/// Byte table of the head.
pub const HEAD: Layout = Layout {
    name: "Entries",
    place: "data of an Entries frame: head, owners, entries",
    fields: &[
        field("transfer", "u32", "session-local number"),
        field("sequence", "u32", "of the batch, from 0"),
        field("first", "u32", "index of its first entry"),
        field("count", "u16", "entries"),
        field(
            "flags",
            "u16",
            "1: the last batch; 2: some of the source could not be read; 4: entries have roots; 8: what a rule denies follows",
        ),
        field("owners", "u16", "owners named in this batch"),
        field("rows", "owners, then entries, then with flag 8 what is denied", "see below"),
    ],
};

/// Byte table of an owner.
pub const OWNER: Layout = Layout {
    name: "Entries: owner",
    place: "once for each owner or group of the batch that has a name",
    fields: &[
        field("id", "u32", "number on the sender"),
        field("group", "u8", "0 owner, 1 group"),
        field("name", "u8 + bytes", "UTF-8 without control characters, at most `name_bytes_max`"),
    ],
};

/// Byte table of an entry.
pub const ENTRY: Layout = Layout {
    name: "Entries: entry",
    place: "depth first, a directory before its children, siblings by bytes",
    fields: &[
        field("kind", "u8", "1 file, 2 directory, 3 symlink"),
        field("chunk_log2", "u8", "log2 of the chunk size; 0 for what travels in a pack"),
        field("mode", "u32", "permission bits, 0 to 0o7777"),
        field("uid", "u32", "owner, by number on the sender"),
        field("gid", "u32", "group, by number on the sender"),
        field("size", "u64", "bytes; of a symlink its target's, of a directory 0"),
        field("allocated", "u64", "bytes the sender's file system holds"),
        field("mtime_s", "i64", "seconds since 1970"),
        field("mtime_ns", "u32", "0 to 999 999 999"),
        field("shared", "u16", "leading bytes of the path as in the entry before"),
        field("suffix", "u16 + bytes", "the rest of the path"),
        field("target", "u16 + bytes", "of a symlink, else empty"),
        field("root", "[32]", "only with flag 4: BLAKE3 of a file's content, zero for the rest"),
    ],
};

/// Byte table of what is denied.
pub const DENIED: Layout = Layout {
    name: "Entries: denied",
    place: "with flag 8, behind the entries: names that a rule of the sender keeps back",
    fields: &[
        field("more", "u32", "names that are denied as well and found no room here"),
        field("rows", "u16", "names that follow"),
        field("path", "u16 + bytes", "of each: its path in the transfer"),
        field("words", "u8 + bytes", "of each: the rule's words, UTF-8"),
    ],
};

/// Name of an owner or group of the batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// Number on the sender.
    pub id: u32,
    /// Whether it is a group.
    pub group: bool,
    /// Its name.
    pub name: String,
}

/// Names of an entry's owner and group on the sender, where they have one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OwnerNames<'a> {
    /// Of `uid`.
    pub user: Option<&'a str>,
    /// Of `gid`.
    pub group: Option<&'a str>,
}

/// Why an entry was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PushError {
    /// The batch is full: finish it and push the entry into the next.
    Full,
    /// The entry breaks a rule, so no peer would take it: report it as failed and go on.
    Entry(Malformed),
}

/// Builds one batch.
#[derive(Clone, Debug)]
pub struct EntriesWriter {
    transfer: u32,
    sequence: u32,
    first: u32,
    limits: Limits,
    count: u16,
    owners: Vec<(u32, bool)>,
    owner_bytes: Writer,
    entry_bytes: Writer,
    previous: Vec<u8>,
    roots: bool,
    denied: Writer,
    denied_rows: u16,
    denied_more: u32,
}

impl EntriesWriter {
    /// An empty batch, the `sequence`-th of its transfer, whose first entry has index `first`.
    pub fn new(limits: &Limits, transfer: u32, sequence: u32, first: u32) -> Self {
        Self {
            transfer,
            sequence,
            first,
            limits: limits.clone(),
            count: 0,
            owners: Vec::new(),
            owner_bytes: Writer::new(),
            entry_bytes: Writer::new(),
            previous: Vec::new(),
            roots: false,
            denied: Writer::new(),
            denied_rows: 0,
            denied_more: 0,
        }
    }

    /// Names something that a rule keeps back; where there is no room it is only counted.
    pub fn deny(&mut self, path: &[u8], words: &str) {
        let words = cut_words(words);
        let bytes = DENIED_BYTES + DENIED_ROW_BYTES + path.len() + words.len();
        let most = self.limits.record_bytes as usize / 2;
        let fits = self.denied.len() + bytes <= most
            && self.len() + bytes <= self.limits.record_bytes as usize
            && check_path(path, &self.limits).is_ok()
            && !words.is_empty();
        if fits {
            self.denied.counted16(path).counted8(words);
            self.denied_rows += 1;
        } else {
            self.denied_more = self.denied_more.saturating_add(1);
        }
    }

    fn denies(&self) -> bool {
        self.denied_rows > 0 || self.denied_more > 0
    }

    /// A batch whose entries carry the roots of their files, so that content is compared, not size and time.
    #[must_use]
    pub fn with_roots(self) -> Self {
        Self { roots: true, ..self }
    }

    /// Entries so far.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// Whether no entry was added.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds an entry. A name that no peer would take is left out: the number still travels.
    ///
    /// # Errors
    /// The batch is full; or the entry itself breaks a rule. Either way nothing was added.
    pub fn push(&mut self, entry: &Entry, names: OwnerNames<'_>) -> Result<(), PushError> {
        self.push_root(entry, names, Value::default())
    }

    /// As [`Self::push`], with the root of a file's content; it travels only in a batch
    /// [`with_roots`](Self::with_roots).
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_root(&mut self, entry: &Entry, names: OwnerNames<'_>, root: Value) -> Result<(), PushError> {
        check(entry, &self.limits).map_err(PushError::Entry)?;
        let owners = [(entry.uid, false, names.user), (entry.gid, true, names.group)]
            .map(|(id, group, name)| self.unnamed(id, group, name).map(|name| (id, group, name)));
        let owner_bytes: usize = owners.iter().flatten().map(|(_, _, name)| OWNER_BYTES + name.len()).sum();
        let shared = shared_prefix(&self.previous, &entry.path);
        let root_bytes = if self.roots { Value::LEN } else { 0 };
        let bytes = ENTRY_BYTES + entry.path.len() - shared + entry.target.len() + root_bytes;
        let record_bytes = self.limits.record_bytes as usize;
        if u32::from(self.count) >= self.limits.entries_batch_max
            || self.len() + owner_bytes + bytes > record_bytes
        {
            if self.is_empty() {
                let (got, most) = ((HEAD_BYTES + owner_bytes + bytes) as u64, record_bytes as u64);
                return Err(PushError::Entry(Malformed::Over { field: "entry", got, most }));
            }
            return Err(PushError::Full);
        }
        for (id, group, name) in owners.into_iter().flatten() {
            self.owners.push((id, group));
            self.owner_bytes.u32(id).u8(u8::from(group)).counted8(name.as_bytes());
        }
        self.write(entry, shared);
        if self.roots {
            self.entry_bytes.bytes(&root.0);
        }
        self.previous.truncate(shared);
        self.previous.extend_from_slice(&entry.path[shared..]);
        self.count += 1;
        Ok(())
    }

    /// The batch's bytes; `end` says that it is the transfer's last, `failed_reads` that the receiver must
    /// not take a missing name for a deleted one. An empty batch is one that only ends.
    pub fn finish(self, end: bool, failed_reads: bool) -> Vec<u8> {
        let flags = (u16::from(end) * FLAG_END) | (u16::from(failed_reads) * FLAG_FAILED_READS);
        let flags = flags | (u16::from(self.roots) * FLAG_ROOTS) | (u16::from(self.denies()) * FLAG_DENIED);
        let mut out = Writer::with_capacity(self.len());
        out.u32(self.transfer).u32(self.sequence).u32(self.first).u16(self.count);
        out.u16(flags).u16(self.owners.len() as u16);
        out.bytes(self.owner_bytes.as_bytes()).bytes(self.entry_bytes.as_bytes());
        if self.denies() {
            out.u32(self.denied_more).u16(self.denied_rows).bytes(self.denied.as_bytes());
        }
        out.into_vec()
    }

    fn len(&self) -> usize {
        let denied = if self.denies() { DENIED_BYTES + self.denied.len() } else { 0 };
        HEAD_BYTES + self.owner_bytes.len() + self.entry_bytes.len() + denied
    }

    /// The name, where it has to be added to the batch's table.
    fn unnamed<'a>(&self, id: u32, group: bool, name: Option<&'a str>) -> Option<&'a str> {
        let name = name.filter(|name| check_owner_name(name.as_bytes(), &self.limits).is_ok())?;
        (!self.owners.contains(&(id, group))).then_some(name)
    }

    fn write(&mut self, entry: &Entry, shared: usize) {
        let out = &mut self.entry_bytes;
        out.u8(entry.kind as u8).u8(entry.chunk_log2).u32(entry.mode).u32(entry.uid).u32(entry.gid);
        out.u64(entry.size).u64(entry.allocated).i64(entry.mtime.seconds).u32(entry.mtime.nanos);
        out.u16(shared as u16).counted16(&entry.path[shared..]).counted16(&entry.target);
    }
}

/// One batch, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntriesBatch {
    /// Session-local number of the transfer.
    pub transfer: u32,
    /// Of the batch, from 0.
    pub sequence: u32,
    /// Index of its first entry.
    pub first: u32,
    /// Whether it is the last.
    pub end: bool,
    /// Whether some of the source could not be read.
    pub failed_reads: bool,
    /// Names of the owners and groups that occur in it.
    pub owners: Vec<Owner>,
    /// The entries.
    pub entries: Vec<Entry>,
    /// Roots of their content, one for each entry, where the batch has them.
    pub roots: Vec<Value>,
    /// Names that a rule of the sender keeps back, and the rule's words.
    pub denied: Vec<(Vec<u8>, String)>,
    /// How many more are kept back.
    pub denied_more: u32,
}

impl EntriesBatch {
    /// Reads and checks a batch. After an error `order` is of no further use.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8], limits: &Limits, order: &mut Order) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let (transfer, sequence, first) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let (count, flags, owners) = (reader.u16()?, reader.u16()?, reader.u16()?);
        if flags & !(FLAG_END | FLAG_FAILED_READS | FLAG_ROOTS | FLAG_DENIED) != 0 {
            return Err(no_meaning("flags", u64::from(flags)));
        }
        let (end, failed_reads) = (flags & FLAG_END != 0, flags & FLAG_FAILED_READS != 0);
        let rooted = flags & FLAG_ROOTS != 0;
        at_most("count", u64::from(count), u64::from(limits.entries_batch_max))?;
        at_most("owners", u64::from(owners), 2 * u64::from(count))?;
        let least = usize::from(owners) * OWNER_BYTES + usize::from(count) * ENTRY_BYTES;
        at_most("rows", least as u64, reader.remaining() as u64)?;
        order.begin(sequence, first, end)?;
        let owners = read_owners(&mut reader, owners, limits)?;
        let mut entries: Vec<Entry> = Vec::with_capacity(usize::from(count));
        let mut roots = Vec::new();
        for _ in 0..count {
            let previous = entries.last().map_or(&[][..], |entry| &entry.path);
            let entry = read_entry(&mut reader, previous, limits)?;
            order.accept(check(&entry, limits)?, entry.kind)?;
            entries.push(entry);
            if rooted {
                roots.push(Value(reader.array()?));
            }
        }
        let (denied, denied_more) = match flags & FLAG_DENIED {
            0 => (Vec::new(), 0),
            _ => read_denied(&mut reader, limits)?,
        };
        reader.finish()?;
        let failed_reads = failed_reads || flags & FLAG_DENIED != 0;
        Ok(Self { transfer, sequence, first, end, failed_reads, owners, entries, roots, denied, denied_more })
    }

    /// Name of an owner or group on the sender.
    pub fn owner_name(&self, id: u32, group: bool) -> Option<&str> {
        self.owners
            .iter()
            .find(|owner| owner.id == id && owner.group == group)
            .map(|owner| owner.name.as_str())
    }
}

type Denied = (Vec<(Vec<u8>, String)>, u32);

fn read_denied(reader: &mut Reader<'_>, limits: &Limits) -> Result<Denied, Malformed> {
    let (more, rows) = (reader.u32()?, reader.u16()?);
    at_most("denied", u64::from(rows), (reader.remaining() / DENIED_ROW_BYTES) as u64)?;
    let mut denied = Vec::with_capacity(usize::from(rows));
    for _ in 0..rows {
        let path = reader.counted16(limits.path_bytes_max as usize)?;
        check_path(path, limits)?;
        denied.push((path.to_vec(), String::from(read_words(reader)?)));
    }
    Ok((denied, more))
}

/// A rule's words as they travel, at most a byte's count of them.
pub(super) fn cut_words(words: &str) -> &[u8] {
    &words.as_bytes()[..words.floor_char_boundary(WORDS_BYTES_MAX)]
}

/// Words of a rule, at least one byte.
pub(super) fn read_words<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Malformed> {
    let words = core::str::from_utf8(reader.counted8(WORDS_BYTES_MAX)?).ok();
    words.filter(|words| !words.is_empty()).ok_or(Malformed::Text { field: "words" })
}

fn read_owners(reader: &mut Reader<'_>, count: u16, limits: &Limits) -> Result<Vec<Owner>, Malformed> {
    let mut owners: Vec<Owner> = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let id = reader.u32()?;
        let group = match reader.u8()? {
            0 => false,
            1 => true,
            other => return Err(no_meaning("group", u64::from(other))),
        };
        let name = check_owner_name(reader.counted8(limits.name_bytes_max as usize)?, limits)?;
        owners.push(Owner { id, group, name: String::from(name) });
    }
    Ok(owners)
}

fn read_entry(reader: &mut Reader<'_>, previous: &[u8], limits: &Limits) -> Result<Entry, Malformed> {
    let kind = reader.u8()?;
    let kind = Kind::from_byte(kind).ok_or(no_meaning("kind", u64::from(kind)))?;
    let chunk_log2 = reader.u8()?;
    let (mode, uid, gid) = (reader.u32()?, reader.u32()?, reader.u32()?);
    let (size, allocated) = (reader.u64()?, reader.u64()?);
    let mtime = FileTime { seconds: reader.i64()?, nanos: reader.u32()? };
    let shared = usize::from(reader.u16()?);
    let suffix = reader.counted16(limits.path_bytes_max as usize)?;
    let head = previous.get(..shared).ok_or(no_meaning("shared", shared as u64))?;
    at_most("path", (shared + suffix.len()) as u64, u64::from(limits.path_bytes_max))?;
    let mut path = Vec::with_capacity(shared + suffix.len());
    path.extend_from_slice(head);
    path.extend_from_slice(suffix);
    let target = reader.counted16(target_bytes_max(limits))?.to_vec();
    Ok(Entry { kind, chunk_log2, mode, uid, gid, size, allocated, mtime, path, target })
}

/// Every rule of one entry, alone; the path's checked form.
fn check<'a>(entry: &'a Entry, limits: &Limits) -> Result<base::name::RelPath<'a>, Malformed> {
    at_most("mode", u64::from(entry.mode), u64::from(MODE_MAX))?;
    at_most("mtime_ns", u64::from(entry.mtime.nanos), u64::from(NANOS_MAX))?;
    at_most("size", entry.size, i64::MAX as u64)?;
    let target = entry.target.len();
    match entry.kind {
        Kind::File => drop(Chunks::of(entry, limits)?),
        Kind::Directory => at_most("size", entry.size, 0)?,
        Kind::Symlink => {
            at_most("target", target as u64, target_bytes_max(limits) as u64)?;
            if target == 0 || entry.size != target as u64 || entry.target.contains(&0) {
                return Err(no_meaning("target", target as u64));
            }
        }
    }
    if entry.kind != Kind::Symlink && target != 0 {
        return Err(no_meaning("target", target as u64));
    }
    if entry.kind != Kind::File && entry.chunk_log2 != 0 {
        return Err(no_meaning("chunk_log2", u64::from(entry.chunk_log2)));
    }
    check_path(&entry.path, limits)
}

/// Longest target of a symlink: what the kernel takes, one less than a path.
fn target_bytes_max(limits: &Limits) -> usize {
    limits.path_bytes_max as usize - 1
}

fn check_owner_name<'a>(name: &'a [u8], limits: &Limits) -> Result<&'a str, Malformed> {
    let refused = Malformed::Text { field: "owner" };
    let name = core::str::from_utf8(name).map_err(|_| refused)?;
    let most = limits.name_bytes_max.min(u32::from(u8::MAX)) as usize;
    if name.is_empty() || name.len() > most || name.chars().any(char::is_control) {
        return Err(refused);
    }
    Ok(name)
}

fn shared_prefix(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::super::chunk::chunk_log2_for;
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::string::ToString;
    use alloc::{format, vec};
    use proptest::prelude::*;

    fn file(path: &[u8], size: u64, limits: &Limits) -> Entry {
        Entry {
            kind: Kind::File,
            chunk_log2: chunk_log2_for(size, limits).expect("within the limits"),
            mode: 0o644,
            uid: 1000,
            gid: 100,
            size,
            allocated: size,
            mtime: FileTime { seconds: -5, nanos: 999_999_999 },
            path: path.to_vec(),
            target: Vec::new(),
        }
    }

    fn directory(path: &[u8]) -> Entry {
        Entry { kind: Kind::Directory, mode: 0o2755, ..file(path, 0, &Limits::TINY) }
    }

    fn symlink(path: &[u8], target: &[u8]) -> Entry {
        let size = target.len() as u64;
        Entry { kind: Kind::Symlink, size, target: target.to_vec(), ..file(path, 0, &Limits::TINY) }
    }

    /// A small tree in order: at each place a file, a directory with two levels below, or a symlink.
    fn trees() -> impl Strategy<Value = Vec<Entry>> {
        let row = ("[a-c]{1,3}", "[a-d.]{1,4}", 0u8..3, 0u64..500_000, any::<i64>(), 0u32..4);
        prop::collection::vec(row, 1..12).prop_map(|rows| {
            let mut entries = BTreeMap::new();
            for (parent, name, kind, size, seconds, owner) in rows {
                let path = format!("{parent}/{name}");
                if matches!(name.as_str(), "." | "..") {
                    continue;
                }
                entries.insert(parent.replace('/', "\0"), directory(parent.as_bytes()));
                let mut entry = match kind {
                    0 => file(path.as_bytes(), size, &Limits::TINY),
                    1 => directory(path.as_bytes()),
                    _ => symlink(path.as_bytes(), b"../else/where"),
                };
                entry.mtime.seconds = seconds;
                entry.uid = owner;
                entries.insert(path.replace('/', "\0"), entry);
            }
            entries.into_values().collect()
        })
    }

    /// Writes entries into as many batches as they need.
    fn batches(entries: &[Entry], limits: &Limits) -> Vec<Vec<u8>> {
        let mut out = vec![];
        let mut writer = EntriesWriter::new(limits, 7, 0, 0);
        for (index, entry) in entries.iter().enumerate() {
            let user = format!("user{}", entry.uid);
            let names = OwnerNames { user: Some(&user), group: Some("staff") };
            if writer.push(entry, names) == Err(PushError::Full) {
                let next = EntriesWriter::new(limits, 7, out.len() as u32 + 1, index as u32);
                out.push(core::mem::replace(&mut writer, next).finish(false, false));
                assert_eq!(writer.push(entry, names), Ok(()));
            }
        }
        out.push(writer.finish(true, false));
        out
    }

    proptest! {
        #[test]
        fn trees_round_trip_over_batches(entries in trees()) {
            let limits = Limits::TINY;
            let mut order = Order::new();
            let mut back = vec![];
            for bytes in batches(&entries, &limits) {
                prop_assert!(bytes.len() <= limits.record_bytes as usize);
                for cut in 0..bytes.len() {
                    prop_assert!(EntriesBatch::parse(&bytes[..cut], &limits, &mut order.clone()).is_err());
                }
                let batch = EntriesBatch::parse(&bytes, &limits, &mut order);
                let batch = batch.map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
                prop_assert_eq!((batch.transfer, batch.first as usize), (7, back.len()));
                for entry in &batch.entries {
                    prop_assert_eq!(batch.owner_name(entry.gid, true), Some("staff"));
                    let user = format!("user{}", entry.uid);
                    prop_assert_eq!(batch.owner_name(entry.uid, false), Some(user.as_str()));
                }
                back.extend(batch.entries);
            }
            prop_assert!(order.ended());
            prop_assert_eq!(order.next_file() as usize, entries.len());
            prop_assert_eq!(back, entries);
        }

        #[test]
        fn foreign_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), honest in any::<bool>()) {
            if honest && bytes.len() >= 18 {
                // a head that is accepted, so that rows are reached
                bytes[..18].copy_from_slice(&[0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 1]);
            }
            let _ = EntriesBatch::parse(&bytes, &Limits::TINY, &mut Order::new());
            let _ = EntriesBatch::parse(&bytes, &Limits::DEFAULT, &mut Order::new());
        }

        #[test]
        fn one_changed_byte_never_yields_an_entry_against_the_rules(at in 0usize..200, value in any::<u8>()) {
            let limits = Limits::TINY;
            let entries = [directory(b"a"), symlink(b"a/l", b"x"), file(b"a/z", 9000, &limits)];
            let mut bytes = batches(&entries, &limits).remove(0);
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(batch) = EntriesBatch::parse(&bytes, &limits, &mut Order::new()) {
                for entry in batch.entries {
                    prop_assert!(check(&entry, &limits).is_ok());
                }
            }
        }
    }

    #[test]
    fn an_entry_against_a_rule_is_neither_written_nor_read() {
        let limits = Limits::TINY;
        let good = file(b"a", 9000, &limits);
        let bad = [
            Entry { mode: 0o10000, ..good.clone() },
            Entry { mtime: FileTime { seconds: 0, nanos: 1_000_000_000 }, ..good.clone() },
            Entry { size: u64::MAX, ..good.clone() },
            Entry { chunk_log2: 0, ..good.clone() },
            Entry { chunk_log2: 9, ..good.clone() },
            Entry { chunk_log2: 64, ..good.clone() },
            Entry { target: b"x".to_vec(), ..good.clone() },
            Entry { path: b"../a".to_vec(), ..good.clone() },
            Entry { path: b".xferd-00.part".to_vec(), ..good.clone() },
            Entry { size: 1, ..directory(b"a") },
            Entry { chunk_log2: 12, ..directory(b"a") },
            Entry { size: 2, ..symlink(b"a", b"x") },
            symlink(b"a", b""),
            symlink(b"a", b"x\0y"),
            symlink(b"a", &[b'x'; 256]),
        ];
        for entry in bad {
            let mut writer = EntriesWriter::new(&limits, 1, 0, 0);
            let pushed = writer.push(&entry, OwnerNames::default());
            assert!(matches!(pushed, Err(PushError::Entry(_))), "{entry:?}");
            assert!(writer.is_empty());
            writer.write(&entry, 0);
            writer.count = 1;
            assert!(
                EntriesBatch::parse(&writer.finish(true, false), &limits, &mut Order::new()).is_err(),
                "{entry:?}"
            );
        }
    }

    #[test]
    fn a_batch_ends_at_its_count_and_at_its_record() {
        let limits = Limits::TINY;
        let mut writer = EntriesWriter::new(&limits, 1, 0, 0);
        for name in [b"a", b"b", b"c", b"d"] {
            assert_eq!(writer.push(&file(name, 1, &limits), OwnerNames::default()), Ok(()));
        }
        assert_eq!(writer.push(&file(b"e", 1, &limits), OwnerNames::default()), Err(PushError::Full));

        let limits = Limits { entries_batch_max: 100, ..limits };
        let mut writer = EntriesWriter::new(&limits, 1, 0, 0);
        let mut count = 0u16;
        while writer.push(&file(format!("{count:04}").as_bytes(), 1, &limits), OwnerNames::default()).is_ok()
        {
            count += 1;
        }
        assert_eq!(count, writer.count());
        assert!((10..100).contains(&count) && writer.finish(false, false).len() <= 1024);
    }

    #[test]
    fn owners_without_a_usable_name_travel_as_numbers() {
        let limits = Limits::TINY;
        let mut writer = EntriesWriter::new(&limits, 1, 0, 0);
        let long = "x".repeat(65);
        let names = OwnerNames { user: Some("a\nb"), group: Some(&long) };
        assert_eq!(writer.push(&file(b"a", 1, &limits), names), Ok(()));
        let names = OwnerNames { user: Some("jörg"), group: None };
        assert_eq!(writer.push(&file(b"b", 1, &limits), names), Ok(()));
        let batch =
            EntriesBatch::parse(&writer.finish(true, false), &limits, &mut Order::new()).expect("valid");
        assert_eq!(batch.owners, [Owner { id: 1000, group: false, name: "jörg".to_string() }]);
        assert_eq!(batch.owner_name(100, true), None);
    }

    #[test]
    fn an_empty_batch_may_end_a_transfer() {
        let bytes = EntriesWriter::new(&Limits::TINY, 1, 0, 0).finish(true, false);
        let batch = EntriesBatch::parse(&bytes, &Limits::TINY, &mut Order::new()).expect("valid");
        assert!(batch.transfer == 1 && batch.end && batch.entries.is_empty());
    }
}
