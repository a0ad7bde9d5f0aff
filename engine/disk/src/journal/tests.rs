use super::*;
use crate::paths::{ReservedKind, ReservedName};
use crate::toy;
use alloc::vec::Vec;
use base::entry::{Entry, FileTime, Kind};
use base::ids::{ChunkIndex, PartId, TransferId, Value};
use base::limits::Limits;
use base::name::{Name, RelPath};
use proptest::prelude::*;
use std::vec;

fn begin() -> Begin {
    let entry = Entry {
        kind: Kind::File,
        chunk_log2: 20,
        mode: 0o644,
        uid: 1,
        gid: 2,
        size: 30 << 20,
        allocated: 29 << 20,
        mtime: FileTime { seconds: -5, nanos: 999_999_999 },
        path: b"a/b".to_vec(),
        target: Vec::new(),
    };
    Begin { anchor: b"share".to_vec(), entry, in_place: false }
}

fn rows(count: u32) -> Vec<ChunkValue> {
    (0..count).map(|i| ChunkValue { chunk: ChunkIndex(i), value: Value([i as u8; 32]) }).collect()
}

/// A part journal of several records; the offsets at which a record ends.
fn sample(limits: &Limits) -> (Vec<u8>, Vec<usize>, Vec<Record>) {
    let (mut writer, head) = Writer::part(PartId([9; 16]), toy::hash, limits);
    let mut file = head.bytes;
    let mut ends = vec![file.len()];
    let mut put = |append: Append| {
        assert_eq!(append.offset as usize, file.len());
        file.extend_from_slice(&append.bytes);
        ends.push(file.len());
    };
    put(writer.begin(&begin()).expect("fits"));
    put(writer.received(&rows(3)));
    put(writer.durable(2));
    put(writer.torn(77));
    put(writer.whole(&Value([8; 32])));
    let records = vec![
        Record::Begin(begin()),
        Record::Received(rows(3)),
        Record::Durable { through: 2 },
        Record::Torn { inode: 77 },
        Record::Whole { root: Value([8; 32]) },
    ];
    (file, ends, records)
}

fn read(kind: JournalKind, file: &[u8], step: usize, limits: &Limits) -> (Vec<Record>, Scanned) {
    let mut reader = Reader::new(kind, toy::hash, limits);
    let mut records = Vec::new();
    for piece in file.chunks(step) {
        reader.feed(piece);
        while let Some((sequence, record)) = reader.next_record() {
            records.push(record);
            assert_eq!(sequence, records.len() as u64);
        }
    }
    (records, reader.finish())
}

#[test]
fn what_was_written_is_read_back_in_any_pieces() {
    // proves: O9
    for limits in [Limits::DEFAULT, Limits::TINY] {
        let (file, _, records) = sample(&limits);
        for step in [1, 7, 48, 4096] {
            let (found, scanned) = read(JournalKind::Part, &file, step, &limits);
            assert_eq!(found, records);
            assert_eq!((scanned.end, scanned.valid_bytes), (End::Clean, file.len() as u64));
            assert_eq!(scanned.id, Some([9; 16]));
        }
    }
}

#[test]
fn every_truncation_keeps_exactly_the_whole_records() {
    let limits = Limits::TINY;
    let (file, ends, records) = sample(&limits);
    for cut in 0..file.len() {
        let (found, scanned) = read(JournalKind::Part, &file[..cut], 64, &limits);
        let whole = ends.iter().filter(|&&end| end <= cut).count();
        let valid = if whole == 0 { 0 } else { ends[whole - 1] };
        assert_eq!(scanned.valid_bytes, valid as u64, "cut at {cut}");
        assert_eq!(found, records[..whole.saturating_sub(1)]);
        let end = match whole {
            0 => End::NoHead,
            _ if valid == cut => End::Clean,
            _ => End::Torn,
        };
        assert_eq!(scanned.end, end, "cut at {cut}");
    }
}

#[test]
fn every_flipped_bit_ends_the_journal_before_its_record() {
    let limits = Limits::TINY;
    let (file, ends, _) = sample(&limits);
    for at in HEAD_BYTES..file.len() {
        for bit in 0..8 {
            let mut bad = file.clone();
            bad[at] ^= 1 << bit;
            let (_, scanned) = read(JournalKind::Part, &bad, 4096, &limits);
            let valid = ends.iter().copied().filter(|&end| end <= at).max().expect("after the head");
            assert_eq!(scanned.valid_bytes, valid as u64, "bit {bit} of byte {at}");
            assert_eq!(scanned.end, End::Torn);
        }
    }
}

