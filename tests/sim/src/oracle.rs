//! The judge: what must hold of the disks, whatever happened.
//!
//! It sees only the edits made to sources, what both ends said over the wire, the disks and what the
//! processes hold. It shares no code with what it judges. Its rules:
//!
//! 1. a visible name holds the old content or a sealed version, whole;
//! 2. `durable` acknowledged is contained in what the durable image holds;
//! 3. `published` or a receipt means present in the durable image at the level said;
//! 4. Want never names a chunk acknowledged durable, unless the source changed or a fault struck it;
//! 5. no (key, nonce) pair twice;
//! 6. every operation has one outcome; buffers, descriptors and queues return to their start counts;
//! 7. nothing outside the root or under another name.

mod compare;

pub use compare::{Compare, differences};

use crate::disk::{Image, SimDisk, View};
use crate::random::Random;
use crate::world::{EndId, Held, World};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How names of staged and kept files begin.
pub const OWN_PREFIX: &[u8] = b".xferd-";

/// A rule that does not hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Broken {
    /// Its number.
    pub rule: u8,
    /// About which path or end.
    pub subject: Vec<u8>,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}: {}: {}", self.rule, self.subject.escape_ascii(), self.found)
    }
}

/// What a name may hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Holding {
    /// A file with this content.
    File(Vec<u8>),
    /// A symlink with this target.
    Symlink(Vec<u8>),
    /// A directory.
    Directory,
    /// Neither of these.
    Special,
    /// Nothing: there is no such name.
    Absent,
}

impl Holding {
    /// What an image shows, its attributes left aside.
    pub fn of(image: Option<&Image>) -> Self {
        match image {
            Some(Image::File { bytes, .. }) => Self::File(bytes.clone()),
            Some(Image::Symlink { target, .. }) => Self::Symlink(target.clone()),
            Some(Image::Directory { .. }) => Self::Directory,
            Some(Image::Special) => Self::Special,
            None => Self::Absent,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::File(bytes) => {
                let sum = bytes.iter().fold(0, |sum, &byte| crate::random::mix(sum ^ u64::from(byte)));
                format!("a file of {} bytes ({sum:016x})", bytes.len())
            }
            Self::Symlink(target) => format!("a symlink to {}", target.escape_ascii()),
            Self::Directory => "a directory".into(),
            Self::Special => "a special file".into(),
            Self::Absent => "nothing".into(),
        }
    }
}

/// The last component of a path is a staged or kept file's.
fn is_own(path: &[u8]) -> bool {
    path.rsplit(|&b| b == b'/').next().is_some_and(|name| name.starts_with(OWN_PREFIX))
}

fn folder_of(path: &[u8]) -> &[u8] {
    path.iter().rposition(|&b| b == b'/').map_or(b"", |at| &path[..at])
}

/// The judge of one receiving machine.
pub struct Oracle {
    end: EndId,
    root: Vec<u8>,
    /// Directories outside the root that the process owns.
    own: Vec<Vec<u8>>,
    old: BTreeMap<Vec<u8>, Holding>,
    outside: BTreeMap<Vec<u8>, Image>,
    /// Versions that may be sealed for a name, in the order they came to be.
    versions: BTreeMap<Vec<u8>, Vec<Holding>>,
    /// Bytes acknowledged durable, by name and offset.
    durable: BTreeMap<Vec<u8>, BTreeMap<u64, Vec<u8>>>,
    /// Which of its versions a name must hold, or a later one.
    published: BTreeMap<Vec<u8>, usize>,
    nonces: BTreeSet<(Vec<u8>, u64)>,
    broken: BTreeSet<Broken>,
}

impl Oracle {
    /// A judge of the tree at `root` of a machine's disk as it is; `own` are directories outside the root
    /// that the process may change (its state). Paths have no leading `/`.
    pub fn new(world: &World, end: EndId, root: &[u8], own: &[&[u8]]) -> Self {
        let mut oracle = Self {
            end,
            root: root.to_vec(),
            own: own.iter().map(|path| path.to_vec()).collect(),
            old: BTreeMap::new(),
            outside: BTreeMap::new(),
            versions: BTreeMap::new(),
            durable: BTreeMap::new(),
            published: BTreeMap::new(),
            nonces: BTreeSet::new(),
            broken: BTreeSet::new(),
        };
        world.disk(end, |disk| {
            let tree = disk.tree(root, View::Visible);
            oracle.old = tree.iter().map(|(path, image)| (path.clone(), Holding::of(Some(image)))).collect();
            oracle.outside = oracle.outside_of(disk);
        });
        oracle
    }

