//! Want: the receiver's answer to entries, a verdict for each.
//!
//! Neighbours with the same verdict travel as one run. A Want may answer a part of a batch; verdicts come
//! in the order of entries and each entry gets one.

use super::entries::{cut_words, read_words};
use super::{Full, Malformed, at_most, no_meaning};
use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, Writer};
use alloc::boxed::Box;
use alloc::vec::Vec;
use base::codes::Code;
use base::ids::FileIndex;
use base::limits::Limits;

const HEAD_BYTES: usize = 10;
const RUN_BYTES: usize = 3;
const RANGE_BYTES: usize = 8;
const PIECES_BYTES: usize = 9;

/// Byte table of the head.
pub const HEAD: Layout = Layout {
    name: "Want",
    place: "data of a Want frame",
    fields: &[
        field("transfer", "u32", "session-local number"),
        field("first", "u32", "index of the first entry answered"),
        field("count", "u16", "entries answered"),
        field("runs", "runs", "see below; their lengths sum to `count`"),
    ],
};

/// Byte table of a run.
pub const RUN: Layout = Layout {
    name: "Want: run",
    place: "once for each run of entries with the same verdict",
    fields: &[
        field(
            "verdict",
            "u8",
            "0 nothing, 1 all, 2 metadata, 3 ranges, 4 pieces, 5 manifest, 6 refused, 7 made, 8 all over what is there, 9 denied by a rule",
        ),
        field("run", "u16", "entries, at least 1; 1 for ranges and pieces"),
        field(
            "body",
            "by verdict",
            "3: u32 count (0: only the seal is wanted), then u32 first chunk and u32 chunks of each; 4: u64 size of the older file, u8 piece_log2, then as 3 (0: all are wanted); 6: u16 code; 9: u8 length and the rule's words, UTF-8",
        ),
    ],
};

/// A run of chunks of one file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkRange {
    /// Index of the first chunk.
    pub first: u32,
    /// Number of chunks, at least 1.
    pub count: u32,
}

/// What the receiver wants of one entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing: what is there is equal.
    Nothing,
    /// All of it: nothing of that name is there.
    All,
    /// All of it: what is there differs.
    Replace,
    /// Nothing more: it was made from the entry alone.
    Made,
    /// Nothing but the metadata the entry already carries.
    Metadata,
    /// These chunks: ascending, neither overlapping nor touching. None: every chunk is there since an earlier
    /// run, and only the seal is wanted.
    Ranges(Vec<ChunkRange>),
    /// As a delta against an older file, whose pieces follow in Pieces messages.
    Pieces {
        /// Bytes of the older file.
        old_size: u64,
        /// log2 of the average piece, see [`Fineness`](super::delta::Fineness).
        log2: u8,
        /// Chunks that are missing, as in [`Verdict::Ranges`]; none: all of them.
        ranges: Vec<ChunkRange>,
    },
    /// The chunk values first, then it asks again.
    Manifest,
    /// It will not take the entry.
    Refused(Code),
    /// A rule there does not let the entry pass: the rule's own words, 1 to 255 bytes.
    Denied(Box<str>),
}

impl Verdict {
    fn byte(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::All => 1,
            Self::Made => 7,
            Self::Replace => 8,
            Self::Metadata => 2,
            Self::Ranges(_) => 3,
            Self::Pieces { .. } => 4,
            Self::Manifest => 5,
            Self::Refused(_) => 6,
            Self::Denied(_) => 9,
        }
    }

    fn body_bytes(&self) -> usize {
        match self {
            Self::Ranges(ranges) => 4 + ranges.len() * RANGE_BYTES,
            Self::Pieces { ranges, .. } => PIECES_BYTES + 4 + ranges.len() * RANGE_BYTES,
            Self::Refused(_) => 2,
            Self::Denied(words) => 1 + cut_words(words).len(),
            _ => 0,
        }
    }

    fn ranges_mut(&mut self) -> Option<&mut Vec<ChunkRange>> {
        match self {
            Self::Ranges(ranges) | Self::Pieces { ranges, .. } => Some(ranges),
            _ => None,
        }
    }

    /// Whether it speaks of one entry alone.
    fn is_single(&self) -> bool {
        matches!(self, Self::Ranges(_) | Self::Pieces { .. })
    }
}

