//! One seed: a transfer under faults, run again until it completes, judged all the way.

use crate::machine::{Machines, describe};
use crate::scene::Scene;
use crate::town::JOURNAL;
use crate::watch::Watch;
use base::limits::Limits;
use shard::command::{JobData, JobEnd};
use sim::disk::View;
use sim::drive::Ran;
use sim::faults::{FaultKind, FaultPlan};
use sim::oracle::{Compare, Holding, OWN_PREFIX, Oracle, differences};
use sim::random::Random;
use sim::world::{EndId, Held, Step, World, WorldConfig};

/// Turns within which a run without faults ends, however it began.
const CALM_TURNS_MAX: u64 = 100_000;
/// Runs of the client while there are faults.
const RUNS_MAX: u32 = 8;
/// Faults of a disk, after which more may be asked for than was acknowledged.
const DISK_FAULTS: [FaultKind; 4] =
    [FaultKind::ReadError, FaultKind::WriteError, FaultKind::SyncError, FaultKind::NoSpace];

/// After these a transfer without durability may leave anything.
const POWER_LOSSES: [FaultKind; 3] =
    [FaultKind::PowerLossClient, FaultKind::PowerLossDaemon, FaultKind::PowerLossAtPoint];

/// What one seed left.
pub(crate) struct Outcome {
    pub(crate) ran: Ran,
    /// What the oracle found, and what did not end as it must.
    pub(crate) broken: Vec<String>,
}

/// A transfer being tried.
struct Trial {
    machines: Machines,
    scene: Scene,
    oracle: Oracle,
    watch: Watch,
    runs: u32,
    broken: Vec<String>,
}

/// Tries the transfer of one seed under a plan.
pub(crate) fn run(seed: u64, plan: FaultPlan) -> Outcome {
    let power = POWER_LOSSES.iter().any(|&kind| plan.is_on(kind));
    let world = World::new(WorldConfig::two_ends(seed, plan));
    let _guard = world.guard();
    let machines = Machines::new(world.clone(), Limits::TINY);
    let scene = Scene::build(&world, seed, power);
    let mut oracle = Oracle::new(&world, scene.receiver, scene.root, &[JOURNAL]);
    oracle.may_hold_tree(&scene.prefix, &scene.source);
    for path in &scene.extraneous {
        oracle.may_hold(path, Holding::Absent);
    }
    let syncs = scene.options.durability.syncs();
    let office = machines.offices[usize::from(scene.receiver.0)].clone();
    let watch = Watch::new(office, Limits::TINY, &scene.prefix, scene.source.clone(), syncs);
    let mut trial = Trial { machines, scene, oracle, watch, runs: 1, broken: Vec::new() };
    trial.machines.drive.start(EndId::DAEMON);
    trial.machines.begin(trial.scene.job.clone());
    let faulty = Random::new(seed).between(500, 6000);
    trial.under_faults(faulty);
    world.calm();
    trial.run_to_the_end();
    let ran = Ran::of(&world);
    let mut broken: Vec<String> = trial.oracle.broken().map(ToString::to_string).collect();
    broken.append(&mut trial.broken);
    if !broken.is_empty() {
        broken.push(trial.machines.said());
        broken.push(world.report());
    }
    Outcome { ran, broken }
}

impl Trial {
    fn world(&self) -> World {
        self.machines.world.clone()
    }

    /// One step, then whatever the oracle wants to see.
    fn step(&mut self) -> Step {
        let step = self.machines.drive.step();
        let world = self.world();
        let counts = world.counts();
        let strict = DISK_FAULTS.iter().all(|&kind| counts.of(kind) == 0);
        let promised = self.watch.tell(&mut self.oracle, strict);
        let died = matches!(step, Step::Died(end, _) if end == self.scene.receiver);
        if promised || died || world.turns().is_multiple_of(64) {
            self.oracle.look(&world);
            if self.scene.options.durability.syncs() {
                self.oracle.imagine_power_loss(&world, world.turns(), 1);
            }
        }
        step
    }

    fn ended(&self) -> bool {
        self.machines.desk.borrow().ended.is_some()
    }

    /// Whether the job ended with nothing left to do.
    fn ended_well(&self) -> bool {
        let desk = self.machines.desk.borrow();
        matches!(&desk.ended, Some(JobEnd { result: Ok(JobData::Receipt(receipt, _)), .. })
            if receipt.body.counts.failed == 0)
    }

    fn again(&mut self) {
        self.runs += 1;
        self.machines.drive.stop(EndId::CLIENT);
        self.machines.begin(self.scene.job.clone());
    }

    fn under_faults(&mut self, turns: u64) {
        while self.world().turns() < turns && self.runs < RUNS_MAX {
            self.step();
            if self.ended() {
                self.again();
            }
        }
    }

    /// Without faults what runs ends, and one more run completes the transfer.
    fn run_to_the_end(&mut self) {
        let began = self.world().turns();
        while !self.ended() {
            self.step();
            if self.world().turns() > began + CALM_TURNS_MAX {
                return self.broken.push("without faults the run does not end".into());
            }
        }
        while !self.world().is_alive(EndId::DAEMON) {
            self.step();
        }
        self.again();
        let began = self.world().turns();
        while !self.ended() {
            self.step();
            if self.world().turns() > began + CALM_TURNS_MAX {
                return self.broken.push("the last run does not end".into());
            }
        }
        if !self.ended_well() {
            let ended = describe(&self.machines.desk.borrow().ended);
            return self.broken.push(format!("the last run does not complete: {ended}"));
        }
        self.compare();
        self.rest();
        self.oracle.look(&self.world());
    }

    fn compare(&mut self) {
        let root = [self.scene.root, &self.scene.prefix].join(&b'/');
        let root = if self.scene.prefix.is_empty() { self.scene.root.to_vec() } else { root };
        let mut there = self.world().disk(self.scene.receiver, |disk| disk.tree(&root, View::Visible));
        there.retain(|path, _| !path.rsplit(|&b| b == b'/').next().unwrap_or(b"").starts_with(OWN_PREFIX));
        if !self.scene.options.delete {
            there.retain(|path, _| self.scene.source.contains_key(path));
        }
        let mut source = self.scene.source.clone();
        source.remove(&b""[..]);
        let how = Compare { owner: false, directory_mtime: false, ..Compare::ARCHIVE };
        for path in differences(&source, &there, how) {
            self.broken.push(format!("differs at the end: {}", path.escape_ascii()));
        }
    }

    /// Both ends let go of everything.
    fn rest(&mut self) {
        let world = self.world();
        let ends = [(EndId::CLIENT, 0), (EndId::DAEMON, 2)];
        for (end, operations) in ends {
            let start = Held { operations, ..self.machines.desk.borrow().at_start[usize::from(end.0)] };
            let until = world.turns() + CALM_TURNS_MAX;
            while world.held(end) != start && world.turns() < until {
                self.step();
            }
            if world.held(end) != start {
                let text = format!("end {} holds {:?}, at its start {start:?}", end.0, world.held(end));
                self.broken.push(text);
            }
        }
    }
}
