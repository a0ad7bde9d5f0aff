//! One seed: a transfer under faults, run again until it completes, judged all the way.

use crate::machine::{Machines, describe};
use crate::planted::Planted;
use crate::scene::{Kind, Scene, Shape};
use crate::town::{JOURNAL, ROOT};
use crate::watch::{Met, Watch};
use base::codes::Code;
use base::limits::Limits;
use base::points::Point;
use shard::command::{Failure, JobData, JobEnd};
use sim::books::Books;
use sim::disk::View;
use sim::drive::Ran;
use sim::faults::{FaultKind, FaultPlan};
use sim::oracle::{Compare, Holding, OWN_PREFIX, Oracle, differences};
use sim::random::Random;
use sim::world::{EndId, Held, Pressure, Step, World, WorldConfig};
use std::collections::BTreeSet;

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
    /// Crash points that either end passed.
    pub(crate) reached: BTreeSet<Point>,
    pub(crate) met: Met,
    pub(crate) pressure: Pressure,
}

/// What is tried.
#[derive(Clone, Debug)]
pub(crate) struct Try {
    pub(crate) seed: u64,
    pub(crate) kind: Kind,
    pub(crate) plan: FaultPlan,
    /// Queues shorter than TINY's.
    pub(crate) narrow: bool,
    /// A source is edited while it is read.
    pub(crate) edits: bool,
    pub(crate) planted: Option<Planted>,
    /// The transfer has to be durable.
    pub(crate) syncs: bool,
    /// Faults end after so many turns, or so many runs of the client.
    pub(crate) turns: u64,
    pub(crate) runs: u32,
}

impl Try {
    /// A seed's own transfer under a plan.
    pub(crate) fn of_seed(seed: u64, plan: FaultPlan) -> Self {
        let mut random = Random::new(seed ^ 0x7a1);
        let kind = Kind::JUDGED[random.index(Kind::JUDGED.len())];
        let edits = kind != Kind::Large && random.one_in(4);
        let syncs = POWER_LOSSES.iter().any(|&kind| plan.is_on(kind));
        let (narrow, turns) = (random.one_in(4), random.between(500, 6000));
        Self { seed, kind, plan, narrow, edits, planted: None, syncs, turns, runs: RUNS_MAX }
    }
}

/// A transfer being tried.
struct Trial {
    machines: Machines,
    scene: Scene,
    oracle: Oracle,
    watch: Watch,
    runs: u32,
    /// Names are judged all the way, not only at the end.
    judged: bool,
    broken: Vec<String>,
    /// The receiver died at least once.
    died: bool,
}

/// Tries a transfer.
pub(crate) fn run(tried: Try) -> Outcome {
    let Try { seed, kind, plan, narrow, edits, planted, syncs, turns, runs } = tried;
    let mut limits = Limits::TINY;
    if narrow {
        (limits.ops_in_flight_per_core, limits.mailbox_max) = (10, 2);
    }
    let world = World::new(WorldConfig { limits: limits.clone(), ..WorldConfig::two_ends(seed, plan) });
    let machines = Machines::new(world.clone(), limits.clone());
    machines.desk.borrow_mut().planted = planted;
    let scene = Scene::build(&world, seed, Shape { kind, syncs, edits });
    let mut oracle = Oracle::new(&world, scene.receiver, scene.root, &[JOURNAL]);
    for path in &scene.extraneous {
        oracle.may_hold(path, Holding::Absent);
    }
    // Half of what is pushed is counted.
    if scene.receiver == EndId::DAEMON && Random::new(seed ^ 0x0057_07ed).coin() {
        let books = world.disk(EndId::DAEMON, |disk| Books::new(ROOT, disk));
        machines.offices[usize::from(EndId::DAEMON.0)].borrow_mut().books = Some(books);
    }
    let offices = [scene.sender(), scene.receiver].map(|end| machines.offices[usize::from(end.0)].clone());
    let watch = Watch::new(offices, &limits, &scene.prefix, scene.options.durability.syncs());
    let judged = kind != Kind::InPlace;
    let mut trial =
        Trial { machines, scene, oracle, watch, runs: 1, judged, broken: Vec::new(), died: false };
    trial.machines.drive.start(EndId::DAEMON);
    trial.machines.begin(trial.scene.job.clone());
    trial.under_faults(turns, runs);
    world.calm();
    trial.run_to_the_end();
    trial.outcome()
}

impl Trial {
    fn world(&self) -> World {
        self.machines.world.clone()
    }

    /// One step, then whatever the oracle wants to see.
    fn step(&mut self) -> Step {
        let step = self.machines.drive.step();
        let world = self.world();
        self.scene.edited(&world);
        let counts = world.counts();
        let strict = self.judged && DISK_FAULTS.iter().all(|&kind| counts.of(kind) == 0);
        if counts.of(FaultKind::SyncError) > 0 {
            // A part whose sync failed is thrown away, with what had been durable of it.
            self.oracle.excuse_all();
        }
        let promised = self.watch.tell(&mut self.oracle, &self.scene.source, strict);
        let died = matches!(step, Step::Died(end, _) if end == self.scene.receiver);
        self.died |= died;
        if self.judged && (promised || died || world.turns().is_multiple_of(64)) {
            self.oracle.look(&world);
            self.look_at_books();
            if self.scene.options.durability.syncs() {
                self.oracle.imagine_power_loss(&world, world.turns(), 1);
            }
        }
        step
    }

