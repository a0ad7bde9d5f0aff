//! The sender's side of a delta: which pieces of the new file lie in the receiver's old one, chunk by chunk.
//!
//! Two streams of pieces come in, in any interleaving: the receiver's list, and the sender's own cuts. A chunk of
//! the new file is decided as soon as every piece that reaches into it is: found in the list, or the list is
//! over. So chunks may be decided in any order, and the first ones while both ends still cut.

use super::copies::CopyRow;
use super::pieces::{ListRule, Pieces};
use super::{Fineness, Malformed, Piece, PieceValue};
use crate::transfer::chunk::Chunks;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use base::ids::ChunkIndex;
use base::limits::Limits;

/// A part of a chunk, in the order of the new file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Segment {
    /// It lies in the old file.
    Copy(CopyRow),
    /// It must be sent: so many bytes.
    Data(u32),
}

impl Segment {
    /// Bytes of the new file that it stands for.
    pub fn length(&self) -> u32 {
        match self {
            Self::Copy(row) => row.length,
            Self::Data(length) => *length,
        }
    }
}

/// A piece of the old file.
#[derive(Clone, Copy)]
struct Old {
    offset: u64,
    piece: Piece,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Not yet; the next own piece of the same value that waits too.
    Waiting(Option<u32>),
    At(u32),
    Nowhere,
}

/// A piece of the new file.
#[derive(Clone, Copy)]
struct Own {
    offset: u64,
    length: u32,
    found: Found,
}

/// Finds the pieces of one file. Its memory is bounded by the list's bound and the file's own number of pieces.
pub struct Matcher {
    chunks: Chunks,
    old_size: u64,
    rule: ListRule,
    old: Vec<Old>,
    old_end: u64,
    /// The first old piece of each value.
    known: BTreeMap<PieceValue, u32>,
    own: Vec<Own>,
    own_end: u64,
    /// The last own piece of each value that was looked for in vain; the others hang behind it.
    missing: BTreeMap<PieceValue, u32>,
    /// By chunk: pieces that reach into it and are not decided.
    undecided: Vec<u32>,
    /// Chunks before this one are cut whole.
    chunks_cut: u32,
    ready: VecDeque<ChunkIndex>,
    matched: u64,
    probe_bytes: u64,
}

impl Matcher {
    /// For a new file cut in `chunks`, against an old one of `old_size` bytes.
    pub fn new(chunks: Chunks, old_size: u64, fineness: Fineness, limits: &Limits) -> Self {
        Self {
            chunks,
            old_size,
            rule: ListRule::new(fineness, old_size, limits),
            old: Vec::new(),
            old_end: 0,
            known: BTreeMap::new(),
            own: Vec::new(),
            own_end: 0,
            missing: BTreeMap::new(),
            undecided: alloc::vec![0; chunks.count() as usize],
            chunks_cut: 0,
            ready: VecDeque::new(),
            matched: 0,
            probe_bytes: limits.delta_probe_bytes,
        }
    }

    /// The next portion of the receiver's list.
    ///
    /// # Errors
    /// As [`ListRule::take`]; nothing of it is taken then.
    pub fn on_list(&mut self, message: &Pieces) -> Result<(), Malformed> {
        self.rule.take(message)?;
        for &piece in &message.rows {
            let index = self.old.len() as u32;
            self.old.push(Old { offset: self.old_end, piece });
            self.old_end += u64::from(piece.length);
            self.known.entry(piece.value).or_insert(index);
            self.decide_missing(piece, index);
        }
        if self.rule.is_over() {
            for (_, first) in core::mem::take(&mut self.missing) {
                self.decide_chain(first, Found::Nowhere);
            }
        }
        Ok(())
    }

    /// The sender's next own piece.
    pub fn on_own(&mut self, piece: Piece) {
        let index = self.own.len() as u32;
        let (offset, length) = (self.own_end, piece.length);
        self.own_end += u64::from(length);
        let found = match self.look_up(piece) {
            Some(old) => {
                self.matched += u64::from(length);
                Found::At(old)
            }
            None if self.rule.is_over() => Found::Nowhere,
            None => Found::Waiting(self.missing.insert(piece.value, index)),
        };
        self.own.push(Own { offset, length, found });
        if matches!(found, Found::Waiting(_)) {
            for chunk in self.chunks_of(index) {
                self.undecided[chunk as usize] += 1;
            }
        }
        while let Some((begin, length)) = self.chunks.range(ChunkIndex(self.chunks_cut))
            && begin + u64::from(length) <= self.own_end
        {
            if self.undecided[self.chunks_cut as usize] == 0 {
                self.ready.push_back(ChunkIndex(self.chunks_cut));
            }
            self.chunks_cut += 1;
        }
    }

