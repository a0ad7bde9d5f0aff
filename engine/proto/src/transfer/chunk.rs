//! Chunks of a file and their values.
//!
//! A file's root is plain BLAKE3 of its content: what `b3sum` prints. A chunk's value is the chaining
//! value of its subtree, so values computed apart, in any order, on any core, merge to that root. A file
//! of one chunk has its root as that chunk's value. Values depend on position.
//!
//! ```text
//! size 10, chunks of 4:   | 0..4 | 4..8 | 8..10 |      root = parent(parent(v0, v1), v2)
//! ```

use super::{Malformed, at_most, no_meaning};
use base::entry::{Entry, Kind};
use base::ids::{ChunkIndex, Value};
use base::limits::Limits;
use blake3::Hasher;
use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

/// BLAKE3's own chunk: no subtree is smaller.
const LEAF_BYTES: u32 = 1024;

/// Zeros that holes are hashed from; wide enough for every SIMD width BLAKE3 has.
static ZEROS: [u8; 32 * 1024] = [0; 32 * 1024];

/// The largest file the chunk rule allows under `limits`.
pub fn file_bytes_max(limits: &Limits) -> u64 {
    u64::from(chunk_bytes_huge(limits)) * u64::from(limits.chunk_values_max)
}

/// log2 of the chunk size for a file of `size` bytes; 0 for a file that travels in a pack.
///
/// The smallest power of two from `chunk_bytes_min` on that needs no more than `chunk_values_max` chunks;
/// it goes beyond `chunk_bytes_max`, up to `chunk_bytes_huge`, only for files that need it.
///
/// # Errors
/// The file is larger than [`file_bytes_max`].
pub fn chunk_log2_for(size: u64, limits: &Limits) -> Result<u8, Malformed> {
    if size <= u64::from(limits.pack_file_bytes_max) {
        return Ok(0);
    }
    at_most("size", size, file_bytes_max(limits))?;
    let chunk_bytes_least = size.div_ceil(u64::from(limits.chunk_values_max));
    let chunk_bytes = chunk_bytes_least.max(u64::from(limits.chunk_bytes_min)).next_power_of_two();
    at_most("chunk", chunk_bytes, u64::from(chunk_bytes_huge(limits)))?;
    Ok(chunk_bytes.ilog2() as u8)
}

/// The largest power of two that a chunk may have.
fn chunk_bytes_huge(limits: &Limits) -> u32 {
    1 << limits.chunk_bytes_huge.ilog2()
}

/// How a file is cut: `count` chunks of one power of two, the last one shorter. A file that travels in a
/// pack, and an empty one, is a single chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunks {
    size: u64,
    log2: u8,
}

impl Chunks {
    /// Checks a cut that a peer states.
    ///
    /// # Errors
    /// A file above the pack bound without chunks; chunks that are smaller than a record or larger than
    /// `chunk_bytes_huge`; more than `chunk_values_max` of them.
    pub fn new(size: u64, log2: u8, limits: &Limits) -> Result<Self, Malformed> {
        if log2 == 0 {
            at_most("size", size, u64::from(limits.pack_file_bytes_max))?;
            return Ok(Self { size, log2 });
        }
        let least = limits.record_bytes.max(LEAF_BYTES).next_power_of_two().ilog2() as u8;
        let most = chunk_bytes_huge(limits).ilog2() as u8;
        if !(least..=most).contains(&log2) {
            return Err(no_meaning("chunk_log2", u64::from(log2)));
        }
        at_most("chunks", size.div_ceil(1 << log2), u64::from(limits.chunk_values_max))?;
        Ok(Self { size, log2 })
    }

    /// The cut of an entry.
    ///
    /// # Errors
    /// As [`Chunks::new`]; an entry that is no file.
    pub fn of(entry: &Entry, limits: &Limits) -> Result<Self, Malformed> {
        if entry.kind != Kind::File {
            return Err(no_meaning("kind", entry.kind as u64));
        }
        Self::new(entry.size, entry.chunk_log2, limits)
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether the file travels whole in a pack.
    pub fn packed(&self) -> bool {
        self.log2 == 0
    }

    /// Number of chunks, at least 1.
    pub fn count(&self) -> u32 {
        if self.log2 == 0 { 1 } else { self.size.div_ceil(1 << self.log2).max(1) as u32 }
    }

    /// Offset and length of one chunk; `None` beyond the last.
    pub fn range(&self, chunk: ChunkIndex) -> Option<(u64, u32)> {
        if chunk.0 >= self.count() {
            return None;
        }
        if self.log2 == 0 {
            return Some((0, self.size as u32));
        }
        let offset = u64::from(chunk.0) << self.log2;
        Some((offset, (self.size - offset).min(1 << self.log2) as u32))
    }

    /// The chunk that holds this offset; `None` at or after the end.
    pub fn at(&self, offset: u64) -> Option<ChunkIndex> {
        (offset < self.size)
            .then(|| ChunkIndex(if self.log2 == 0 { 0 } else { (offset >> self.log2) as u32 }))
    }
}

/// Computes the value of one chunk while its bytes pass, in order.
#[derive(Clone)]
pub struct ChunkHasher {
    hasher: Hasher,
    sole: bool,
    left: u32,
}

impl ChunkHasher {
    /// For one chunk of a file; `None` for a chunk that the file does not have.
    pub fn new(chunks: &Chunks, chunk: ChunkIndex) -> Option<Self> {
        let (offset, len) = chunks.range(chunk)?;
        let mut hasher = Hasher::new();
        hasher.set_input_offset(offset);
        Some(Self { hasher, sole: chunks.count() == 1, left: len })
    }

