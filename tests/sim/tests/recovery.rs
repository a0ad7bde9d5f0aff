//! What a killed daemon left is settled when it starts again, whether or not the client ever comes back.

#[allow(dead_code)]
#[path = "engine/machine.rs"]
mod machine;
#[allow(dead_code)]
#[path = "engine/planted.rs"]
mod planted;
#[allow(dead_code)]
#[path = "engine/town.rs"]
mod town;

use base::io::Fd;
use base::limits::Limits;
use base::points::Point;
use machine::{Machines, describe};
use proto::transfer::offer::{Durability, Options};
use shard::command::{JobKind, Source};
use sim::disk::{Image, SimDisk, View};
use sim::drive::Ended;
use sim::faults::{FaultKind, FaultPlan, PointKill};
use sim::random::Random;
use sim::world::{EndId, Step, World, WorldConfig};
use std::collections::BTreeMap;
use std::rc::Rc;
use town::{HOME, JOURNAL, ROOT};

/// More turns than any of these takes.
const TURNS_MAX: u64 = 100_000;

fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    Random::new(seed).fill(&mut out);
    out
}

fn under(dir: &[u8], name: &str) -> Vec<u8> {
    [dir, name.as_bytes()].join(&b'/')
}

/// Small files in two directories, a file in chunks and one with a journal of its own.
fn sources() -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut files = BTreeMap::new();
    for (number, name) in ["tree/a", "tree/b", "tree/sub/c", "tree/sub/d"].into_iter().enumerate() {
        files.insert(name.into(), bytes(number as u64, 100 * number));
    }
    files.insert(b"tree/chunked".to_vec(), bytes(7, 5000));
    files.insert(b"tree/large".to_vec(), bytes(8, 30_000));
    files
}

fn push(home: Fd) -> JobKind {
    let options = Options {
        recursive: true,
        perms: true,
        times: true,
        durability: Durability::Tree,
        ..Options::default()
    };
    let sources = vec![Source { base: home, path: b"tree".to_vec(), name: b"tree".to_vec() }];
    JobKind::Push { sources, to: Vec::new(), to_directory: true, copy: true, options, streams: None }
}

fn machines(seed: u64, plan: FaultPlan) -> Machines {
    Machines::new(World::new(WorldConfig::two_ends(seed, plan)), Limits::TINY)
}

/// What is there by path; `view` as far as the share goes.
fn share(disk: &SimDisk, view: View) -> BTreeMap<Vec<u8>, Image> {
    disk.tree(ROOT, view)
}

fn names(disk: &SimDisk, dir: &[u8], end: &[u8]) -> Vec<String> {
    let tree = disk.tree(dir, View::Visible);
    let named = tree.keys().filter(|path| path.ends_with(end));
    named.map(|path| path.escape_ascii().to_string()).collect()
}

/// The daemon's disk after it died at a point of a push and before it started again; `None`: the push does
/// not pass the point so often.
fn wreck(seed: u64, kill: PointKill) -> Option<SimDisk> {
    wreck_of(&sources(), seed, kill)
}

fn wreck_of(files: &BTreeMap<Vec<u8>, Vec<u8>>, seed: u64, kill: PointKill) -> Option<SimDisk> {
    let mut machines = machines(seed, FaultPlan::none().with_point(kill));
    let _guard = machines.world.guard();
    machines.world.disk(EndId::CLIENT, |disk| {
        for (path, content) in files {
            disk.build_file(&[HOME, path].join(&b'/'), content);
        }
        disk.settle();
    });
    machines.drive.start(EndId::DAEMON);
    machines.begin(Rc::new(push));
    let desk = machines.desk.clone();
    let mut died = false;
    let ended = machines.drive.run(TURNS_MAX, |_, step| {
        died |= matches!(step, Step::Died(EndId::DAEMON, _));
        died || desk.borrow().ended.is_some()
    });
    assert_eq!(ended, Ended::Done, "{}", describe(&desk.borrow().ended));
    died.then(|| machines.world.disk(EndId::DAEMON, |disk| disk.clone()))
}

