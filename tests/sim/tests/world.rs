//! The world as a whole, tried with a small program: faults happen, runs end, seeds replay, and the oracle
//! sees a missing fsync.

mod toy;

use base::io::{Act, Batch, Errno, Io, Op, Token};
use base::points::Point;
use sim::faults::{FaultCounts, FaultKind, FaultPlan, PointKill};
use sim::io::SimIo;
use sim::oracle::{Holding, Oracle};
use sim::random::Random;
use sim::world::{At, EndId, Held, Step, World, WorldConfig};
use toy::{Receiver, Sender};

const PORT: u16 = 7440;
/// The toy has one operation in flight, lists no directory, gets no small file and passes no crash point.
const NOT_IN_TOY: &[FaultKind] = &[
    FaultKind::Reorder,
    FaultKind::UnknownKind,
    FaultKind::EditInGet,
    FaultKind::KillAtPoint,
    FaultKind::PowerLossAtPoint,
];

struct Outcome {
    hash: u64,
    counts: FaultCounts,
    broken: Vec<String>,
}

struct Run {
    world: World,
    bytes: Vec<u8>,
    sender: Option<Sender>,
    receivers: Vec<Option<Receiver>>,
    /// The client's other core has nothing to do and waits.
    idle: Option<SimIo>,
    skip_sync: bool,
    confirmed: bool,
}

impl Run {
    fn new(seed: u64, plan: FaultPlan, skip_sync: bool) -> Self {
        let world = World::new(WorldConfig::two_ends(seed, plan));
        let mut bytes = vec![0; 9000 + (seed % 7) as usize * 1001];
        Random::new(seed).fill(&mut bytes);
        world.disk(EndId::CLIENT, |disk| {
            disk.build_file(b"source/file", &bytes);
            disk.settle();
        });
        world.disk(EndId::DAEMON, |disk| {
            disk.build_file(b"root/copy", b"the old content");
            disk.build_file(b"elsewhere/canary", b"sings");
            disk.settle();
        });
        let receivers = vec![None, None];
        let mut run = Self { world, bytes, sender: None, receivers, idle: None, skip_sync, confirmed: false };
        run.boot(EndId::CLIENT);
        run.boot(EndId::DAEMON);
        run
    }

    fn boot(&mut self, end: EndId) {
        let mut ios = self.world.boot(end).into_iter();
        if end == EndId::CLIENT {
            let dir = self.world.open_dir(end, b"source");
            let to = self.world.address(EndId::DAEMON, PORT);
            self.sender = ios.next().map(|io| Sender::new(io, to, dir, self.bytes.len() as u64));
            self.idle = ios.next();
            return;
        }
        let dir = self.world.open_dir(end, b"root");
        for (io, receiver) in ios.zip(&mut self.receivers) {
            let listener = self.world.listen(io.at(), PORT);
            *receiver = Some(Receiver::new(io, listener, dir, self.skip_sync));
        }
    }

    fn stop(&mut self, end: EndId) {
        if end == EndId::CLIENT {
            (self.sender, self.idle) = (None, None);
        } else {
            self.receivers.iter_mut().for_each(|receiver| *receiver = None);
        }
    }

    fn turn(&mut self, At { end, core }: At) {
        match (end, core.0) {
            (EndId::CLIENT, 0) => {
                let sender = self.sender.as_mut().expect("alive");
                sender.turn();
                self.confirmed |= sender.confirmed;
            }
            (EndId::CLIENT, _) => {
                self.idle.as_mut().expect("alive").turn(u64::MAX, &mut Vec::with_capacity(1))
            }
            (_, core) => self.receivers[usize::from(core)].as_mut().expect("alive").turn(),
        }
    }
}

