//! Which chunks of one file are here, which are durable, which are missing.
//!
//! A [`ChunkMap`] is the receive state of one file. It costs 32 bytes a chunk and is bounded by
//! `chunk_values_max`. A chunk is *received* when its last byte is written and our own value of it equals
//! the sender's, *durable* when a checkpoint that began after that has ended.

use alloc::vec;
use alloc::vec::Vec;
use base::ids::{ChunkIndex, Value};
use base::limits::Limits;

/// A run of chunks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkRange {
    /// The first.
    pub first: ChunkIndex,
    /// How many, at least 1.
    pub count: u32,
}

/// Why a file cannot be cut as asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ManifestRefused {
    /// Not a chunk size of this protocol.
    ChunkSize {
        /// As given.
        chunk_log2: u8,
    },
    /// More chunks than a manifest holds.
    TooManyChunks {
        /// How many.
        count: u64,
        /// The bound.
        most: u32,
    },
    /// The file has no such chunk.
    NoSuchChunk {
        /// As given.
        chunk: ChunkIndex,
        /// How many it has.
        count: u32,
    },
}

/// Receive state of one file.
#[derive(Clone, Debug)]
pub struct ChunkMap {
    size: u64,
    chunk_log2: u8,
    count: u32,
    received: Bits,
    syncing: Bits,
    durable: Bits,
    values: Vec<Value>,
    received_count: u32,
}

impl ChunkMap {
    /// The state of a file of which nothing is here. An empty file has no chunk.
    ///
    /// # Errors
    /// The file cannot be cut like this.
    pub fn new(size: u64, chunk_log2: u8, limits: &Limits) -> Result<Self, ManifestRefused> {
        let chunk = 1u64.checked_shl(u32::from(chunk_log2)).unwrap_or(0);
        if chunk < u64::from(limits.chunk_bytes_min) || chunk > u64::from(limits.chunk_bytes_huge) {
            return Err(ManifestRefused::ChunkSize { chunk_log2 });
        }
        let count = size.div_ceil(chunk);
        let most = limits.chunk_values_max;
        if count > u64::from(most) {
            return Err(ManifestRefused::TooManyChunks { count, most });
        }
        let count = count as u32;
        Ok(Self {
            size,
            chunk_log2,
            count,
            received: Bits::new(count),
            syncing: Bits::new(count),
            durable: Bits::new(count),
            values: vec![Value::default(); count as usize],
            received_count: 0,
        })
    }

    /// Length of the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// log2 of the chunk size.
    pub fn chunk_log2(&self) -> u8 {
        self.chunk_log2
    }

    /// How many chunks the file has.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Offset and length of a chunk; the last may be short.
    ///
    /// # Errors
    /// The file has no such chunk.
    pub fn span(&self, chunk: ChunkIndex) -> Result<(u64, u64), ManifestRefused> {
        self.check(chunk)?;
        let offset = u64::from(chunk.0) << self.chunk_log2;
        Ok((offset, (self.size - offset).min(1 << self.chunk_log2)))
    }

    /// A chunk's last byte is written and its value holds. `false`: it was here already with that value.
    /// Another value replaces the earlier one, and the chunk is no longer durable.
    ///
    /// # Errors
    /// The file has no such chunk.
    pub fn receive(&mut self, chunk: ChunkIndex, value: Value) -> Result<bool, ManifestRefused> {
        self.check(chunk)?;
        let place = chunk.0;
        if self.received.has(place) && self.values[place as usize] == value {
            return Ok(false);
        }
        self.forget(chunk)?;
        self.values[place as usize] = value;
        self.received.set(place, true);
        self.received_count += 1;
        Ok(true)
    }

    /// A chunk is asked for once more: its bytes are not what they should be, or are about to be replaced.
    ///
    /// # Errors
    /// The file has no such chunk.
    pub fn forget(&mut self, chunk: ChunkIndex) -> Result<(), ManifestRefused> {
        self.check(chunk)?;
        if self.received.has(chunk.0) {
            self.received_count -= 1;
        }
        for bits in [&mut self.received, &mut self.syncing, &mut self.durable] {
            bits.set(chunk.0, false);
        }
        Ok(())
    }

    /// Our own value of a received chunk.
    pub fn value(&self, chunk: ChunkIndex) -> Option<Value> {
        let here = chunk.0 < self.count && self.received.has(chunk.0);
        here.then(|| self.values[chunk.0 as usize])
    }

