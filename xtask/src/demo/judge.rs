//! Whether a copy equals its source: a walk and hashes that the engine has no part in.

use super::report::Row;
use crate::shell::{Outcome, taken};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// What is compared of one name.
#[derive(PartialEq, Eq, Debug)]
enum Node {
    File { hash: blake3::Hash, bytes: u64, mode: u32, mtime: (i64, i64) },
    Folder { mode: u32, mtime: (i64, i64) },
    Link { target: PathBuf, mtime: (i64, i64) },
    Other,
}

/// Bytes of all files below a folder.
pub(super) fn size(top: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for path in names(top)? {
        let stat =
            std::fs::symlink_metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        bytes += if stat.is_file() { stat.len() } else { 0 };
    }
    Ok(bytes)
}

/// Both trees hold the same names, kinds, contents, modes, times and link targets.
pub(super) fn same_tree(source: &Path, copy: &Path) -> Outcome<()> {
    let (was, is) = (walk(source)?, walk(copy)?);
    let all: BTreeSet<_> = was.keys().chain(is.keys()).collect();
    let wrong = all.into_iter().filter(|path| was.get(*path) != is.get(*path));
    let wrong: Vec<_> = wrong.take(5).map(|path| path.display().to_string()).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("{} and {} differ: {}", source.display(), copy.display(), wrong.join(", ")))
}

/// Both files hold the same bytes.
pub(super) fn same_file(source: &Path, copy: &Path) -> Outcome<()> {
    if hash(source)? == hash(copy)? {
        return Ok(());
    }
    Err(format!("{} and {} differ", source.display(), copy.display()))
}

/// The root in `--json` is the file's own hash.
pub(super) fn root_is(row: &Row, source: &Path) -> Outcome<()> {
    let own = hash(source)?.to_hex().to_string();
    if row.roots.contains(&own) {
        return Ok(());
    }
    Err(format!("xfer names the roots {:?}, the file's BLAKE3 is {own}", row.roots))
}

/// Debian's `b3sum` says the same of both.
pub(super) fn b3sum_agrees(source: &Path, copy: &Path) -> Outcome<()> {
    let sum = |path: &Path| taken(Command::new("b3sum").arg("--no-names").arg(path));
    let own = hash(source)?.to_hex().to_string();
    if sum(source)? == own && sum(copy)? == own {
        return Ok(());
    }
    Err(format!("b3sum disagrees on {} or {}", source.display(), copy.display()))
}

/// Nothing that only the engine should see is left.
pub(super) fn no_partial_files(top: &Path) -> Outcome<()> {
    let left = names(top)?
        .into_iter()
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".xferd-")));
    left.map_or(Ok(()), |path| Err(format!("{} was left behind", path.display())))
}

/// A push ended with "denied", and the explanation names who decided and by which rule.
pub(super) fn denied_by(status: ExitStatus, explained: &str, who: &str, rule: &str) -> Outcome<()> {
    if status.code() != Some(42) {
        return Err(format!("a push that the policy denies ended with {status} instead of exit 42"));
    }
    let lacks = [format!("decided by {who}"), format!("rule '{rule}'"), "asked      push".to_owned()];
    match lacks.iter().find(|words| !explained.contains(words.as_str())) {
        None => Ok(()),
        Some(words) => Err(format!("the explanation lacks \"{words}\": {explained}")),
    }
}

/// Nothing is there.
pub(super) fn absent(path: &Path) -> Outcome<()> {
    match std::fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(_) => Err(format!("{} is there, though its push was denied", path.display())),
    }
}

fn names(top: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn walk(top: &Path) -> Outcome<BTreeMap<PathBuf, Node>> {
    let mut found = BTreeMap::new();
    for path in names(top)? {
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let stat = std::fs::symlink_metadata(&path).map_err(failed)?;
        let (mode, mtime) = (stat.mode() & 0o7777, (stat.mtime(), stat.mtime_nsec()));
        let node = if stat.is_file() {
            Node::File { hash: hash(&path)?, bytes: stat.len(), mode, mtime }
        } else if stat.is_dir() {
            Node::Folder { mode, mtime }
        } else if stat.is_symlink() {
            Node::Link { target: std::fs::read_link(&path).map_err(failed)?, mtime }
        } else {
            Node::Other
        };
        found.insert(path.strip_prefix(top).unwrap_or(&path).to_owned(), node);
    }
    Ok(found)
}

fn hash(path: &Path) -> Outcome<blake3::Hash> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        match file.read(&mut piece).map_err(failed)? {
            0 => return Ok(hasher.finalize()),
            read => hasher.update(&piece[..read]),
        };
    }
}