    /// Bytes of the chunk that have not passed.
    pub fn left(&self) -> u32 {
        self.left
    }

    /// The next bytes.
    ///
    /// # Panics
    /// More bytes than [`ChunkHasher::left`].
    pub fn update(&mut self, bytes: &[u8]) {
        assert!(bytes.len() as u64 <= u64::from(self.left), "bytes beyond the chunk");
        self.left -= bytes.len() as u32;
        self.hasher.update(bytes);
    }

    /// The next `run` bytes, all zero.
    ///
    /// # Panics
    /// More bytes than [`ChunkHasher::left`].
    pub fn hole(&mut self, run: u32) {
        assert!(run <= self.left, "hole beyond the chunk");
        self.left -= run;
        update_zeros(&mut self.hasher, u64::from(run));
    }

    /// The chunk's value: the file's root where it is the only chunk.
    ///
    /// # Panics
    /// Bytes are missing.
    pub fn finish(self) -> Value {
        assert_eq!(self.left, 0, "chunk without its last bytes");
        if self.sole { Value(self.hasher.finalize().into()) } else { Value(self.hasher.finalize_non_root()) }
    }
}

/// Computes a whole file's root while its bytes pass, in order.
#[derive(Clone, Default)]
pub struct FileHasher(Hasher);

impl FileHasher {
    /// No bytes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The next `run` bytes, all zero.
    pub fn hole(&mut self, run: u64) {
        update_zeros(&mut self.0, run);
    }