/// Starts the daemon over this disk until it has settled what is there, as often as the plan kills it.
fn recovered(seed: u64, plan: FaultPlan, disk: &SimDisk) -> SimDisk {
    recovered_after(0, seed, plan, disk).0
}

/// The same on a later day, and how often it died at a point.
fn recovered_after(days: i64, seed: u64, plan: FaultPlan, disk: &SimDisk) -> (SimDisk, u64) {
    let mut config = WorldConfig::two_ends(seed, plan);
    config.ends[1].skew_ms = days * 86_400_000;
    let mut machines = Machines::new(World::new(config), Limits::TINY);
    let _guard = machines.world.guard();
    machines.world.disk(EndId::DAEMON, |own| *own = disk.clone());
    machines.drive.start(EndId::DAEMON);
    // Once it has settled everything it listens on both cores and does nothing else, so that the world stands still.
    let ended = machines.drive.run(TURNS_MAX, |_, _| false);
    assert_eq!(ended, Ended::Idle, "{}", machines.said());
    assert!(machines.world.is_alive(EndId::DAEMON), "it was started again as often as it died");
    assert_eq!(machines.world.held(EndId::DAEMON).operations, 2, "it listens");
    assert_eq!(machines.world.violations(), Vec::<String>::new());
    let start = machines.desk.borrow().at_start[1];
    assert_eq!(machines.world.held(EndId::DAEMON).descriptors, start.descriptors, "nothing stays open");
    let left = machines.world.counts();
    let died = left.of(FaultKind::KillAtPoint) + left.of(FaultKind::PowerLossAtPoint);
    (machines.world.disk(EndId::DAEMON, |disk| disk.clone()), died)
}

/// Nothing is left of the batch that was open, and what has its name is whole.
fn assert_settled(disk: &SimDisk) {
    assert_eq!(names(disk, JOURNAL, b".xt"), Vec::<String>::new());
    let sources = sources();
    for view in [View::Visible, View::Durable] {
        for (path, image) in share(disk, view) {
            if let Some(content) = sources.get(&path) {
                assert!(image.bytes() == Some(&content[..]), "{view:?} {}", path.escape_ascii());
            }
        }
    }
}

const COMMITTED: [Point; 5] = [
    Point::CommittingSynced,
    Point::RenamedFirst,
    Point::RenamedAll,
    Point::DirectorySynced,
    Point::ParentsSynced,
];

/// The daemon's disk after it died at a point of a batch that its journal names.
fn committed(seed: u64, point: Point, power: bool) -> SimDisk {
    let nth = |nth| wreck(seed, PointKill { point, nth, power });
    let begun =
        |disk: &SimDisk| point == Point::CommittingSynced || !published(disk, View::Visible).is_empty();
    (1..=8).map_while(nth).find(begun).expect("every push passes the point in a batch of files")
}

// proves: O10
#[test]
fn what_was_committed_gets_its_names() {
    for point in COMMITTED {
        for power in [false, true] {
            for seed in 0..6 {
                let wreck = committed(seed, point, power);
                let disk = recovered(seed, FaultPlan::none(), &wreck);
                assert_settled(&disk);
                let named = |view| {
                    let here = share(&disk, view);
                    sources().keys().filter(|path| here.contains_key(*path)).count()
                };
                // Power takes a name that was never synced, staged or final, and nobody was told of it.
                let synced = matches!(point, Point::DirectorySynced | Point::ParentsSynced);
                assert!(named(View::Visible) > 0 || power && !synced, "{point:?}: the batch has names");
                assert_eq!(named(View::Visible), named(View::Durable), "{point:?}: they are durable");
                // Where temps are is told to the journal, and not synced.
                assert!(power || names(&disk, ROOT, b".tmp").is_empty(), "{point:?}, seed {seed}");
            }
        }
    }
}

