//! A delta without its ends: cut, list, match, rebuild, compare.

use super::copies::{self, CopyRow};
use super::cut::Cutter;
use super::matching::{Matcher, Segment};
use super::pieces::{ListRule, Pieces, ROW_BYTES, Step};
use super::*;
use crate::transfer::chunk::{Chunks, chunk_log2_for};
use crate::wire::WireError;
use alloc::vec;
use alloc::vec::Vec;
use base::ids::{ChunkIndex, FileIndex};
use base::limits::Limits;
use proptest::prelude::*;

const LIMITS: Limits = Limits::TINY;

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

fn cut(bytes: &[u8], fineness: Fineness, portion: usize) -> Vec<Piece> {
    let mut cutter = Cutter::new(fineness);
    let mut out = Vec::new();
    for portion in bytes.chunks(portion.max(1)) {
        cutter.feed(portion, |piece| out.push(piece));
    }
    out.extend(cutter.finish());
    out
}

fn chunks_of(bytes: &[u8]) -> Chunks {
    let size = bytes.len() as u64;
    Chunks::new(size, chunk_log2_for(size, &LIMITS).expect("small"), &LIMITS).expect("a valid cut")
}

/// Runs a whole delta and returns the rebuilt file and the bytes that were sent as data. `turn` decides who goes
/// first at each step.
fn delta(old: &[u8], new: &[u8], mut turn: impl FnMut() -> bool) -> (Vec<u8>, usize) {
    let chunks = chunks_of(new);
    let fineness = Fineness::of(old.len() as u64, new.len() as u64, &LIMITS).expect("fine enough");
    let mut matcher = Matcher::new(chunks, old.len() as u64, fineness, &LIMITS);
    let rows_max = LIMITS.pieces_bytes_max as usize / ROW_BYTES;
    let mut list: Vec<Piece> = cut(old, fineness, 700);
    list.truncate(rows_max);
    let mut own = cut(new, fineness, 1000).into_iter();
    let (mut rebuilt, mut sent) = (vec![0; new.len()], 0);
    let mut listed = 0;
    let mut over = false;
    let mut done = 0;
    while !matcher.is_decided() {
        if turn() && !over {
            let take = (list.len() - listed).min(3);
            over = listed + take == list.len();
            let mut message = Pieces::new(1, FileIndex(0), if over { Step::Last } else { Step::More });
            message.rows.extend_from_slice(&list[listed..listed + take]);
            // What is cut off is no end of the file: as the last row it would have to be one.
            listed += take;
            let parsed = Pieces::parse(&message.encode(), &LIMITS).expect("round trip");
            matcher.on_list(&parsed).expect("an honest list");
        } else if let Some(piece) = own.next() {
            matcher.on_own(piece);
        }
        while let Some(chunk) = matcher.next_ready() {
            let (begin, length) = chunks.range(chunk).expect("within the file");
            let mut at = begin as usize;
            for segment in matcher.recipe(chunk) {
                let to = at + segment.length() as usize;
                match segment {
                    Segment::Copy(row) => {
                        let from = row.offset as usize;
                        rebuilt[at..to].copy_from_slice(&old[from..from + row.length as usize]);
                    }
                    Segment::Data(length) => {
                        rebuilt[at..to].copy_from_slice(&new[at..to]);
                        sent += length as usize;
                    }
                }
                at = to;
            }
            assert_eq!(at as u64, begin + u64::from(length), "a recipe covers its chunk");
            done += 1;
        }
    }
    assert_eq!(done, chunks.count(), "every chunk is decided once");
    (rebuilt, sent)
}

/// A small edit, as a description.
#[derive(Clone, Debug)]
enum Edit {
    Insert(usize, usize),
    Remove(usize, usize),
    Change(usize, usize),
    Move(usize, usize, usize),
}

