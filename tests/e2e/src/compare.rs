//! What a tree is, seen by a walk of our own: shares no code with the engine.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// One name of a tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// `f`, `d`, `l`, or `?` for a special file.
    pub kind: char,
    /// Permission bits.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u32, u32),
    /// Seconds and nanoseconds.
    pub mtime: (i64, i64),
    /// Length of a file.
    pub size: u64,
    /// Bytes the file system holds for it.
    pub allocated: u64,
    /// BLAKE3 of a file's content, hexadecimal as `b3sum` prints it.
    pub root: String,
    /// Target of a symlink.
    pub target: Vec<u8>,
}

/// Every name of a tree by its path relative to the top; the top itself has the empty path.
pub type Snapshot = BTreeMap<Vec<u8>, Node>;

/// How closely two trees are compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Depth {
    /// Names, kinds, content, link targets.
    Content,
    /// And modes and times of files, as `copy` keeps them.
    Copied,
    /// And all of directories, symlinks, owners and holes, as `-a` keeps them.
    Archive,
}

/// Walks a tree; a file or link alone is a tree of one.
pub fn snapshot(top: &Path) -> Snapshot {
    let mut found = Snapshot::new();
    let of_top = node(top).unwrap_or_else(|error| panic!("{}: {error}", top.display()));
    let mut folders = if of_top.kind == 'd' { vec![top.to_owned()] } else { Vec::new() };
    found.insert(Vec::new(), of_top);
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = entry.expect("a folder can be listed").path();
            // A part may go while we look: a daemon sweeps what a killed client left.
            let hidden = path.file_name().is_some_and(|name| name.as_bytes().starts_with(b".xferd-"));
            let node = match node(&path) {
                Err(error) if hidden && error.kind() == ErrorKind::NotFound => continue,
                node => node.unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            };
            let relative =
                path.strip_prefix(top).expect("found below the top").as_os_str().as_bytes().to_vec();
            if node.kind == 'd' {
                folders.push(path);
            }
            found.insert(relative, node);
        }
    }
    found
}

/// A tree without what the engine hides from everybody: parts that a later run may want.
pub fn without_parts(mut tree: Snapshot) -> Snapshot {
    tree.retain(|path, _| {
        !path.rsplit(|byte| *byte == b'/').next().is_some_and(|name| name.starts_with(b".xferd-"))
    });
    tree
}

/// Every path below a folder, relative to it; folders before what they hold.
pub fn names(top: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
            found.push(entry.path().strip_prefix(top).expect("found below the top").to_owned());
        }
    }
    found
}

/// BLAKE3 of a file, hexadecimal.
pub fn hash(path: &Path) -> String {
    try_hash(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn try_hash(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            read => hasher.update(&piece[..read]),
        };
    }
}

fn node(path: &Path) -> std::io::Result<Node> {
    let stat = std::fs::symlink_metadata(path)?;
    let kind = match stat.file_type() {
        kind if kind.is_file() => 'f',
        kind if kind.is_dir() => 'd',
        kind if kind.is_symlink() => 'l',
        _ => '?',
    };
    let target =
        std::fs::read_link(path).map(|target| target.as_os_str().as_bytes().to_vec()).unwrap_or_default();
    Ok(Node {
        kind,
        mode: stat.mode() & 0o7777,
        owner: (stat.uid(), stat.gid()),
        mtime: (stat.mtime(), stat.mtime_nsec()),
        size: if kind == 'f' { stat.len() } else { 0 },
        allocated: if kind == 'f' { stat.blocks() * 512 } else { 0 },
        root: if kind == 'f' { try_hash(path)? } else { String::new() },
        target,
    })
}

/// What differs between a source and its copy, one line each, at most 20.
pub fn differences(source: &Snapshot, copy: &Snapshot, depth: Depth) -> Vec<String> {
    let mut found = Vec::new();
    for (path, was) in source {
        let name = OsStr::from_bytes(path);
        match copy.get(path) {
            None => found.push(format!("{name:?}: missing")),
            Some(is) => {
                found.extend(node_differences(was, is, depth).map(|what| format!("{name:?}: {what}")))
            }
        }
    }
    found.extend(
        copy.keys()
            .filter(|path| !source.contains_key(*path))
            .map(|path| format!("{:?}: extra", OsStr::from_bytes(path))),
    );
    found.truncate(20);
    found
}

fn node_differences<'a>(was: &'a Node, is: &'a Node, depth: Depth) -> impl Iterator<Item = String> + 'a {
    let archive = depth == Depth::Archive;
    let metadata = archive || (depth == Depth::Copied && was.kind == 'f');
    // A copy may hold less than its source, and a little more where extents are rounded; a file with a hole of
    // more than half must keep a hole.
    let holes = archive && was.allocated < was.size / 2 && is.allocated > was.allocated + was.size / 4;
    [
        (was.kind != is.kind, format!("kind {} is {}", was.kind, is.kind)),
        (was.size != is.size, format!("size {} is {}", was.size, is.size)),
        (was.root != is.root, format!("content {} is {}", was.root, is.root)),
        (was.target != is.target, "link target".to_owned()),
        (metadata && was.kind != 'l' && was.mode != is.mode, format!("mode {:o} is {:o}", was.mode, is.mode)),
        (metadata && was.mtime != is.mtime, format!("mtime {:?} is {:?}", was.mtime, is.mtime)),
        (archive && was.owner != is.owner, format!("owner {:?} is {:?}", was.owner, is.owner)),
        (holes, format!("holes: {} of {} allocated, was {}", is.allocated, is.size, was.allocated)),
    ]
    .into_iter()
    .filter_map(|(differs, what)| differs.then_some(what))
}

/// Asserts that a copy equals its source.
pub fn assert_equal(source: &Path, copy: &Path, depth: Depth) {
    let found = differences(&snapshot(source), &snapshot(copy), depth);
    assert!(found.is_empty(), "{} and {}:\n{}", source.display(), copy.display(), found.join("\n"));
}