/// Copies once, with the oracle looking after every turn.
fn copy(seed: u64, plan: FaultPlan, skip_sync: bool) -> Outcome {
    let mut run = Run::new(seed, plan, skip_sync);
    let world = run.world.clone();
    let _guard = world.guard();
    let mut oracle = Oracle::new(&world, EndId::DAEMON, b"root", &[]);
    oracle.may_hold(b"copy", Holding::File(run.bytes.clone()));
    let mut told = false;
    while !run.confirmed {
        match world.next() {
            Step::Turn(at) => run.turn(at),
            Step::Died(end, _) => run.stop(end),
            Step::Restart(end) => run.boot(end),
            Step::Alarm(_) => {}
            Step::Idle => panic!("everybody waits"),
        }
        if world.turns() > 3000 {
            world.calm();
        }
        assert!(world.turns() < 60_000, "the copy ends");
        if run.confirmed && !std::mem::replace(&mut told, true) {
            oracle.on_published(b"copy", &Holding::File(run.bytes.clone()));
        }
        if world.turns().is_multiple_of(16) || told {
            oracle.look(&world);
            oracle.imagine_power_loss(&world, world.turns(), 2);
        }
    }
    run.stop(EndId::CLIENT);
    run.stop(EndId::DAEMON);
    let broken = oracle.broken().map(ToString::to_string).collect();
    Outcome { hash: world.trace_hash(), counts: world.counts(), broken }
}

fn toy_kinds() -> Vec<FaultKind> {
    FaultKind::ALL.iter().copied().filter(|kind| !NOT_IN_TOY.contains(kind)).collect()
}

#[test]
fn a_copy_ends_whole_under_every_fault_and_replays() {
    let kinds = toy_kinds();
    let mut counts = FaultCounts::default();
    for seed in 0..200 {
        let plan = FaultPlan::from_seed(seed, &kinds);
        let outcome = copy(seed, plan.clone(), false);
        assert!(outcome.broken.is_empty(), "seed {seed}: {}", outcome.broken.join("\n"));
        counts.merge(&outcome.counts);
        if seed % 10 == 0 {
            assert_eq!(copy(seed, plan, false).hash, outcome.hash, "seed {seed} replays");
        }
    }
    println!("faults: {counts}");
    assert_eq!(counts.missing(&kinds), [], "every kind happens");
}

#[test]
fn the_oracle_sees_a_publication_without_fsync() {
    let red = (0..20).filter(|&seed| !copy(seed, FaultPlan::none(), true).broken.is_empty()).count();
    assert_eq!(red, 20);
}

#[test]
fn other_seeds_are_other_runs() {
    let hashes = [1, 2, 3].map(|seed| copy(seed, FaultPlan::none(), false).hash);
    assert_ne!(hashes[0], hashes[1]);
    assert_ne!(hashes[1], hashes[2]);
}

#[test]
fn a_dead_process_changes_nothing_and_holds_nothing() {
    let kill = PointKill { point: Point::PartCreated, nth: 1, power: false };
    let world = World::new(WorldConfig::two_ends(5, FaultPlan::none().with_point(kill)));
    world.disk(EndId::DAEMON, |disk| disk.build_dir(b"root"));
    let mut io = world.boot(EndId::DAEMON).remove(0);
    let dir = world.open_dir(EndId::DAEMON, b"root");
    let listener = world.listen(io.at(), PORT);
    io.submit(Token::new(1, 1, 1), Op::Accept { listener }).unwrap();
    assert_eq!(world.held(EndId::DAEMON), Held { operations: 1, buffers: 0, descriptors: 2 });
    io.line().reach(Point::PartCreated);
    assert!(!world.is_alive(EndId::DAEMON));
    assert_eq!(world.held(EndId::DAEMON), Held::default());

    let mut batch = Batch::new();
    let name = batch.name(base::name::Name::new(b"new").unwrap());
    batch.push(Act::MakeDir { dir, name, mode: 0o755 });
    io.act(&mut batch);
    assert_eq!(batch.results, [Err(Errno::IO)]);
    assert!(io.submit(Token::new(1, 1, 2), Op::Close { fd: dir }).is_ok());
    let mut done = Vec::with_capacity(4);
    io.turn(0, &mut done);
    assert!(done.is_empty());
    assert_eq!(world.disk(EndId::DAEMON, |disk| disk.visible(b"root/new")), None);
    assert_eq!(world.counts().of(FaultKind::KillAtPoint), 1);
    assert!(matches!(world.next(), Step::Died(EndId::DAEMON, _)));
}
