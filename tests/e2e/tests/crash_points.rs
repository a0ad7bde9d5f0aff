//! Every crash point is the death of a program once: what is visible then is old or new and whole, and the same
//! command completes afterwards.
// proves: O9, L2

use base::points::Point;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Mutex;
use xferd_e2e::compare::{differences, hash, names, snapshot};
use xferd_e2e::crash::{self, Death};
use xferd_e2e::daemon::Start;
use xferd_e2e::{Client, Depth, Direction, Proxy, Scratch, Seed, Snapshot, World, tree};

/// What a receiver of files passes, whichever program it is.
const RECEIVER: &[Point] = &[
    Point::PartCreated,
    Point::PartReserved,
    Point::ChunkWritten,
    Point::JournalReceived,
    Point::SealVerified,
    Point::MetadataSet,
    Point::MetadataSynced,
    Point::BatchFilesSynced,
    Point::CommittingWritten,
    Point::CommittingSynced,
    Point::RenamedFirst,
    Point::RenamedAll,
    Point::DirectorySynced,
    Point::ParentsSynced,
    Point::DoneWritten,
    Point::ReceiptSigned,
    Point::ReceiptSynced,
    Point::ReceiptSent,
];
/// What it passes where a file is made durable before its end.
const CHECKPOINT: &[Point] =
    &[Point::DataSynced, Point::JournalAppended, Point::JournalDurable, Point::AckDurableSent];

/// Who receives, and so passes the points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Receiver {
    /// A push.
    Daemon,
    /// A pull.
    Client,
}

/// What is transferred.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// `sync -a` of a tree over an older one.
    Tree,
    /// With `--delete`, where names are to be deleted.
    Delete,
    /// With `--inplace`.
    InPlace,
    /// `sync -a` of a folder with one file that is made durable before its end.
    Large,
}

/// When a death comes.
#[derive(Clone, Copy, Debug)]
enum When {
    /// In a transfer.
    Transfer(Receiver, Kind),
    /// At the daemon's start after it died at a point of a push; what it left in the journal may be torn.
    Restart { after: Point, torn: bool },
    /// In a tree's transfer that is run again after a death at a point.
    Again { receiver: Receiver, after: Point, torn: bool },
}

/// One death, and one further before it.
#[derive(Clone, Copy, Debug)]
struct Case {
    death: Death,
    when: When,
}

fn cases() -> VecDeque<Case> {
    let mut cases = VecDeque::new();
    let mut add = |points: &[Point], when: When| {
        cases.extend(points.iter().map(|point| Case { death: Death::at(*point), when }));
    };
    for receiver in [Receiver::Daemon, Receiver::Client] {
        add(CHECKPOINT, When::Transfer(receiver, Kind::Large));
        add(RECEIVER, When::Transfer(receiver, Kind::Tree));
        add(&[Point::DeleteFirst, Point::DeleteAll], When::Transfer(receiver, Kind::Delete));
        add(&[Point::TornMarked, Point::TornCleared], When::Transfer(receiver, Kind::InPlace));
        let part = When::Again { receiver, after: Point::JournalReceived, torn: true };
        add(&[Point::RecoverOpened, Point::RecoverTruncated, Point::RecoverRehashed], part);
    }
    let (after, torn) = (Point::CommittingSynced, true);
    let rolls = [Point::RecoverOpened, Point::RecoverTruncated, Point::RecoverRolled, Point::RecoverSwept];
    add(&rolls, When::Restart { after, torn });
    add(&rolls[2..], When::Restart { after: Point::RenamedFirst, torn: false });
    add(&rolls, When::Again { receiver: Receiver::Client, after, torn });
    cases
}

/// One daemon and one client, used for case after case.
struct Bench {
    world: World,
    proxy: Proxy,
    plain: Start,
    address: std::net::SocketAddr,
    log: PathBuf,
}