    /// The file's root.
    pub fn finish(&self) -> Value {
        Value(self.0.finalize().into())
    }
}

/// The root of bytes that lie in memory: a file of a pack, the target of a symlink.
pub fn root_of_bytes(bytes: &[u8]) -> Value {
    Value(blake3::hash(bytes).into())
}

/// Merges the values of all chunks of a file, in order, to its root.
///
/// # Panics
/// No values.
pub fn root_of(values: &[Value]) -> Value {
    assert!(!values.is_empty(), "a file has at least one chunk");
    match values {
        [root] => *root,
        _ => {
            let (left, right) = values.split_at(left_count(values.len()));
            let root = merge_subtrees_root(&subtree(left).0, &subtree(right).0, Mode::Hash);
            Value(root.into())
        }
    }
}

/// Value of the subtree over these chunks; at most 17 levels deep.
fn subtree(values: &[Value]) -> Value {
    match values {
        [value] => *value,
        _ => {
            let (left, right) = values.split_at(left_count(values.len()));
            Value(merge_subtrees_non_root(&subtree(left).0, &subtree(right).0, Mode::Hash))
        }
    }
}

/// The largest power of two below `count`.
fn left_count(count: usize) -> usize {
    1 << (count - 1).ilog2()
}

fn update_zeros(hasher: &mut Hasher, run: u64) {
    let mut left = run;
    while left > 0 {
        let step = left.min(ZEROS.len() as u64);
        hasher.update(&ZEROS[..step as usize]);
        left -= step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::limits::{KIB, MIB};
    use std::vec::Vec;

    fn content(size: u64) -> Vec<u8> {
        let mut state = size ^ 0x9e37_79b9_7f4a_7c15;
        (0..size)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect()
    }

    /// Values of every chunk, each fed record by record.
    fn values_of(bytes: &[u8], chunks: &Chunks, record: usize) -> Vec<Value> {
        (0..chunks.count())
            .map(|index| {
                let (offset, len) = chunks.range(ChunkIndex(index)).expect("exists");
                let mut hasher = ChunkHasher::new(chunks, ChunkIndex(index)).expect("exists");
                for part in bytes[offset as usize..][..len as usize].chunks(record) {
                    hasher.update(part);
                }
                hasher.finish()
            })
            .collect()
    }

    // proves: O7
    #[test]
    fn roots_equal_plain_blake3_for_every_size_chunk_and_record() {
        let limits = Limits { chunk_values_max: 1024, ..Limits::TINY };
        let mut combinations = 0;
        for log2 in [10u8, 11, 12, 13, 14, 15] {
            let chunk = 1u64 << log2;
            for size in
                [0, 1, 1023, 1024, 1025, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 7, 5 * chunk]
            {
                let bytes = content(size);
                let chunks = Chunks::new(size, log2, &limits).expect("a valid cut");
                for record in [512, 1000, 1024, 4096, 1 << 20] {
                    let values = values_of(&bytes, &chunks, record);
                    assert_eq!(
                        root_of(&values),
                        root_of_bytes(&bytes),
                        "size {size} log2 {log2} record {record}"
                    );
                    combinations += 1;
                }
            }
        }
        assert!(combinations >= 200, "{combinations}");
    }

    #[test]
    fn every_count_of_chunks_merges_to_the_root() {
        let limits = Limits { chunk_values_max: 1024, ..Limits::TINY };
        let bytes = content(70 * 1024);
        for size in (1..=70).map(|count| count * 1024 - 3) {
            let chunks = Chunks::new(size, 10, &limits).expect("a valid cut");
            let part = &bytes[..size as usize];
            assert_eq!(root_of(&values_of(part, &chunks, 1024)), root_of_bytes(part), "{size}");
        }
    }

    #[test]
    fn holes_hash_as_zeros() {
        let chunks = Chunks::new(40_000, 14, &Limits::TINY).expect("a valid cut");
        let mut bytes = content(40_000);
        bytes[16_384 + 100..32_768].fill(0);
        let mut hasher = ChunkHasher::new(&chunks, ChunkIndex(1)).expect("exists");
        hasher.update(&bytes[16_384..16_484]);
        hasher.hole(16_284);
        let values = values_of(&bytes, &chunks, 999);
        assert_eq!(hasher.finish(), values[1]);

        let mut file = FileHasher::new();
        file.update(b"head");
        file.hole(100_000);
        let mut plain = b"head".to_vec();
        plain.resize(100_004, 0);
        assert_eq!(file.finish(), root_of_bytes(&plain));
    }

    #[test]
    fn chunk_sizes_follow_the_rule() {
        let limits = Limits::DEFAULT;
        let (mib, gib, tib) = (u64::from(MIB), 1u64 << 30, 1u64 << 40);
        let rows = [
            (0, Ok(0)),
            (u64::from(128 * KIB), Ok(0)),
            (u64::from(128 * KIB) + 1, Ok(20)),
            (128 * gib, Ok(20)),
            (128 * gib + 1, Ok(21)),
            (8 * tib, Ok(26)),
            (8 * tib + 1, Ok(27)),
            (128 * tib, Ok(30)),
        ];
        for (size, expected) in rows {
            assert_eq!(chunk_log2_for(size, &limits), expected, "{size}");
            let chunks = Chunks::new(size, expected.unwrap_or(0), &limits).expect("the rule is a valid cut");
            assert!(chunks.count() <= limits.chunk_values_max);
        }
        assert_eq!(
            chunk_log2_for(128 * tib + 1, &limits).map_err(|e| e.code()),
            Err(base::codes::Code::TooLarge)
        );
        assert_eq!(file_bytes_max(&Limits::TINY), 512 * 1024);
        assert_eq!(chunk_log2_for(512 * 1024, &Limits::TINY), Ok(15));
        assert!(chunk_log2_for(512 * 1024 + 1, &Limits::TINY).is_err());
        assert_eq!(Chunks::new(mib, 20, &limits).map(|c| c.count()), Ok(1));
        assert!(Chunks::new(mib, 0, &limits).is_err());
        assert!(Chunks::new(mib, 17, &limits).is_err());
        assert!(Chunks::new(mib, 31, &limits).is_err());
        assert!(Chunks::new(mib, 255, &limits).is_err());
        assert!(Chunks::new(u64::MAX, 30, &limits).is_err());
    }

    #[test]
    fn ranges_cover_the_file_without_gap() {
        for size in [0u64, 1, 4096, 4097, 16_384 * 3 + 5] {
            let chunks = Chunks::new(size, 12, &Limits::TINY).expect("a valid cut");
            let mut next = 0;
            for index in 0..chunks.count() {
                let (offset, len) = chunks.range(ChunkIndex(index)).expect("exists");
                assert_eq!(offset, next);
                assert!(size == 0 || chunks.at(offset) == Some(ChunkIndex(index)));
                next += u64::from(len);
            }
            assert_eq!(next, size);
            assert_eq!(chunks.range(ChunkIndex(chunks.count())), None);
            assert_eq!(chunks.at(size), None);
            assert!(ChunkHasher::new(&chunks, ChunkIndex(chunks.count())).is_none());
        }
    }
}