    /// Whether a chunk is durable.
    pub fn is_durable(&self, chunk: ChunkIndex) -> bool {
        chunk.0 < self.count && self.durable.has(chunk.0)
    }

    /// How many chunks are received.
    pub fn received_count(&self) -> u32 {
        self.received_count
    }

    /// Bytes of the received chunks.
    pub fn received_bytes(&self) -> u64 {
        let short = match self.count.checked_sub(1) {
            Some(last) if self.received.has(last) => (u64::from(self.count) << self.chunk_log2) - self.size,
            _ => 0,
        };
        (u64::from(self.received_count) << self.chunk_log2) - short
    }

    /// Whether every chunk is received.
    pub fn is_complete(&self) -> bool {
        self.received_count == self.count
    }

    /// Whether every chunk is durable.
    pub fn is_all_durable(&self) -> bool {
        self.durable.runs(false).next().is_none()
    }

    /// Every value in order, once complete: what the root and a Manifest are made of.
    pub fn values(&self) -> Option<&[Value]> {
        self.is_complete().then_some(&self.values[..])
    }

    /// Runs of chunks that are not here, in order: what a Want asks for.
    pub fn missing(&self) -> impl Iterator<Item = ChunkRange> {
        self.received.runs(false)
    }

    /// Runs of chunks that are here, in order.
    pub fn received(&self) -> impl Iterator<Item = ChunkRange> {
        self.received.runs(true)
    }

    /// Begins a checkpoint over everything received and not durable; `false`: there is nothing, or one
    /// runs. Call when every write of those chunks is done and journalled, before the sync begins.
    pub fn begin_checkpoint(&mut self) -> bool {
        if self.is_checkpointing() {
            return false;
        }
        for ((syncing, received), durable) in
            self.syncing.words.iter_mut().zip(&self.received.words).zip(&self.durable.words)
        {
            *syncing = received & !durable;
        }
        self.is_checkpointing()
    }

    /// Whether a checkpoint runs.
    pub fn is_checkpointing(&self) -> bool {
        self.syncing.words.iter().any(|&word| word != 0)
    }

    /// Ends the checkpoint: calls `ack` for each run that is durable from here on. Chunks that were
    /// forgotten or replaced meanwhile are left out.
    pub fn end_checkpoint(&mut self, mut ack: impl FnMut(ChunkRange)) {
        self.syncing.runs(true).for_each(&mut ack);
        for (durable, syncing) in self.durable.words.iter_mut().zip(&mut self.syncing.words) {
            *durable |= core::mem::take(syncing);
        }
    }

    /// After a restart: a chunk whose re-hash equals its journalled value. A chunk the file does not have is
    /// left out.
    pub fn restore(&mut self, chunk: ChunkIndex, value: Value, durable: bool) {
        if self.receive(chunk, value).is_ok() {
            self.durable.set(chunk.0, durable);
        }
    }

    fn check(&self, chunk: ChunkIndex) -> Result<(), ManifestRefused> {
        if chunk.0 < self.count {
            Ok(())
        } else {
            Err(ManifestRefused::NoSuchChunk { chunk, count: self.count })
        }
    }
}

/// A bitmap of fixed length; bits beyond it stay clear.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Bits {
    words: Vec<u64>,
    len: u32,
}

impl Bits {
    fn new(len: u32) -> Self {
        Self { words: vec![0; len.div_ceil(64) as usize], len }
    }

    fn has(&self, at: u32) -> bool {
        self.words[at as usize / 64] >> (at % 64) & 1 == 1
    }

    fn set(&mut self, at: u32, on: bool) {
        let (word, bit) = (&mut self.words[at as usize / 64], 1u64 << (at % 64));
        if on {
            *word |= bit;
        } else {
            *word &= !bit;
        }
    }

    /// First position at or after `from` whose bit is `on`; the length when there is none.
    fn find(&self, from: u32, on: bool) -> u32 {
        let mut at = from;
        while at < self.len {
            let word = self.words[at as usize / 64];
            let word = (if on { word } else { !word }) >> (at % 64);
            if word != 0 {
                return (at + word.trailing_zeros()).min(self.len);
            }
            at = (at / 64 + 1) * 64;
        }
        self.len
    }