/// Entries in a row with the same verdict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// How many, at least 1.
    pub count: u16,
    /// The verdict of each.
    pub verdict: Verdict,
}

/// Verdicts for the entries from `first` on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Want {
    /// Session-local number of the transfer.
    pub transfer: u32,
    /// The first entry answered.
    pub first: FileIndex,
    runs: Vec<Run>,
    count: u16,
    bytes: usize,
}

impl Want {
    /// No verdict yet.
    pub fn new(transfer: u32, first: FileIndex) -> Self {
        Self { transfer, first, runs: Vec::new(), count: 0, bytes: HEAD_BYTES }
    }

    /// Number of entries answered.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// The runs, in order.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Each entry answered, with its verdict.
    pub fn iter(&self) -> impl Iterator<Item = (FileIndex, &Verdict)> + '_ {
        let verdicts =
            self.runs.iter().flat_map(|run| core::iter::repeat_n(&run.verdict, usize::from(run.count)));
        (self.first.0..).map(FileIndex).zip(verdicts)
    }

    /// Adds the verdict of the next entry.
    ///
    /// Ranges that do not fit a record even alone are cut to what fits, the last one widened to the end of
    /// the ranges: asking for more than is missing costs time, never correctness.
    ///
    /// # Errors
    /// The message is full: encode it, begin another at the next entry and push the verdict again.
    ///
    /// # Panics
    /// Ranges that overlap, touch or do not ascend.
    pub fn push(&mut self, verdict: &Verdict, limits: &Limits) -> Result<(), Full> {
        if u32::from(self.count) >= limits.entries_batch_max {
            return Err(Full);
        }
        let single = verdict.is_single();
        if let Some(run) = self.runs.last_mut().filter(|run| !single && run.verdict == *verdict) {
            run.count += 1;
            self.count += 1;
            return Ok(());
        }
        let room = limits.record_bytes as usize - self.bytes;
        let mut verdict = verdict.clone();
        if let Some(ranges) = verdict.ranges_mut() {
            assert!(check_ranges(ranges, u32::MAX).is_ok(), "ranges ascend");
            if self.runs.is_empty() {
                fold_ranges(ranges, (room - RUN_BYTES - PIECES_BYTES - 4) / RANGE_BYTES);
            }
        }
        let bytes = RUN_BYTES + verdict.body_bytes();
        if bytes > room {
            return Err(Full);
        }
        self.bytes += bytes;
        self.count += 1;
        self.runs.push(Run { count: 1, verdict });
        Ok(())
    }

    /// The message's bytes: at most one record.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(self.bytes);
        out.u32(self.transfer).u32(self.first.0).u16(self.count);
        for run in &self.runs {
            out.u8(run.verdict.byte()).u16(run.count);
            match &run.verdict {
                Verdict::Ranges(ranges) => write_ranges(&mut out, ranges),
                Verdict::Pieces { old_size, log2, ranges } => {
                    out.u64(*old_size).u8(*log2);
                    write_ranges(&mut out, ranges);
                }
                Verdict::Refused(code) => {
                    out.u16(code.number());
                }
                Verdict::Denied(words) => {
                    out.counted8(cut_words(words));
                }
                _ => {}
            }
        }
        out.into_vec()
    }

    /// Reads and checks a message.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut want = Self::new(reader.u32()?, FileIndex(reader.u32()?));
        let count = reader.u16()?;
        at_most("count", u64::from(count), u64::from(limits.entries_batch_max))?;
        if want.first.0.checked_add(u32::from(count)).is_none() {
            return Err(no_meaning("first", u64::from(want.first.0)));
        }
        while want.count < count {
            let verdict = reader.u8()?;
            let run = reader.u16()?;
            if run == 0 || run > count - want.count {
                return Err(no_meaning("run", u64::from(run)));
            }
            let verdict = read_verdict(&mut reader, verdict, limits)?;
            if run != 1 && verdict.is_single() {
                return Err(no_meaning("run", u64::from(run)));
            }
            want.count += run;
            want.bytes += RUN_BYTES + verdict.body_bytes();
            want.runs.push(Run { count: run, verdict });
        }
        reader.finish()?;
        Ok(want)
    }
}

