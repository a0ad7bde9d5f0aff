use super::*;
use crate::journal::{Begin, ChunkValue, CommittingBody, JournalKind, Reader, Record, Writer};
use crate::paths::{ReservedKind, ReservedName};
use crate::publish::model::{BLOCKER, Dice, Disk, stat};
use crate::toy;
use alloc::vec::Vec;
use base::entry::{Entry, FileTime, Kind, Stat};
use base::ids::{ChunkIndex, PartId, Value};
use base::limits::Limits;
use base::name::Name;
use proptest::prelude::*;

const SIZE: u64 = 4096 * 7 + 100;

fn begin(in_place: bool) -> Begin {
    let entry = Entry {
        kind: Kind::File,
        chunk_log2: 12,
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: SIZE,
        allocated: SIZE,
        mtime: FileTime { seconds: 5, nanos: 6 },
        path: b"d/x".to_vec(),
        target: Vec::new(),
    };
    Begin { anchor: b"share".to_vec(), entry, in_place }
}

fn row(chunk: u32, seed: u8) -> ChunkValue {
    ChunkValue { chunk: ChunkIndex(chunk), value: Value([seed; 32]) }
}

fn part_stat() -> Stat {
    Stat { size: SIZE, ..stat(7) }
}

/// Chunks 0 to 5 received, 0 to 2 durable, then 1 received again with another value.
fn journal(in_place: bool) -> PartJournal {
    let limits = Limits::TINY;
    let (mut writer, head) = Writer::part(PartId([1; 16]), toy::hash, &limits);
    let mut file = head.bytes;
    file.extend(writer.begin(&begin(in_place)).expect("fits").bytes);
    if in_place {
        file.extend(writer.torn(7).bytes);
    }
    file.extend(writer.received(&[row(0, 10), row(1, 11), row(2, 12)]).bytes);
    let through = writer.sequence();
    file.extend(writer.received(&[row(3, 13), row(4, 14), row(5, 15)]).bytes);
    file.extend(writer.durable(through).bytes);
    file.extend(writer.received(&[row(1, 21), row(99, 1)]).bytes);
    let mut reader = Reader::new(JournalKind::Part, toy::hash, &limits);
    reader.feed(&file);
    let mut journal = PartJournal::new(&limits);
    while let Some((sequence, record)) = reader.next_record() {
        journal.apply(sequence, record);
    }
    journal
}

fn why(decision: PartDecision) -> FreshWhy {
    match decision {
        PartDecision::Fresh(why) => why,
        PartDecision::Keep(_) => panic!("must not be kept"),
    }
}

fn keep(decision: PartDecision) -> Rehash {
    match decision {
        PartDecision::Keep(rehash) => rehash,
        PartDecision::Fresh(why) => panic!("must be kept: {why:?}"),
    }
}

#[test]
fn what_still_hashes_as_journalled_is_kept_and_nothing_else() {
    // proves: O9
    let mut rehash = keep(journal(false).decide(&begin(false), Some(&part_stat())));
    let mut asked = Vec::new();
    while let Some(range) = rehash.next_range() {
        assert_eq!((range.offset, range.len), (u64::from(range.chunk.0) * 4096, 4096));
        asked.push(range.chunk.0);
        // Chunk 3 was flipped on disk, chunk 4 cannot be read; chunk 1 holds what came last.
        let value = match range.chunk.0 {
            1 => Some(Value([21; 32])),
            3 => Some(Value([99; 32])),
            4 => None,
            other => Some(Value([10 + other as u8; 32])),
        };
        rehash.on_hashed(range.chunk, value);
    }
    assert_eq!(asked, [0, 1, 2, 3, 4, 5]);
    assert_eq!(rehash.dropped(), 2);
    let map = rehash.finish();
    let here: Vec<u32> = (0..map.count()).filter(|&i| map.value(ChunkIndex(i)).is_some()).collect();
    assert_eq!(here, [0, 1, 2, 5]);
    let durable: Vec<u32> = (0..map.count()).filter(|&i| map.is_durable(ChunkIndex(i))).collect();
    assert_eq!(durable, [0, 2], "chunk 1 came again after the record that made it durable");
}