impl Bench {
    fn new() -> Self {
        // Chunks are made durable early, so that little data passes every point.
        let early = ["--limit", "seal_bytes_max=4194304"];
        let (mut world, proxy) = World::behind_proxy(Scratch::new(), |start| start.arguments(early));
        let (address, log) = (world.daemon().addr, world.path("passed"));
        let plain = crash::daemon(&world.start, &log, None);
        world.client = crash::client(&world.client, &log, None);
        for tree in [world.local("tree"), world.root.join("source")] {
            make_tree(&tree);
        }
        for large in [world.local("large"), world.root.join("large")] {
            fs::create_dir(&large).expect("a folder can be made");
            tree::file(&large.join("one"), 20 << 20, &mut Seed(4));
        }
        Self { world, proxy, plain, address, log }
    }

    fn source(&self, receiver: Receiver, kind: Kind) -> PathBuf {
        match (receiver, kind) {
            (Receiver::Daemon, Kind::Large) => self.world.local("large"),
            (Receiver::Daemon, _) => self.world.local("tree"),
            (Receiver::Client, Kind::Large) => self.world.root.join("large"),
            (Receiver::Client, _) => self.world.root.join("source"),
        }
    }

    fn copy(&self, receiver: Receiver) -> PathBuf {
        match receiver {
            Receiver::Daemon => self.world.root.join("copy"),
            Receiver::Client => self.world.local("copy"),
        }
    }

    fn command(&self, receiver: Receiver, kind: Kind) -> Vec<String> {
        let source = self.source(receiver, kind);
        let flags: &[&str] = match kind {
            Kind::Tree | Kind::Large => &[],
            Kind::Delete => &["--delete"],
            Kind::InPlace => &["--inplace"],
        };
        let ends = match receiver {
            Receiver::Daemon => [format!("{}/", source.display()), "lab:/copy".to_owned()],
            Receiver::Client => {
                let name = source.file_name().expect("a folder has a name").to_string_lossy();
                [format!("lab:/{name}/"), self.copy(receiver).display().to_string()]
            }
        };
        let words = ["sync", "-a", "--json"].iter().chain(flags).map(|word| (*word).to_owned());
        words.chain(ends).collect()
    }

    /// Runs a command whose receiver dies.
    fn die(&mut self, receiver: Receiver, kind: Kind, death: Death) {
        let command = self.command(receiver, kind);
        if kind == Kind::Large {
            // The rest never comes, so that what is here is made durable before the file is whole.
            let way = if receiver == Receiver::Daemon { Direction::Up } else { Direction::Down };
            self.proxy.hold_after(way, self.proxy.total(way) + (8 << 20));
        }
        let status = match receiver {
            Receiver::Daemon => {
                self.world.terminate();
                self.world.start = crash::daemon(&self.plain, &self.log, Some(death));
                self.world.start_again(Some(self.address));
                let running = self.world.client.start(&command);
                self.world.wait_or_terminate(running)
            }
            Receiver::Client => {
                crash::client(&self.world.client, &self.log, Some(death)).run(&command).status
            }
        };
        self.proxy.release();
        assert_died(status, death);
    }

    /// The daemon's start, in which it dies.
    fn die_at_start(&mut self, death: Death) {
        self.world.start = crash::daemon(&self.plain, &self.log, Some(death));
        assert_died(self.world.start_and_end(self.address), death);
    }

    fn start_plain(&mut self) {
        self.world.start = self.plain.clone();
        self.world.start_again(Some(self.address));
        // Whoever is answered finds a daemon that has recovered.
        self.world.client.run(["ls", "lab:/"]).ok();
    }

    fn journals(&self, receiver: Receiver) -> PathBuf {
        match receiver {
            Receiver::Daemon => self.world.path("daemon").join("journal"),
            Receiver::Client => self.world.client.state.join("journal"),
        }
    }

    /// What a loss of power leaves at the end of a journal.
    fn tear_journals(&self, receiver: Receiver) {
        for name in names(&self.journals(receiver)) {
            let path = self.journals(receiver).join(name);
            let mut bytes = fs::read(&path).expect("a journal can be read");
            bytes.extend([0x5a; 100]);
            fs::write(&path, bytes).expect("a journal can be written");
        }
    }

