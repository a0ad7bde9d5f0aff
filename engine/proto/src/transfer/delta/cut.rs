//! Where a file is cut, so that an insertion moves the cuts behind it with the content.
//!
//! A piece is at least half the average long. From there on it ends behind the first byte at which both sieves
//! let pass, at the latest at four times the average.
//!
//! ```text
//! first sieve    the last 8 bytes, each weighted by a power of two, sum to 0x5c modulo 256
//! second sieve   the top bits of a hash of the last 32 bytes are zero
//! ```
//!
//! The first one is plain arithmetic on neighbouring bytes without a table, so compilers turn it into vector code:
//! six times the speed of a gear hash in the same run, which decides by one byte at a time. It lets one position
//! in 256 through; on text, machine code and hexadecimal digits between a third of that and a half more, which
//! only stretches the pieces. Runs of one byte never pass both and are cut at the greatest length.

use super::{Fineness, Piece, PieceValue};
use blake3::Hasher;

/// Bytes that both sieves look at, back from a cut.
const WINDOW: usize = 32;
/// Bytes that the first sieve looks at.
const HISTORY: usize = 8;
/// Positions that pass the first sieve at once.
const BLOCK: usize = 256;
/// What the first sieve's sum must be. Zero would let runs of zeros through, and other even values favour
/// machine code less.
const PASS: u8 = 0x5c;

/// Cuts a file that is fed from front to back, in whatever portions.
#[derive(Clone)]
pub struct Cutter {
    fineness: Fineness,
    hasher: Hasher,
    /// Bytes of the piece so far.
    length: u32,
    /// The last bytes fed, for cuts soon after the next portion begins.
    tail: [u8; WINDOW],
}

impl Cutter {
    /// Before the first byte.
    pub fn new(fineness: Fineness) -> Self {
        Self { fineness, hasher: Hasher::new(), length: 0, tail: [0; WINDOW] }
    }

    /// The next bytes; `each` gets every piece that ends in them.
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(Piece)) {
        let (least, most) = (self.fineness.least(), self.fineness.most());
        let mut begin = 0;
        loop {
            // The nearest and the farthest end of this piece, as offsets in `bytes`.
            let skip = least.saturating_sub(self.length).max(1) as usize;
            let reach = (most - self.length) as usize;
            let (from, to) = (begin + skip, bytes.len().min(begin + reach));
            let end = if from <= to { self.cut_in(bytes, from, to) } else { None };
            let end = end.or((begin + reach <= bytes.len()).then_some(begin + reach));
            let stop = end.unwrap_or(bytes.len());
            self.hasher.update(&bytes[begin..stop]);
            self.length += (stop - begin) as u32;
            begin = stop;
            if end.is_none() {
                break;
            }
            if let Some(piece) = self.take() {
                each(piece);
            }
        }
        self.keep_tail(bytes);
    }

    /// The last piece; `None` where the file ended with a cut, or is empty.
    pub fn finish(mut self) -> Option<Piece> {
        self.take()
    }

    fn take(&mut self) -> Option<Piece> {
        let length = core::mem::take(&mut self.length);
        if length == 0 {
            return None;
        }
        let mut value = PieceValue::default();
        value.0.copy_from_slice(&self.hasher.finalize().as_bytes()[..16]);
        self.hasher.reset();
        Some(Piece { length, value })
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        match bytes.last_chunk::<WINDOW>() {
            Some(last) => self.tail = *last,
            None => {
                self.tail.rotate_left(bytes.len());
                self.tail[WINDOW - bytes.len()..].copy_from_slice(bytes);
            }
        }
    }

    /// The first cut behind one of the bytes `from - 1 .. to`, as the offset of what follows it.
    fn cut_in(&self, bytes: &[u8], from: usize, to: usize) -> Option<usize> {
        // The second sieve's share of half the average; the first one's is 8 bits.
        let bits = u32::from(self.fineness.log2()).saturating_sub(9);
        if from < WINDOW {
            let mut seam = [0; 2 * WINDOW];
            let ahead = bytes.len().min(WINDOW);
            seam[..WINDOW].copy_from_slice(&self.tail);
            seam[WINDOW..WINDOW + ahead].copy_from_slice(&bytes[..ahead]);
            let last = to.min(WINDOW - 1);
            if let Some(end) = one_by_one(&seam, WINDOW + from, WINDOW + last, bits) {
                return Some(end - WINDOW);
            }
        }
        let from = from.max(WINDOW);
        if from > to { None } else { in_blocks(bytes, from, to, bits) }
    }
}

/// As [`one_by_one`], many positions at once.
fn in_blocks(bytes: &[u8], from: usize, to: usize, bits: u32) -> Option<usize> {
    let mut at = from;
    // `at` is the first end to be looked at: behind the byte before it.
    while at + BLOCK <= to + 1 {
        let block = bytes.get(at - 1 - HISTORY..)?.first_chunk::<{ BLOCK + HISTORY }>()?;
        let sums = sums(block);
        for (group, lanes) in sums.chunks_exact(32).enumerate() {
            if lanes.iter().fold(0, |any, &sum| any | u8::from(sum == PASS)) == 0 {
                continue;
            }
            let first = at + group * 32;
            let passes = |lane: &usize| lanes[*lane] == PASS && second_sieve(bytes, first + *lane, bits);
            if let Some(lane) = (0..32).find(passes) {
                return Some(first + lane);
            }
        }
        at += BLOCK;
    }
    one_by_one(bytes, at, to, bits)
}

/// The first of the ends `from..=to` that both sieves let pass; `from` is at least a window.
fn one_by_one(bytes: &[u8], from: usize, to: usize, bits: u32) -> Option<usize> {
    (from..=to).find(|&end| {
        let last = &bytes[end - HISTORY..end];
        let sum = last.iter().fold(0u8, |sum, &byte| sum.wrapping_shl(1).wrapping_add(byte));
        sum == PASS && second_sieve(bytes, end, bits)
    })
}

/// The first sieve's sums behind each byte of a block but its first eight: each doubling of the span adds two
/// neighbouring spans, so three steps span eight bytes.
fn sums(block: &[u8; BLOCK + HISTORY]) -> [u8; BLOCK] {
    let (mut two, mut four) = ([0u8; BLOCK + HISTORY], [0u8; BLOCK + HISTORY]);
    for at in 1..BLOCK + HISTORY {
        two[at] = block[at].wrapping_add(block[at - 1] << 1);
    }
    for at in 3..BLOCK + HISTORY {
        four[at] = two[at].wrapping_add(two[at - 2] << 2);
    }
    let mut eight = [0u8; BLOCK];
    for at in 0..BLOCK {
        eight[at] = four[at + HISTORY].wrapping_add(four[at + HISTORY - 4] << 4);
    }
    eight
}

/// Whether the top `bits` of a hash of the window before `end` are zero.
fn second_sieve(bytes: &[u8], end: usize, bits: u32) -> bool {
    const FACTORS: [u64; 4] =
        [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0x9e37_79b9_7f4a_7c15];
    let window = bytes.get(..end).and_then(<[u8]>::last_chunk::<WINDOW>).unwrap_or(&[0; WINDOW]);
    let (words, _) = window.as_chunks::<8>();
    let hash = words.iter().zip(FACTORS).fold(0u64, |hash, (word, factor)| {
        (u64::from_le_bytes(*word) ^ hash.rotate_left(29)).wrapping_mul(factor)
    });
    bits == 0 || hash >> (64 - bits) == 0
}