#[test]
fn a_part_that_is_not_exactly_ours_is_begun_anew() {
    let ours = begin(false);
    let part = part_stat();
    let ask = |offered: &Begin, part: Option<&Stat>| why(journal(false).decide(offered, part));
    for change in [
        |b: &mut Begin| b.entry.size += 1,
        |b: &mut Begin| b.entry.mtime.nanos += 1,
        |b: &mut Begin| b.entry.chunk_log2 += 1,
        |b: &mut Begin| b.entry.path.push(b'y'),
        |b: &mut Begin| b.anchor.push(b'y'),
        |b: &mut Begin| b.in_place = true,
    ] {
        let mut other = begin(false);
        change(&mut other);
        assert_eq!(ask(&other, Some(&part)), FreshWhy::OtherContent);
    }
    assert_eq!(ask(&ours, None), FreshWhy::NoPart);
    assert_eq!(ask(&ours, Some(&Stat { links: 2, ..part })), FreshWhy::NotOurs);
    assert_eq!(ask(&ours, Some(&Stat { kind: Some(Kind::Symlink), ..part })), FreshWhy::NotOurs);
    assert_eq!(ask(&ours, Some(&Stat { kind: None, ..part })), FreshWhy::NotOurs);
    assert_eq!(why(PartJournal::new(&Limits::TINY).decide(&ours, Some(&part))), FreshWhy::NoBegin);
    let mut empty = PartJournal::new(&Limits::TINY);
    empty.apply(1, Record::Begin(begin(false)));
    assert_eq!(why(empty.decide(&ours, Some(&part))), FreshWhy::NothingReceived);
}

#[test]
fn what_was_taken_back_is_not_resumed() {
    let limits = Limits::TINY;
    let begin = begin(false);
    let (mut writer, head) = Writer::part(PartId([9; 16]), toy::hash, &limits);
    let first = writer.begin(&begin).expect("short");
    assert_eq!(writer.bytes(), begin.end_bytes());
    let rows = [writer.received(&[row(0, 1)]), writer.received(&[row(1, 2)]), writer.durable(2)];
    let mut whole = [&head.bytes[..], &first.bytes].concat();
    whole.extend(rows.iter().flat_map(|append| &append.bytes));
    let read = |bytes: &[u8]| {
        let mut reader = Reader::new(JournalKind::Part, toy::hash, &limits);
        let mut journal = PartJournal::new(&limits);
        reader.feed(bytes);
        while let Some((sequence, record)) = reader.next_record() {
            journal.apply(sequence, record);
        }
        journal.decide(&begin, Some(&part_stat()))
    };
    keep(read(&whole));
    let mut cut = whole[..begin.end_bytes() as usize].to_vec();
    assert_eq!(why(read(&cut)), FreshWhy::NothingReceived);
    cut.resize(rows[1].offset as usize, 0);
    cut.extend_from_slice(&rows[1].bytes);
    assert_eq!(why(read(&cut)), FreshWhy::NothingReceived, "a write that lands later says nothing");
}

#[test]
fn a_short_part_keeps_only_what_lies_in_it() {
    let short = Stat { size: 4096 * 3 + 1, ..part_stat() };
    let mut rehash = keep(journal(false).decide(&begin(false), Some(&short)));
    let mut asked = Vec::new();
    while let Some(range) = rehash.next_range() {
        asked.push(range.chunk.0);
        rehash.on_hashed(range.chunk, None);
    }
    assert_eq!((asked.len(), rehash.dropped()), (3, 6));
    assert_eq!(rehash.finish().received_count(), 0);
}

#[test]
fn a_file_written_in_place_goes_on_only_while_it_is_torn() {
    let offered = begin(true);
    assert!(journal(true).is_torn());
    keep(journal(true).decide(&offered, Some(&part_stat())));
    let other_inode = Stat { inode: 8, ..part_stat() };
    assert_eq!(why(journal(true).decide(&offered, Some(&other_inode))), FreshWhy::NotOurs);
    let mut whole = journal(true);
    whole.apply(9, Record::Whole { root: Value([1; 32]) });
    assert!(!whole.is_torn());
    assert_eq!(why(whole.decide(&offered, Some(&part_stat()))), FreshWhy::NotTorn);
}