    fn try_case(&mut self, case: Case) {
        let (receiver, kind) = match case.when {
            When::Transfer(receiver, kind) => (receiver, kind),
            When::Restart { .. } => (Receiver::Daemon, Kind::Tree),
            When::Again { receiver, .. } => (receiver, Kind::Tree),
        };
        let (source, copy) = (snapshot(&self.source(receiver, kind)), self.copy(receiver));
        let _ = fs::remove_dir_all(&copy);
        make_old(&copy, kind);
        let old = snapshot(&copy);
        let judge = |when: &str| {
            let found = mixed(&old, &source, &snapshot(&copy), kind);
            assert!(found.is_empty(), "{case:?}: {when}: {}", found.join("\n"));
        };
        if let When::Restart { after, torn } | When::Again { after, torn, .. } = case.when {
            self.die(receiver, kind, Death::at(after));
            judge("after the first death");
            if torn {
                self.tear_journals(receiver);
            }
        }
        match case.when {
            When::Restart { .. } => self.die_at_start(case.death),
            When::Again { receiver: Receiver::Daemon, .. } => {
                self.start_plain();
                self.die(receiver, kind, case.death);
            }
            _ => self.die(receiver, kind, case.death),
        }
        judge("after the death");
        if receiver == Receiver::Daemon {
            self.start_plain();
            judge("after the restart");
        }
        self.world.client.run(self.command(receiver, kind)).ok();
        let found = differences(&source, &snapshot(&copy), Depth::Archive);
        assert!(found.is_empty(), "{case:?}: at the end: {}", found.join("\n"));
        assert_eq!(names(&self.journals(receiver)), Vec::<PathBuf>::new(), "{case:?}: journals are left");
    }
}

fn assert_died(status: ExitStatus, death: Death) {
    assert_eq!(status.signal(), Some(9), "{death:?} was not passed: {status}");
}

/// Small files in folders, links, one file of several records and one with a journal.
fn make_tree(top: &Path) {
    let mut seed = Seed(3);
    for folder in ["one/deep", "two", "empty"] {
        fs::create_dir_all(top.join(folder)).expect("a folder can be made");
    }
    for (index, folder) in ["one", "one/deep", "two", ""].into_iter().cycle().take(16).enumerate() {
        tree::file(&top.join(folder).join(format!("small-{index}")), 1 + seed.below(9000), &mut seed);
    }
    std::os::unix::fs::symlink("two/small-2", top.join("link")).expect("a symlink can be made");
    tree::file(&top.join("middle"), 700_000, &mut seed);
    tree::file(&top.join("journalled"), 18 << 20, &mut seed);
    tree::sparse(&top.join("two/sparse"), 3 << 20, 5000, &mut seed);
}

/// What lies at the destination before.
fn make_old(top: &Path, kind: Kind) {
    let mut seed = Seed(6);
    let files: &[&str] = match kind {
        Kind::Large => &["one"],
        Kind::Tree | Kind::InPlace => &["small-3", "one/small-0", "middle", "journalled"],
        Kind::Delete => &["small-3", "one/small-0", "extra", "one/extra"],
    };
    for file in files {
        let path = top.join(file);
        fs::create_dir_all(path.parent().expect("below the top")).expect("a folder can be made");
        tree::file(&path, 300_000, &mut seed);
    }
}

/// Names that hold what neither was there nor was sent, and names that are lost.
fn mixed(old: &Snapshot, source: &Snapshot, found: &Snapshot, kind: Kind) -> Vec<String> {
    let mut mixed = Vec::new();
    for (path, node) in found.iter().filter(|(path, node)| node.kind == 'f' && !is_own(path)) {
        let whole =
            |tree: &Snapshot| tree.get(path).is_some_and(|was| was.kind == 'f' && was.root == node.root);
        // What is written in place is torn until the same command ran again.
        let in_place = kind == Kind::InPlace && old.contains_key(path);
        if !whole(old) && !whole(source) && !in_place {
            mixed.push(format!("{} is a mix", path.escape_ascii()));
        }
    }
    let lost =
        |path: &&Vec<u8>| !found.contains_key(*path) && (kind != Kind::Delete || source.contains_key(*path));
    mixed.extend(old.keys().filter(lost).map(|path| format!("{} is lost", path.escape_ascii())));
    mixed
}

fn is_own(path: &[u8]) -> bool {
    path.rsplit(|byte| *byte == b'/').next().is_some_and(|name| name.starts_with(b".xferd-"))
}