#[test]
fn a_cut_journal_continues_where_it_is_valid() {
    let limits = Limits::TINY;
    let (mut file, ends, _) = sample(&limits);
    file.truncate(ends[2] + 5);
    let (_, scanned) = read(JournalKind::Part, &file, 100, &limits);
    file.truncate(scanned.valid_bytes as usize);
    let mut writer = scanned.writer.expect("has a head");
    let more = writer.received(&rows(1));
    assert_eq!(more.offset, file.len() as u64);
    file.extend_from_slice(&more.bytes);
    let (found, scanned) = read(JournalKind::Part, &file, 100, &limits);
    assert_eq!((found.len(), scanned.end), (3, End::Clean));
}

#[test]
fn directories_with_temps_come_back() {
    let limits = Limits::TINY;
    let (mut writer, head) = Writer::transfer(TransferId([1; 16]), toy::hash, &limits);
    let below = RelPath::new(b"a/b").expect("valid");
    let (first, second) = (writer.staging(b"share", RelPath::ROOT), writer.staging(b"share", below));
    let file = [head.bytes, first.bytes, second.bytes].concat();
    let staging = |path: &[u8]| Record::Staging(Staging { anchor: b"share".to_vec(), path: path.to_vec() });
    assert_eq!(read(JournalKind::Transfer, &file, 9, &limits).0, [staging(b""), staging(b"a/b")]);
}

#[test]
fn records_of_another_run_or_kind_do_not_continue_a_journal() {
    let limits = Limits::TINY;
    let (mut writer, head) = Writer::transfer(TransferId([1; 16]), toy::hash, &limits);
    let (mut other, other_head) = Writer::transfer(TransferId([2; 16]), toy::hash, &limits);
    let own = [head.bytes.clone(), writer.done(1).bytes].concat();
    assert_eq!(read(JournalKind::Transfer, &own, 9, &limits).0, [Record::Done { batch: 1 }]);
    let spliced = [head.bytes.clone(), other.done(1).bytes].concat();
    assert_eq!(read(JournalKind::Transfer, &spliced, 9, &limits).1.end, End::Torn);
    assert_eq!(read(JournalKind::Part, &other_head.bytes, 9, &limits).1.end, End::NoHead);
    let mut newer = head.bytes;
    newer[9] = 2;
    let (_, scanned) = read(JournalKind::Transfer, &newer, 9, &limits);
    assert_eq!((scanned.end, scanned.valid_bytes), (End::Newer { version: 2 }, 0));
}