    fn runs(&self, on: bool) -> impl Iterator<Item = ChunkRange> {
        let mut at = 0;
        core::iter::from_fn(move || {
            let first = self.find(at, on);
            if first >= self.len {
                return None;
            }
            at = self.find(first, !on);
            Some(ChunkRange { first: ChunkIndex(first), count: at - first })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(seed: u32) -> Value {
        Value([seed as u8; 32])
    }

    #[test]
    fn a_file_is_cut_only_into_chunks_that_a_manifest_holds() {
        let limits = Limits::DEFAULT;
        assert!(ChunkMap::new(1 << 47, 30, &limits).is_ok());
        assert!(ChunkMap::new((1 << 47) + 1, 30, &limits).is_err());
        assert!(ChunkMap::new(1, 19, &limits).is_err());
        assert!(ChunkMap::new(1, 31, &limits).is_err());
        assert!(ChunkMap::new(1, 255, &limits).is_err());
        assert!(ChunkMap::new(1 << 40, 20, &limits).is_err());
    }

    #[test]
    fn the_last_chunk_may_be_short() {
        let limits = Limits::TINY;
        let mut map = ChunkMap::new(9000, 12, &limits).expect("valid");
        assert_eq!(map.count(), 3);
        assert_eq!(map.span(ChunkIndex(2)), Ok((8192, 808)));
        assert_eq!(
            map.span(ChunkIndex(3)),
            Err(ManifestRefused::NoSuchChunk { chunk: ChunkIndex(3), count: 3 })
        );
        assert_eq!(map.receive(ChunkIndex(2), value(1)), Ok(true));
        assert_eq!(map.receive(ChunkIndex(2), value(1)), Ok(false));
        assert_eq!(map.received_bytes(), 808);
        assert_eq!(map.receive(ChunkIndex(0), value(2)), Ok(true));
        assert_eq!(map.received_bytes(), 808 + 4096);
        assert_eq!(map.missing().collect::<Vec<_>>(), [ChunkRange { first: ChunkIndex(1), count: 1 }]);
        assert_eq!(map.values(), None);
        let empty = ChunkMap::new(0, 12, &limits).expect("valid");
        assert!(empty.is_complete() && empty.is_all_durable() && empty.missing().next().is_none());
    }

    #[test]
    fn a_checkpoint_covers_what_was_here_when_it_began() {
        // proves: O8
        let mut map = ChunkMap::new(5 * 4096, 12, &Limits::TINY).expect("valid");
        assert!(!map.begin_checkpoint());
        for i in [0, 1, 3] {
            map.receive(ChunkIndex(i), value(i)).expect("exists");
        }
        assert!(map.begin_checkpoint());
        assert!(!map.begin_checkpoint());
        map.receive(ChunkIndex(4), value(4)).expect("exists");
        map.receive(ChunkIndex(1), value(9)).expect("exists");
        let mut acked = Vec::new();
        map.end_checkpoint(|run| acked.push(run));
        let run = |first, count| ChunkRange { first: ChunkIndex(first), count };
        assert_eq!(acked, [run(0, 1), run(3, 1)]);
        assert!(map.begin_checkpoint());
        acked.clear();
        map.end_checkpoint(|run| acked.push(run));
        assert_eq!(acked, [run(1, 1), run(4, 1)]);
        assert!(!map.is_all_durable());
        map.forget(ChunkIndex(0)).expect("exists");
        assert!(!map.is_durable(ChunkIndex(0)) && map.value(ChunkIndex(0)).is_none());
    }

    proptest! {
        #[test]
        fn runs_partition_the_file(count in 0u32..200, here in proptest::collection::vec(any::<bool>(), 200)) {
            let limits = Limits { chunk_values_max: 200, ..Limits::TINY };
            let mut map = ChunkMap::new(u64::from(count) * 4096, 12, &limits).expect("valid");
            for i in (0..count).filter(|&i| here[i as usize]) {
                map.receive(ChunkIndex(i), value(i)).expect("exists");
            }
            let mut seen = vec![None; count as usize];
            for (runs, on) in [(map.missing().collect::<Vec<_>>(), false), (map.received().collect(), true)] {
                for pair in runs.windows(2) {
                    prop_assert!(pair[0].first.0 + pair[0].count < pair[1].first.0);
                }
                for run in runs {
                    for i in run.first.0..run.first.0 + run.count {
                        prop_assert_eq!(seen[i as usize].replace(on), None);
                    }
                }
            }
            for (i, on) in seen.into_iter().enumerate() {
                prop_assert_eq!(on, Some(here[i]));
            }
        }
    }
}