    /// A chunk that is decided, once each.
    pub fn next_ready(&mut self) -> Option<ChunkIndex> {
        self.ready.pop_front()
    }

    /// Whether the receiver's list is whole.
    pub fn is_listed(&self) -> bool {
        self.rule.is_over()
    }

    /// Whether every chunk has been decided.
    pub fn is_decided(&self) -> bool {
        self.chunks_cut == self.chunks.count() && self.missing.is_empty()
    }

    /// Bytes of the new file found in the old one.
    pub fn matched(&self) -> u64 {
        self.matched
    }

    /// Whether enough of both files has been compared in vain: the rest goes whole.
    pub fn is_hopeless(&self) -> bool {
        let enough = |seen: u64, size: u64| seen >= size.min(self.probe_bytes.max(size / 4));
        let listed = self.rule.is_over() || enough(self.old_end, self.old_size);
        self.matched == 0 && listed && enough(self.own_end, self.chunks.size())
    }

    /// What a decided chunk is made of: copies that follow each other in the old file are one.
    pub fn recipe(&self, chunk: ChunkIndex) -> Vec<Segment> {
        let Some((begin, length)) = self.chunks.range(chunk) else { return Vec::new() };
        let end = begin + u64::from(length);
        let mut out: Vec<Segment> = Vec::new();
        let first = self.own.partition_point(|own| own.offset + u64::from(own.length) <= begin);
        for own in self.own[first..].iter().take_while(|own| own.offset < end) {
            let (from, to) = (own.offset.max(begin), (own.offset + u64::from(own.length)).min(end));
            let length = (to - from) as u32;
            let copy = match own.found {
                Found::At(old) => Some(self.old[old as usize].offset + (from - own.offset)),
                _ => None,
            };
            match (out.last_mut(), copy) {
                (Some(Segment::Copy(row)), Some(offset)) if row.offset + u64::from(row.length) == offset => {
                    row.length += length;
                }
                (_, Some(offset)) => out.push(Segment::Copy(CopyRow { offset, length })),
                (Some(Segment::Data(data)), None) => *data += length,
                (_, None) => out.push(Segment::Data(length)),
            }
        }
        out
    }

    /// The old piece behind the one found last, where it is the same; else the first of that value. So a run of
    /// equal pieces becomes one long copy.
    fn look_up(&self, piece: Piece) -> Option<u32> {
        if let Some(Own { found: Found::At(before), .. }) = self.own.last()
            && self.old.get(*before as usize + 1).is_some_and(|old| old.piece == piece)
        {
            return Some(before + 1);
        }
        let first = *self.known.get(&piece.value)?;
        (self.old[first as usize].piece == piece).then_some(first)
    }

    /// Own pieces that waited for this one.
    fn decide_missing(&mut self, piece: Piece, index: u32) {
        let Some(&first) = self.missing.get(&piece.value) else { return };
        // A list that names a value with another length lies: the value is not there.
        if self.own[first as usize].length == piece.length {
            self.missing.remove(&piece.value);
            self.decide_chain(first, Found::At(index));
        }
    }

    fn decide_chain(&mut self, first: u32, found: Found) {
        let mut next = Some(first);
        while let Some(index) = next {
            let own = &mut self.own[index as usize];
            let Found::Waiting(behind) = core::mem::replace(&mut own.found, found) else { return };
            next = behind;
            if found != Found::Nowhere {
                self.matched += u64::from(own.length);
            }
            for chunk in self.chunks_of(index) {
                self.undecided[chunk as usize] -= 1;
                if self.undecided[chunk as usize] == 0 && chunk < self.chunks_cut {
                    self.ready.push_back(ChunkIndex(chunk));
                }
            }
        }
    }

    /// Chunks that an own piece reaches into.
    fn chunks_of(&self, index: u32) -> core::ops::Range<u32> {
        let own = &self.own[index as usize];
        let of = |offset: u64| self.chunks.at(offset).map_or(0, |chunk| chunk.0);
        of(own.offset)..of(own.offset + u64::from(own.length) - 1) + 1
    }
}