fn edited(old: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut new = old.to_vec();
    for (seed, edit) in edits.iter().enumerate() {
        let clamp = |at: usize, length: usize| {
            let at = at.min(new.len());
            (at, (at + length).min(new.len()))
        };
        match *edit {
            Edit::Insert(at, length) => {
                let (at, _) = clamp(at, 0);
                new.splice(at..at, noise(seed as u64 + 100, length));
            }
            Edit::Remove(at, length) => {
                let (from, to) = clamp(at, length);
                new.drain(from..to);
            }
            Edit::Change(at, length) => {
                let (from, to) = clamp(at, length);
                let other = noise(seed as u64 + 200, to - from);
                new[from..to].copy_from_slice(&other);
            }
            Edit::Move(at, length, to) => {
                let (from, until) = clamp(at, length);
                let moved: Vec<u8> = new.drain(from..until).collect();
                let to = to.min(new.len());
                new.splice(to..to, moved);
            }
        }
    }
    new
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let place = 0usize..20_000;
    let length = 1usize..600;
    let edit = prop_oneof![
        (place.clone(), length.clone()).prop_map(|(at, length)| Edit::Insert(at, length)),
        (place.clone(), length.clone()).prop_map(|(at, length)| Edit::Remove(at, length)),
        (place.clone(), length).prop_map(|(at, length)| Edit::Change(at, length)),
        (place.clone(), 1000usize..6000, place).prop_map(|(at, length, to)| Edit::Move(at, length, to)),
    ];
    prop::collection::vec(edit, 0..4)
}

proptest! {
    #[test]
    fn what_is_rebuilt_is_the_new_file(
        seed in any::<u64>(), size in 0usize..20_000, edits in edits(), mut order in any::<u64>(),
    ) {
        let old = noise(seed, size);
        let mut new = edited(&old, &edits);
        new.extend(noise(seed ^ 1, 600));
        let (rebuilt, sent) = delta(&old, &new, || { order = order.rotate_left(1); order & 1 == 0 || order == 0 });
        prop_assert!(rebuilt == new);
        prop_assert!(sent <= new.len());
    }

    #[test]
    fn portions_do_not_move_cuts(seed in any::<u64>(), size in 0usize..30_000, portion in 1usize..5000) {
        let fineness = Fineness::of(0, 30_000, &LIMITS).expect("fine enough");
        let bytes = noise(seed, size);
        let whole = cut(&bytes, fineness, usize::MAX);
        prop_assert_eq!(&cut(&bytes, fineness, portion), &whole);
        prop_assert_eq!(whole.iter().map(|piece| piece.length as usize).sum::<usize>(), size);
        for (at, piece) in whole.iter().enumerate() {
            prop_assert!(piece.length <= fineness.most());
            prop_assert!(piece.length >= fineness.least() || at + 1 == whole.len());
        }
    }

    #[test]
    fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), run in any::<u32>()) {
        if let Ok(message) = Pieces::parse(&bytes, &LIMITS) {
            let fineness = Fineness::of(20_000, 20_000, &LIMITS).expect("fine enough");
            let mut matcher = Matcher::new(chunks_of(&noise(1, 20_000)), 20_000, fineness, &LIMITS);
            let _ = matcher.on_list(&message);
        }
        let _ = copies::parse(&bytes, run, u64::from(run));
    }
}

#[test]
fn cuts_are_about_as_long_as_asked_and_move_with_the_content() {
    let old = noise(7, 4 << 20);
    let fineness = Fineness { log2: 13 };
    let pieces = cut(&old, fineness, 1 << 18);
    let average = old.len() / pieces.len();
    assert!((7_000..10_000).contains(&average), "average {average}");
    let mut new = old.clone();
    new.splice(400_000..400_000, noise(8, 1000));
    let known: alloc::collections::BTreeSet<_> = pieces.iter().map(|piece| piece.value).collect();
    let other = cut(&new, fineness, 1 << 18);
    let fresh: u32 =
        other.iter().filter(|piece| !known.contains(&piece.value)).map(|piece| piece.length).sum();
    assert!(fresh < 8 * (1 << 13), "an insertion of 1000 bytes costs {fresh}");
}

