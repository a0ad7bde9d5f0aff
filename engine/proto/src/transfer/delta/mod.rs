//! Delta: a changed file travels as copies out of the receiver's older one, and as the data that one lacks.
//!
//! Both ends cut their file at the same time, each where its content says so ([`cut`]). The receiver names its
//! pieces while it cuts ([`pieces`]); the sender looks its own up among them ([`matching`]) and sends each chunk
//! as records of data and records of copies ([`copies`]). Every chunk still carries the value of its new content,
//! so a piece that was named wrongly, or has changed since, shows there and costs one chunk sent whole.
//!
//! ```text
//! receiver                                sender
//!   Want{pieces, old size, log2}  ───────▶
//!   cuts the old file: Pieces ... ───────▶  cuts the new file, computes the values of its chunks
//!                                 ◀───────  Chunk records: copy(old offset, length) ..., data ...
//!   reads, hashes, writes beside
//! ```
//!
//! A piece is known by 16 bytes of its BLAKE3. Two pieces that share them by chance are not to be expected (2^-94
//! for a full list on both ends), and two that share them on purpose make a chunk's value differ, no more.

use super::{Malformed, at_most, no_meaning};
use base::limits::Limits;

pub mod copies;
pub mod cut;
pub mod matching;
pub mod pieces;

#[cfg(test)]
mod tests;

/// The first 16 bytes of the BLAKE3 of a piece.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct PieceValue(pub [u8; 16]);

/// One piece of a file: what lies between two cuts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Bytes.
    pub length: u32,
    /// What they are.
    pub value: PieceValue,
}

/// How both ends cut: the average length of a piece as a power of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fineness {
    log2: u8,
}

impl Fineness {
    /// For an old and a new file of these sizes: about as many pieces as a piece has bytes, so that a change costs
    /// as much as it costs to name the pieces; coarser where the list would not fit. `None`: no list fits.
    pub fn of(old_size: u64, size: u64, limits: &Limits) -> Option<Self> {
        let larger = old_size.max(size);
        // Pieces of text come out a quarter shorter than the average says.
        let rows_max = u64::from(limits.pieces_bytes_max) / (pieces::ROW_BYTES as u64) * 3 / 4;
        let least = larger.isqrt().max(larger.div_ceil(rows_max)).max(u64::from(limits.piece_bytes_min));
        let average = least.next_power_of_two();
        (average <= u64::from(limits.piece_bytes_max)).then(|| Self { log2: average.ilog2() as u8 })
    }

    /// Checks what a peer chose for files of these sizes: nothing finer than [`Fineness::of`].
    ///
    /// # Errors
    /// Finer, or coarser than `piece_bytes_max`.
    pub fn new(log2: u8, old_size: u64, size: u64, limits: &Limits) -> Result<Self, Malformed> {
        let finest = Self::of(old_size, size, limits).ok_or(no_meaning("piece_log2", u64::from(log2)))?;
        at_most("piece_log2", u64::from(log2), u64::from(limits.piece_bytes_max.ilog2()))?;
        if log2 < finest.log2 { Err(no_meaning("piece_log2", u64::from(log2))) } else { Ok(Self { log2 }) }
    }

    /// As on the wire.
    pub fn log2(self) -> u8 {
        self.log2
    }

    /// The shortest piece but the last: half the average.
    pub fn least(self) -> u32 {
        1 << (self.log2 - 1)
    }

    /// The longest piece: four times the average, which one piece in a thousand of random bytes would exceed.
    pub fn most(self) -> u32 {
        1 << (self.log2 + 2)
    }
}
