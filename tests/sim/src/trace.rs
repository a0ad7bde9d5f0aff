//! What happened, as a hash of everything and the last [`KEPT`] moments.
//!
//! Two runs of one seed must have equal hashes; a failure prints the moments.

use crate::random::mix;
use std::collections::VecDeque;
use std::fmt;

/// How many moments are kept.
pub const KEPT: usize = 50;

/// One thing that happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Virtual monotonic time.
    pub at_ns: u64,
    /// Whose machine.
    pub end: u8,
    /// Which core.
    pub core: u16,
    /// What.
    pub what: &'static str,
    /// About which token, inode or connection.
    pub subject: u64,
    /// With what outcome: bytes, or minus an error number.
    pub outcome: i64,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at_ns, end, core, what, subject, outcome } = self;
        write!(
            f,
            "{:>12}.{:03} us  {end}.{core}  {what:<12} {subject:016x} {outcome}",
            at_ns / 1000,
            at_ns % 1000
        )
    }
}

/// Everything that happened.
#[derive(Clone, Default, Debug)]
pub struct Trace {
    last: VecDeque<Moment>,
    hash: u64,
    count: u64,
}

impl Trace {
    /// Adds one.
    pub fn record(&mut self, moment: Moment) {
        let mut hash = self.hash ^ u64::from(moment.end) << 32 ^ u64::from(moment.core);
        for word in [moment.at_ns, moment.subject, moment.outcome as u64] {
            hash = mix(hash ^ word);
        }
        for byte in moment.what.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.hash = mix(hash);
        self.count += 1;
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(moment);
    }

    /// Adds bytes that were sent or written to the hash alone.
    pub fn fold(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.hash = mix(self.hash ^ u64::from_le_bytes(word));
        }
    }

    /// Stands for all of it, in order.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} events, trace hash {:016x}; the last ones:", self.count, self.hash)?;
        self.last.iter().try_for_each(|moment| writeln!(f, "{moment}"))
    }
}