#[test]
fn runs_of_one_byte_are_cut_at_the_greatest_length() {
    let fineness = Fineness { log2: 9 };
    for byte in [0, 1, 0x20, 0xff] {
        let pieces = cut(&vec![byte; 10_000], fineness, 900);
        assert!(pieces.len() <= 10_000 / fineness.least() as usize + 1, "{byte}");
    }
    assert_eq!(cut(&[0; 10_000], fineness, 900).len(), 10_000usize.div_ceil(fineness.most() as usize));
}

#[test]
fn an_insertion_costs_little_and_a_move_costs_copies() {
    let old = noise(3, 16_000);
    let mut turns = false;
    let mut alternate = || {
        turns = !turns;
        turns
    };
    let (_, sent) = delta(&old, &edited(&old, &[Edit::Insert(1600, 100)]), &mut alternate);
    assert!(sent < 5000, "{sent} of 16000");
    let (_, sent) = delta(&old, &edited(&old, &[Edit::Move(2000, 6000, 9000)]), &mut alternate);
    assert!(sent < 9000, "{sent} of 16000");
    let (_, sent) = delta(&old, &old, &mut alternate);
    assert_eq!(sent, 0);
}

#[test]
fn unrelated_content_is_hopeless_and_related_is_not() {
    let (old, new) = (noise(3, 16_000), noise(4, 16_000));
    let fineness = Fineness::of(16_000, 16_000, &LIMITS).expect("fine enough");
    for (own, hopeless) in [(&new, true), (&old, false)] {
        let mut matcher = Matcher::new(chunks_of(own), 16_000, fineness, &LIMITS);
        let mut message = Pieces::new(1, FileIndex(0), Step::More);
        let list = cut(&old, fineness, usize::MAX);
        message.rows.extend_from_slice(&list[..list.len() - 1]);
        matcher.on_list(&message).expect("honest");
        assert!(!matcher.is_hopeless());
        for piece in cut(own, fineness, usize::MAX) {
            matcher.on_own(piece);
        }
        assert_eq!(matcher.is_hopeless(), hopeless);
    }
}

#[test]
fn a_list_that_lies_is_refused() {
    let fineness = Fineness { log2: 9 };
    let rule = || ListRule::new(fineness, 10_000, &LIMITS);
    let say = |step: Step, lengths: &[u32]| {
        let mut message = Pieces::new(1, FileIndex(0), step);
        message.rows = lengths.iter().map(|&length| Piece { length, value: PieceValue::default() }).collect();
        message
    };
    assert!(rule().take(&say(Step::More, &[512, 256])).is_ok());
    assert!(rule().take(&say(Step::Last, &[])).is_ok());
    assert!(rule().take(&say(Step::Last, &[2000, 2000, 2000, 2000, 1999, 1])).is_ok());
    // Pieces of one byte, of none, longer than both ends cut, behind the end of the file; too many; after the last.
    for bad in [&[1u32][..], &[512, 1, 512], &[0], &[2049], &[u32::MAX, 2], &[2000; 6], &[300; 60], &[]] {
        assert!(rule().take(&say(Step::More, bad)).is_err(), "{bad:?}");
    }
    assert!(rule().take(&say(Step::Last, &[512, 1])).is_err(), "a short last row that is not the file's end");
    assert!(rule().take(&say(Step::Stop, &[])).is_err());
    let mut over = rule();
    over.take(&say(Step::Last, &[512])).expect("the list ends early");
    assert!(over.take(&say(Step::More, &[512])).is_err());
    let mut bytes = say(Step::More, &[512]).encode();
    bytes[8] = 3;
    assert!(Pieces::parse(&bytes, &LIMITS).is_err());
    bytes[8] = 2;
    assert!(Pieces::parse(&bytes, &LIMITS).is_err(), "a stop with rows");
    assert!(Pieces::parse(&bytes[..bytes.len() - 1], &LIMITS).is_err());
    assert!(Fineness::new(8, 10_000, 10_000, &LIMITS).is_err(), "finer than both ends may cut");
    assert!(Fineness::new(30, 10_000, 10_000, &LIMITS).is_err());
    assert!(Fineness::new(10, 10_000, 10_000, &LIMITS).is_ok());
}

