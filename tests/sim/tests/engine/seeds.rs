//! Many seeds under faults.

use crate::trial;
use sim::drive::run_seeds;
use sim::faults::{FaultKind, FaultPlan};

fn seeds(range: std::ops::Range<u64>, kinds: &[FaultKind]) {
    run_seeds(range, 25, kinds, |seed, plan| {
        let outcome = trial::run(seed, plan);
        assert!(outcome.broken.is_empty(), "seed {seed}: {}", outcome.broken.join("\n"));
        outcome.ran
    });
}

#[test]
fn without_a_fault() {
    for seed in 0..50 {
        let outcome = trial::run(seed, FaultPlan::none());
        assert!(outcome.broken.is_empty(), "seed {seed}: {}", outcome.broken.join("\n"));
    }
}

#[test]
fn short_and_reordered() {
    use FaultKind as F;
    seeds(
        0..100,
        &[F::ShortRead, F::ShortWrite, F::ShortSend, F::ShortReceive, F::Reorder, F::Slow, F::UnknownKind],
    );
}

#[test]
fn connections_are_cut_and_stall() {
    seeds(0..100, &[FaultKind::Cut, FaultKind::Stall]);
}

#[test]
fn processes_are_killed() {
    seeds(0..100, &[FaultKind::KillClient, FaultKind::KillDaemon]);
}

#[test]
fn machines_lose_power() {
    seeds(0..100, &[FaultKind::PowerLossClient, FaultKind::PowerLossDaemon]);
}

#[test]
fn disks_fail() {
    use FaultKind as F;
    seeds(0..100, &[F::ReadError, F::WriteError, F::SyncError, F::NoSpace]);
}