#[test]
fn rows_beyond_one_record_are_split_and_bounds_hold() {
    let limits = Limits::TINY;
    let (mut writer, head) = Writer::part(PartId([9; 16]), toy::hash, &limits);
    let mut file = head.bytes;
    file.extend_from_slice(&writer.received(&rows(100)).bytes);
    let (found, scanned) = read(JournalKind::Part, &file, 512, &limits);
    assert_eq!(scanned.end, End::Clean);
    assert_eq!(found.len(), 100usize.div_ceil((1024 - 52) / 36));
    let all: Vec<ChunkValue> = found
        .into_iter()
        .flat_map(|record| match record {
            Record::Received(rows) => rows,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(all, rows(100));
    let (mut writer, _) = Writer::transfer(TransferId([1; 16]), toy::hash, &limits);
    assert_eq!(writer.receipt(&[0; 1024]), Err(RecordTooLarge { bytes: 1072, most: 1024 }));
    let mut long = begin();
    long.entry.path = vec![b'a'; 2000];
    let (mut writer, _) = Writer::part(PartId([9; 16]), toy::hash, &limits);
    assert!(writer.begin(&long).is_err());
}

#[test]
fn the_longest_paths_fit_a_record() {
    let limits = Limits::TINY;
    let (mut writer, _) = Writer::transfer(TransferId([1; 16]), toy::hash, &limits);
    let path = vec![b'p'; limits.path_bytes_max as usize];
    let name = vec![b'n'; limits.name_bytes_max as usize];
    let mut body = CommittingBody::new(1, &path, limits.record_bytes);
    let directory = body.directory(&path).expect("fits");
    let temp = ReservedName::new(ReservedKind::Temp, [1; 16]);
    assert!(body.file(directory, false, &temp, Name::new(&name).expect("valid"), 1, &Value([0; 32])));
    assert_eq!(writer.committing(&body, true).bytes.len() as u64, committing_bytes_max(&limits));
    let mut long = begin();
    (long.anchor, long.entry.path) = (path.clone(), path);
    let (mut writer, _) = Writer::part(PartId([9; 16]), toy::hash, &limits);
    assert_eq!(writer.begin(&long).expect("fits").bytes.len() as u64, begin_bytes_max(&limits));
}

proptest! {
    #[test]
    fn batches_of_any_shape_come_back(
        files in proptest::collection::vec((0u16..3, any::<bool>(), 1usize..40, any::<u64>()), 0..6),
        last in any::<bool>(),
    ) {
        let limits = Limits::DEFAULT;
        let directories: Vec<Vec<u8>> = vec![b"".to_vec(), b"a".to_vec(), b"a/b".to_vec()];
        let mut body = CommittingBody::new(7, b"share", limits.record_bytes);
        for path in &directories {
            body.directory(path).expect("fits");
        }
        let mut expected = Vec::new();
        for (directory, no_replace, len, inode) in files {
            let temp = ReservedName::new(ReservedKind::Temp, [len as u8; 16]);
            let name = vec![b'x'; len];
            let root = Value([len as u8; 32]);
            prop_assert!(body.file(directory, no_replace, &temp, Name::new(&name).expect("valid"), inode, &root));
            expected.push(CommittingFile { directory, no_replace, temp, name, inode, root });
        }
        let (mut writer, head) = Writer::transfer(TransferId([1; 16]), toy::hash, &limits);
        let file = [head.bytes, writer.committing(&body, last).bytes].concat();
        let anchor = b"share".to_vec();
        let committing = Committing { batch: 7, last, anchor, directories, files: expected };
        prop_assert_eq!(read(JournalKind::Transfer, &file, 33, &limits).0, [Record::Committing(committing)]);
    }

    #[test]
    fn random_bytes_never_panic_and_never_check(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let limits = Limits::TINY;
        let (_, head) = Writer::part(PartId([9; 16]), toy::hash, &limits);
        let file = [head.bytes, bytes].concat();
        let (found, scanned) = read(JournalKind::Part, &file, 50, &limits);
        prop_assert!(found.is_empty());
        prop_assert_eq!(scanned.valid_bytes, HEAD_BYTES as u64);
    }
}

#[test]
fn the_tables_of_the_format_name_the_kinds_and_sizes() {
    let format = include_str!("../../FORMAT.md");
    let kinds = [
        ("BEGIN", record::BEGIN),
        ("RECEIVED", record::RECEIVED),
        ("DURABLE", record::DURABLE),
        ("TORN", record::TORN),
        ("WHOLE", record::WHOLE),
        ("COMMITTING", record::COMMITTING),
        ("DONE", record::DONE),
        ("RECEIPT", record::RECEIPT),
        ("STAGING", record::STAGING),
    ];
    for (name, number) in kinds {
        assert!(format.contains(&std::format!("| {name} | {number} |")), "{name}");
    }
    assert!(format.contains(&std::format!("## Head, {HEAD_BYTES} bytes")));
    assert!(format.contains(&std::format!("## Record, {} bytes", RECORD_HEAD_BYTES + CHECK_BYTES)));
    assert!(format.contains(&std::format!("| {} x count |", record::RECEIVED_ROW_BYTES)));
}

#[test]
fn a_begin_record_lies_as_the_format_draws_it() {
    let (mut writer, head) = Writer::part(PartId([9; 16]), toy::hash, &Limits::TINY);
    assert_eq!(head.bytes[..16], *b"xferd-xj\0\x01\0\0\0\0\0\0");
    let bytes = writer.begin(&begin()).expect("fits").bytes;
    assert_eq!(bytes[..4], (bytes.len() as u32).to_be_bytes());
    assert_eq!(bytes[4..16], [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(bytes[16..32], head.bytes[32..]);
    let body = &bytes[32..bytes.len() - 16];
    assert_eq!(body[..14], [0, 20, 0, 0, 1, 0o244, 0, 0, 0, 1, 0, 0, 0, 2]);
    assert_eq!(body[14..18], 999_999_999u32.to_be_bytes());
    assert_eq!(body[18..26], (30u64 << 20).to_be_bytes());
    assert_eq!(body[34..42], (-5i64).to_be_bytes());
    assert_eq!(body[42..], *b"\0\0\0\x05share\0\x03a/b");
}

#[test]
fn journals_are_found_by_their_file_names() {
    let name = file_name(JournalKind::Part, [0xab; 16]);
    assert_eq!(name, "abababababababababababababababab.xj");
    assert_eq!(parse_file_name(name.as_bytes()), Some((JournalKind::Part, [0xab; 16])));
    let transfer = file_name(JournalKind::Transfer, [1; 16]);
    assert_eq!(parse_file_name(transfer.as_bytes()), Some((JournalKind::Transfer, [1; 16])));
    for other in
        [&b"x.xj"[..], b"ABABABABABABABABABABABABABABABAB.xj", b"", b"abababababababababababababababab.xr"]
    {
        assert_eq!(parse_file_name(other), None);
    }
}
