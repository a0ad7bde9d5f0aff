//! What is transferred, and how: the trees and jobs that the tests share.

use crate::machine::MakeJob;
use crate::town::{HOME, ROOT};
use base::entry::{FileTime, Meta};
use base::limits::Limits;
use proto::transfer::filter::{FilterRule, Filters};
use proto::transfer::offer::{Durability, Options, Verify};
use shard::command::{JobKind, Source};
use sim::disk::{Attributes, Image, SimDisk, View};
use sim::random::Random;
use sim::world::{EndId, World};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

pub(crate) fn under(dir: &[u8], name: &str) -> Vec<u8> {
    [dir, name.as_bytes()].join(&b'/')
}

pub(crate) fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    Random::new(seed).fill(&mut out);
    out
}

pub(crate) fn archive() -> Options {
    Options {
        recursive: true,
        links: true,
        perms: true,
        times: true,
        sparse: true,
        durability: Durability::Tree,
        ..Options::default()
    }
}

pub(crate) fn push(
    name: &'static str,
    options: Options,
    streams: Option<u16>,
    copy: bool,
) -> impl Fn(base::io::Fd) -> JobKind {
    move |home| JobKind::Push {
        sources: vec![Source { base: home, path: name.into(), name: name.into() }],
        to: if copy { Vec::new() } else { b"mirror".to_vec() },
        to_directory: copy,
        copy,
        options: options.clone(),
        streams,
    }
}

pub(crate) fn pull(
    name: &'static str,
    options: Options,
    streams: Option<u16>,
) -> impl Fn(base::io::Fd) -> JobKind {
    move |home| JobKind::Pull {
        from: vec![name.into()],
        into: home,
        path: name.into(),
        anchor: Arc::from("/home"),
        into_directory: false,
        options: options.clone(),
        streams,
        owners: false,
    }
}

/// A tree with one of everything.
pub(crate) fn tree(disk: &mut SimDisk, dir: &[u8], seed: u64) {
    let mut random = Random::new(seed);
    for name in ["a", "sub/b", "sub/deep/er/c", "sub/z", "zz", "\u{fc}ml\u{e4}ut", "new\nline", "-dash"] {
        let len = random.below(513) as usize;
        disk.build_file(&under(dir, name), &bytes(random.next(), len));
    }
    disk.build_file(&[dir, b"not\xffutf8"].join(&b'/'), b"name that is no UTF-8");
    disk.build_file(&under(dir, "empty"), b"");
    disk.build_file(&under(dir, "middle"), &bytes(random.next(), 5000));
    disk.build_file(&under(dir, "sub/large"), &bytes(random.next(), 30_000));
    for number in 0..9 {
        disk.build_file(&under(dir, &format!("many/{number}")), &bytes(number, 40 * number as usize));
    }
    disk.build_dir(&under(dir, "void"));
    disk.build_symlink(&under(dir, "link"), b"../outside/\xff");
    disk.build_symlink(&under(dir, "sub/dangling"), b"nowhere");
    let sparse = disk.build_file(&under(dir, "sparse"), b"");
    disk.resize(sparse, 20_000).expect("a file");
    disk.build_bytes(sparse, 9000, b"island");
    let old = Meta { mode: Some(0o640), mtime: Some(FileTime { seconds: -5, nanos: 7 }), ..Meta::default() };
    disk.build_meta(&under(dir, "zz"), &old);
    disk.build_meta(
        &under(dir, "sub"),
        &Meta { mode: Some(0o755), mtime: Some(FileTime { seconds: 77, nanos: 1 }), ..Meta::default() },
    );
    disk.settle();
}

/// What a transfer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// One large file in a directory is pushed.
    Large,
    /// A tree is pushed.
    Tree,
    /// A tree is synced: what the source lacks goes.
    Sync,
    /// A tree is pulled.
    Pull,
    /// Large files are pushed over old ones, in place.
    InPlace,
}

impl Kind {
    /// Those that are judged name by name; what is written in place is neither old nor new meanwhile.
    pub(crate) const JUDGED: [Self; 4] = [Self::Large, Self::Tree, Self::Sync, Self::Pull];
}

/// Which transfer, and what else is special.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// The transfer has to be durable.
    pub(crate) syncs: bool,
    /// One small file is edited while it is read.
    pub(crate) edits: bool,
}

/// A file that is edited: its entry, its path on the sender's disk, and whether that happened.
type Edit = (Vec<u8>, Vec<u8>, Rc<Cell<bool>>);