fn read_verdict(reader: &mut Reader<'_>, byte: u8, limits: &Limits) -> Result<Verdict, Malformed> {
    Ok(match byte {
        0 => Verdict::Nothing,
        1 => Verdict::All,
        7 => Verdict::Made,
        8 => Verdict::Replace,
        2 => Verdict::Metadata,
        3 => Verdict::Ranges(read_ranges(reader, limits)?),
        4 => Verdict::Pieces {
            old_size: reader.u64()?,
            log2: reader.u8()?,
            ranges: read_ranges(reader, limits)?,
        },
        5 => Verdict::Manifest,
        6 => {
            let number = reader.u16()?;
            Verdict::Refused(Code::from_number(number).ok_or(no_meaning("code", u64::from(number)))?)
        }
        9 => Verdict::Denied(read_words(reader)?.into()),
        _ => return Err(no_meaning("verdict", u64::from(byte))),
    })
}

fn write_ranges(out: &mut Writer, ranges: &[ChunkRange]) {
    out.u32(ranges.len() as u32);
    for range in ranges {
        out.u32(range.first).u32(range.count);
    }
}

fn read_ranges(reader: &mut Reader<'_>, limits: &Limits) -> Result<Vec<ChunkRange>, Malformed> {
    let count = reader.u32()?;
    at_most("ranges", u64::from(count), (reader.remaining() / RANGE_BYTES) as u64)?;
    let mut ranges = Vec::with_capacity(count as usize);
    for _ in 0..count {
        ranges.push(ChunkRange { first: reader.u32()?, count: reader.u32()? });
    }
    check_ranges(&ranges, limits.chunk_values_max)?;
    Ok(ranges)
}

fn check_ranges(ranges: &[ChunkRange], chunks_max: u32) -> Result<(), Malformed> {
    let mut least = 0;
    for range in ranges {
        let end = range.first.checked_add(range.count).ok_or(Malformed::Ranges)?;
        if range.first < least || range.count == 0 || end > chunks_max {
            return Err(Malformed::Ranges);
        }
        least = end.saturating_add(1);
    }
    Ok(())
}