// proves: O10
#[test]
fn a_recovery_that_is_killed_ends_as_one_that_is_not() {
    let points = [Point::RecoverOpened, Point::RecoverTruncated, Point::RecoverRolled, Point::RecoverSwept];
    for seed in 0..8 {
        let mut wreck = committed(seed, COMMITTED[seed as usize % COMMITTED.len()], seed % 2 == 0);
        tear(&mut wreck);
        let once = recovered(seed, FaultPlan::none(), &wreck);
        let twice = recovered(seed, FaultPlan::none(), &once);
        assert!(published(&once, View::Visible) == published(&twice, View::Visible), "twice equals once");
        assert_eq!(everything(&once), everything(&twice), "twice equals once");
        for point in points {
            for power in [false, true] {
                let plan = FaultPlan::none().with_point(PointKill { point, nth: 1, power });
                let (disk, died) = recovered_after(0, seed, plan, &wreck);
                assert_eq!(died, 1, "{point:?} is passed");
                assert_settled(&disk);
                assert_kept(&wreck, &disk, &once, power);
                assert!(power || everything(&disk) == everything(&once), "{point:?}");
            }
        }
        for kind in [FaultKind::KillDaemon, FaultKind::PowerLossDaemon] {
            for number in 0..20 {
                let plan = FaultPlan::none().with(kind, 4, 3);
                let disk = recovered(seed * 100 + number, plan, &wreck);
                assert_settled(&disk);
                assert_kept(&wreck, &disk, &once, kind == FaultKind::PowerLossDaemon);
            }
        }
    }
}

/// A record whose write had begun.
fn tear(disk: &mut SimDisk) {
    let journal = under(JOURNAL, &names(disk, JOURNAL, b".xt")[0]);
    let ino = disk.find(&journal, View::Visible).expect("listed");
    let len = disk.stat(ino).size;
    disk.build_bytes(ino, len, &[0, 0, 0, 99, 7]);
}

/// Files that a peer sees, with their contents.
fn published(disk: &SimDisk, view: View) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
    let files = share(disk, view).into_iter().filter(|(path, _)| sources().contains_key(path));
    files.map(|(path, image)| (path, image.bytes().map(<[u8]>::to_vec))).collect()
}

/// A kill loses nothing; a loss of power only names that were never durable, and nobody was told of.
fn assert_kept(wreck: &SimDisk, disk: &SimDisk, once: &SimDisk, power: bool) {
    let (here, all) = (published(disk, View::Visible), published(once, View::Visible));
    assert!(power || here == all, "a kill loses nothing");
    assert!(here.iter().all(|(path, content)| all.get(path) == Some(content)));
    let durable = published(wreck, View::Durable);
    assert!(durable.iter().all(|(path, content)| here.get(path) == Some(content)), "what was durable stays");
}

/// Names of share and journals.
fn everything(disk: &SimDisk) -> [Vec<String>; 2] {
    [names(disk, ROOT, b""), names(disk, JOURNAL, b"")]
}

#[test]
fn what_is_idle_goes_with_its_part() {
    let wreck = wreck(1, PointKill { point: Point::JournalDurable, nth: 1, power: false }).expect("passed");
    assert_eq!(names(&wreck, JOURNAL, b".xj").len(), 1);
    let parts = names(&wreck, ROOT, b".part");
    let disk = recovered(1, FaultPlan::none(), &wreck);
    assert_eq!(names(&disk, JOURNAL, b".xj").len(), 1, "a rerun may come");
    assert_eq!(names(&disk, ROOT, b".part"), parts);
    let (disk, _) = recovered_after(2, 1, FaultPlan::none(), &wreck);
    assert_eq!(names(&disk, JOURNAL, b".xj"), Vec::<String>::new(), "nobody came for a day");
    assert_eq!(names(&disk, ROOT, b".part").len(), parts.len() - 1);
    let mut gone = wreck.clone();
    for part in &parts {
        gone.build_remove(&under(ROOT, part));
    }
    let disk = recovered(1, FaultPlan::none(), &gone);
    assert_eq!(names(&disk, JOURNAL, b".xj"), Vec::<String>::new(), "it stages nothing");
}

