//! Running the cores of a world: the loop that every simulated test has, and the loop over seeds.

use crate::faults::{FaultCounts, FaultKind, FaultPlan};
use crate::io::SimIo;
use crate::world::{At, EndId, Step, World};
use base::ids::CoreId;
use std::collections::BTreeMap;

/// One turn of one core.
pub type Turn = Box<dyn FnMut()>;

/// Makes the cores of a process that starts; one turn per `SimIo`, in order.
type Boot = Box<dyn FnMut(EndId, Vec<SimIo>) -> Vec<Turn>>;

/// Why a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The test saw what it waited for.
    Done,
    /// Every core waits and nothing will ever happen.
    Idle,
    /// More turns than allowed.
    TooLong,
}

/// The cores of a world.
pub struct Drive {
    world: World,
    cores: BTreeMap<At, Turn>,
    boot: Boot,
}

impl Drive {
    /// Drives `world`; `boot` builds a process, also after its death.
    pub fn new(world: &World, boot: impl FnMut(EndId, Vec<SimIo>) -> Vec<Turn> + 'static) -> Self {
        Self { world: world.clone(), cores: BTreeMap::new(), boot: Box::new(boot) }
    }

    /// Starts the process of a machine.
    pub fn start(&mut self, end: EndId) {
        let turns = (self.boot)(end, self.world.boot(end));
        for (core, turn) in turns.into_iter().enumerate() {
            self.cores.insert(At { end, core: CoreId(core as u16) }, turn);
        }
    }

    /// Ends the process of a machine in order: its cores go first, then what it left open.
    pub fn stop(&mut self, end: EndId) {
        self.cores.retain(|at, _| at.end != end);
        if self.world.is_alive(end) {
            self.world.exit(end);
        }
    }

    /// Does what is next. A process that died is dropped; one that may start again does.
    pub fn step(&mut self) -> Step {
        let step = self.world.next();
        match step {
            Step::Turn(at) => {
                if let Some(turn) = self.cores.get_mut(&at) {
                    turn();
                }
            }
            Step::Died(end, _) => self.cores.retain(|at, _| at.end != end),
            Step::Restart(end) => self.start(end),
            Step::Alarm(_) | Step::Idle => {}
        }
        step
    }

    /// Steps until `until` says so, at most `turns_max` turns from now on.
    pub fn run(&mut self, turns_max: u64, mut until: impl FnMut(&World, Step) -> bool) -> Ended {
        let last = self.world.turns() + turns_max;
        while self.world.turns() < last {
            let step = self.step();
            if until(&self.world, step) {
                return Ended::Done;
            }
            if step == Step::Idle {
                return Ended::Idle;
            }
        }
        Ended::TooLong
    }
}

/// What one seed's run left: its trace hash and its faults.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ran {
    /// [`World::trace_hash`] at the end.
    pub hash: u64,
    /// [`World::counts`] at the end.
    pub counts: FaultCounts,
}

impl Ran {
    /// Of a world as it is.
    pub fn of(world: &World) -> Self {
        Self { hash: world.trace_hash(), counts: world.counts() }
    }
}

/// Runs every seed with a plan of `kinds`, every `replay_every`th twice, and prints the faults.
///
/// # Panics
/// A seed does not replay, or a kind never happened.
pub fn run_seeds(
    seeds: std::ops::Range<u64>,
    replay_every: u64,
    kinds: &[FaultKind],
    run: impl Fn(u64, FaultPlan) -> Ran,
) -> FaultCounts {
    let mut counts = FaultCounts::default();
    for seed in seeds {
        let plan = FaultPlan::from_seed(seed, kinds);
        let ran = run(seed, plan.clone());
        counts.merge(&ran.counts);
        if seed % replay_every == 0 {
            assert_eq!(run(seed, plan), ran, "seed {seed} replays");
        }
    }
    println!("faults: {counts}");
    assert_eq!(counts.missing(kinds), [], "every kind happens");
    counts
}
