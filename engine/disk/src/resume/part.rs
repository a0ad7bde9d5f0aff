//! A part that was begun by an earlier run.

use crate::journal::{Begin, ChunkValue, Record};
use crate::manifest::ChunkMap;
use alloc::vec;
use alloc::vec::Vec;
use base::entry::{Kind, Stat};
use base::ids::{ChunkIndex, Value};
use base::limits::Limits;

/// What the records of one part journal amount to.
#[derive(Clone, Debug)]
pub struct PartJournal {
    limits: Limits,
    begin: Option<(Begin, ChunkMap)>,
    claims: Vec<Claim>,
    durable_through: u64,
    torn: Option<u64>,
    whole: Option<Value>,
}

/// What the journal says of one chunk; sequence 0: nothing.
#[derive(Clone, Copy, Default, Debug)]
struct Claim {
    value: Value,
    sequence: u64,
}

/// Why nothing of an earlier run is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FreshWhy {
    /// The journal does not say what it belongs to, or says it of a file that cannot be cut so.
    NoBegin,
    /// It stages other content: another size, mtime, chunk size, place or way of writing.
    OtherContent,
    /// The part is gone.
    NoPart,
    /// What bears its name is not a file of its own: another kind, another inode, or linked elsewhere too.
    NotOurs,
    /// The file written in place was finished, or never touched.
    NotTorn,
    /// No chunk was journalled.
    NothingReceived,
}

/// What to do with what an earlier run left.
#[derive(Clone, Debug)]
pub enum PartDecision {
    /// Remove it and begin anew.
    Fresh(FreshWhy),
    /// Hash these ranges again and keep the equal ones.
    Keep(Rehash),
}

impl PartJournal {
    /// Before the first record.
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            begin: None,
            claims: Vec::new(),
            durable_through: 0,
            torn: None,
            whole: None,
        }
    }

    /// The next record of the scan.
    pub fn apply(&mut self, sequence: u64, record: Record) {
        match record {
            Record::Begin(begin) if sequence == 1 => {
                let entry = &begin.entry;
                if let Ok(map) = ChunkMap::new(entry.size, entry.chunk_log2, &self.limits) {
                    self.claims = vec![Claim::default(); map.count() as usize];
                    self.begin = Some((begin, map));
                }
            }
            Record::Received(rows) => {
                for ChunkValue { chunk, value } in rows {
                    if let Some(claim) = self.claims.get_mut(chunk.0 as usize) {
                        *claim = Claim { value, sequence };
                    }
                }
            }
            Record::Durable { through } => self.durable_through = self.durable_through.max(through),
            Record::Torn { inode } => (self.torn, self.whole) = (Some(inode), None),
            Record::Whole { root } => self.whole = Some(root),
            Record::Begin(_) | Record::Committing(_) | Record::Done { .. } => {}
            Record::Receipt(_) | Record::Staging(_) => {}
        }
    }

    /// What the part stages.
    pub fn begin(&self) -> Option<&Begin> {
        self.begin.as_ref().map(|(begin, _)| begin)
    }

    /// Whether the destination holds a mix: it was opened for writing in place and never finished.
    pub fn is_torn(&self) -> bool {
        self.torn.is_some() && self.whole.is_none()
    }

    /// Decides for the file that is offered. `part` is the stat of the staged part, or of the destination
    /// when it is written in place; `None` when there is nothing under that name.
    pub fn decide(self, offered: &Begin, part: Option<&Stat>) -> PartDecision {
        if let Some(why) = self.reason_for_fresh(offered, part) {
            return PartDecision::Fresh(why);
        }
        let (Some((_, map)), Some(part)) = (self.begin, part) else {
            return PartDecision::Fresh(FreshWhy::NoBegin);
        };
        let bytes_there = part.size;
        PartDecision::Keep(Rehash {
            map,
            claims: self.claims,
            durable_through: self.durable_through,
            bytes_there,
            next: 0,
            outstanding: 0,
            dropped: 0,
        })
    }

    fn reason_for_fresh(&self, offered: &Begin, part: Option<&Stat>) -> Option<FreshWhy> {
        let Some((begin, _)) = &self.begin else { return Some(FreshWhy::NoBegin) };
        if !stages_same(begin, offered) {
            return Some(FreshWhy::OtherContent);
        }
        let Some(part) = part else { return Some(FreshWhy::NoPart) };
        if part.kind != Some(Kind::File) {
            return Some(FreshWhy::NotOurs);
        }
        if begin.in_place {
            match self.torn {
                Some(inode) if self.is_torn() && inode != part.inode => return Some(FreshWhy::NotOurs),
                Some(_) if self.is_torn() => {}
                _ => return Some(FreshWhy::NotTorn),
            }
        } else if part.links != 1 {
            return Some(FreshWhy::NotOurs);
        }
        self.claims.iter().all(|claim| claim.sequence == 0).then_some(FreshWhy::NothingReceived)
    }
}

fn stages_same(begin: &Begin, offered: &Begin) -> bool {
    let (ours, theirs) = (&begin.entry, &offered.entry);
    ours.size == theirs.size
        && ours.mtime == theirs.mtime
        && ours.chunk_log2 == theirs.chunk_log2
        && ours.path == theirs.path
        && begin.anchor == offered.anchor
        && begin.in_place == offered.in_place
}

/// A range of the part to be hashed again: exactly one chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RangeToHash {
    /// Which chunk.
    pub chunk: ChunkIndex,
    /// Where it begins.
    pub offset: u64,
    /// Its length.
    pub len: u64,
}

/// Hashes what is there and keeps the chunks whose value equals the journal's.
#[derive(Clone, Debug)]
pub struct Rehash {
    map: ChunkMap,
    claims: Vec<Claim>,
    durable_through: u64,
    bytes_there: u64,
    next: u32,
    outstanding: u32,
    dropped: u32,
}

impl Rehash {
    /// The next chunk to hash; several may be under way. `None`: all were given.
    pub fn next_range(&mut self) -> Option<RangeToHash> {
        while self.next < self.map.count() {
            let chunk = ChunkIndex(self.next);
            self.next += 1;
            if self.claims[chunk.0 as usize].sequence == 0 {
                continue;
            }
            let Ok((offset, len)) = self.map.span(chunk) else { continue };
            if offset + len <= self.bytes_there {
                self.outstanding += 1;
                return Some(RangeToHash { chunk, offset, len });
            }
            self.dropped += 1;
        }
        None
    }

    /// A chunk was hashed; `None`: it could not be read.
    ///
    /// # Panics
    /// No chunk is under way.
    pub fn on_hashed(&mut self, chunk: ChunkIndex, value: Option<Value>) {
        assert!(self.outstanding > 0, "a range is answered once");
        self.outstanding -= 1;
        let claim = self.claims[chunk.0 as usize];
        if value == Some(claim.value) {
            self.map.restore(chunk, claim.value, claim.sequence <= self.durable_through);
        } else {
            self.dropped += 1;
        }
    }

    /// Whether every range was answered.
    pub fn is_over(&self) -> bool {
        self.next == self.map.count() && self.outstanding == 0
    }

    /// Chunks that were journalled and are not what they were: a disk fault, or power loss.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// The receive state to go on with. The part is given its full size again before it is written.
    ///
    /// # Panics
    /// It is not over.
    pub fn finish(self) -> ChunkMap {
        assert!(self.is_over(), "every range is answered first");
        self.map
    }
}
