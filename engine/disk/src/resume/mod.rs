//! What a restart keeps, rolls forward and sweeps.
//!
//! ```text
//! .xt of each transfer -> TransferJournal -> RollForward: open batches get their names, then DONE
//! .xj of a file asked for again -> PartJournal -> Rehash: ranges that still hold what was journalled
//! what is left -> sweep: idle journals with their parts, orphans
//! ```
//!
//! Roll-forward comes before a daemon listens and before a client's command, under the journal's lock. The
//! caller scans with [`crate::journal::Reader`], truncates the file to what is valid, syncs it, and passes
//! the points `recover-opened` and `recover-truncated` there; `recover-rehashed` after a [`Rehash`] is
//! over, `recover-swept` after the sweep. [`RollForward`] gives `recover-rolled` itself.
//!
//! Nothing here trusts a disk: a part is kept range by range after its hash, and a part with a journal gets
//! its final name only after its whole root was computed again.

mod part;
mod roll;
mod sweep;
mod transfer;

pub use part::{FreshWhy, PartDecision, PartJournal, RangeToHash, Rehash};
pub use roll::{RollForward, RollOut, RollStep};
pub use sweep::{Known, Sweep, is_idle, sweep_part_journal, sweep_staged};
pub use transfer::TransferJournal;

#[cfg(test)]
mod tests;