    fn outside_of(&self, disk: &SimDisk) -> BTreeMap<Vec<u8>, Image> {
        let within = |path: &[u8], dir: &[u8]| {
            path.strip_prefix(dir).is_some_and(|rest| rest.first().is_none_or(|&byte| byte == b'/'))
        };
        let mut all = disk.tree(b"", View::Visible);
        all.retain(|path, _| !within(path, &self.root) && !self.own.iter().any(|own| within(path, own)));
        all
    }

    /// A version of a source came to be that may be sealed under this name; [`Holding::Absent`]: the name
    /// may be deleted.
    pub fn may_hold(&mut self, path: &[u8], holding: Holding) {
        self.versions.entry(path.to_vec()).or_default().push(holding);
    }

    /// Every name of a source tree, as it is, may arrive below `prefix`, directories of the prefix included.
    pub fn may_hold_tree(&mut self, prefix: &[u8], source: &BTreeMap<Vec<u8>, Image>) {
        let mut dir = prefix;
        while !dir.is_empty() {
            self.may_hold(dir, Holding::Directory);
            dir = folder_of(dir);
        }
        for (path, image) in source {
            let path = if prefix.is_empty() { path.clone() } else { [prefix, path].join(&b'/') };
            self.may_hold(&path, Holding::of(Some(image)));
        }
    }

    /// The source of this name changed, or a fault struck its part: it may be asked for again.
    pub fn excuse(&mut self, path: &[u8]) {
        self.durable.remove(path);
    }

    /// As [`Self::excuse`], for every name.
    pub fn excuse_all(&mut self) {
        self.durable.clear();
    }

    /// `durable` was acknowledged for these bytes.
    pub fn on_durable(&mut self, path: &[u8], offset: u64, bytes: &[u8]) {
        self.durable.entry(path.to_vec()).or_default().insert(offset, bytes.to_vec());
    }

    /// `published` was acknowledged or a receipt given, at a level that promises durability.
    pub fn on_published(&mut self, path: &[u8], holding: &Holding) {
        let versions = self.versions.get(path).map(Vec::as_slice).unwrap_or_default();
        match versions.iter().rposition(|version| version == holding) {
            Some(index) => {
                self.published.insert(path.to_vec(), index);
            }
            None => self.break_rule(3, path, format!("published {} that no source had", holding.describe())),
        }
    }

    /// Want asked for these bytes.
    pub fn on_want(&mut self, path: &[u8], offset: u64, len: u64) {
        let acknowledged = self.durable.get(path).into_iter().flatten();
        let again = acknowledged
            .filter(|&(&from, bytes)| from < offset + len && offset < from + bytes.len() as u64)
            .map(|(&from, _)| from)
            .next();
        if let Some(from) = again {
            self.break_rule(4, path, format!("asked again for what is durable at {from}"));
        }
    }

    /// A record was sealed.
    pub fn on_nonce(&mut self, key: &[u8], nonce: u64) {
        if !self.nonces.insert((key.to_vec(), nonce)) {
            self.break_rule(5, key, format!("nonce {nonce} twice"));
        }
    }

    /// What a process holds when it should hold what it held at its start.
    pub fn on_rest(&mut self, world: &World, end: EndId, at_start: Held) {
        let held = world.held(end);
        if held != at_start {
            let subject = format!("end {}", end.0);
            self.break_rule(6, subject.as_bytes(), format!("{held:?}, at its start {at_start:?}"));
        }
    }

    fn break_rule(&mut self, rule: u8, subject: &[u8], found: String) {
        self.broken.insert(Broken { rule, subject: subject.to_vec(), found });
    }

    /// Judges the disk as it is: after any event.
    pub fn look(&mut self, world: &World) {
        world.disk(self.end, |disk| {
            self.judge_names(disk, "");
            self.judge_durable(disk);
        });
        for violation in world.violations() {
            self.break_rule(6, b"seam", violation);
        }
    }

    /// Judges what a loss of power at this moment would leave, in `tries` ways.
    pub fn imagine_power_loss(&mut self, world: &World, seed: u64, tries: u32) {
        let mut random = Random::new(seed);
        for _ in 0..tries {
            let mut disk = world.disk(self.end, |disk| disk.clone());
            disk.lose_power(&mut random);
            self.judge_names(&disk, "after a loss of power: ");
            self.judge_durable(&disk);
        }
    }