#[test]
fn a_value_of_another_length_is_not_the_same_piece() {
    let new = noise(5, 8000);
    let fineness = Fineness::of(8000, 8000, &LIMITS).expect("fine enough");
    let chunks = chunks_of(&new);
    let own = cut(&new, fineness, usize::MAX);
    let mut lie = Pieces::new(1, FileIndex(0), Step::More);
    lie.rows =
        vec![Piece { length: own[0].length - 1, ..own[0] }, Piece { length: own[1].length + 1, ..own[1] }];
    for list_first in [true, false] {
        let mut matcher = Matcher::new(chunks, 8000, fineness, &LIMITS);
        if list_first {
            matcher.on_list(&lie).expect("of lengths that occur");
        }
        own.iter().for_each(|piece| matcher.on_own(*piece));
        if !list_first {
            matcher.on_list(&lie).expect("of lengths that occur");
        }
        matcher.on_list(&Pieces::new(1, FileIndex(0), Step::Last)).expect("the end");
        assert_eq!(matcher.matched(), 0);
        assert!(matcher.is_decided());
        assert_eq!(
            matcher.recipe(ChunkIndex(0)),
            vec![Segment::Data(chunks.range(ChunkIndex(0)).unwrap().1)]
        );
    }
}

#[test]
fn copies_beyond_the_old_file_are_refused() {
    let rows = vec![CopyRow { offset: 0, length: 10 }, CopyRow { offset: 90, length: 10 }];
    let bytes = copies::encode(&rows);
    assert_eq!(copies::parse(&bytes, 20, 100), Ok(rows.clone()));
    let overlap = copies::encode(&[rows[0], rows[0]]);
    assert!(copies::parse(&overlap, 20, 100).is_ok(), "the same range may be needed twice");
    assert_eq!(copies::parse(&bytes, 20, 99), Err(no_meaning("offset", 90)));
    assert_eq!(copies::parse(&bytes, 21, 100), Err(no_meaning("run", 21)));
    assert_eq!(copies::parse(&bytes[..23], 20, 100), Err(no_meaning("copies", 23)));
    assert_eq!(copies::parse(&[], 0, 100), Err(no_meaning("copies", 0)));
    for (offset, length) in [(u64::MAX, 1), (u64::MAX - 1, u32::MAX), (0, 0), (100, 1)] {
        let bytes = copies::encode(&[CopyRow { offset, length }]);
        let refused = copies::parse(&bytes, length, 100);
        assert!(matches!(refused, Err(Malformed::Wire(WireError::Value { .. }))), "{offset} {length}");
    }
}

#[test]
fn lists_fit_their_bound_at_every_size() {
    let limits = Limits::DEFAULT;
    let log2 = |size: u64| Fineness::of(0, size, &limits).map(|fineness| fineness.log2);
    assert_eq!(log2(1 << 20), Some(13));
    assert_eq!(log2(2 << 30), Some(16));
    assert_eq!(log2(1 << 37), Some(20));
    assert_eq!(log2(1 << 50), None);
    for shift in 20..44 {
        let size = 3u64 << shift;
        if let Some(fineness) = Fineness::of(size, size / 2, &limits) {
            let rows = size >> fineness.log2();
            assert!(rows * ROW_BYTES as u64 <= u64::from(limits.pieces_bytes_max) * 3 / 4, "{size}");
        }
    }
}
