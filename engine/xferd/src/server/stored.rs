//! What accounts store: the sums that cores and policies read, and where they are compared with the disk.
//!
//! The store counts what is published and removed; what others do in a share's directory it cannot see. A start looks
//! for the files whose publication a crash may have cut short, `xferd stored --recount` for all.

use super::control::Daemon;
use crate::config::{Config, Share};
use crate::failure::{Failure, plain};
use base::codes::Code;
use base::hooks::Storing;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use serde_json::{Value, json};
use state::{Store, StoreError, StoredFile, StoredSum};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// Files that are looked at between two questions to the store.
const FILES_AT_ONCE: u32 = 1024;

/// The sums, as all cores read them. The store's thread writes them once they are durable.
#[derive(Default)]
pub struct StoredTable(RwLock<Table>);

#[derive(Default)]
struct Table {
    counted: BTreeSet<String>,
    sums: BTreeMap<String, BTreeMap<String, u64>>,
}

impl StoredTable {
    /// Of the shares of a configuration, and what the store knows.
    pub fn new(shares: &[Share], sums: &[StoredSum]) -> Self {
        let table = Self::default();
        table.serve(shares);
        table.learn(sums);
        table
    }

    /// Other shares are served from now on.
    pub fn serve(&self, shares: &[Share]) {
        let counted = shares.iter().filter(|share| share.count_stored).map(|share| share.name.clone());
        self.0.write().unwrap_or_else(PoisonError::into_inner).counted = counted.collect();
    }

    /// Bytes of an account on a share; `None`: it is not counted.
    pub fn bytes(&self, root: &str, account: &str) -> Option<u64> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let counted = table.counted.contains(root);
        counted.then(|| table.sums.get(root).and_then(|sums| sums.get(account)).copied().unwrap_or(0))
    }

    /// Sums that changed.
    pub fn learn(&self, sums: &[StoredSum]) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for sum in sums {
            let of_root = table.sums.entry(sum.root.clone()).or_default();
            match sum.files {
                0 => drop(of_root.remove(&sum.account)),
                _ => drop(of_root.insert(sum.account.clone(), sum.bytes)),
            }
        }
    }
}

/// Where shares lie, by their names.
pub(super) fn places(config: &Config) -> Vec<(String, PathBuf)> {
    config.shares.iter().map(|share| (share.name.clone(), share.path.clone())).collect()
}

/// Looks which files of earlier processes got their names; once the journals are settled, before anything is published.
/// Those of a share that is not served wait until it is.
///
/// # Errors
/// The store refuses.
pub(super) fn settle(
    store: &mut Store,
    places: &[(String, PathBuf)],
    table: &StoredTable,
) -> Result<usize, StoreError> {
    let mut changes: BTreeMap<_, Storing> = BTreeMap::new();
    let mut settled = 0;
    for (name, path) in places {
        let Ok(root) = open(path) else { continue };
        for left in store.unsettled()?.into_iter().filter(|left| left.root == *name) {
            let named = size_of(root.as_fd(), &left.path) == Some(left.bytes);
            let change = changes
                .entry((left.transfer, name.clone()))
                .or_insert_with(|| Storing::new("".into(), name.as_str().into(), left.transfer));
            change.came.push((left.path.into(), named));
            settled += 1;
        }
    }
    for change in changes.values() {
        table.learn(&store.count_stored(change)?.sums);
    }
    Ok(settled)
}

fn open(path: &Path) -> rustix::io::Result<OwnedFd> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Bytes of a regular file beneath a directory; `None`: there is none.
fn size_of(root: BorrowedFd<'_>, path: &[u8]) -> Option<u64> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let file = rustix::fs::openat2(root, OsStr::from_bytes(path), flags, Mode::empty(), beneath).ok()?;
    let stat = rustix::fs::fstat(&file).ok()?;
    let regular = rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile;
    regular.then_some(stat.st_size as u64)
}

/// Files whose size is another, or that are not there.
fn differing(root: BorrowedFd<'_>, listed: Vec<StoredFile>) -> Vec<(StoredFile, Option<u64>)> {
    let looked = listed.into_iter().map(|file| {
        let size = size_of(root, &file.path);
        (file, size)
    });
    looked.filter(|(file, size)| *size != Some(file.bytes)).collect()
}

/// What is asked.
pub(super) struct Question {
    pub(super) share: Option<String>,
    pub(super) account: Option<String>,
    pub(super) recount: bool,
}

impl Question {
    /// The shares that it is about, with their directories.
    fn places(&self, config: &Config) -> Result<Vec<(String, PathBuf)>, Failure> {
        let mut places = places(config);
        let Some(share) = &self.share else { return Ok(places) };
        let wanted = share.trim_matches('/');
        let known: Vec<String> = places.iter().map(|(name, _)| format!("/{name}")).collect();
        places.retain(|(name, _)| name == wanted);
        if places.is_empty() {
            let message = format!("no share is called /{}", crate::escape::shown(wanted));
            return Err(Failure::new(Code::NotFound, message, format!("there are: {}", known.join(" "))));
        }
        Ok(places)
    }