    /// Rules 1 and 7.
    fn judge_names(&mut self, disk: &SimDisk, when: &str) {
        let tree = disk.tree(&self.root, View::Visible);
        for (path, image) in tree.iter().filter(|(path, _)| !is_own(path)) {
            let holding = Holding::of(Some(image));
            let versions = self.versions.get(path);
            let known = versions.is_some() || self.old.contains_key(path);
            let fits = self.old.get(path) == Some(&holding)
                || versions.is_some_and(|versions| versions.contains(&holding));
            if !fits {
                let rule = if known { 1 } else { 7 };
                self.break_rule(rule, path, format!("{when}{}", holding.describe()));
            }
        }
        let gone: Vec<Vec<u8>> = self.old.keys().filter(|path| !tree.contains_key(*path)).cloned().collect();
        for path in gone.iter().filter(|path| !is_own(path)) {
            if !self.versions.get(path).is_some_and(|versions| versions.contains(&Holding::Absent)) {
                self.break_rule(1, path, format!("{when}the old name is gone"));
            }
        }
        let outside = self.outside_of(disk);
        let all: BTreeSet<&Vec<u8>> = outside.keys().chain(self.outside.keys()).collect();
        let changed =
            |path: &&Vec<u8>| Holding::of(outside.get(*path)) != Holding::of(self.outside.get(*path));
        let changed: Vec<Vec<u8>> = all.into_iter().filter(changed).cloned().collect();
        for path in changed {
            self.break_rule(7, &path, format!("{when}changed outside the root"));
        }
    }

    /// Rules 2 and 3.
    fn judge_durable(&mut self, disk: &SimDisk) {
        let tree = disk.tree(&self.root, View::Durable);
        let mut found = Vec::new();
        for (path, ranges) in &self.durable {
            let places: Vec<&[u8]> = tree
                .iter()
                .filter(|(place, _)| *place == path || (is_own(place) && folder_of(place) == folder_of(path)))
                .filter_map(|(_, image)| image.bytes())
                .collect();
            for (&offset, bytes) in ranges {
                let holds =
                    |place: &&[u8]| place.get(offset as usize..).is_some_and(|rest| rest.starts_with(bytes));
                if !places.iter().any(holds) {
                    found.push((
                        2,
                        path.clone(),
                        format!("{} bytes at {offset} are not durable", bytes.len()),
                    ));
                }
            }
        }
        for (path, &first) in &self.published {
            let holding = Holding::of(tree.get(path));
            let later = self.versions.get(path).map(|versions| &versions[first..]).unwrap_or_default();
            if !later.contains(&holding) {
                found.push((3, path.clone(), format!("published, and durable is {}", holding.describe())));
            }
        }
        for (rule, path, text) in found {
            self.break_rule(rule, &path, text);
        }
    }

    /// At the end of a run: no staged file is left, save kept versions, and with `journals` the parts that a journal in
    /// that directory still names. Temps are judged where `temps` says so: a loss of power may take the record that
    /// names where they are.
    pub fn no_orphans(&mut self, world: &World, temps: bool, journals: Option<&[u8]>) {
        let tree = world.disk(self.end, |disk| disk.tree(&self.root, View::Visible));
        let names = journals.map(|path| world.disk(self.end, |disk| disk.tree(path, View::Visible)));
        let journalled = |path: &[u8]| {
            let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
            let id = name.strip_prefix(OWN_PREFIX).and_then(|rest| rest.strip_suffix(b".part"));
            let journal = id.map(|id| [id, b".xj"].concat());
            names.as_ref().zip(journal).is_some_and(|(names, journal)| names.contains_key(&journal))
        };
        let staged = |path: &[u8]| path.ends_with(b".part") || temps && path.ends_with(b".tmp");
        for path in tree.keys().filter(|path| is_own(path) && staged(path) && !journalled(path)) {
            self.break_rule(7, path, "a staged file is left".into());
        }
    }

    /// What was found so far.
    pub fn broken(&self) -> impl Iterator<Item = &Broken> {
        self.broken.iter()
    }

    /// Panics when a rule was broken.
    ///
    /// # Panics
    /// See above.
    pub fn assert_holds(&self) {
        let text: Vec<String> = self.broken().map(Broken::to_string).collect();
        assert!(text.is_empty(), "{}", text.join("\n"));
    }
}
