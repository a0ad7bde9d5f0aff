//! Every crash point that a push, pull, sync or write in place passes is a death once, and once a loss of power.

use crate::scene::Kind;
use crate::trial::{self, Outcome, Try};
use base::points::Point;
use sim::faults::{FaultKind, FaultPlan, PointKill};
use std::collections::{BTreeMap, BTreeSet};

/// Points of the program around the cores: keys, tokens and certificates. tests/e2e kills there.
const NOT_OF_A_CORE: [Point; 5] = [
    Point::KeyWritten,
    Point::RootWritten,
    Point::TokenUsed,
    Point::CertificateStored,
    Point::CertificateSent,
];

const KINDS: [Kind; 5] = [Kind::Large, Kind::Tree, Kind::Sync, Kind::Pull, Kind::InPlace];
/// Transfers tried of each kind.
const SEEDS: u64 = 1;
/// Runs of the client until the last death must have come.
const RUNS: u32 = 3;

fn kill(seed: u64, kind: Kind, deaths: &[(Point, bool)]) -> Outcome {
    let plan = deaths
        .iter()
        .fold(FaultPlan::none(), |plan, &(point, power)| plan.with_point(PointKill { point, nth: 1, power }));
    let (narrow, edits, planted, syncs, turns, runs) = (false, false, None, true, 50_000, RUNS);
    let outcome = trial::run(Try { seed, kind, plan, narrow, edits, planted, syncs, turns, runs });
    assert!(outcome.broken.is_empty(), "seed {seed} ({kind:?}) {deaths:?}: {}", outcome.broken.join("\n"));
    outcome
}

fn deaths(outcome: &Outcome) -> u64 {
    let counts = outcome.ran.counts;
    counts.of(FaultKind::KillAtPoint) + counts.of(FaultKind::PowerLossAtPoint)
}

#[test]
fn every_point_is_a_death_once() {
    let mut killed: BTreeMap<Point, u64> = BTreeMap::new();
    for kind in KINDS {
        for seed in 0..SEEDS {
            let reached = kill(seed, kind, &[]).reached;
            let mut found: BTreeMap<Point, Point> = BTreeMap::new();
            for &point in &reached {
                for power in [false, true] {
                    let outcome = kill(seed, kind, &[(point, power)]);
                    assert_eq!(deaths(&outcome), 1, "{point:?} is passed again");
                    *killed.entry(point).or_default() += 1;
                    found.extend(outcome.reached.difference(&reached).map(|&further| (further, point)));
                }
            }
            // Points of a recovery are passed only after a death.
            for (further, first) in found {
                for power in [false, true] {
                    let outcome = kill(seed, kind, &[(first, power), (further, power)]);
                    *killed.entry(further).or_default() += deaths(&outcome) / 2;
                }
            }
        }
    }
    let passed: BTreeSet<Point> =
        killed.iter().filter(|(_, count)| **count > 0).map(|(point, _)| *point).collect();
    for (point, count) in &killed {
        println!("{}: {count} deaths", point.name());
    }
    let missing: Vec<&str> = Point::ALL
        .iter()
        .filter(|point| !passed.contains(point) && !NOT_OF_A_CORE.contains(point))
        .map(|point| point.name())
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "points that no run passed");
}