#[test]
fn temps_that_were_not_committed_go() {
    for seed in 0..10 {
        let kill = PointKill { point: Point::BatchFilesSynced, nth: 1, power: false };
        let wreck = wreck(seed, kill).expect("passed");
        assert_ne!(names(&wreck, ROOT, b".tmp"), Vec::<String>::new());
        let disk = recovered(seed, FaultPlan::none(), &wreck);
        assert_settled(&disk);
        assert_eq!(names(&disk, ROOT, b".tmp"), Vec::<String>::new());
    }
}

// proves: O9
#[test]
fn a_part_gets_its_name_only_while_it_holds_what_was_committed() {
    let mut files = sources();
    files.retain(|path, _| path == b"tree/large");
    for seed in 0..10 {
        let kill = PointKill { point: Point::CommittingSynced, nth: 1, power: false };
        let wreck = wreck_of(&files, seed, kill).expect("passed");
        let large = under(ROOT, "tree/large");
        let disk = recovered(seed, FaultPlan::none(), &wreck);
        assert_settled(&disk);
        let held = disk.durable(&large).and_then(|image| image.bytes().map(<[u8]>::to_vec));
        assert!(held.as_ref() == files.get(&b"tree/large"[..]), "seed {seed}");
        assert_eq!(everything(&disk)[1], Vec::<String>::new(), "its own journal goes too");

        let mut rotten = wreck.clone();
        let part = under(ROOT, &names(&wreck, ROOT, b".part")[0]);
        rotten.rot(&part, 20_000, 1);
        let disk = recovered(seed, FaultPlan::none(), &rotten);
        assert_settled(&disk);
        assert_eq!(disk.visible(&large), None, "seed {seed}");
        assert_eq!(everything(&disk)[1].len(), 1, "the part is resumed by a rerun");
    }
}

/// Syncs an empty directory over one with a temp that nobody knows, so many days after it was made.
fn synced_after(days: i64) -> Vec<String> {
    let temp = format!("mirror/.xferd-{}.tmp", "ab".repeat(16));
    let old = machines(1, FaultPlan::none()).world.disk(EndId::DAEMON, |disk| {
        disk.build_file(&under(ROOT, &temp), b"staged");
        disk.clone()
    });
    let mut config = WorldConfig::two_ends(2, FaultPlan::none());
    config.ends.iter_mut().for_each(|end| end.skew_ms = days * 86_400_000);
    let mut machines = Machines::new(World::new(config), Limits::TINY);
    let _guard = machines.world.guard();
    machines.world.disk(EndId::CLIENT, |disk| disk.build_dir(&under(HOME, "tree")));
    machines.world.disk(EndId::DAEMON, |disk| *disk = old);
    machines.world.disk(EndId::DAEMON, |disk| disk.build_dir(JOURNAL));
    machines.drive.start(EndId::DAEMON);
    machines.begin(Rc::new(|home| {
        let options = Options { recursive: true, delete: true, ..Options::default() };
        let sources = vec![Source { base: home, path: b"tree".to_vec(), name: b"tree".to_vec() }];
        let to = b"mirror".to_vec();
        JobKind::Push { sources, to, to_directory: false, copy: false, options, streams: None }
    }));
    let desk = machines.desk.clone();
    machines.drive.run(TURNS_MAX, |_, _| desk.borrow().ended.is_some());
    let ended = desk.borrow_mut().ended.take();
    assert!(matches!(&ended, Some(end) if end.result.is_ok()), "{}", describe(&ended));
    machines.world.disk(EndId::DAEMON, |disk| names(disk, ROOT, b".tmp"))
}

#[test]
fn a_deletion_meets_what_nobody_came_back_for() {
    assert_eq!(synced_after(0).len(), 1);
    assert_eq!(synced_after(2), Vec::<String>::new());
}

/// What the daemon's share holds under a name.
fn content(disk: &SimDisk, name: &str) -> Option<Vec<u8>> {
    disk.visible(&under(ROOT, name)).and_then(|image| image.bytes().map(<[u8]>::to_vec))
}