/// One transfer of a seed.
pub(crate) struct Scene {
    /// Who receives.
    pub(crate) receiver: EndId,
    /// The receiving tree that the oracle judges.
    pub(crate) root: &'static [u8],
    /// Where the entries go, below it.
    pub(crate) prefix: Vec<u8>,
    /// What the source holds, by entry; changed by [`Scene::edited`].
    pub(crate) source: BTreeMap<Vec<u8>, Image>,
    /// Names that `--delete` may remove, below the root.
    pub(crate) extraneous: Vec<Vec<u8>>,
    pub(crate) options: Options,
    pub(crate) job: Rc<MakeJob>,
    edit: Option<Edit>,
}

impl Scene {
    /// Builds the source and what lies at the destination.
    pub(crate) fn build(world: &World, seed: u64, shape: Shape) -> Self {
        let mut random = Random::new(seed ^ 0x5ce_e000);
        let kind = shape.kind;
        let durability = match random.below(6) {
            0 if !shape.syncs => Durability::None,
            1 => Durability::File,
            _ => Durability::Tree,
        };
        let streams = random.coin().then_some(2);
        let mut options = Options {
            durability,
            delete: kind == Kind::Sync,
            inplace: kind == Kind::InPlace,
            checksum: random.one_in(8),
            ..archive()
        };
        if random.one_in(4) {
            options.filters = long_filters();
        }
        // Of its own, so that a seed's other choices stay what they were.
        let mut related = Random::new(seed ^ 0xde17a);
        options.delta = kind != Kind::InPlace && related.one_in(2);
        if Random::new(seed ^ 0x7e41f).one_in(4) {
            options.verify = Verify::Transport;
        }
        options.compress = Random::new(seed ^ 0x57d).one_in(3);
        let receiver = if kind == Kind::Pull { EndId::CLIENT } else { EndId::DAEMON };
        let (from, to) = if kind == Kind::Pull { (ROOT, HOME) } else { (HOME, ROOT) };
        let sender = EndId(1 - receiver.0);
        let content = random.next();
        world.disk(sender, |disk| {
            match kind {
                Kind::Large | Kind::InPlace => {
                    let len = 1000 + random.below(60_000) as usize;
                    disk.build_file(&under(from, "tree/large"), &bytes(content, len));
                    disk.build_file(&under(from, "tree/small"), b"beside it");
                }
                _ => tree(disk, &under(from, "tree"), content),
            }
            if options.compress {
                thin_out(disk, &under(from, "tree"));
            }
            disk.settle();
        });
        let prefix: &[u8] = match kind {
            Kind::Sync => b"mirror",
            Kind::Pull => b"tree",
            _ => b"",
        };
        let source = entries_of(world, sender, from, prefix.is_empty());
        let extraneous =
            old_content(world, receiver, to, prefix, &source, kind == Kind::InPlace, &mut random);
        if options.delta {
            old_relatives(world, receiver, to, prefix, &source, &mut related);
        }
        let extraneous = if options.delete { extraneous } else { Vec::new() };
        let edit = shape.edits.then(|| edit_in_get(world, sender, from, prefix.is_empty()));
        let job: Rc<MakeJob> = match kind {
            Kind::Sync => Rc::new(push("tree", options.clone(), streams, false)),
            Kind::Pull => Rc::new(pull("tree", options.clone(), streams)),
            _ => Rc::new(push("tree", options.clone(), streams, true)),
        };
        Self { receiver, root: to, prefix: prefix.to_vec(), source, extraneous, options, job, edit }
    }

    /// Who sends.
    pub(crate) fn sender(&self) -> EndId {
        EndId(1 - self.receiver.0)
    }

    /// Takes an edit of the source over, once it happened.
    pub(crate) fn edited(&mut self, world: &World) {
        let Some((entry, path, _)) = self.edit.take_if(|(_, _, happened)| happened.get()) else { return };
        if let Some(image) = world.disk(EndId(1 - self.receiver.0), |disk| disk.visible(&path)) {
            self.source.insert(entry, image);
        }
    }
}

/// Every entry of the transfer with what it holds.
fn entries_of(world: &World, sender: EndId, from: &[u8], named: bool) -> BTreeMap<Vec<u8>, Image> {
    let tree = world.disk(sender, |disk| disk.tree(&under(from, "tree"), View::Visible));
    let time = FileTime::default();
    let attributes = Attributes { mode: 0o755, uid: 0, gid: 0, mtime: time, ctime: time };
    let root = (Vec::new(), Image::Directory { attributes });
    let name = |path: Vec<u8>| match (named, &path[..]) {
        (false, _) => path,
        (true, b"") => b"tree".to_vec(),
        (true, path) => [b"tree", path].join(&b'/'),
    };
    core::iter::once(root).chain(tree).map(|(path, image)| (name(path), image)).collect()
}