proptest! {
    #[test]
    fn rehash_takes_answers_in_any_order(seed in any::<u64>(), good in 0u8..64) {
        let mut dice = Dice(seed);
        let mut rehash = keep(journal(false).decide(&begin(false), Some(&part_stat())));
        let (mut flying, mut kept) = (Vec::new(), 0);
        loop {
            if let Some(range) = if dice.below(2) == 0 || flying.is_empty() { rehash.next_range() } else { None } {
                flying.push(range.chunk);
                continue;
            }
            if flying.is_empty() {
                break;
            }
            let chunk = flying.swap_remove(dice.below(flying.len() as u64) as usize);
            let holds = good >> chunk.0 & 1 == 1;
            let value = if chunk.0 == 1 { 21 } else { 10 + chunk.0 as u8 };
            rehash.on_hashed(chunk, holds.then_some(Value([value; 32])));
            kept += u32::from(holds);
        }
        prop_assert!(rehash.is_over());
        let map = rehash.finish();
        prop_assert_eq!(map.received_count(), kept);
    }
}

const INODE: u64 = 100;
const ROOT: Value = Value([3; 32]);

/// A disk whose journal holds one COMMITTING of one staged file, `last` or not.
fn committed(kind: ReservedKind, no_replace: bool, last: bool) -> (Disk, ReservedName) {
    let limits = Limits::TINY;
    let (mut disk, mut writer) = Disk::new(&limits);
    let temp = ReservedName::new(kind, [1; 16]);
    disk.put(b"d", temp.as_bytes(), INODE, true);
    let mut body = CommittingBody::new(0, b"share", limits.record_bytes);
    let directory = body.directory(b"d").expect("fits");
    assert!(body.file(directory, no_replace, &temp, Name::new(b"x").expect("valid"), INODE, &ROOT));
    disk.journal.extend(writer.committing(&body, last).bytes);
    (disk, temp)
}

/// Recovers; what the final and the staged name hold afterwards.
fn recovered(mut disk: Disk, temp: ReservedName) -> (Option<u64>, Option<u64>) {
    assert!(disk.recover(&Limits::TINY, |_| ROOT));
    (disk.inode(b"d", b"x"), disk.inode(b"d", temp.as_bytes()))
}

#[test]
fn a_link_without_its_discard_is_finished_for_parts_too() {
    for kind in [ReservedKind::Temp, ReservedKind::Part] {
        let (mut disk, temp) = committed(kind, true, true);
        disk.old_file_system = true;
        disk.put(b"d", b"x", INODE, true);
        assert_eq!(recovered(disk, temp), (Some(INODE), None));
    }
}

#[test]
fn a_part_that_no_longer_holds_its_root_gets_no_name() {
    let (mut disk, temp) = committed(ReservedKind::Part, false, true);
    assert!(disk.recover(&Limits::TINY, |_| Value([4; 32])));
    assert_eq!((disk.inode(b"d", b"x"), disk.inode(b"d", temp.as_bytes())), (None, Some(INODE)));
}

#[test]
fn another_inode_under_the_staged_name_is_left_alone() {
    let (mut disk, temp) = committed(ReservedKind::Temp, false, true);
    disk.put(b"d", temp.as_bytes(), 101, true);
    assert_eq!(recovered(disk, temp), (None, Some(101)));
}

#[test]
fn a_batch_that_was_not_whole_is_undone() {
    let (disk, temp) = committed(ReservedKind::Temp, false, false);
    assert_eq!(recovered(disk, temp), (None, None));
    let (disk, temp) = committed(ReservedKind::Part, false, false);
    assert_eq!(recovered(disk, temp), (None, Some(INODE)), "a part is resumed");
}

#[test]
fn what_is_in_the_way_stays() {
    for (no_replace, there) in [(true, 500), (false, BLOCKER)] {
        let (mut disk, temp) = committed(ReservedKind::Temp, no_replace, true);
        disk.put(b"d", b"x", there, true);
        assert_eq!(recovered(disk, temp), (Some(there), None));
    }
}

#[test]
fn a_directory_that_is_gone_settles_its_batch() {
    let (mut disk, temp) = committed(ReservedKind::Temp, false, true);
    disk.directories.clear();
    assert_eq!(recovered(disk, temp), (None, None));
}

#[test]
fn a_receipt_is_found_again() {
    let mut journal = TransferJournal::new();
    assert_eq!(journal.receipt(), None);
    journal.apply(Record::Receipt(b"signed".to_vec()));
    journal.apply(Record::Done { batch: 4 });
    assert_eq!((journal.receipt(), journal.is_settled()), (Some(&b"signed"[..]), true));
}