#[test]
fn a_journal_that_cannot_be_read_never_brings_an_older_version_back() {
    for seed in 0..6 {
        let wreck = committed(seed, Point::CommittingSynced, false);
        let unread = FaultPlan::none().with(FaultKind::ReadError, 1, 1);
        let mut disk = recovered(seed, unread, &wreck);
        assert_eq!(names(&disk, JOURNAL, b".xt"), Vec::<String>::new(), "seed {seed}");
        assert_eq!(names(&disk, JOURNAL, b".xt.aside").len(), 1, "seed {seed}");
        let all = sources();
        let newer = |name: &[u8]| [name, b", a newer version"].concat();
        for name in all.keys() {
            disk.build_file(&[ROOT, name].join(&b'/'), &newer(name));
        }
        disk.settle();
        let disk = recovered(seed, FaultPlan::none(), &disk);
        for name in all.keys() {
            let text = String::from_utf8_lossy(name);
            assert!(content(&disk, &text) == Some(newer(name)), "seed {seed}: {text}");
        }
        let (disk, _) = recovered_after(2, seed, FaultPlan::none(), &disk);
        assert_eq!(names(&disk, JOURNAL, b".aside"), Vec::<String>::new(), "it does not stay for ever");
    }
}

/// The daemon's disk when it was killed after a failed sync, while the part was still there and its journal said
/// less than before; `None`: it never came to that.
fn killed_after_a_failed_sync(seed: u64) -> Option<SimDisk> {
    let mut machines = machines(seed, FaultPlan::none().with(FaultKind::SyncError, 2, 1));
    let _guard = machines.world.guard();
    machines.world.disk(EndId::CLIENT, large_source);
    machines.drive.start(EndId::DAEMON);
    machines.begin(Rc::new(push));
    let desk = machines.desk.clone();
    let said = |disk: &SimDisk| {
        let journal = names(disk, JOURNAL, b".xj").pop()?;
        names(disk, ROOT, b".part").pop()?;
        disk.visible(&under(JOURNAL, &journal)).and_then(|image| image.bytes().map(<[u8]>::len))
    };
    let (mut longest, mut met) = (0, false);
    machines.drive.run(TURNS_MAX, |world, _| {
        let failed = world.counts().of(FaultKind::SyncError) > 0;
        let said = world.disk(EndId::DAEMON, |disk| said(disk).unwrap_or(0));
        met = failed && said > 0 && said < longest;
        longest = longest.max(said);
        met || desk.borrow().ended.is_some()
    });
    machines.drive.stop(EndId::DAEMON);
    met.then(|| machines.world.disk(EndId::DAEMON, |disk| disk.clone()))
}

fn large_source(disk: &mut SimDisk) {
    disk.build_file(&under(HOME, "tree/large"), &bytes(8, 30_000));
    disk.settle();
}

#[test]
fn a_part_whose_sync_failed_is_not_gone_on_from_after_a_kill() {
    let wrecks: Vec<(u64, SimDisk)> =
        (0..30).filter_map(|seed| Some((seed, killed_after_a_failed_sync(seed)?))).collect();
    assert!(wrecks.len() > 3, "{} kills between a failed sync and the removal of its part", wrecks.len());
    for (seed, wreck) in wrecks {
        let mut machines = machines(seed, FaultPlan::none());
        let _guard = machines.world.guard();
        machines.world.disk(EndId::CLIENT, large_source);
        machines.world.disk(EndId::DAEMON, |disk| *disk = wreck);
        machines.drive.start(EndId::DAEMON);
        machines.begin(Rc::new(push));
        let desk = machines.desk.clone();
        machines.drive.run(TURNS_MAX, |_, _| desk.borrow().ended.is_some());
        let ended = desk.borrow_mut().ended.take();
        let sent = ended.as_ref().filter(|end| end.result.is_ok()).map(|end| end.totals);
        let sent = sent.map(|totals| (totals.bytes, totals.bytes_resumed));
        assert_eq!(sent, Some((30_000, 0)), "seed {seed}: {}", describe(&ended));
        let large = under(ROOT, "tree/large");
        let held = machines.world.disk(EndId::DAEMON, |disk| disk.durable(&large));
        assert!(held.is_some_and(|image| image.bytes() == Some(&bytes(8, 30_000)[..])), "seed {seed}");
    }
}
