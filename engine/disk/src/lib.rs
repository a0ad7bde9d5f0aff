//! What to do on disk, and in which order. This room plans; `shard` does.
//!
//! Every machine here is fed with results and asked for its next step. None of them opens, reads or
//! writes anything: there is no clock, I/O, randomness or environment inside, and the one thing that is
//! computed elsewhere, the hash, is passed in as a plain function ([`Hash`]).
//!
//! - [`paths`]: the only place where a path from a peer becomes something that may be opened
//! - [`escape`]: the only way a foreign name reaches a log or a terminal
//! - [`journal`]: the two append-only files that make a receive survive (byte tables in `FORMAT.md`)
//! - [`manifest`]: which chunks of a file are here, durable, missing
//! - [`publish`]: sync, commit, rename, sync: the order of every publication
//! - [`resume`]: what a restart keeps, rolls forward and sweeps
//! - [`delta`]: a new file out of an older one: when it pays, and in which steps
//! - [`delete`]: which names `--delete` removes
//! - [`meta`]: which mode, owner and times a name gets, and whether it is up to date
//!
//! What must never be: a step of a publication out of order. `publish` holds a checker, written apart
//! from the machines, that rejects any sequence in which a later promise does not rest on an earlier sync.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod delete;
pub mod delta;
pub mod escape;
pub mod journal;
pub mod manifest;
pub mod meta;
pub mod paths;
pub mod publish;
pub mod resume;

/// BLAKE3 over the concatenation of `parts`, passed in by the shard. A derivation puts its context string
/// first and its variable parts behind their lengths, so that no two derivations meet.
pub type Hash = fn(parts: &[&[u8]]) -> [u8; 32];

/// First 16 bytes of a derivation.
fn derive(hash: Hash, parts: &[&[u8]]) -> [u8; 16] {
    let whole = hash(parts);
    let mut out = [0; 16];
    out.copy_from_slice(&whole[..16]);
    out
}

#[cfg(test)]
mod toy {
    /// A stand-in for BLAKE3: spreads every byte over 32, collides only on purpose.
    pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 32] {
        let mut lanes =
            [0x9e37_79b9_7f4a_7c15_u64, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9, 0x27d4_eb2f_1656_67c5];
        let mut count = 0u64;
        for &byte in parts.iter().copied().flatten() {
            count += 1;
            for (index, lane) in lanes.iter_mut().enumerate() {
                *lane = (*lane ^ u64::from(byte))
                    .wrapping_mul(0x0000_0100_0000_01b3)
                    .rotate_left(7 + index as u32);
            }
        }
        let mut out = [0; 32];
        for (lane, place) in lanes.iter().zip(out.chunks_exact_mut(8)) {
            let mixed = (lane ^ count).wrapping_mul(0xff51_afd7_ed55_8ccd);
            place.copy_from_slice(&(mixed ^ mixed >> 33).to_be_bytes());
        }
        out
    }
}