    fn told(&self, sums: &[StoredSum], config: &Config, corrected: Option<u64>) -> Value {
        let wanted = self.share.as_deref().map(|share| share.trim_matches('/'));
        let about = |sum: &&StoredSum| {
            wanted.is_none_or(|name| name == sum.root)
                && self.account.as_ref().is_none_or(|account| *account == sum.account)
        };
        let row = |sum: &StoredSum| json!({"share": format!("/{}", sum.root), "account": sum.account, "files": sum.files, "bytes": sum.bytes});
        let rows: Vec<Value> = sums.iter().filter(about).map(row).collect();
        let counted = config.shares.iter().filter(|share| share.count_stored);
        let counted: Vec<String> = counted.map(|share| format!("/{}", share.name)).collect();
        json!({"stored": rows, "counted": counted, "corrected": corrected})
    }
}

/// The answer of a daemon that runs; a recount goes on beside what it serves.
pub(super) async fn of_daemon(daemon: &Daemon, question: Question) -> Result<Value, Failure> {
    let config = daemon.started.borrow().config.clone();
    let places = question.places(&config)?;
    let mut corrected = None;
    for (name, path) in places.into_iter().filter(|_| question.recount) {
        let root = std::sync::Arc::new(open(&path).map_err(|errno| unreadable(&path, errno))?);
        let mut after: Option<Vec<u8>> = None;
        loop {
            let (share, from) = (name.clone(), after.take());
            let listed = daemon
                .ask_store(move |store| {
                    store.stored_files(&share, from.as_deref(), FILES_AT_ONCE).map_err(refused)
                })
                .await?;
            let Some(last) = listed.last() else { break };
            after = Some(last.path.clone());
            let beneath = root.clone();
            let look = move || differing(beneath.as_fd(), listed);
            let found = tokio::task::spawn_blocking(look)
                .await
                .map_err(|_| Failure::new(Code::InternalError, "the files could not be looked at", ""))?;
            *corrected.get_or_insert(0) += found.len() as u64;
            let (share, table) = (name.clone(), daemon.shared.stored.clone());
            daemon.ask_store(move |store| correct(store, &share, &found, &table)).await?;
        }
        corrected.get_or_insert(0);
    }
    let sums = daemon.ask_store(|store| store.stored_sums().map_err(refused)).await?;
    Ok(question.told(&sums, &config, corrected))
}

/// The same without a daemon.
///
/// # Errors
/// No such share, or the store refuses.
pub(super) fn offline(store: &mut Store, config: &Config, question: &Question) -> Result<Value, Failure> {
    let table = StoredTable::default();
    let mut corrected = None;
    for (name, path) in question.places(config)?.into_iter().filter(|_| question.recount) {
        let root = open(&path).map_err(|errno| unreadable(&path, errno))?;
        let mut after: Option<Vec<u8>> = None;
        loop {
            let listed = store.stored_files(&name, after.as_deref(), FILES_AT_ONCE).map_err(refused)?;
            let Some(last) = listed.last() else { break };
            after = Some(last.path.clone());
            let found = differing(root.as_fd(), listed);
            *corrected.get_or_insert(0) += found.len() as u64;
            correct(store, &name, &found, &table)?;
        }
        corrected.get_or_insert(0);
    }
    let sums = store.stored_sums().map_err(refused)?;
    Ok(question.told(&sums, config, corrected))
}

fn correct(
    store: &mut Store,
    root: &str,
    found: &[(StoredFile, Option<u64>)],
    table: &StoredTable,
) -> Result<(), Failure> {
    table.learn(&store.correct_stored(root, found).map_err(refused)?);
    Ok(())
}

fn refused(error: StoreError) -> Failure {
    Failure::new(error.code(), error.to_string(), "")
}

fn unreadable(path: &Path, errno: rustix::io::Errno) -> Failure {
    let message = format!("{} cannot be opened: {}", path.display(), plain(&errno.into()));
    Failure::new(Code::Io, message, "make it readable to this user; nothing was changed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_that_of_a_regular_file_beneath_the_directory() {
        let home = tempfile::tempdir().expect("temporary directory");
        std::fs::create_dir(home.path().join("a")).expect("made");
        std::fs::write(home.path().join("a/b"), "four").expect("written");
        std::fs::write(home.path().join("outside"), "outside").expect("written");
        std::os::unix::fs::symlink("b", home.path().join("a/link")).expect("made");
        let root = open(&home.path().join("a")).expect("opened");
        let size = |path: &str| size_of(root.as_fd(), path.as_bytes());
        assert_eq!((size("b"), size("none"), size("link")), (Some(4), None, None));
        assert_eq!((size("../outside"), size("."), size("b/c")), (None, None, None));
    }

    #[test]
    fn sums_are_those_of_shares_that_are_counted() {
        let sum = |root: &str, bytes, files| StoredSum {
            root: root.to_owned(),
            account: "alice".to_owned(),
            bytes,
            files,
        };
        let table = StoredTable::default();
        table.learn(&[sum("a", 7, 1), sum("b", 8, 1)]);
        assert_eq!(table.bytes("a", "alice"), None);
        table.0.write().expect("whole").counted.insert("a".to_owned());
        assert_eq!((table.bytes("a", "alice"), table.bytes("a", "bob")), (Some(7), Some(0)));
        table.learn(&[sum("a", 0, 0)]);
        assert_eq!(table.bytes("a", "alice"), Some(0));
    }
}