/// Filters that match nothing here and do not fit one record.
fn long_filters() -> Filters {
    let rule = |number| FilterRule {
        include: false,
        pattern: format!("{number}{}", "no-such-name".repeat(15)).into_bytes(),
    };
    let rules: Vec<FilterRule> = (0..7).map(rule).collect();
    Filters::compile(rules, &Limits::TINY).expect("patterns")
}

/// Most records of files with chunks get something to compress.
fn thin_out(disk: &mut SimDisk, dir: &[u8]) {
    for name in ["large", "middle", "sub/large"] {
        let Some(ino) = disk.find(&under(dir, name), View::Visible) else { continue };
        let Some(Image::File { bytes, .. }) = disk.visible(&under(dir, name)) else { continue };
        for at in (0..bytes.len()).step_by(700) {
            disk.build_bytes(ino, at as u64, &b"= "[..].repeat(250)[..500.min(bytes.len() - at)]);
        }
    }
}

fn edit_in_get(world: &World, sender: EndId, from: &[u8], named: bool) -> Edit {
    let name = "many/3";
    let path = under(from, &format!("tree/{name}"));
    let happened = Rc::new(Cell::new(false));
    let (edited, flag) = (path.clone(), Rc::clone(&happened));
    world.edit_in_get(sender, &path, move |disk| {
        disk.build_file(&edited, b"written while it was read");
        disk.settle();
        flag.set(true);
    });
    (if named { under(b"tree", name) } else { name.into() }, path, happened)
}

/// Most files that are worth a delta have an older one with much the same content.
fn old_relatives(
    world: &World,
    receiver: EndId,
    to: &[u8],
    prefix: &[u8],
    source: &BTreeMap<Vec<u8>, Image>,
    random: &mut Random,
) {
    world.disk(receiver, |disk| {
        for (path, image) in source {
            let Image::File { bytes: now, .. } = image else { continue };
            if now.len() < Limits::TINY.delta_file_bytes_min as usize || random.one_in(4) {
                continue;
            }
            let mut old = now.clone();
            for _ in 0..random.below(4) {
                let at = random.below(old.len() as u64) as usize;
                let to = (at + random.below(2000) as usize).min(old.len());
                match random.below(3) {
                    0 => drop(old.drain(at..to)),
                    1 => drop(old.splice(at..at, bytes(random.next(), to - at))),
                    _ => random.fill(&mut old[at..to]),
                }
                old.push(7);
            }
            let inside = if prefix.is_empty() { path.clone() } else { [prefix, path].join(&b'/') };
            let name = [to, &inside].join(&b'/');
            disk.build_file(&name, &old);
            let older = FileTime { seconds: 1_000_001, nanos: 0 };
            disk.build_meta(&name, &Meta { mtime: Some(older), ..Meta::default() });
        }
        disk.settle();
    });
}

/// Some of the names are there already, some of them equal in size, and some names the source lacks.
fn old_content(
    world: &World,
    receiver: EndId,
    to: &[u8],
    prefix: &[u8],
    source: &BTreeMap<Vec<u8>, Image>,
    all: bool,
    random: &mut Random,
) -> Vec<Vec<u8>> {
    let inside = |path: &[u8]| if prefix.is_empty() { path.to_vec() } else { [prefix, path].join(&b'/') };
    let mut extraneous = Vec::new();
    world.disk(receiver, |disk| {
        for (path, image) in source {
            let Image::File { bytes: now, .. } = image else { continue };
            if all || random.one_in(3) {
                let len = if random.coin() { now.len() } else { random.below(2000) as usize };
                let name = [to, &inside(path)].join(&b'/');
                disk.build_file(&name, &bytes(random.next(), len));
                let older = FileTime { seconds: 1_000_000, nanos: 0 };
                disk.build_meta(&name, &Meta { mtime: Some(older), ..Meta::default() });
            }
        }
        if !prefix.is_empty() {
            for name in ["old/one", "old/two", "older"] {
                disk.build_file(&[to, &inside(name.as_bytes())].join(&b'/'), name.as_bytes());
                extraneous.push(inside(name.as_bytes()));
            }
            extraneous.push(inside(b"old"));
        }
        disk.build_file(&under(to, "bystander"), b"stays as it is");
        disk.settle();
    });
    extraneous
}