/// Keeps at most `most` ranges, the last of them reaching to the end of all.
fn fold_ranges(ranges: &mut Vec<ChunkRange>, most: usize) {
    let Some(last) = ranges.last().copied().filter(|_| ranges.len() > most) else { return };
    ranges.truncate(most);
    if let Some(range) = ranges.last_mut() {
        range.count = last.first + last.count - range.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn verdicts() -> impl Strategy<Value = Verdict> {
        let ranges = prop::collection::vec((1u32..4, 1u32..4), 0..4).prop_map(|steps| {
            let mut next = 0;
            let ranges = steps.into_iter().map(|(gap, count)| {
                let first = next + gap;
                next = first + count;
                ChunkRange { first, count }
            });
            ranges.filter(|range| range.first + range.count <= 16).take(3).collect::<Vec<_>>()
        });
        let pieces = (any::<u64>(), 9u8..13, ranges.clone())
            .prop_map(|(old_size, log2, ranges)| Verdict::Pieces { old_size, log2, ranges });
        let ranges = ranges.prop_map(Verdict::Ranges);
        prop_oneof![
            Just(Verdict::Nothing),
            Just(Verdict::All),
            Just(Verdict::Made),
            Just(Verdict::Replace),
            Just(Verdict::Metadata),
            Just(Verdict::Manifest),
            Just(Verdict::Refused(Code::TooLarge)),
            Just(Verdict::Refused(Code::BadPath)),
            "[a-zA-Z: ]{1,40}".prop_map(|words| Verdict::Denied(words.into())),
            ranges,
            pieces,
        ]
    }

    proptest! {
        #[test]
        fn verdicts_round_trip(list in prop::collection::vec(verdicts(), 0..4), first in 0u32..1_000_000) {
            let limits = Limits::TINY;
            let mut want = Want::new(7, FileIndex(first));
            for verdict in &list {
                prop_assert_eq!(want.push(verdict, &limits), Ok(()));
            }
            let bytes = want.encode();
            prop_assert!(bytes.len() <= limits.record_bytes as usize);
            let parsed = Want::parse(&bytes, &limits);
            prop_assert_eq!(parsed.as_ref(), Ok(&want));
            let back: Vec<_> = want.iter().map(|(file, verdict)| (file.0, verdict.clone())).collect();
            let expected: Vec<_> = list.iter().cloned().enumerate().map(|(i, v)| (first + i as u32, v)).collect();
            prop_assert_eq!(back, expected);
            for cut in 0..bytes.len() {
                prop_assert!(Want::parse(&bytes[..cut], &limits).is_err());
            }
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Want::parse(&bytes, &Limits::TINY);
            let _ = Want::parse(&bytes, &Limits::DEFAULT);
        }
    }

    #[test]
    fn a_full_message_says_so_and_equal_neighbours_share_a_run() {
        let limits = Limits::TINY;
        let mut want = Want::new(1, FileIndex(0));
        for _ in 0..4 {
            assert_eq!(want.push(&Verdict::All, &limits), Ok(()));
        }
        assert_eq!(want.push(&Verdict::All, &limits), Err(Full));
        assert_eq!((want.runs().len(), want.encode().len()), (1, 13));
    }

    #[test]
    fn ranges_beyond_a_record_are_widened() {
        let limits = Limits::DEFAULT;
        let ranges: Vec<_> = (0..65_536).map(|i| ChunkRange { first: i * 2, count: 1 }).collect();
        let mut want = Want::new(1, FileIndex(0));
        assert_eq!(want.push(&Verdict::Ranges(ranges.clone()), &limits), Ok(()));
        assert!(want.encode().len() <= limits.record_bytes as usize);
        let Verdict::Ranges(kept) = &want.runs()[0].verdict else { panic!("ranges stay ranges") };
        assert!(kept.len() > 32_000);
        let end = |ranges: &[ChunkRange]| ranges.last().map(|r| r.first + r.count);
        assert_eq!(end(kept), end(&ranges));
        assert_eq!(want.push(&Verdict::Ranges(ranges), &limits), Err(Full));
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        let limits = Limits::TINY;
        let head = |count: u16, rest: &[u8]| {
            let mut out = vec![0, 0, 0, 1, 0, 0, 0, 0];
            out.extend_from_slice(&count.to_be_bytes());
            out.extend_from_slice(rest);
            Want::parse(&out, &limits)
        };
        assert!(head(1, &[0, 0, 1]).is_ok());
        assert!(head(1, &[4, 0, 1]).is_err());
        assert!(head(1, &[4, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 13, 0, 0, 0, 0]).is_ok());
        assert!(head(2, &[4, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0, 13, 0, 0, 0, 0]).is_err());
        assert!(head(1, &[9, 0, 1]).is_err());
        assert!(head(1, &[0, 0, 0]).is_err());
        assert!(head(1, &[0, 0, 2]).is_err());
        assert!(head(5, &[0, 0, 5]).is_err());
        assert!(head(1, &[0, 0, 1, 0]).is_err());
        assert!(head(1, &[6, 0, 1, 0, 1]).is_err());
        let ranges = |list: &[(u32, u32)]| {
            let mut out = vec![3, 0, 1];
            out.extend_from_slice(&(list.len() as u32).to_be_bytes());
            for (first, count) in list {
                out.extend_from_slice(&first.to_be_bytes());
                out.extend_from_slice(&count.to_be_bytes());
            }
            head(1, &out)
        };
        assert!(ranges(&[(0, 1), (2, 14)]).is_ok());
        assert!(ranges(&[]).is_ok());
        for bad in [&[(0, 0)][..], &[(0, 1), (1, 1)], &[(2, 1), (0, 1)], &[(0, 17)], &[(u32::MAX, 2)]] {
            assert_eq!(ranges(bad), Err(Malformed::Ranges), "{bad:?}");
        }
    }
}
