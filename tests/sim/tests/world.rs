//! The world as a whole, tried with a small program: faults happen, runs end, seeds replay, and the oracle
//! sees a missing fsync.

mod toy;

use base::io::{Act, Batch, Errno, Io, Op, Token};
use base::points::Point;
use sim::drive::{Drive, Ended, Ran, Turn, run_seeds};
use sim::faults::{FaultKind, FaultPlan, PointKill};
use sim::io::SimIo;
use sim::oracle::{Holding, Oracle};
use sim::random::Random;
use sim::world::{EndId, Held, Step, World, WorldConfig};
use std::cell::Cell;
use std::rc::Rc;
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

/// Builds the processes: a sender beside a core that waits, and two receivers.
fn boot(
    world: World,
    size: u64,
    skip_sync: bool,
    sent: Rc<Cell<bool>>,
) -> impl FnMut(EndId, Vec<SimIo>) -> Vec<Turn> {
    move |end, ios| {
        if end == EndId::DAEMON {
            let dir = world.open_dir(end, b"root");
            let receive = |io: SimIo| -> Turn {
                let listener = world.listen(io.at(), PORT);
                let mut receiver = Receiver::new(io, listener, dir, skip_sync);
                Box::new(move || receiver.turn())
            };
            return ios.into_iter().map(receive).collect();
        }
        let dir = world.open_dir(end, b"source");
        let to = world.address(EndId::DAEMON, PORT);
        let [first, mut second] = <[SimIo; 2]>::try_from(ios).ok().expect("two cores");
        let (mut sender, sent) = (Sender::new(first, to, dir, size), Rc::clone(&sent));
        let send = move || {
            sender.turn();
            sent.set(sender.confirmed);
        };
        vec![Box::new(send), Box::new(move || second.turn(u64::MAX, &mut Vec::with_capacity(1)))]
    }
}

/// Copies once, with the oracle looking; what the oracle found.
fn copy(seed: u64, plan: FaultPlan, skip_sync: bool) -> (Ran, Vec<String>) {
    let world = World::new(WorldConfig::two_ends(seed, plan));
    let _guard = world.guard();
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
    let mut oracle = Oracle::new(&world, EndId::DAEMON, b"root", &[]);
    oracle.may_hold(b"copy", Holding::File(bytes.clone()));

    let sent = Rc::new(Cell::new(false));
    let boot = boot(world.clone(), bytes.len() as u64, skip_sync, Rc::clone(&sent));
    let mut drive = Drive::new(&world, boot);
    drive.start(EndId::CLIENT);
    drive.start(EndId::DAEMON);
    let ended = drive.run(60_000, |world, step| {
        let turns = world.turns();
        if turns > 3000 {
            world.calm();
        }
        if sent.get() {
            oracle.on_published(b"copy", &Holding::File(bytes.clone()));
        }
        if sent.get() || turns.is_multiple_of(16) || matches!(step, Step::Died(..)) {
            oracle.look(world);
            oracle.imagine_power_loss(world, turns, 2);
        }
        sent.get()
    });
    assert_eq!(ended, Ended::Done);
    let ran = Ran::of(&world);
    drive.stop(EndId::CLIENT);
    drive.stop(EndId::DAEMON);
    for end in [EndId::CLIENT, EndId::DAEMON] {
        assert_eq!(world.held(end), Held::default());
    }
    (ran, oracle.broken().map(ToString::to_string).collect())
}

#[test]
fn a_copy_ends_whole_under_every_fault_and_replays() {
    let kinds: Vec<FaultKind> =
        FaultKind::ALL.iter().copied().filter(|kind| !NOT_IN_TOY.contains(kind)).collect();
    run_seeds(0..200, 10, &kinds, |seed, plan| {
        let (ran, broken) = copy(seed, plan, false);
        assert!(broken.is_empty(), "seed {seed}: {}", broken.join("\n"));
        ran
    });
}

#[test]
fn the_oracle_sees_a_publication_without_fsync() {
    let red = (0..20).filter(|&seed| !copy(seed, FaultPlan::none(), true).1.is_empty()).count();
    assert_eq!(red, 20);
}

#[test]
fn other_seeds_are_other_runs() {
    let hashes = [1, 2, 3].map(|seed| copy(seed, FaultPlan::none(), false).0.hash);
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
    assert!(io.submit(Token::new(1, 1, 1), Op::Accept { listener }).is_ok());
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