    /// Whatever the disk shows is counted, or told as coming.
    fn look_at_books(&mut self) {
        let office = self.machines.offices[usize::from(EndId::DAEMON.0)].borrow();
        let Some(books) = &office.books else { return };
        for path in self.machines.world.disk(EndId::DAEMON, |disk| books.uncounted(disk)) {
            let text = format!("there and not counted: {}", path.escape_ascii());
            if !self.broken.contains(&text) {
                self.broken.push(text);
            }
        }
    }

    /// At the end the books are what the disk shows. A daemon that died between a removal and its count is late.
    fn close_books(&mut self) {
        self.look_at_books();
        let office = self.machines.offices[usize::from(EndId::DAEMON.0)].borrow();
        let Some(books) = &office.books else { return };
        let counts = self.machines.world.counts();
        let died = self.died || DISK_FAULTS.iter().any(|&kind| counts.of(kind) > 0);
        let (stale, coming) = self.machines.world.disk(EndId::DAEMON, |disk| books.stale(disk));
        if !died && (coming || !stale.is_empty()) {
            self.broken.push(format!("counted and not there: {stale:?}; still coming: {coming}"));
        }
        self.watch.met.counted += books.asked[1];
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

    /// Nothing here changes content on its way, so no end may ever say that something did.
    fn judge_end(&mut self) {
        let ended = &self.machines.desk.borrow().ended;
        if let Some(JobEnd { result: Err(Failure { code: Code::Integrity, .. }), .. }) = ended {
            self.broken.push(format!("what arrived is called false: {}", describe(ended)));
        }
        // The client that runs is the newest there is.
        if let Some(JobEnd { result: Err(Failure { code: Code::Superseded, .. }), .. }) = ended {
            self.broken.push(format!("nobody took over: {}", describe(ended)));
        }
    }

    fn again(&mut self) {
        self.judge_end();
        self.runs += 1;
        self.end_client();
        self.machines.begin(self.scene.job.clone());
    }

    /// The client ends as its program does: it closes everything before its process is gone.
    fn end_client(&mut self) {
        self.machines.desk.borrow_mut().job = None;
        let last = self.world().turns() + CALM_TURNS_MAX;
        while !self.machines.is_closed(EndId::CLIENT) && self.world().turns() < last {
            if matches!(self.step(), Step::Died(EndId::CLIENT, _)) {
                break;
            }
        }
        self.machines.drive.stop(EndId::CLIENT);
    }

    fn under_faults(&mut self, turns: u64, runs: u32) {
        while self.world().turns() < turns && self.runs <= runs {
            self.step();
            if self.ended() {
                self.again();
            }
        }
    }

    /// Steps until the job ended; whether it did.
    fn until_ended(&mut self) -> bool {
        let last = self.world().turns() + CALM_TURNS_MAX;
        while !self.ended() && self.world().turns() < last {
            self.step();
        }
        self.ended()
    }

    /// Without faults what runs ends, and one more run completes the transfer.
    fn run_to_the_end(&mut self) {
        if !self.until_ended() {
            return self.broken.push("without faults the run does not end".into());
        }
        while !self.world().is_alive(EndId::DAEMON) {
            self.step();
        }
        self.again();
        if !self.until_ended() {
            return self.broken.push("the last run does not end".into());
        }
        self.judge_end();
        if !self.ended_well() {
            let ended = describe(&self.machines.desk.borrow().ended);
            return self.broken.push(format!("the last run does not complete: {ended}"));
        }
        self.compare();
        self.rest();
        if self.judged {
            self.close_books();
        }
        if self.judged {
            self.oracle.look(&self.world());
            let counts = self.world().counts();
            let lost = POWER_LOSSES.iter().chain(&DISK_FAULTS).any(|&kind| counts.of(kind) > 0);
            // A read that failed may make a whole file look different: it is begun again, found equal by a later run,
            // and its part stays until its journal is idle for long enough.
            let idle = counts.of(FaultKind::ReadError) > 0;
            self.oracle.no_orphans(&self.world(), !lost, idle.then_some(JOURNAL));
        }
    }

    fn compare(&mut self) {
        let root = match &self.scene.prefix[..] {
            b"" => self.scene.root.to_vec(),
            prefix => [self.scene.root, prefix].join(&b'/'),
        };
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

    /// Both ends let go of everything but the daemon's listeners.
    fn rest(&mut self) {
        let world = self.world();
        for (end, operations) in [(EndId::CLIENT, 0), (EndId::DAEMON, 2)] {
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

    fn outcome(mut self) -> Outcome {
        let world = self.world();
        let mut broken: Vec<String> = self.oracle.broken().map(ToString::to_string).collect();
        broken.append(&mut self.broken);
        if !broken.is_empty() {
            broken.push(self.machines.said());
            broken.push(world.report());
        }
        let offices = self.machines.offices.iter();
        let reached = offices.flat_map(|office| office.borrow().reached.keys().copied().collect::<Vec<_>>());
        let (reached, met) = (reached.collect(), self.watch.met);
        Outcome { ran: Ran::of(&world), broken, reached, met, pressure: world.pressure() }
    }
}