/// Deaths of a daemon's first start. Keys are written one after another.
fn first_starts(log: &Path) -> Vec<Point> {
    let deaths = [(Point::KeyWritten, 1), (Point::KeyWritten, 2), (Point::RootWritten, 1)];
    for (point, nth) in deaths {
        let scratch = Scratch::new();
        let plain = Start::new(&scratch.join("daemon")).root(&scratch.dir("root"));
        let death = Death { point, nth };
        let (status, _) = crash::daemon(&plain, log, Some(death)).refused();
        assert_died(status, death);
        let daemon = plain.ready();
        let client = Client::joined(&scratch.join("client"), &scratch.dir("folder"), &daemon, "alice", "lab");
        client.run(["ls", "lab:/"]).ok();
    }
    deaths.map(|(point, _)| point).into()
}

/// Deaths of either end of a join: the token is good for this device alone, and its certificate is the same.
fn joins(log: &Path) -> Vec<Point> {
    let mut world = World::apart(Scratch::new(), |start| start);
    let (address, plain) = (world.daemon().addr, world.start.clone());
    let there = [Point::TokenUsed, Point::CertificateStored, Point::CertificateSent];
    for (index, point) in [Point::KeyWritten].iter().chain(&there).enumerate() {
        let death = Death::at(*point);
        let token = world.daemon().invite("alice", &[]);
        let device = Client::new(&world.path(&format!("device-{index}")), &world.path("client"));
        let join = ["join", token.as_str(), "--name", "lab"];
        if there.contains(point) {
            world.terminate();
            world.start = crash::daemon(&plain, log, Some(death));
            world.start_again(Some(address));
            let status = world.wait_or_terminate(device.start(join));
            assert_died(status, death);
            world.start = plain.clone();
            world.start_again(Some(address));
        } else {
            assert_died(crash::client(&device, log, Some(death)).run(join).status, death);
        }
        let key = hash(&device.state.join("device.key"));
        device.run(join).ok();
        assert_eq!(hash(&device.state.join("device.key")), key, "{point:?}: another key");
        device.run(["ls", "lab:/"]).ok();
        let other = Client::new(&world.path(&format!("other-{index}")), &world.path("client"));
        other.run(join).fails(41);
        let devices = world.daemon().command(&["devices", "--json"]).output().expect("xferd runs");
        let devices: serde_json::Value = serde_json::from_slice(&devices.stdout).expect("devices are JSON");
        let known = devices["devices"].as_array().map(Vec::len);
        // The daemon itself is one.
        assert_eq!(known, Some(index + 2), "{point:?}: {devices}");
    }
    [Point::KeyWritten].into_iter().chain(there).collect()
}

#[test]
fn every_point_is_a_death_and_what_follows_is_whole() {
    if !crash::is_compiled_in("every_point_is_a_death_and_what_follows_is_whole") {
        return;
    }
    let scratch = Scratch::new();
    let log = scratch.join("passed");
    let queue = Mutex::new(cases());
    let deaths: Mutex<BTreeMap<Point, u32>> = Mutex::default();
    let passed: Mutex<BTreeSet<Point>> = Mutex::default();
    let died = |point| *deaths.lock().expect("no holder panics").entry(point).or_default() += 1;
    let work = || {
        let mut bench = Bench::new();
        while let Some(case) = { queue.lock().expect("no holder panics").pop_front() } {
            bench.try_case(case);
            died(case.death.point);
        }
        passed.lock().expect("no holder panics").extend(crash::passed(&bench.log));
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
        scope.spawn(|| first_starts(&log).into_iter().chain(joins(&log)).for_each(died));
    });
    let (deaths, mut passed) =
        (deaths.into_inner().expect("no holder panics"), passed.into_inner().expect("no holder panics"));
    passed.extend(crash::passed(&log));
    let of = |lacks: &dyn Fn(&Point) -> bool| -> Vec<&str> {
        Point::ALL.iter().filter(|point| lacks(point)).map(|point| point.name()).collect()
    };
    println!("{} deaths at {} of {} points", deaths.values().sum::<u32>(), deaths.len(), Point::ALL.len());
    assert_eq!(of(&|point| !passed.contains(point)), Vec::<&str>::new(), "points that no run passed");
    assert_eq!(of(&|point| !deaths.contains_key(point)), Vec::<&str>::new(), "points at which no run died");
}
